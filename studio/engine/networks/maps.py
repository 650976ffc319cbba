"""Maps of controls that were drawn, for the rounds and pictures that ask for them again."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

from PIL import Image

MOST_BYTES = 64 * 2**20


class Maps:
    """The last maps, as many as there is room for."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, Image.Image] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, what: Hashable, seen: Image.Image, draw: Callable[[], Image.Image]) -> Image.Image:
        """The map of a picture: the one from before, else as ``draw`` draws it.

        Args:
            what: how it is drawn, and at what size. seen: the picture.
        """
        key = (what, seen.mode, seen.size, hashlib.sha256(seen.tobytes()).digest())
        with self._lock:
            found = self._kept.pop(key, None)
        found = found or draw()
        with self._lock:
            self._kept[key] = found
            while sum(3 * one.width * one.height for one in self._kept.values()) > MOST_BYTES:
                self._kept.popitem(last=False)
        return found
