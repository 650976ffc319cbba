"""What lies in a large outputs folder is not looked for again in every moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.ui.history import lying as module
from studio.ui.history.lying import LASTS, lying


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch, studio_home: Path) -> dict[str, float]:
    """A look takes as long as is said, and there is a clock; how many looks there were."""
    state = {"now": 0.0, "takes": 0.0, "looks": 0}

    def listed(limit: int, since: str | None = None) -> list[Path]:
        state["now"] += state["takes"]
        state["looks"] += 1
        return [Path(f"{state['looks']}.png")][:limit]

    monkeypatch.setattr(module, "list_outputs", listed)
    monkeypatch.setattr(module.time, "monotonic", lambda: state["now"])
    monkeypatch.setattr(module, "_looked", None)
    return state


def test_a_quick_look_is_made_each_time(looks: dict[str, float]) -> None:
    assert [lying(5), lying(5)] == [[Path("1.png")], [Path("2.png")]]


def test_what_took_long_is_used_again_for_so_many_times_as_long(looks: dict[str, float]) -> None:
    looks["takes"] = 0.3
    assert [lying(5), lying(5)] == 2 * [[Path("1.png")]]
    looks["now"] += LASTS * 0.3 - 0.01
    assert lying(5) == [Path("1.png")]
    looks["now"] += 0.02
    assert lying(5) == [Path("2.png")]


def test_however_slow_a_folder_is_it_is_looked_through_again_soon(looks: dict[str, float]) -> None:
    looks["takes"] = 30.0
    lying(5)
    looks["now"] += module.MOST + 0.01
    assert lying(5) == [Path("2.png")]


def test_a_look_for_newer_ones_is_another(looks: dict[str, float]) -> None:
    looks["takes"] = 0.3
    assert [lying(5), lying(5, "2026"), lying(5, "2027")] == [[Path(f"{n}.png")] for n in (1, 2, 2)]


def test_another_folder_is_looked_through(
    looks: dict[str, float], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    looks["takes"] = 0.3
    lying(5)
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "other"))
    assert lying(5) == [Path("2.png")]
