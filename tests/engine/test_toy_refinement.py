"""A refinement that somebody adds from outside: one file, in schema, preset, plan, run and page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.__main__ import main
from studio.engine.networks.loader import Loader
from studio.errors import BadPreset
from studio.preset import validate
from studio.preset.refinements import REFINEMENTS
from studio.ui.form import to_preset, to_values
from studio.ui.schema import leaves
from tests.support.one_step import (  # noqa: F401 - the fixtures are imported
    LEVEL,
    Predict,
    T,
    Z,
    denoiser,
    loader,
    predict,
    preset_of,
    root,
)

TOY = '''
from studio.preset.refinement import Refinement, Setting
from studio.preset.refinements import REFINEMENTS


def calm(told, moment, share):
    """Part of the way back to the base term."""
    return told._replace(output=(1 - share) * told.output + share * moment.base)


REFINEMENTS.register(
    "calm",
    Refinement(
        title="calm",
        help="Leads back towards the unconditional prediction.",
        source="A toy of the tests",
        settings={"share": Setting("Calm", "0 is off, 1 leaves no guidance.", 0.0, usual=0.5)},
        apply=calm,
        needs=("base",),
    ),
)
'''


@pytest.fixture
def toy() -> Iterator[None]:
    assert len(TOY.strip().splitlines()) <= 40
    exec(compile(TOY, "toy", "exec"), {"__name__": "toy"})
    yield
    REFINEMENTS.remove("calm")


@pytest.mark.usefixtures("toy")
def test_one_file_is_all_it_takes(
    loader: Loader,  # noqa: F811
    root: Path,  # noqa: F811
    predict: Predict,  # noqa: F811
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["properties"]["refinements"]["properties"]["calm"]["maximum"] == 1.0

    rows = [{"prompt": "x", "weight": 3.0}, {"prompt": "y", "weight": -2.0}]
    preset = preset_of(*rows, refinements={"calm": 0.25})
    assert json.loads(preset.to_json())["refinements"] == {"calm": 0.25}
    (tmp_path / "calm.json").write_text(preset.model_copy(update={"base": "starter"}).to_json())
    assert main(["plan", str(tmp_path / "calm.json"), "--set", "refinements.calm=0.5"]) == 0
    assert "then calm 0.5 (needs starter(∅) too)" in capsys.readouterr().out

    denoise = denoiser(loader, root, preset)
    free, x, y = predict(""), predict("x"), predict("y")
    expected = 0.75 * (3 * x - 2 * y) + 0.25 * free  # the base term cancels in the sum itself
    assert (denoise(0, Z, T, *LEVEL) - expected).abs().max() < 1e-9
    assert denoise.forwards == 3 * len(Z)

    leaf: dict[str, Any] = leaves()["refinements_calm"]
    assert (leaf["kind"], leaf["low"], leaf["high"], leaf["title"]) == ("number", 0.0, 1.0, "Calm")
    assert "no guidance" in leaf["help"]
    assert to_preset(to_values(preset)) == preset
    with pytest.raises(BadPreset, match=r"refinements\.calm: .*must be at most 1"):
        validate({"refinements": {"calm": 1.5}})


def test_without_it_a_preset_that_has_it_is_refused_by_name() -> None:
    with pytest.raises(BadPreset) as caught:
        validate({"refinements": {"calm": 0.5}})
    assert caught.value.field == "refinements.calm"
    assert "no refinement" in str(caught.value)
