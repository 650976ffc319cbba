"""What is tried next: inside the ranges, never twice, the same again for the same record."""

from __future__ import annotations

import importlib.util
import random
from typing import Any

import pytest

from studio.errors import BadPreset, StudioError
from studio.experiments.tune import propose
from studio.experiments.tune.propose import first_values, next_values
from studio.preset import validate
from studio.preset.ranges import Range, parse_range
from tests.support import REPOSITORY

PRESET = validate({"rows": [{"prompt": "a"}], "omega": 0.3})
OMEGA, WEIGHT = Range("omega", 0.0, 1.0), Range("rows.0.weight", 1.0, 9.0)


def test_ranges_are_read_and_checked() -> None:
    assert parse_range("omega=0:0.5", PRESET, "--over") == Range("omega", 0, 0.5)
    assert parse_range("sampler.steps=10:50", PRESET, "--over").whole
    assert not parse_range("rows.0.weight=-1:9", PRESET, "--over").whole
    assert parse_range("sampler.scheduler=ddim,dpm++", PRESET, "--over").choices == (
        "ddim",
        "dpm++",
    )
    assert Range("steps", 10, 50, True).rounded(17.6) == 18
    assert OMEGA.rounded(0.12345) == 0.12 and WEIGHT.rounded(3.456) == 3.46


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("omega", "--over: expected FIELD=VALUE"),
        ("omega=a:b", "--over: expected FIELD=LOW:HIGH, got 'omega=a:b'"),
        ("omega=0:0.5:1", "--over: expected FIELD=LOW:HIGH"),
        ("omega=0:nan", "--over: expected FIELD=LOW:HIGH"),
        ("omega=1:0", "--over: omega from 1 to 0 is no range"),
        ("omega=0.5", "--over: expected FIELD=LOW:HIGH or values"),
        ("omega=0:2", "omega: "),
        ("rows.3.weight=0:2", "rows.3.weight: there is no '3'"),
        ("omeg=0:2", "omeg: unknown field"),
    ],
)
def test_bad_ranges_are_one_line(text: str, said: str) -> None:
    with pytest.raises(BadPreset) as caught:
        parse_range(text, PRESET, "--over")
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_the_first_points_are_the_presets_own_and_the_ends() -> None:
    found = first_values([OMEGA, WEIGHT], {"omega": 0.3, "rows.0.weight": 7.5})
    assert found[0] == {"omega": 0.3, "rows.0.weight": 7.5}
    assert {"omega": 0.0, "rows.0.weight": 1.0} in found
    assert {"omega": 1.0, "rows.0.weight": 9.0} in found
    assert len(found) == 8
    outside = first_values([OMEGA, WEIGHT], {"omega": 0.3, "rows.0.weight": 12.0})
    assert outside[0] == {"omega": 0.0, "rows.0.weight": 1.0}


def _measured(values: dict[str, Any]) -> tuple[float, float]:
    """Subject falls and text rises with ω; the weight is best at 4 for both."""
    loss = 0.05 * (values["rows.0.weight"] - 4) ** 2
    return 1 - values["omega"] ** 2 - loss, values["omega"] - loss


def test_proposals_are_new_repeatable_and_better_than_chance() -> None:
    ranges, own = [OMEGA, WEIGHT], {"omega": 0.5, "rows.0.weight": 8.0}
    record: list[tuple[dict[str, Any], tuple[float, float]]] = []
    for _ in range(12):
        tried = [values for values, _ in record]
        values = next_values(ranges, record, [1, 1], own, tried)
        assert values is not None and values not in tried
        assert 0 <= values["omega"] <= 1 and 1 <= values["rows.0.weight"] <= 9
        record.append((values, _measured(values)))
    tried = [values for values, _ in record]
    again = next_values(ranges, record, [1, 1], own, tried)
    assert again == next_values(ranges, record, [1, 1], own, tried)
    chosen = [abs(values["rows.0.weight"] - 4) for values, _ in record[8:]]
    rng = random.Random(0)
    chance = sum(abs(rng.uniform(1, 9) - 4) for _ in range(500)) / 500
    assert sum(chosen) / len(chosen) < 0.6 * chance  # the weight that is best was found


def test_choices_end_when_all_were_tried() -> None:
    ranges = [Range("sampler.scheduler", choices=("ddim", "dpm++")), Range("n", 1, 2, True)]
    record: list[tuple[dict[str, Any], list[float]]] = []
    for step in range(4):
        tried = [values for values, _ in record]
        values = next_values(ranges, record, [1, -1], {}, tried)
        assert values is not None and values not in tried
        record.append((values, [float(step), 1.0]))
    assert next_values(ranges, record, [1, -1], {}, [v for v, _ in record]) is None


def test_without_optuna_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        propose.importlib.util, "find_spec", lambda n: None if n == "optuna" else real(n)
    )
    with pytest.raises(StudioError, match=r"tune: needs a package: pip install 'optuna>=4"):
        propose.check_optuna()


def test_the_command_is_the_extras_own_range() -> None:
    lines = (REPOSITORY / "requirements-metrics.txt").read_text(encoding="utf-8").splitlines()
    assert propose.OPTUNA in [line.partition("#")[0].strip() for line in lines]
