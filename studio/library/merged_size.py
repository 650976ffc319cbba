"""How large a merged model will be, and whether the disk has room for it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from studio.errors import StudioError
from studio.files import shown
from studio.home import models_folder
from studio.library.entry import ModelEntry
from studio.library.family import VAE
from studio.library.guard import header_of
from studio.library.weight_files import weight_files

_ROOM = 64 * 2**20  # bytes that a disk keeps free


def bytes_of(entry: ModelEntry, each: int) -> int:
    """About the bytes of the outcome: the first model's numbers, each in its new size."""
    return sum(size * each // held if held else size for size, held in _tensors(entry))


def _tensors(entry: ModelEntry) -> Iterator[tuple[int, int]]:
    """Bytes of a model's tensors, with those of one number; of the autoencoder, all keep theirs."""
    for file in weight_files(Path(entry.path)):
        try:
            header = header_of(file)
        except (OSError, ValueError):
            continue  # reading it says what is wrong
        for name, tensor in header.items():
            if name != "__metadata__" and not name.startswith(_EMA):
                start, end = tensor["data_offsets"]
                kept = file.parent.name == "vae" or name.startswith(VAE)
                yield end - start, 0 if kept else _SIZES.get(tensor["dtype"], 0)


_EMA = "model_ema."  # averages beside the weights of a checkpoint, which no picture is made with
_SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1}


def check_room(size: int) -> None:
    """Refuse a disk without room for so many bytes.

    Raises:
        StudioError: names ``name``.
    """
    folder = models_folder()
    there = next((one for one in (folder, *folder.parents) if one.is_dir()), folder)
    try:
        free = shutil.disk_usage(there).free
    except OSError:
        return  # writing says what is wrong
    if size + _ROOM > free:
        raise StudioError(
            f"needs about {size / 1e6:.0f} MB in {shown(folder)}, where {free / 1e6:.0f} MB are "
            "free; make room first, or take another precision",
            field="name",
        )
