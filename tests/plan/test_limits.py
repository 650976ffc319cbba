"""How large a plan may be: refused with an estimate before anything is made."""

from __future__ import annotations

import time

import pytest

from studio.errors import BadPreset
from studio.library import ModelEntry
from studio.plan import compile_plan, limits
from studio.preset import Preset, validate

MODELS = {"starter": ModelEntry("starter", "base", "sd1", 0, "", latent_space="4x8:0.18215")}


def preset(rows: int, parts: int, steps: int, curve: str = "constant", **more: object) -> Preset:
    prompt = " AND ".join(f"w{n}" for n in range(parts))
    row = {"prompt": prompt, "curve": curve}
    return validate(
        {
            "rows": [{**row, "weight": 1.0 + n / 100} for n in range(rows)],
            "sampler": {"steps": steps},
            **more,
        }
    )


def test_too_many_parts_name_their_row() -> None:
    data = preset(1, 64, 4)
    assert len(compile_plan(data, MODELS).passes) == 65
    more = validate({"rows": [{"prompt": "a"}, {"prompt": " AND ".join("abcde" * 13)}]})
    with pytest.raises(BadPreset, match=r"rows\.1\.prompt: 65 parts .* at most 64"):
        compile_plan(more, MODELS)


@pytest.mark.parametrize("rows, parts, steps", [(200, 6, 10), (20, 60, 1), (200, 3, 200)])
def test_too_many_passes_are_estimated(rows: int, parts: int, steps: int) -> None:
    begun = time.process_time()
    with pytest.raises(
        BadPreset, match=rf"rows: about {rows * parts} passes in each of {steps} steps"
    ):
        compile_plan(preset(rows, parts, steps), MODELS)
    assert time.process_time() - begun < 2


def test_rows_that_take_no_part_do_not_count() -> None:
    data = preset(200, 6, 10)
    muted = [row.model_copy(update={"enabled": index < 2}) for index, row in enumerate(data.rows)]
    assert compile_plan(data.model_copy(update={"rows": tuple(muted)}), MODELS).steps == 10


def test_a_shared_page_allows_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_step_terms", limits.MAX_STEP_TERMS)
    data = preset(20, 10, 20)
    compile_plan(data, MODELS)
    limits.narrow(3000)
    with pytest.raises(BadPreset, match="at most 150"):
        compile_plan(data, MODELS)


def test_equal_steps_are_made_once_and_differ_in_nothing() -> None:
    """A curve of ones says at every step what no curve says, and is worked out at every step."""
    rows = [{"prompt": "a AND b", "range": [0.2, 0.7]}, {"prompt": "c", "weight": -2.0}]
    plain = validate({"rows": rows, "sampler": {"steps": 10}, "guidance_rescale": 0.5})
    curve = [[0.0, 1.0], [0.5, 1.0], [1.0, 1.0]]
    curved = validate(
        {
            "rows": [{**row, "curve": curve} for row in rows],
            "sampler": {"steps": 10},
            "guidance_rescale": 0.5,
        }
    )
    assert compile_plan(plain, MODELS) == compile_plan(curved, MODELS)
