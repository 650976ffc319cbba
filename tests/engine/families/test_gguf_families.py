"""Every family's network in a GGUF file, against the same weights in plain numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

pytest.importorskip("gguf", reason="gguf is not installed")

from safetensors.torch import load_file, save_file

from studio.library import FAMILIES, Library
from tests.support import tiny_gguf, tiny_pictures
from tests.support.family_contract import PROMPT, SCHEDULER, SIZE, Roots
from tests.support.tiny_pictures import SCALE, SEED, STEPS, difference


def rounding(_: str, value: Tensor) -> Any:
    """Wide matrices in eight bits, all other numbers in sixteen."""
    if value.ndim == 2 and value.shape[1] % 32 == 0:
        return tiny_gguf.Q8_0
    return tiny_gguf.BF16 if value.is_floating_point() else None


def linked(base: Path, folder: Path, part: str) -> Path:
    """A pipeline of links to the parts of ``base``, and of its own network's folder."""
    (folder / part).mkdir(parents=True)
    for item in base.iterdir():
        if item.name != part:
            (folder / item.name).symlink_to(item)
    config = (base / part / "config.json").read_text()
    (folder / part / "config.json").write_text(config)
    return folder / part


def picture(root: Path, base: str) -> Any:
    sampler = {"steps": STEPS, "scheduler": SCHEDULER, "seed": SEED, "width": SIZE, "height": SIZE}
    rows = [{"prompt": PROMPT, "weight": SCALE}]
    return tiny_pictures.made(root, {"base": base, "rows": rows, "sampler": sampler})


@pytest.mark.parametrize("name", FAMILIES)
def test_a_network_in_a_gguf_file_is_one_of_its_numbers(
    name: str, roots: Roots, tmp_path: Path
) -> None:
    """What else the base has stands there as links, as a person may do who has it already."""
    root, part = roots(name), FAMILIES[name].part
    state = load_file(root / "base" / part / tiny_gguf.WEIGHTS)
    (tmp_path / "base").symlink_to(root / "base")
    tiny_gguf.write(linked(root / "base", tmp_path / "few", part) / "a.gguf", state, "", rounding)
    plain = linked(root / "base", tmp_path / "plain", part) / tiny_gguf.WEIGHTS
    save_file(dict(tiny_gguf.unrounded(state, rounding)), plain)
    assert Library((tmp_path,))["few"].quantised == "gguf"
    assert difference(picture(tmp_path, "few"), picture(tmp_path, "plain")) <= 1
