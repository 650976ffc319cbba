"""What docs/architecture.md and docs/extending.md say is so: places exist, examples run as they stand."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import studio.metrics
import studio.share.tools
import studio.train.methods
from studio.extensions import TABLES
from studio.preset import Preset, validate
from tests.support import REPOSITORY
from tests.test_rooms import ROOMS

ARCHITECTURE = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
EXTENDING = (REPOSITORY / "docs" / "extending.md").read_text(encoding="utf-8")
_EXAMPLE = r"## ([^\n]+)\n(?:(?!\n## ).)*?```python\n(.*?)```"
EXAMPLES: dict[str, str] = dict(re.findall(_EXAMPLE, EXTENDING, re.S))
ADDS = {
    "A refinement of the sum": ("refinement", "calm"),
    "A scheduler": ("scheduler", "ddim-leading"),
    "A finder of parts": ("finder", "eyes"),
    "A control preprocessor": ("preprocessor", "negative"),
    "A control network": ("control network", "early-adapter"),
    "A model family": ("family", "wide-sd"),
    "A kind of adapter": ("adapter kind", "outer"),
    "A training method": ("training method", "biases"),
    "A metric": ("metric", "brightness"),
    "A reader of another tool's pictures": ("reader of another tool", "Sketcher"),
    "An experiment": ("experiment", "steps-matter"),
}


@pytest.mark.parametrize(
    "place", sorted(set(re.findall(r"`(studio/[\w/]+\.py(?::\w+)?)`", ARCHITECTURE)))
)
def test_places_of_the_architecture_exist(place: str) -> None:
    if "NAME" in place:
        assert (REPOSITORY / place).parent.is_dir()
        return
    path, _, name = place.partition(":")
    tree = ast.parse((REPOSITORY / path).read_text(encoding="utf-8"))
    names = {n.name for n in tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    assert not name or name in names, f"{path} has no {name}"


def test_every_room_is_in_the_architecture() -> None:
    rooms = {name for names in ROOMS for name in names}
    folders = {p.name for p in (REPOSITORY / "studio").iterdir() if (p / "__init__.py").exists()}
    assert folders <= rooms
    for folder in folders:
        assert f"`studio/{folder}/`" in ARCHITECTURE, folder


def test_every_table_for_additions_has_an_example() -> None:
    assert set(EXAMPLES) == set(ADDS)
    assert all(len(code.strip().splitlines()) <= 40 for code in EXAMPLES.values())


@pytest.fixture
def added(request: pytest.FixtureRequest) -> Iterator[str]:
    """The example of that title, run as it stands; taken out again after the test."""
    before = {kind: set(table) for kind, table in TABLES.items()}
    exec(compile(EXAMPLES[request.param], "docs/extending.md", "exec"), {"__name__": "example"})
    yield request.param
    for kind, table in TABLES.items():
        for name in set(table) - before.get(kind, set()):
            table.remove(name)


@pytest.mark.parametrize("added", sorted(ADDS), indirect=True)
def test_an_example_is_in_its_table(added: str) -> None:
    kind, name = ADDS[added]
    assert name in TABLES[kind]


@pytest.mark.parametrize("added", ["A refinement of the sum"], indirect=True)
def test_the_refinement_is_a_field_of_presets(added: str) -> None:
    preset = validate({"rows": [{"prompt": "x"}], "refinements": {"calm": 0.2}})
    assert '"calm"' in preset.to_json()


@pytest.mark.parametrize("added", ["A scheduler"], indirect=True)
def test_the_scheduler_is_a_choice(added: str) -> None:
    assert validate({"sampler": {"scheduler": "ddim-leading"}}).sampler.scheduler == "ddim-leading"
    assert "ddim-leading" in json.dumps(Preset.model_json_schema())


@pytest.mark.parametrize("added", ["A kind of adapter"], indirect=True)
def test_the_adapter_is_the_product_it_says(added: str) -> None:
    from studio.engine.adapters.changes import ADAPTER_CHANGES, Factors

    u, v = torch.randn(4), torch.randn(3)
    delta = ADAPTER_CHANGES["outer"](Factors({"u": u, "v": v}, torch.zeros(4, 3)))
    assert isinstance(delta.weight, tuple)
    down, up = delta.weight
    assert torch.allclose(up @ down, torch.outer(u, v))


@pytest.mark.parametrize("added", ["A metric"], indirect=True)
def test_the_metric_measures(added: str, tmp_path: Path) -> None:
    Image.new("L", (4, 4), 51).save(tmp_path / "a.png")
    scored = studio.metrics.Scored([tmp_path / "a.png"])
    assert np.isclose(studio.metrics.measure("brightness", scored)[0].mean, 0.2)


@pytest.mark.parametrize("added", ["An experiment"], indirect=True)
def test_the_experiment_fits_its_claims(added: str) -> None:
    from studio.experiments.experiment import EXPERIMENTS, Study

    found = EXPERIMENTS["steps-matter"].grid(Study())
    assert [cell.preset["sampler"]["steps"] for cell in found] == [4, 16]


@pytest.mark.parametrize("added", ["A reader of another tool's pictures"], indirect=True)
def test_the_reader_reads(added: str, tmp_path: Path) -> None:
    from studio.share import read_image

    chunks = PngInfo()
    chunks.add_text("sketcher", json.dumps({"words": "a cat", "guidance": 6.0, "glow": 0.3}))
    Image.new("RGB", (32, 32)).save(tmp_path / "a.png", pnginfo=chunks)
    preset, notes = read_image(tmp_path / "a.png")
    assert preset.rows[0].prompt == "a cat" and preset.rows[0].weight == 6.0
    assert any("glow" in note for note in notes)
