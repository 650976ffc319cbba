"""The campaign in its short form; ``python -m studio.hard`` runs it at full size."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from studio.errors import StudioError
from studio.hard import attack as attacks
from studio.hard import campaign  # noqa: F401 - it registers every attack
from studio.hard.__main__ import FIGURES, PAGE
from studio.hard.attack import ATTACKS, Attack, Draw, Fell, run
from studio.hard.page import BEGIN, END, keep, read_figures, table, write_page
from studio.hard.watch import Watch
from studio.home import REPOSITORY


@pytest.mark.parametrize("name", ATTACKS)
def test_nothing_falls(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ATTACKS._entries, name, _patient(ATTACKS[name]))
    before = set(psutil.Process().children(recursive=True))
    result = run(name, seed=2026, cases=ATTACKS[name].short, small=True)
    assert result.cases == ATTACKS[name].short
    assert not result.faults
    assert set(psutil.Process().children(recursive=True)) <= before, "a process outlives its attack"


def _patient(attack: Attack) -> Attack:
    """Machines that run tests are busy: only what hangs is too slow here."""
    return replace(attack, seconds=attacks.HANGS_SECONDS, hangs=max(attack.hangs, 110))


@pytest.fixture
def invented(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attacks that do each kind of harm, so that the runner is known to notice."""

    def refused(draw: Draw, folder: Path) -> None:
        raise StudioError("no", field="x")

    def raises(draw: Draw, folder: Path) -> None:
        raise KeyError(draw.random())

    def slow(draw: Draw, folder: Path) -> None:
        end = time.process_time() + 0.2
        while time.process_time() < end:
            pass

    def hangs(draw: Draw, folder: Path) -> None:
        with suppress(Exception):
            time.sleep(60)

    def outside(draw: Draw, folder: Path) -> None:
        (folder.parent / "studio-hard-outside").write_text("x")
        (folder.parent / "studio-hard-outside").unlink()

    def asks(draw: Draw, folder: Path) -> None:
        with suppress(OSError):
            Watch._hook("socket.connect", (None, ("93.184.216.34", 80)))  # as Python would

    def ends(draw: Draw, folder: Path) -> None:
        pass

    def end() -> str:
        raise Fell("what was measured must not be")

    for case in (refused, raises, slow, hangs, outside, asks, ends):
        limits = {"hangs": 1 if case is hangs else 60, "seconds": 0.1 if case is slow else 60.0}
        attack = Attack("", case, 2, **limits, end=end if case is ends else None)
        monkeypatch.setitem(ATTACKS._entries, case.__name__, attack)


def test_a_page_for_a_crowd_ends_with_whoever_started_it() -> None:
    lines = "import sys, time; from studio.hard.served import end_with; end_with(sys.stdin.buffer)"
    lines += "; print('ready', flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", lines],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None and process.stdin is not None
        assert process.stdout.readline() == b"ready\n" and process.poll() is None
        process.stdin.close()  # as the end of its parent does, whatever brought that about
        assert process.wait(30) == -signal.SIGTERM


def test_the_runner_notices_every_kind_of_harm(invented: None) -> None:
    names = ("refused", "raises", "slow", "hangs", "outside", "asks", "ends")
    found = {name: run(name, 1, 1).faults for name in names}
    assert found.pop("refused") == []
    assert "KeyError" in found["raises"][0] and "raises 0 (seed 1)" in found["raises"][0]
    assert " s" in found["slow"][0] and "Hangs" in found["hangs"][0]
    assert "wrote" in found["outside"][0] and "studio-hard-outside" in found["outside"][0]
    assert "asked 93.184.216.34" in found["asks"][0]
    assert "must not be" in found["ends"][0]
    assert run("raises", 1, 1).faults == run("raises", 1, 1).faults != run("raises", 2, 1).faults


def test_figures_go_into_their_place(tmp_path: Path, invented: None) -> None:
    page, file = tmp_path / "page.md", tmp_path / "figures.json"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    keep(file, [run("raises", 7, 2), run("refused", 7, 1)])
    last = replace(run("raises", 8, 1), slowest=0.79496)  # 0.795 in the file, so 0.80 on the page
    write_page(page, keep(file, [last]))  # takes the place of the earlier one
    assert table(read_figures(file)) in page.read_text()
    assert list(read_figures(file)) == ["refused", "raises"]
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text
    assert "| refused |" in text and "| raises |" in text and "| 1 | 8 |" in text


def test_the_page_shows_the_figures_that_are_kept() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.partition(BEGIN)[2].partition(END)[0].strip() == table(read_figures(FIGURES))


def test_every_attack_has_run_at_full_size_or_is_named_as_one_that_has_not() -> None:
    figures = read_figures(FIGURES)
    assert not [fault for one in figures.values() for fault in one.faults]
    whole = {name for name, one in figures.items() if one.cases >= ATTACKS[name].cases}
    still = PAGE.read_text(encoding="utf-8").partition("### What is still to run")[2]
    named = {name for name in ATTACKS if f"`{name}`" in still.partition("\n### ")[0]}
    assert named == set(ATTACKS) - whole
