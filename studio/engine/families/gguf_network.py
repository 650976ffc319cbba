"""A denoising network whose weights lie in a GGUF file beside its config, read by diffusers.

Linear layers keep their weights as they are rounded and unfold them at every step; all else is
plain. What the file holds is laid over an empty network first, by its header alone, so that a file
of another network is refused before a weight is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from studio.engine.families.pretrained import (
    check_config,
    check_files,
    guarded,
    read_config,
    refuse_missing,
)
from studio.engine.networks.rounded import shape_of, unfolded
from studio.errors import MissingModel, shorten
from studio.files import shown
from studio.library.family import UNET, canonical_names
from studio.library.gguf_files import FORMATS, GGUFHeader, read_gguf

_State = dict[str, Tensor]
_Renaming = Callable[[_State], _State]


def load(kind: Any, files: Sequence[Path], name: str, dtype: torch.dtype) -> Any:
    """The network of a folder with a config and one GGUF file.

    Args:
        kind: its class in diffusers.
        files: the folder's GGUF files.
        name: what errors call it.
        dtype: what it reckons in, and what its plain weights are held in.

    Raises:
        MissingModel: several files, one that is damaged or of another network, a config out of
            bounds, or a tensor missing.
    """
    file, folder = files[0], files[0].parent
    if len(files) > 1 or next(folder.glob("*.safetensors"), None) is not None:
        raise MissingModel(f"{name!r} has several files of weights in {folder.name}; keep one")
    check_files(folder, name)
    config = read_config(folder / "config.json")
    check_config(config, f"{name!r}: {folder.name}/config.json")
    return guarded(lambda: _load(kind, config, file, name, dtype), name)


def _load(kind: Any, config: Any, file: Path, name: str, dtype: torch.dtype) -> Any:
    from accelerate import init_empty_weights
    from diffusers import GGUFQuantizationConfig

    header = read_gguf(file)
    with init_empty_weights():
        empty = kind.from_config(dict(config))
    wanted = empty.state_dict()
    renamed = _checked(kind, empty, header, name, file)
    state = renamed(_read(file, header, dtype))
    _unfold(state, _linear_weights(empty), dtype)
    return kind.from_single_file(
        {key: state[key] for key in wanted},  # by these names diffusers renames nothing
        config=str(file.parent),
        quantization_config=GGUFQuantizationConfig(compute_dtype=dtype),
        torch_dtype=dtype,
        local_files_only=True,
    )


def _checked(kind: Any, network: nn.Module, header: GGUFHeader, name: str, file: Path) -> _Renaming:
    """How the file's names become the network's, once it is seen that its tensors are the network's.

    Raises:
        MissingModel: another network, a tensor missing or of another shape.
    """
    wanted = network.state_dict()
    laid, renamed, asked = _renaming(kind, network, _laid_out(header))
    missing = sorted(wanted.keys() - laid.keys())
    if len(missing) > len(wanted) // 2:
        first = next(iter(header.tensors), "")
        raise MissingModel(
            f"{name!r}: {shown(file.name)} holds another network than config.json beside it says, or "
            f"not all of it: its first tensor is {shorten(first)}, and {asked or missing[0]} is not there"
        )
    refuse_missing(missing, name, "network")
    for key, tensor in wanted.items():
        if (found := shape_of(laid[key])) != tensor.shape:
            raise MissingModel(
                f"{name!r}: the tensor {key} is {tuple(found)}, its network needs "
                f"{tuple(tensor.shape)}"
            )
    return renamed


def _renaming(kind: Any, network: Any, state: _State) -> tuple[_State, _Renaming, str]:
    """The state in diffusers' names, what gave it those, and a tensor that this asked for in vain.

    It stays as it is where it has those names already, or no other known ones.
    """
    from diffusers.loaders.single_file_model import SINGLE_FILE_LOADABLE_CLASSES

    wanted, same = network.state_dict().keys(), lambda state: state
    if wanted <= state.keys():
        return state, same, ""
    convert = SINGLE_FILE_LOADABLE_CLASSES[kind.__name__]["checkpoint_mapping_fn"]

    def renamed(state: _State) -> _State:
        return convert(checkpoint=dict(state), config=dict(network.config))

    try:
        converted = renamed(state)
    except Exception as error:  # diffusers' own names with one missing, or another network's
        return state, same, str(error.args[0]) if isinstance(error, KeyError) and error.args else ""
    better = len(wanted & converted.keys()) > len(wanted & state.keys())
    return (converted, renamed, "") if better else (state, same, "")


def _laid_out(header: GGUFHeader) -> _State:
    """The file's tensors without their numbers, on the ``meta`` device."""
    from diffusers.quantizers.gguf import utils

    found: _State = {}
    parameter: Any = utils.GGUFParameter
    numbers_of = {name: number for number, (name, _, _) in FORMATS.items()}
    for key, name in _names(header).items():
        one = header.tensors[key]
        if not one.stays_rounded:
            found[name] = torch.empty(one.shape, device="meta")
            continue
        rounding = numbers_of[one.format]
        _, numbers, size = FORMATS[rounding]
        packed = (*one.stored[:-1], one.stored[-1] // numbers * size)
        data = torch.empty(packed, dtype=torch.uint8, device="meta")
        found[name] = parameter(data, quant_type=rounding)
    return found


def _read(file: Path, header: GGUFHeader, dtype: torch.dtype) -> _State:
    """The file's tensors by diffusers' reader; those that cannot stay rounded are unfolded."""
    from diffusers.models.model_loading_utils import load_gguf_checkpoint

    state, names = load_gguf_checkpoint(str(file)), _names(header)
    found: _State = {}
    for key, name in names.items():
        value, one = state.pop(key), header.tensors[key]
        if not one.stays_rounded:
            value = unfolded(value).reshape(one.shape).to(dtype)
        found[name] = value
    return found


def _unfold(state: _State, linear: set[str], dtype: torch.dtype) -> None:
    """Make plain, in place, what no linear layer would unfold by itself."""
    for key, value in state.items():
        if hasattr(value, "quant_type") and key not in linear:
            state[key] = unfolded(value).to(dtype)


def _linear_weights(network: nn.Module) -> set[str]:
    modules = network.named_modules()
    return {f"{name}.weight" for name, module in modules if isinstance(module, nn.Linear)}


def _names(header: GGUFHeader) -> Mapping[str, str]:
    """The network's own tensors: their names in the file → those that a whole model's file has."""
    names = canonical_names(header.tensors)
    own = {key: name for key, name in names.items() if name.startswith(UNET)}
    return own or names
