"""Everything that the studio writes to a disk, as one function each, and what must hold of it.

A writer makes its ``number``-th piece in ``STUDIO_HOME`` and names the file; :func:`check` looks at
all of them afterwards.
"""

from __future__ import annotations

import gc
import io
import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from PIL import Image
from torch import nn

from studio import files
from studio.errors import StudioError
from studio.hard.attack import Fell
from studio.hard.hub import MODEL, allowed, hub
from studio.hard.models import GOOD
from studio.hard.mutation import json_text, safetensors_file
from studio.history import History, record_of
from studio.history.intake import take_in
from studio.home import inputs_folder, models_folder, studio_home, training_folder
from studio.images import store
from studio.library import Library, ModelEntry
from studio.library.download import download
from studio.outputs import list_outputs, outputs_folder
from studio.preset import validate
from studio.preset.saved import list_presets, save_preset
from studio.share import read_image, save_image
from studio.train import checkpoint, result
from studio.train.config import TrainConfig
from studio.train.latents import encode_all

_PRESET = validate({"name": "kept", "rows": [{"prompt": "a " * 500}]})
_NAME = "trained"


def _picture(number: int) -> Path:
    image = Image.effect_noise((64, 64), 50).convert("RGB")
    return save_image(image, _PRESET.with_seed(number), outputs_folder())


def _saved(number: int) -> Path:
    return save_preset(_PRESET, f"kept {number % 3}")


def _input(number: int) -> Path:
    return studio_home() / store(Image.new("RGB", (64, 64), (number % 256, number // 256 % 256, 0)))


def _index(number: int) -> Path:
    path = models_folder() / f"m{number % 50}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_atomically(path, safetensors_file(json_text(GOOD)))
    if not Library((models_folder(),)).entries():
        raise Fell("the library is empty")
    return path


class _Encoder(nn.Module):
    """An autoencoder whose latents are a picture's own pixels, so that they can be checked."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Parameter(torch.ones(()))

    def encode(self, pixels: torch.Tensor) -> Any:
        """Two copies of the pixels as mean and log variance."""
        return SimpleNamespace(latent_dist=SimpleNamespace(parameters=torch.cat([pixels] * 2, 1)))


def _latents(number: int) -> Path:
    path = inputs_folder().parent / "pictures" / f"{number % 20}.png"
    if not path.is_file():
        data = io.BytesIO()
        Image.new("RGB", (64, 64), (number % 20, 7, 7)).save(data, "PNG")
        files.write_atomically(path, data.getvalue())
    entry = ModelEntry("x", "base", "", 0, "")
    (found,) = encode_all([path], _Encoder(), entry, 64, 8, flips=False)
    wanted = (number % 20) / 127.5 - 1
    if found.straight.shape != (6, 64, 64) or abs(float(found.straight[0].mean()) - wanted) > 0.01:
        raise Fell("a latent is not its picture's")
    return path


def _config(number: int) -> TrainConfig:
    return TrainConfig(method="lora", images="x", name=_NAME, word="<x>", steps=number + 1)


def _checkpoint(number: int) -> Path:
    weights = torch.full((5000,), float(number))
    return checkpoint.write(training_folder(_NAME), {"step": number, "trained": {"a": weights}})


def _result(number: int) -> Path:
    def save(folder: Path) -> None:
        (folder / "pytorch_lora_weights.safetensors").write_bytes(safetensors_file(json_text(GOOD)))

    return result.publish(_config(number), save, number + 1)


@lru_cache(maxsize=1)
def _opened(home: Path) -> History:
    return History(home, outputs_folder())


def release() -> None:
    """Let the history's files go."""
    _opened.cache_clear()
    gc.collect()


def _history(number: int) -> Path:
    """A picture that the history knows, with a star."""
    path, opened = _picture(number), _opened(studio_home())
    record = record_of(path, path.name)
    opened.made(record)
    opened.mark([record.id], starred=True, note=path.name)
    return path


def _download(number: int) -> Path:
    with allowed():
        list(download(hub().model(), hub().url))
    return models_folder() / MODEL


WRITERS: dict[str, Callable[[int], Path]] = {
    "picture": _picture,
    "preset": _saved,
    "input": _input,
    "library index": _index,
    "latents cache": _latents,
    "checkpoint": _checkpoint,
    "result folder": _result,
    "history": _history,
    "download": _download,
}
# Those that ask nothing of another process: for attacks that make writes fail.
OWN = sorted(set(WRITERS) - {"download"})


def check(finished: Sequence[Path]) -> None:
    """Everything that was finished is there and whole, and nothing half of one is listed."""
    for path in finished:
        # Between two renames the newest checkpoint has the name of the one before.
        if not path.exists() and path.name != checkpoint.CHECKPOINT:
            raise Fell(f"{path.name} is lost")
    _check_outputs()
    _check_history()
    for saved in list_presets():
        if saved.preset is None:
            raise Fell(f"{saved.name}: {saved.problem}")
    _check_library()
    _check_checkpoint(any(path.name == checkpoint.CHECKPOINT for path in finished))


def _check_outputs() -> None:
    for path in list_outputs(10_000):
        try:
            name = read_image(path)[0].name
        except StudioError as error:
            raise Fell(str(error)) from error
        if name != "kept":
            raise Fell(f"{path.name} is not what was saved")


def _check_history() -> None:
    if not (studio_home() / "studio.db").is_file():
        return
    opened = History(studio_home(), outputs_folder())
    try:
        take_in(opened)
        records = opened.search(limit=10_000).records
        names = {record.path for record in records}
        lost = [path.name for path in list_outputs(10_000) if path.name not in names]
        if lost or "made anew" in opened.notice:  # in memory, where the disk is full still
            raise Fell(f"the history lost {lost[:1]} {opened.notice}")
        wrong = [one.path for one in records if one.starred and one.note != one.path]
        if wrong:
            raise Fell(f"half of what was said of {wrong[0]} is kept")
    finally:
        opened.close()


def _check_library() -> None:
    if not models_folder().is_dir():
        return
    library = Library((models_folder(),))
    for refused in library.refused():
        if refused.id != MODEL:  # what has come of a download may be refused with a reason
            raise Fell(f"{refused.id} {refused.problem}")
    for entry in library.entries():
        if entry.id == MODEL and not hub().same(Path(entry.path)):
            raise Fell("half of a download is listed as a model")
    card = models_folder() / _NAME / "card.json"
    if card.parent.exists() and not json.loads(card.read_bytes()).get("steps"):
        raise Fell("half of a result is listed")


def _check_checkpoint(finished: bool) -> None:
    found = checkpoint.newest(training_folder(_NAME))
    if found is None:
        if finished:
            raise Fell("every checkpoint is lost")
        return
    weights = found.state["trained"]["a"]
    if found.note or not bool((weights == found.state["step"]).all()):
        raise Fell(f"a checkpoint is not whole: {found.note}")


def write_all(number: int) -> None:
    """One piece of each kind: what a next start must be able to do.

    Raises:
        Fell: one of them cannot be written.
    """
    for name in OWN:
        try:
            WRITERS[name](number)
        except StudioError as error:
            raise Fell(str(error)) from error
