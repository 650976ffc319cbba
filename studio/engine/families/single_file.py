"""Whole models in one ``.safetensors`` file, in the layout that people share them in.

The converters are diffusers' own. What a file does not hold (configs, the noise schedule, CLIP's
tokenizer) comes from its family; widths and depths are read from the file's header, so that
nothing has to be fetched.
"""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from studio.engine.families import t2i_adapter
from studio.engine.families.single_file_configs import configs_of
from studio.errors import MissingModel
from studio.library import ModelEntry, family_of, read_header
from studio.library.family import UNET, VAE, canonical_names

# Which tensors of the file belong to which part of the pipeline, text towers apart.
_PREFIXES = {"unet": (UNET,), "vae": (VAE,)}
_State = dict[str, torch.Tensor]
_MERGES = Path(__file__).with_name("clip_merges.txt.gz")


def prefixes_of(entry: ModelEntry, part: str) -> tuple[str, ...]:
    """How the names of a part's tensors begin in a whole-model file."""
    if entry.kind in ("controlnet", "vae") or {"text", "vae"} <= set(entry.lacks):
        return ("",)  # a network alone in its file
    layout = family_of(entry.family).in_file
    if layout is None or part not in layout.towers:
        return _PREFIXES.get(part, ())
    return layout.towers[part].prefixes


def is_single_file(entry: ModelEntry) -> bool:
    """Whether a model is one file rather than a folder or a hub id."""
    return entry.one_file


def load(kind: Any, entry: ModelEntry, part: str, dtype: torch.dtype) -> Any:
    """One network of the file.

    Args:
        kind: ``UNet2DConditionModel``, ``AutoencoderKL``, ``CLIPTextModel`` or the like.
        part: its name in a pipeline; "" for a file that holds one network only.

    Raises:
        MissingModel: the file holds no such part.
    """
    state = _read(entry, part)
    config = configs_of(read_header(Path(entry.path)), entry)[part]
    if part.startswith("text_encoder"):
        return _tower(kind, config, state, dtype)
    return _network(kind, config, state, entry.id)


def _tower(kind: Any, config: Mapping[str, Any], state: _State, dtype: torch.dtype) -> Any:
    from diffusers.loaders import single_file_utils

    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "config.json").write_text(json.dumps(config))
        return single_file_utils.create_diffusers_clip_model_from_ldm(
            kind, state, config=folder, torch_dtype=dtype, local_files_only=True
        )


def _network(kind: Any, config: Mapping[str, Any], state: _State, name: str) -> Any:
    """A network of diffusers, its tensors renamed by diffusers' own converter where they must be.

    What the file lacks stays on the ``meta`` device, for the caller to name.
    """
    from accelerate import init_empty_weights
    from diffusers.loaders.single_file_model import SINGLE_FILE_LOADABLE_CLASSES

    with init_empty_weights():
        network = kind.from_config(dict(config))
    wanted = network.state_dict()
    if not any(key in wanted for key in state):  # the original code's names
        known = SINGLE_FILE_LOADABLE_CLASSES.get(kind.__name__, {})
        convert = known.get("checkpoint_mapping_fn", t2i_adapter.converted)
        converted = convert(checkpoint=dict(state), config=dict(config))
        state = {key: value for key, value in converted.items() if value is not None}
    for key, tensor in wanted.items():
        if key in state and state[key].shape != tensor.shape:
            raise MissingModel(
                f"{name!r}: the tensor {key} is {tuple(state[key].shape)}, its network needs "
                f"{tuple(tensor.shape)}"
            )
    network.load_state_dict(
        {key: value for key, value in state.items() if key in wanted}, strict=False, assign=True
    )
    return network


def _read(entry: ModelEntry, part: str) -> _State:
    """The tensors of one part alone; the rest of the file is not read."""
    from safetensors import safe_open

    prefixes = prefixes_of(entry, part)
    with safe_open(entry.path, framework="pt") as file:
        names = canonical_names(file.keys())
        found = {key: name for key, name in names.items() if name.startswith(prefixes)}
        if not found:
            raise MissingModel(f"the file of {entry.id!r} holds no {part}")
        state = {name: file.get_tensor(key) for key, name in found.items()}
    # Where a part may lie in several places, the converters know the first for certain.
    first, *others = prefixes
    for other in others:
        state = {_moved(name, other, first): value for name, value in state.items()}
    return state


def _moved(name: str, before: str, after: str) -> str:
    return after + name.removeprefix(before) if name.startswith(before) else name


def config(entry: ModelEntry, part: str) -> dict[str, Any]:
    """The config of a part, the noise schedule's among them."""
    return configs_of(read_header(Path(entry.path)), entry)[part]


def tokenizer(entry: ModelEntry, part: str) -> Any:
    """CLIP's tokenizer, padded as the family's tower was trained."""
    layout = family_of(entry.family).in_file
    assert layout is not None
    tower = layout.towers[part.replace("tokenizer", "text_encoder")]
    # OpenCLIP pads with "!", whose id is 0; OpenAI's CLIP with its end mark.
    return _clip_tokenizer("!" if tower.names == "open_clip" else "<|endoftext|>")


@lru_cache(maxsize=2)
def _clip_tokenizer(pad: str) -> Any:
    from transformers import CLIPTokenizer

    merges: Any = [  # the tokenizer takes pairs too, whatever its hints say
        tuple(line.split()) for line in gzip.decompress(_MERGES.read_bytes()).decode().split("\n")
    ]
    letters = [*range(33, 127), *range(161, 173), *range(174, 256)]
    alphabet = [chr(code) for code in letters]
    # Bytes that cannot be printed stand for themselves above 255, as in GPT-2's byte-level BPE.
    alphabet += [chr(256 + n) for n in range(256 - len(letters))]
    tokens = [
        *alphabet,
        *(letter + "</w>" for letter in alphabet),
        *("".join(m) for m in merges),
        "<|startoftext|>",
        "<|endoftext|>",
    ]
    return CLIPTokenizer(
        vocab={token: number for number, token in enumerate(tokens)},
        merges=merges,
        pad_token=pad,
        model_max_length=77,
    )
