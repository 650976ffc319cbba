"""What the package dynamicprompts chooses from, and how it is asked."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from studio.errors import BadPreset
from studio.files import listed
from studio.home import wildcards_folder
from studio.preset.encodings import decoded

if TYPE_CHECKING:
    from dynamicprompts.sampling_context import SamplingContext
    from dynamicprompts.wildcards import WildcardManager

MAX_FILES, MAX_FILE_BYTES = 5000, 4 * 2**20
SUFFIXES = (".txt", ".yaml", ".json")
File = tuple[Path, int, int]  # with its size and time of change
# All threads have one parser, whose pyparsing tries out once how its actions are called: two threads
# that do so at once leave it refusing every text.
_parsing = threading.Lock()


def context(rand: Random, field: str, combined: bool = False) -> SamplingContext:
    """What chooses by ``rand``, or all in turn, from the wildcards as they are now.

    Raises:
        BadPreset: too many or too large files, or one that cannot be read; names the field.
    """
    from dynamicprompts.enums import SamplingMethod
    from dynamicprompts.sampling_context import SamplingContext

    manager = _manager(_files(field))
    method = SamplingMethod.COMBINATORIAL if combined else SamplingMethod.RANDOM
    return SamplingContext(method, manager, rand=rand)


def sampled(among: SamplingContext, text: str, most: int) -> list[str]:
    """What a text comes to, at most so many times; raises whatever a parser says of it."""
    with _parsing:
        return [str(one) for one in islice(among.sample_prompts(text, most), most)]


def collections(field: str) -> Iterable[str]:
    """The names of the wildcards in the studio's folder; raises as :func:`context` does."""
    files = _files(field)
    return _manager(files).get_collection_names() if files else ()


def _files(field: str) -> tuple[File, ...]:
    """The files of wildcards as they are now, once they are known to be few and small."""
    folder = wildcards_folder()
    files = list(listed(folder, SUFFIXES, depth=5)) if folder.is_dir() else []
    if len(files) > MAX_FILES:
        raise BadPreset(f"{folder} holds {len(files)} files; at most {MAX_FILES}", field=field)
    found = []
    for file in files:
        try:
            state = file.stat()
        except OSError as error:  # it has gone meanwhile
            reason = f"the wildcards cannot be read ({error.strerror})"
            raise BadPreset(reason, field=field) from error
        if state.st_size > MAX_FILE_BYTES:
            raise BadPreset(
                f"the wildcard {file.name} is larger than {MAX_FILE_BYTES // 2**20} MB", field=field
            )
        found.append((file, state.st_size, state.st_mtime_ns))
    return tuple(found)


@lru_cache(maxsize=2)  # read once, and not with every letter that is typed
def _manager(files: tuple[File, ...]) -> WildcardManager:
    from dynamicprompts.wildcards import WildcardManager
    from dynamicprompts.wildcards.collection import WildcardTextFile
    from dynamicprompts.wildcards.tree.build import build_tree_from_path

    if not files:
        return WildcardManager()
    found: dict[str, Any] = {
        name: _Lines(one._path) if isinstance(one, WildcardTextFile) else one
        for name, one in build_tree_from_path(wildcards_folder()).map.items()
    }
    return WildcardManager(root_map={"": [found]})


class _Lines:
    """A text file's choices, whatever it is written in; the package's own leaves out what is not UTF-8."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.values: list[str] | None = None

    def get_values(self) -> list[str]:
        if self.values is None:
            text, _ = decoded(self.path.read_bytes())
            lines = (line.strip() for line in re.split(r"\r\n|\r|\n", text))
            self.values = [line for line in lines if line and not line.startswith("#")]
        return self.values
