"""Features of pictures and texts under networks by name, computed once and kept by content."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from studio.errors import StudioError
from studio.files import write_atomically
from studio.home import cache_folder
from studio.images import open_checked
from studio.metrics.networks import (
    EFFICIENTNET,
    STARTER_CLIP,
    Network,
    check_here,
    open_network,
)

__all__ = ["EFFICIENTNET", "STARTER_CLIP", "Backbones"]

BATCH, CPU_BATCH = 32, 8  # a CPU's caches hold the activations of few pictures
THREADS = 2  # decode, and keep, while the network runs


def clip_at_hand(backbones: Backbones) -> None:
    """Raise :class:`studio.errors.MissingModel` where the CLIP is not here."""
    check_here(backbones.clip)


def vision_at_hand(backbones: Backbones) -> None:
    """Raise :class:`studio.errors.MissingModel` where the network of pictures is not here."""
    check_here(backbones.vision)


def blip_at_hand(backbones: Backbones) -> None:
    """Raise :class:`studio.errors.MissingModel` where the BLIP is not here."""
    check_here(backbones.blip)


class Backbones:
    """Features of pictures and texts, each network loaded when it is first asked for.

    Args:
        clip: the CLIP of text and picture scores.
        vision: the network of picture-to-picture scores; the CLIP where it is "".
        device: where they run.
        keep: whether features of pictures are kept below ``STUDIO_HOME/cache``.
        blip: the BLIP of ``blip-t``.
    """

    def __init__(
        self,
        clip: str = STARTER_CLIP,
        vision: str = "",
        device: str | torch.device = "cpu",
        keep: bool = True,
        blip: str = "Salesforce/blip-itm-base-coco",
    ) -> None:
        self.clip = clip
        self.vision = vision or clip
        self.blip = blip
        self.device = torch.device(device)
        self.keep = keep
        self._networks: dict[str, Network] = {}

    def pictures(self, name: str, paths: Sequence[Path], kind: str = "pooled") -> np.ndarray:
        """Features of picture files under network ``name``: (n, d), or maps (n, c, h, w) of ``kind`` "map".

        Raises:
            MissingModel: the network is not there; names how to get it.
            StudioError: a file that is no picture.
        """
        return np.concatenate(list(self.batches(name, paths, kind)))

    def batches(
        self, name: str, paths: Sequence[Path], kind: str = "pooled"
    ) -> Iterator[np.ndarray]:
        """:meth:`pictures`, a few rows at a time: memory does not grow with the number of pictures.

        The next pictures are decoded, and features written, while the network runs.
        """
        size = CPU_BATCH if self.device.type == "cpu" else BATCH
        parts = [paths[i : i + size] for i in range(0, len(paths), size)]
        with closing(_Ahead()) as threads:
            ready = threads.read(self, name, kind, parts[:1])
            for number in range(len(parts)):
                following = threads.read(self, name, kind, parts[number + 1 : number + 2])
                yield self._batch(name, kind, ready, threads)
                ready = following

    def texts(self, name: str, texts: Sequence[str]) -> np.ndarray:
        """A CLIP's (or BLIP's) projections of texts: (n, d); equal texts are encoded once."""
        unique = list(dict.fromkeys(texts))
        rows = self._network(name).texts(unique)
        at = {text: i for i, text in enumerate(unique)}
        return rows[[at[text] for text in texts]]

    def _batch(
        self, name: str, kind: str, ready: Sequence[Future[_Read]], threads: _Ahead
    ) -> np.ndarray:
        found = [one.result() for one in ready]
        new = [one for one in found if one.features is None]
        if new:
            images = [one.image for one in new if one.image is not None]
            for one, row in zip(new, self._network(name).pictures(images, kind), strict=True):
                one.features = row
                if one.place is not None:
                    threads.keep(one.place, row)
        return np.stack([one.features for one in found if one.features is not None])

    def _network(self, name: str) -> Network:
        if name not in self._networks:
            self._networks[name] = open_network(name, self.device)
        return self._networks[name]

    def read(self, name: str, kind: str, path: Path) -> _Read:
        """A picture's kept features, or the picture where there are none."""
        data = Path(path).read_bytes() if Path(path).is_file() else b""
        place = None
        if self.keep and data:
            content = hashlib.sha256(data).hexdigest()[:40]
            where = hashlib.sha256(f"{name} {kind}".encode()).hexdigest()[:12]
            place = cache_folder() / "features" / where / f"{content}.npy"
            if place.exists():
                return _Read(place, None, np.load(place, allow_pickle=False))
        return _Read(place, open_checked(path, str(path)).convert("RGB"), None)


class _Read:
    """One picture on its way: where its features are kept, itself, or its features."""

    def __init__(
        self, place: Path | None, image: Image.Image | None, features: np.ndarray | None
    ) -> None:
        self.place, self.image, self.features = place, image, features


class _Ahead:
    """Threads that decode pictures and keep features; what they keep is on disk when it closes."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS)
        self._written: list[Future[None]] = []

    def read(
        self, backbones: Backbones, name: str, kind: str, parts: Sequence[Sequence[Path]]
    ) -> list[Future[_Read]]:
        """Begin to read the pictures of ``parts``."""
        paths = [path for part in parts for path in part]
        return [self._pool.submit(backbones.read, name, kind, path) for path in paths]

    def keep(self, place: Path, row: np.ndarray) -> None:
        """Write one picture's features, soon."""
        self._written = [one for one in self._written if not one.done() or one.result()]
        self._written.append(self._pool.submit(_write, place, row))

    def close(self) -> None:
        """Wait for what is being written."""
        self._pool.shutdown(cancel_futures=False)
        for one in self._written:
            one.result()


def _write(place: Path, row: np.ndarray) -> None:
    buffer = io.BytesIO()
    np.save(buffer, row.astype(np.float32), allow_pickle=False)
    # A full disk, or a folder nobody may write to, costs the time of another pass, and no score.
    with suppress(OSError, StudioError):
        place.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(place, buffer.getvalue())
