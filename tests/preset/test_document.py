"""Presets: what is accepted, and one line that names the field for what is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from studio.errors import BadPreset, MissingFile
from studio.preset import MAX_JSON_BYTES, Preset, parse, validate

DOCUMENT: dict[str, Any] = {
    "schema_version": 1,
    "name": "Sunflower, Van Gogh",
    "base": "starter",
    "rows": [
        {"prompt": "sunflower AND in Van Gogh style", "weight": 7.5},
        {"model": "starter/faces", "weight": 1.5},
        {"model": {"lora": "starter/lora-hero", "strength": 1.0}, "prompt": "hero", "weight": 4.0},
        {
            "control": {"type": "canny", "image": "assets/examples/cat.png", "strength": 0.8},
            "prompt": "cat",
            "weight": 3.0,
        },
        {
            "prompt": "blurry",
            "weight": -1.5,
            "enabled": True,
            "range": [0.0, 0.6],
            "reference": "unconditional",
        },
    ],
    "omega": 0.0,
    "decoupling": 1.0,
    "sampler": {
        "scheduler": "dpm++",
        "steps": 25,
        "seed": 7,
        "width": 128,
        "height": 128,
        "count": 1,
    },
}


def test_the_documented_form_round_trips() -> None:
    preset = validate(DOCUMENT)
    assert preset.rows[2].model.lora == "starter/lora-hero"  # type: ignore[union-attr]
    assert preset.rows[4].range == (0.0, 0.6)
    assert parse(preset.to_json()) == preset
    assert validate(json.loads(json.dumps(preset.model_dump(mode="json")))) == preset


def test_defaults() -> None:
    assert validate({"rows": [{"prompt": "cat"}]}).rows[0].weight == 5.0
    assert validate({}).rows == ()  # no row at all is legal: the unconditional picture
    assert validate({"rows": [{"weight": 3}]}).rows[0].weight == 3  # an integer is a number


@pytest.mark.parametrize(
    ("data", "field", "words"),
    [
        ({"colour": 1}, "colour", "unknown field"),
        ({"rows": [{"wieght": 1.0}]}, "rows.0.wieght", "unknown field"),
        ({"rows": [{}, {"weight": "3"}]}, "rows.1.weight", "number"),
        ({"rows": [{"weight": True}]}, "rows.0.weight", "number"),
        ({"rows": [{"weight": float("nan")}]}, "rows.0.weight", "finite"),
        ({"rows": [{"weight": float("-inf")}]}, "rows.0.weight", "finite"),
        ({"rows": [{"weight": 1e9}]}, "rows.0.weight", "1000"),
        ({"rows": [{"range": [0.6, 0.2]}]}, "rows.0.range", "start"),
        ({"rows": [{"range": [0.0, 2.0]}]}, "rows.0.range.1", "1"),
        ({"rows": [{"enabled": "yes"}]}, "rows.0.enabled", "true or false"),
        ({"rows": [{"model": {"lora": "a", "strenght": 1}}]}, "rows.0.model.strenght", "unknown"),
        ({"rows": [{"control": {"type": "kanny"}}]}, "rows.0.control.type", "canny"),
        ({"rows": [{"reference": "other"}]}, "rows.0.reference", "autoguidance"),
        ({"rows": {"prompt": "cat"}}, "rows", "must be a list"),
        ({"rows": [{}] * 201}, "rows", "200 rows, got 201"),
        ({"omega": 1.5}, "omega", "1"),
        ({"decoupling": -0.1}, "decoupling", "0"),
        ({"sampler": {"steps": 0}}, "sampler.steps", "1"),
        ({"sampler": {"steps": 2.5}}, "sampler.steps", "must be a whole number"),
        ({"sampler": {"seed": 2**53}}, "sampler.seed", "must be at most"),
        ({"sampler": {"width": 8}}, "sampler.width", "16"),
        ({"sampler": {"scheduler": "restart"}}, "sampler.scheduler", "dpm++"),
        ({"base": ""}, "base", "1 character"),
        ({"schema_version": 99}, "schema_version", "update"),
        ({"name": "lone \ud800"}, "name", "unicode"),
        ({"rows": [{"curve": "bent"}]}, "rows.0.curve", "linear_up"),
        ({"rows": [{"curve": []}]}, "rows.0.curve", "at least 1"),
        ({"rows": [{"curve": [[0.5, 1], [0.5, 2]]}]}, "rows.0.curve", "rise"),
        ({"rows": [{"curve": [[0, 1], [0.5, -1]]}]}, "rows.0.curve.1.1", "0"),
        ({"rows": [{"curve": [[0, float("nan")]]}]}, "rows.0.curve.0.1", "finite"),
        ({"rows": [{"mask": 3}]}, "rows.0.mask", "must be a text"),
        ({"guidance_rescale": 1.5}, "guidance_rescale", "1"),
        ({"apg": {"eta": -1}}, "apg.eta", "0"),
        ({"apg": {"momentum": 1}}, "apg.momentum", "must be below 1"),
        ({"apg": {"norm": 1}}, "apg.norm", "unknown field"),
        (
            {"cfgpp": True},
            "cfgpp",
            "(DDIM (ddim), Euler (euler), Euler ancestral (euler_a)), got DPM-",
        ),
        ({"cfgpp": True, "sampler": {"scheduler": "unipc"}}, "cfgpp", "unipc"),
        ({"sampler": {"schedule": "quadratic"}}, "sampler.schedule", "karras"),
        ({"sampler": {"schedule": "lu", "scheduler": "euler"}}, "sampler.schedule", "karras"),
        ({"sampler": {"eta": 0.5}}, "sampler.eta", "DDIM (ddim), TCD (tcd)"),
        ({"sampler": {"noise": "gpu"}}, "sampler.noise", "device"),
        ({"sampler": {"effort": "quick"}}, "sampler.effort", "exact, balanced, fast"),
        ({"sampler": {"effort": 1.5}}, "sampler.effort", "1"),
        ({"sampler": {"effort": -0.1}}, "sampler.effort", "0"),
        ({"sampler": {"effort": "nan"}}, "sampler.effort", "number"),
        ({"sampler": {"effort": True}}, "sampler.effort", "exact, balanced, fast"),
        ({"sampler": {"effort": None}}, "sampler.effort", "allowed error"),
        ({"init": {}}, "init.image", "is missing from {}"),
        ({"init": {"image": ""}}, "init.image", "1 character"),
        (
            {"init": {"image": "a.png", "strength": -0.1}},
            "init.strength",
            "must be at least 0",
        ),
        (
            {"init": {"image": "a.png", "upscaler": "up", "enlarge": "latents"}},
            "init.upscaler",
            "enlarges pixels",
        ),
        (
            {"second_pass": {"scale": 2, "upscaler": "up", "enlarge": "latents"}},
            "second_pass.upscaler",
            "enlarges pixels",
        ),
        ({"init": {"image": "a.png", "strength": 0.03}}, "init.strength", "none to run"),
        ([], "preset", "object"),
        (None, "preset", "object"),
    ],
)
def test_each_error_names_its_field(data: Any, field: str, words: str) -> None:
    with pytest.raises(BadPreset) as caught:
        validate(data)
    assert caught.value.field == field
    assert words in caught.value.message
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "text", ["", "{", "nonsense", "[" * 100_000, '{"omega": ' + "9" * 5000 + "}", '"text"']
)
def test_text_that_is_no_preset(text: str) -> None:
    with pytest.raises(BadPreset) as caught:
        parse(text, source="given.json")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [(" ", "x.json: is empty"), ("{}", "x.json: is empty"), ("[" * 100_000, "nested too deeply")],
)
def test_a_text_that_holds_nothing_or_no_end_is_refused(text: str, why: str) -> None:
    with pytest.raises(BadPreset, match=why):
        parse(text, source="x.json")


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "given.json"
    with pytest.raises(MissingFile):
        Preset.load(path)
    path.write_bytes(b"\xff\xfe{}")
    with pytest.raises(BadPreset, match="UTF-8"):
        Preset.load(path)
    with path.open("wb") as file:
        file.truncate(50 * 2**20)
    with pytest.raises(BadPreset, match=str(MAX_JSON_BYTES)):
        Preset.load(path)
    path.write_text(json.dumps(DOCUMENT), encoding="utf-8")
    assert Preset.load(path) == validate(DOCUMENT)
    path.write_text(json.dumps(DOCUMENT), encoding="utf-8-sig")
    assert Preset.load(path) == validate(DOCUMENT)
    with pytest.raises(MissingFile):
        Preset.load(tmp_path)


def test_active_rows() -> None:
    rows = [{"weight": 0.0}, {"enabled": False}, {"prompt": "a"}, {"prompt": "b", "solo": True}]
    assert [i for i, _ in validate({"rows": rows}).active_rows()] == [3]
    assert [i for i, _ in validate({"rows": rows[:3]}).active_rows()] == [2]


def test_frozen_and_with_seed() -> None:
    preset = validate(DOCUMENT)
    with pytest.raises(Exception, match="frozen"):
        preset.omega = 1.0  # type: ignore[misc]
    assert preset.with_seed(3).sampler.seed == 3
    assert preset.sampler.seed == 7
