"""Files written by the first edition open unchanged: presets, pictures, links, indexes, a training.

``tests/support/first_edition`` holds a home as version 0.1.0 left it: two saved presets, a picture,
an index of its library, and a training of a learned word that was stopped at step 70.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import studio
from studio.__main__ import main
from studio.library import Library
from studio.outputs import list_outputs
from studio.plan import compile_plan
from studio.preset import validate
from studio.preset.saved import list_presets
from studio.share import decode_link, read_image
from tests.support import REPOSITORY
from tests.support.studio_page import needs_starter

FIRST = REPOSITORY / "tests" / "support" / "first_edition"
LINK = (
    "HY1LCsMwEEOvErQ2pYUuiq9SShjcyQfiePDYzcL47plmJaSHpAYNC0caf5x1TTv8w2GnyPCQrSoccjoU_t0gOUUpBmgIVIaJ"
    "Ahs-eJ0XS--3V_84hGkWgS-5soNSlI0zfLtuvvUy4L-OZGUtLDb-7P0E"
)


@pytest.fixture
def home(studio_home: Path) -> Path:
    shutil.copytree(FIRST, studio_home, dirs_exist_ok=True)
    return studio_home


def test_names_that_scripts_import_are_where_they_were() -> None:
    from studio import Engine, Preset, StudioError
    from studio.plan import Condition, Pass, Plan, Weights, compile_plan
    from studio.preset import SCHEMA_VERSION, Control, ModelRef, Row, Sampler, parse, validate
    from studio.train import train

    assert studio.Preset is Preset and studio.Engine is Engine and studio.StudioError is StudioError
    assert all((Condition, Pass, Plan, Weights, compile_plan, Control, ModelRef, Row, Sampler))
    assert SCHEMA_VERSION == 1 and callable(parse) and callable(validate) and callable(train)


@needs_starter
def test_saved_presets_open_with_every_value(home: Path) -> None:
    saved = {one.name: one for one in list_presets() if not one.shipped}
    assert set(saved) == {"Everything", "Plus"}
    for one in saved.values():
        assert one.preset is not None, one.problem
        written = json.loads(one.path.read_text(encoding="utf-8"))
        assert _contains(json.loads(one.preset.model_dump_json()), written)
        compile_plan(one.preset, Library().catalogue())
    everything = saved["Everything"].preset
    assert everything and (everything.omega, everything.sampler.scheduler) == (0.4, "ddim")


def _contains(now: object, written: object) -> bool:
    """Every value that was written is there, as it was; fields that came since are allowed."""
    if isinstance(written, dict):
        return isinstance(now, dict) and all(_contains(now[k], v) for k, v in written.items())
    if isinstance(written, list):
        return isinstance(now, list) and all(
            _contains(a, b) for a, b in zip(now, written, strict=True)
        )
    return now == written


def test_pictures_and_links_carry_their_presets(home: Path) -> None:
    (picture,) = list_outputs()
    preset, notes = read_image(picture)
    assert notes == [] and preset.rows[0].weight == 5.0 and preset.sampler.seed == 7
    linked = decode_link(LINK)
    assert linked.cfgpp and linked.rows[0].prompt == "a cat face"
    kept = validate(json.loads((home / "presets" / "plus.json").read_text()))
    assert linked.rows == kept.rows and linked.sampler == kept.sampler


@needs_starter
def test_an_index_of_then_is_no_obstacle(home: Path) -> None:
    assert "starter" in {entry.id for entry in Library().entries()}


@needs_starter
def test_a_training_goes_on_from_its_checkpoint(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in (1, 2):
        shutil.copy(REPOSITORY / f"assets/examples/training/hero-{number}.png", pictures)
    settings = [
        *("--method", "ti", "--images", str(pictures), "--base", "starter", "--name", "kept-word"),
        *("--word", "<hero>", "--superclass", "person", "--steps", "71", "--vectors", "1"),
        *("--template", "a {word} {superclass} in flat style on red", "--sample-every", "0"),
        *("--checkpoint-every", "2", "--ddloss", "0.2", "--resume"),
    ]
    assert main(["train", "personalize", *settings]) == 0
    written = capsys.readouterr()
    assert json.loads(written.out.splitlines()[-1])["id"].endswith("kept-word")
    assert "step 1/" not in written.err.replace("\r", "\n")  # it did not begin again
