"""Reading learned words (textual inversion) in the layouts that people share them in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from torch import Tensor

from studio.engine.adapters.files import read_state
from studio.engine.inputs.tokens import Words
from studio.errors import IncompatibleModels
from studio.library import CUSTOM_DIFFUSION_FILE, LORA_FILE, ModelEntry, describe, read_header

# A pair of towers in one file, as trainers of SDXL name them.
_PAIR = {"clip_l": "text_encoder", "clip_g": "text_encoder_2"}


def load_words(entry: ModelEntry, towers: Sequence[str]) -> Words:
    """The words that a file or a folder holds.

    Args:
        entry: an embedding, or an adapter with words beside it.
        towers: names of the text encoders that will read them.

    Raises:
        MissingModel: a damaged file.
        IncompatibleModels: vectors for towers that the base does not have.
    """
    path = Path(entry.path)
    files = (
        [path]
        if path.is_file()
        else [
            file
            for file in sorted(path.glob("*.safetensors"))
            if file.name not in (LORA_FILE, CUSTOM_DIFFUSION_FILE)
        ]
    )
    found: dict[str, dict[str, Tensor]] = {}
    for file in files:
        told = describe(read_header(file), file.stem, entry.kind == "embedding") or {}
        if told.get("kind") == "embedding":
            found[told["words"][0]] = _vectors(file, entry.id, towers)
    return Words(found)


def _vectors(file: Path, name: str, towers: Sequence[str]) -> dict[str, Tensor]:
    """Tower → (vectors, width) of one file."""
    state = read_state(file, name)
    if set(state) == set(_PAIR):
        if "text_encoder_2" not in towers:
            raise IncompatibleModels(
                f"{name!r} was learned for two text encoders (SDXL); the base has one"
            )
        return {_PAIR[key]: _rows(value) for key, value in state.items()}
    return {towers[0]: _rows(next(iter(state.values())))}


def _rows(value: Tensor) -> Tensor:
    return value.reshape(-1, value.shape[-1]).float()


def together(parts: Iterable[Words]) -> Words:
    """All words of several models; the first to hold a word wins."""
    vectors: dict[str, dict[str, Tensor]] = {}
    for part in parts:
        for word, towers in part.vectors.items():
            vectors.setdefault(word, dict(towers))
    return Words(vectors)
