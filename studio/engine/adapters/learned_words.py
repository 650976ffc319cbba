"""Reading learned words (textual inversion) in the layouts that people share them in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from torch import Tensor

from studio.engine.adapters.files import read_state
from studio.engine.inputs.tokens import Words
from studio.errors import IncompatibleModels
from studio.library import CUSTOM_DIFFUSION_FILE, LORA_FILE, ModelEntry
from studio.library.adapter_headers import SECOND_TOWER, Vectors, bundled, is_adapter, vectors_of

_TOWERS = {"clip_l": "text_encoder", "clip_g": "text_encoder_2"}


def load_words(entry: ModelEntry, towers: Sequence[str]) -> Words:
    """The words that a file or a folder holds.

    Args:
        entry: an embedding, or an adapter with words beside it or in its file.
        towers: names of the text encoders that will read them.

    Raises:
        MissingModel: a damaged file.
        IncompatibleModels: vectors for towers that the base does not have.
    """
    path = Path(entry.path)
    lone = path.is_file()
    files = [path] if lone else sorted(path.glob("*.safetensors"))
    found: dict[str, dict[str, Tensor]] = {}
    for file in files:
        state = read_state(file, entry.id)
        shapes = {key: tuple(value.shape) for key, value in state.items()}
        if is_adapter(shapes) or file.name in (LORA_FILE, CUSTOM_DIFFUSION_FILE):
            shapes = {key: shape for key, shape in shapes.items() if bundled(key)[0]}
        sure = lone or file.stem == "learned_embeds"
        for one in vectors_of(shapes, file.stem, sure):
            tower = _tower(one, shapes[one.key], entry.id, towers)
            found.setdefault(one.word, {})[tower] = _rows(state[one.key])
    return Words(found)


def _tower(one: Vectors, shape: tuple[int, ...], name: str, towers: Sequence[str]) -> str:
    """The text encoder that vectors are for: the named one, else the first.

    A single tensor as wide as XL's second tower is that one's.
    """
    tower = _TOWERS.get(one.tower, "")
    if not tower:
        second = shape[-1] == SECOND_TOWER and len(towers) > 1
        tower = towers[1] if second else towers[0]
    if tower not in towers:
        raise IncompatibleModels(
            f"{name!r} was learned for two text encoders (SDXL); the base has one"
        )
    return tower


def _rows(value: Tensor) -> Tensor:
    return value.reshape(-1, value.shape[-1]).float()


def together(parts: Iterable[Words]) -> Words:
    """All words of several models; the first to hold a word wins."""
    vectors: dict[str, dict[str, Tensor]] = {}
    for part in parts:
        for word, towers in part.vectors.items():
            vectors.setdefault(word, dict(towers))
    return Words(vectors)
