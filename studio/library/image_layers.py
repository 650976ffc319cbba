"""Whether the layers of an IP-Adapter are those of a network, from the headers of both.

An IP-Adapter numbers its layers as diffusers goes through the attentions of a UNet: down, up, then
the middle; every second is a cross-attention.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from studio.files import listed
from studio.library.entry import SAFETENSORS
from studio.library.family import Shapes, shapes_of
from studio.library.guard import header_of

# A UNet's cross-attentions, as diffusers and as files of whole models name them.
_READS_TEXT = re.compile(
    r"(?:^|\.)(down_blocks|input_blocks|up_blocks|output_blocks|mid_block|middle_block)\."
    r".*attn2\.to_k\.weight$"
)
_ORDER = ("down_blocks", "input_blocks", "up_blocks", "output_blocks", "mid_block", "middle_block")
_KEYS = ("to_k_ip", "to_v_ip")


def fits(adapter: str, network: str) -> bool:
    """Whether an IP-Adapter's file has a network's layers; also where a header does not say.

    Args:
        network: its file, its folder, or that of its pipeline.
    """
    wanted = _layers(_state(_weights(Path(network))))
    given = dict(_shapes(_state([Path(adapter)])))
    if not wanted or not given:
        return True
    return all(
        given.get(f"ip_adapter.{2 * index + 1}.{key}.weight") == shape
        for index, shape in enumerate(wanted)
        for key in _KEYS
    )


def _weights(network: Path) -> list[Path]:
    if not network.is_dir():
        return [network]
    folder = network / "unet" if (network / "unet").is_dir() else network
    return sorted(listed(folder, SAFETENSORS))


def _state(files: Iterable[Path]) -> tuple[tuple[Path, int, int], ...]:
    """Files as they are now: a plan is made at every keystroke, and reads each once."""
    found = []
    for file in files:
        try:
            state = file.stat()
        except OSError:
            continue
        found.append((file, state.st_mtime_ns, state.st_size))
    return tuple(found)


@lru_cache(maxsize=64)
def _layers(files: tuple[tuple[Path, int, int], ...]) -> tuple[tuple[int, ...], ...]:
    """What the keys of each cross-attention come from and go to, in the adapter's order."""
    found = {}
    for name, shape in _shapes(files):
        if match := _READS_TEXT.search(name):
            numbers = tuple(map(int, re.findall(r"\d+", name[match.start() :])))
            found[_ORDER.index(match[1]), numbers] = shape
    return tuple(found[place] for place in sorted(found))


@lru_cache(maxsize=64)
def _shapes(files: tuple[tuple[Path, int, int], ...]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Names and shapes of the layers in files; nothing where one cannot be read."""
    found: dict[str, tuple[int, ...]] = {}
    for file, _, _ in files:
        try:
            found |= _of_attention(shapes_of(header_of(file)))
        except (OSError, ValueError):
            return ()
    return tuple(found.items())


def _of_attention(shapes: Shapes) -> dict[str, tuple[int, ...]]:
    return {
        name: shape
        for name, shape in shapes.items()
        if name.startswith("ip_adapter.") or _READS_TEXT.search(name)
    }
