"""What every refinement of the table must do; a new one is tested by being in the table."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from studio.diffusion.guidance import Moment, refined
from studio.diffusion.parameterisation import Prediction
from studio.engine.combine import Assembly
from studio.errors import BadPreset
from studio.library import ModelEntry
from studio.plan import compile_plan
from studio.preset import SINGLE_STEP, Preset, validate
from studio.preset.fields import with_fields
from studio.preset.refinements import REFINEMENTS, Chosen, Refine, path_of

CATALOGUE = {"base": ModelEntry("base", "base", "sd1", 0, "there")}
ROWS = [
    {"prompt": "a", "weight": 4.0},
    {"prompt": "b", "weight": 0.5, "mask": "m.png"},
    {"prompt": "c", "weight": -1.5},
    {"prompt": "d", "weight": 2.0, "reference": "autoguidance", "mask": "n.png"},
]
LEVEL = (torch.tensor(0.8, dtype=torch.float64), torch.tensor(0.6, dtype=torch.float64))
SHAPE = (3, 4, 6, 6)
MASKS = {
    "m.png": (torch.arange(36.0, dtype=torch.float64).view(1, 1, 6, 6) - 9).clamp(0, 20) / 20,
    "n.png": torch.ones(1, 1, 6, 6, dtype=torch.float64).tril(),
}
every_refinement = pytest.mark.parametrize("name", list(REFINEMENTS))


def preset_of(name: str = "", rows: list[dict[str, Any]] = ROWS, neutral: bool = False) -> Preset:
    sampler = {"scheduler": SINGLE_STEP[0], "steps": 3}
    preset = validate({"base": "base", "rows": rows, "sampler": sampler})
    if not name:
        return preset
    record = REFINEMENTS[name]
    value = record.folded(record.neutral() if neutral else record.usual())
    return with_fields(preset, [(path_of(name), value)])


def noise(seed: int) -> Tensor:
    return torch.randn(SHAPE, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def run(
    preset: Preset,
    kind: str = "epsilon",
    masks: Mapping[str, Tensor] = MASKS,
    dtype: torch.dtype = torch.float64,
    images: slice = slice(None),
) -> list[Prediction]:
    """All steps of a preset, the networks' answers made up from their passes' names."""
    plan = compile_plan(preset, CATALOGUE)
    assembly = Assembly(plan, kind, {k: v.to(dtype) for k, v in masks.items()})
    found = []
    for step in range(plan.steps):
        outputs = {
            index: noise(zlib.crc32(f"{plan.passes[index]} {step}".encode()))[images].to(dtype)
            for index in plan.active(step)
        }
        z, level = noise(7)[images].to(dtype), [x.to(dtype) for x in LEVEL]
        found.append(
            assembly.combine(step, outputs, dict.fromkeys(outputs, kind), z, (level[0], level[1]))
        )
    return found


def apart(one: list[Prediction], other: list[Prediction]) -> float:
    pairs = [
        (a, b)
        for first, second in zip(one, other, strict=True)
        for a, b in zip(first, second, strict=True)
        if a is not None or b is not None
    ]
    assert all(a is not None and b is not None for a, b in pairs)
    return max(float((a - b).abs().max()) for a, b in pairs)  # type: ignore[operator]


@every_refinement
def test_at_its_neutral_value_it_changes_nothing(name: str) -> None:
    plain, neutral = preset_of(), preset_of(name, neutral=True)
    assert compile_plan(neutral, CATALOGUE) == compile_plan(plain, CATALOGUE)
    assert neutral.to_json() == plain.to_json()
    told = Prediction(noise(1))
    moment = Moment(noise(2), *LEVEL, "epsilon", noise(3), noise(4))
    neutral_settings = Chosen(name, tuple(REFINEMENTS[name].neutral().items()))
    got = refined(told, moment, Refine((neutral_settings,)))
    assert (got.output - told.output).abs().max() < 1e-12 and got.renoise is None


@every_refinement
def test_it_acts_and_is_stated(name: str) -> None:
    preset = preset_of(name)
    plan = compile_plan(preset, CATALOGUE)
    plain = [p.output for p in run(preset_of())]
    got = run(preset)
    assert any(p.renoise is not None for p in got) or (got[0].output - plain[0]).abs().max() > 1e-3
    assert REFINEMENTS[name].title in str(plan)
    assert validate(json.loads(preset.to_json())) == preset


@every_refinement
@pytest.mark.parametrize("count", [0, 1, 2, 4])
@pytest.mark.parametrize("kind", ["epsilon", "v_prediction", "sample", "flow_prediction"])
def test_any_number_of_rows_in_any_parameterisation(name: str, count: int, kind: str) -> None:
    for told in run(preset_of(name, ROWS[:count]), kind):
        for part in told:
            assert part is None or (part.shape == SHAPE and bool(part.isfinite().all()))


@every_refinement
def test_the_order_and_the_split_of_rows_change_nothing(name: str) -> None:
    expected = run(preset_of(name))
    assert apart(run(preset_of(name, ROWS[::-1])), expected) < 1e-10
    halves = [{**row, "weight": row["weight"] / 2} for row in ROWS for _ in range(2)]
    assert apart(run(preset_of(name, halves)), expected) < 1e-10


@every_refinement
def test_a_batch_is_its_images(name: str) -> None:
    together = run(preset_of(name))
    for image in range(3):
        alone = run(preset_of(name), images=slice(image, image + 1))
        cut = [Prediction(*(p if p is None else p[image : image + 1] for p in t)) for t in together]
        assert apart(alone, cut) < 1e-10


@every_refinement
def test_white_masks_are_no_masks_and_black_ones_no_rows(name: str) -> None:
    unmasked = [{**row, "mask": ""} for row in ROWS]
    white = {mask: torch.ones_like(m) for mask, m in MASKS.items()}
    assert apart(run(preset_of(name), masks=white), run(preset_of(name, unmasked))) < 1e-10
    black = {mask: torch.zeros_like(m) for mask, m in MASKS.items()}
    without = [row for row in ROWS if not row.get("mask")]
    assert apart(run(preset_of(name), masks=black), run(preset_of(name, without))) < 1e-10


@every_refinement
def test_half_precision_in_full_precision_out(name: str) -> None:
    half = run(preset_of(name), dtype=torch.float16)
    assert all(part.dtype == torch.float32 for told in half for part in told if part is not None)
    assert apart(half, run(preset_of(name))) < 0.05


@every_refinement
def test_bounds_are_the_tables_in_schema_and_refusals(name: str) -> None:
    record = REFINEMENTS[name]
    for key, setting in record.settings.items():
        path = path_of(name) if len(record.settings) == 1 else f"{path_of(name)}.{key}"
        wrong = 1.0 if isinstance(setting.neutral, bool) else setting.high + 1
        for value in (wrong, "much"):
            with pytest.raises(BadPreset) as caught:
                with_fields(preset_of(), [(path, value)])
            assert caught.value.field == path
        shape = _at(Preset.model_json_schema(), path)
        assert (shape["title"], shape["description"]) == (setting.title, setting.help)
        assert shape["default"] == setting.neutral
        if not isinstance(setting.neutral, bool):
            names = (
                ("exclusiveMinimum", "exclusiveMaximum") if setting.open else ("minimum", "maximum")
            )
            assert [shape[n] for n in names] == [setting.low, setting.high]


@every_refinement
def test_what_it_needs_is_refused_or_noted_by_name(name: str) -> None:
    record = REFINEMENTS[name]
    if record.single_step:
        with pytest.raises(BadPreset, match=SINGLE_STEP[0]) as caught:
            with_fields(preset_of(name), [("sampler.scheduler", "dpm++")])
        assert caught.value.field == path_of(name)
    notes = compile_plan(preset_of(name), CATALOGUE).notes  # the positive weights sum to 6.5
    assert bool(notes) == (record.weights is not None and record.weights[1] < 6.5)
    few = preset_of(name, [{"prompt": "a", "weight": 0.4}])
    assert compile_plan(few, CATALOGUE).notes == ()


def _at(schema: dict[str, Any], path: str) -> dict[str, Any]:
    shape = schema
    for key in path.split("."):
        shape = schema["$defs"][shape["$ref"].rsplit("/", 1)[-1]] if "$ref" in shape else shape
        shape = shape["properties"][key]
    return shape
