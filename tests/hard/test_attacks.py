"""The campaign in its short form; ``python -m studio.hard`` runs it at full size."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from studio.errors import StudioError
from studio.hard import attack as attacks
from studio.hard import disk, documents, models  # noqa: F401 - they register their attacks
from studio.hard.attack import ATTACKS, Attack, run
from studio.hard.page import BEGIN, END, write_page


@pytest.mark.parametrize("name", ATTACKS)
def test_nothing_falls(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ATTACKS._entries, name, _patient(ATTACKS[name]))
    result = run(name, seed=2026, cases=ATTACKS[name].short)
    assert result.cases == ATTACKS[name].short
    assert not result.faults


def _patient(attack: Attack) -> Attack:
    """Machines that run tests are busy: only what hangs is too slow here."""
    return replace(attack, seconds=attacks.HANGS_SECONDS)


@pytest.fixture
def invented(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attacks that do each kind of harm, so that the runner is known to notice."""

    def refused(random: Random, folder: Path) -> None:
        raise StudioError("no", field="x")

    def raises(random: Random, folder: Path) -> None:
        raise KeyError(random.random())

    def slow(random: Random, folder: Path) -> None:
        end = time.process_time() + 0.2
        while time.process_time() < end:
            pass

    def hangs(random: Random, folder: Path) -> None:
        with suppress(Exception):
            time.sleep(60)

    def outside(random: Random, folder: Path) -> None:
        (folder.parent / "studio-hard-outside").write_text("x")
        (folder.parent / "studio-hard-outside").unlink()

    monkeypatch.setattr(attacks, "HANGS_SECONDS", 1)
    for case in (refused, raises, slow, hangs, outside):
        monkeypatch.setitem(ATTACKS._entries, case.__name__, Attack("", case, 2, 0.1))


def test_the_runner_notices_every_kind_of_harm(invented: None) -> None:
    found = {
        name: run(name, 1, 1).faults for name in ("refused", "raises", "slow", "hangs", "outside")
    }
    assert found.pop("refused") == []
    assert "KeyError" in found["raises"][0] and "raises 0 (seed 1)" in found["raises"][0]
    assert " s" in found["slow"][0] and "Hangs" in found["hangs"][0]
    assert "studio-hard-outside" in found["outside"][0]
    assert run("raises", 1, 1).faults == run("raises", 1, 1).faults != run("raises", 2, 1).faults


def test_figures_go_into_their_place(tmp_path: Path, invented: None) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_page(page, [run("raises", 7, 2)])
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text
    assert "| raises |" in text and "| 2 | 7 |" in text
