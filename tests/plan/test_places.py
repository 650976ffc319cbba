"""Where the masks of personalised rows meet, and the passes that it takes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio.errors import BadPreset
from studio.plan import Plan, compile_plan
from studio.plan.places import every_set, meeting_in
from studio.preset import validate
from tests.support.plans import CATALOGUE


def mask(folder: Path, name: str, columns: slice, shade: int = 255, edge: int = 12) -> str:
    pixels = np.zeros((edge, edge), np.uint8)
    pixels[:, columns] = shade
    Image.fromarray(pixels).save(folder / name)
    return name


def sets(folder: Path, *masks: str) -> set[frozenset[str]]:
    return set(meeting_in([folder])(masks, (36, 36)))


def plan_of(folder: Path | None, masks: list[str], **fields: object) -> Plan:
    rows = [
        {"prompt": f"p{k}", "weight": 2.0 + k, "mask": name, "model": {"lora": f"lora{k}"}}
        for k, name in enumerate(masks)
    ]
    catalogue = CATALOGUE | {
        f"lora{k}": CATALOGUE["lora"].__class__(f"lora{k}", "lora", "sd1", 0, "there")
        for k in range(len(masks))
    }
    meeting = meeting_in([folder]) if folder else every_set
    return compile_plan(
        validate({"rows": rows, "sampler": {"steps": 2}, **fields}), catalogue, meeting=meeting
    )


def test_only_sets_that_occur(tmp_path: Path) -> None:
    a = mask(tmp_path, "a.png", slice(0, 5))
    b = mask(tmp_path, "b.png", slice(5, 9))
    c = mask(tmp_path, "c.png", slice(3, 12), edge=24)
    nothing, only_a, only_b = frozenset(), frozenset({a}), frozenset({b})
    assert sets(tmp_path, a, b) == {nothing, only_a, only_b}
    assert sets(tmp_path, a, c) == {nothing, only_a, frozenset({a, c}), frozenset({c})}
    soft = mask(tmp_path, "soft.png", slice(0, 12), 100)
    assert sets(tmp_path, soft) == {nothing, frozenset({soft})}
    white = mask(tmp_path, "white.png", slice(0, 12))
    assert sets(tmp_path, white, a) == {frozenset({white}), frozenset({white, a})}
    assert sets(tmp_path, "none.png") == {nothing, frozenset({"none.png"})}


@pytest.mark.parametrize(("known", "passes"), [(True, 3), (False, 4)])
def test_disjoint_masks_take_a_base_pass_for_each_place(
    tmp_path: Path, known: bool, passes: int
) -> None:
    masks = [mask(tmp_path, "a.png", slice(0, 5)), mask(tmp_path, "b.png", slice(5, 9))]
    plan = plan_of(tmp_path if known else None, masks, omega=0.5)
    null = {str(p.weights) for p in plan.passes if p.condition.prompt == ""}
    assert len(null) == passes
    assert plan.forwards_per_step == (passes + 2,) * 2


def test_at_omega_0_nothing_is_looked_at(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, [f"{k}.png" for k in range(9)])
    assert plan.mixtures == ()
    assert plan.forwards_per_step == (10,) * 2


def test_too_many_places_are_refused_by_name(tmp_path: Path) -> None:
    plan_of(None, [f"{k}.png" for k in range(6)], omega=0.5)
    with pytest.raises(BadPreset) as caught:
        plan_of(None, [f"{k}.png" for k in range(7)], omega=0.5)
    assert caught.value.field == "rows.6.mask"
    assert "7 different masks" in str(caught.value)


def test_the_plan_states_the_mixture(tmp_path: Path) -> None:
    masks = [mask(tmp_path, "a.png", slice(0, 5)), mask(tmp_path, "b.png", slice(3, 9))]
    plan = plan_of(tmp_path, masks, omega=0.5)
    assert str(plan).splitlines() == [
        'ε̂ = ε_0 + M1⊙(2·(starter + 1·Δ[lora0])("p0") − 2·ε_0)'
        ' + M2⊙(3·(starter + 1·Δ[lora1])("p1") − 3·ε_0)',
        "with ε_0 = (starter + 0.5·Δ[lora0])(∅) in M1·(1−M2); "
        "(starter + 0.5·Δ[lora1])(∅) in M2·(1−M1); "
        "(starter + 0.2·Δ[lora0] + 0.3·Δ[lora1])(∅) in M1·M2; starter(∅) elsewhere",
    ]
    found = plan.as_dict()
    assert found["mixtures"][0]["coefficients"] == [1.0, 1.0]  # type: ignore[index]
    assert found["mixtures"][0]["parts"][0] == {  # type: ignore[index]
        "pass": 2,
        "inside": ["rows.0.mask"],
        "outside": ["rows.1.mask"],
    }
    assert [item["runs"] for item in found["passes"] if "runs" in item] == [[True, True]] * 4  # type: ignore[union-attr]
