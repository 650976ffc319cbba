"""Many larger ones as one line of the queue: what is left out of them, what they cost, how they fail."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio")

from PIL import Image

from studio.errors import StudioError
from studio.events import Event
from studio.history import history
from studio.history.intake import take_in
from studio.history.record import identity
from studio.preset import Preset, validate
from studio.share import save_image
from studio.ui import queue, run
from studio.ui.describe import plan_of
from studio.ui.runs import Runs
from studio.ui.session import Series, Session
from studio.ui.space import SPACE, Limits
from studio.ui.wiring import works as wiring
from studio.ui.works.asked import Form, Labelled
from tests.support.studio_page import needs_starter

ROWS: list[dict[str, Any]] = [{"prompt": "a cat"}]
SIZE = {"width": 32, "height": 32, "steps": 4}
PLAIN = validate({"name": "cat", "rows": ROWS, "sampler": SIZE})
COSTLY = validate({"name": "dog", "rows": [*ROWS, {"prompt": "fog"}], "sampler": SIZE})
LACKING = validate(
    {"name": "fox", "rows": [{"prompt": "a fox", "model": {"lora": "nowhere"}}], "sampler": SIZE}
)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(wiring, "warn", lambda line: found.append(str(line)))
    return found


@pytest.fixture
def held() -> Iterator[Runs]:
    """Runs of which none begins to make anything before the test is over."""
    over = threading.Event()

    def stream(preset: Preset) -> Iterator[Event]:
        over.wait(60)
        yield from ()

    yield Runs(stream, Limits())
    over.set()


def of_history(studio_home: Path, presets: list[Preset]) -> list[str]:
    files = [
        save_image(Image.new("RGB", (32, 32)), one.with_seed(n), studio_home / "outputs")
        for n, one in enumerate(presets)
    ]
    take_in(history())
    return [identity(file.name) for file in files]


def begun(runs: Runs, owner: Session, ids: list[str], limits: Limits) -> list[str]:
    """What the progress bar says meanwhile."""
    ask = {"do": "larger", "ids": ids, "factor": 2, "strength": 0.5}
    updates = wiring.begun(ask, Form(Preset), runs, limits, owner, "")
    return [update[list(run.Update._fields).index("progress")] for update in updates]


@needs_starter
def test_one_that_lacks_a_model_is_left_out_by_its_name(
    studio_home: Path, said: list[str], held: Runs
) -> None:
    ids, owner = of_history(studio_home, [LACKING, PLAIN, COSTLY]), held.session("a")
    bars = begun(held, owner, ids, Limits())
    assert [one.preset.name for one in owner.active()] == ["cat", "dog"]
    (line,) = said
    assert line.startswith("Left out: fox: ") and "nowhere" in line
    assert "Reading the pictures: 2 of 3" in bars[-1]
    # Each costs what its own preset does, and the line of all has the name of none.
    costs = [plan_of(one.preset).forwards_total for one in owner.active()]
    assert [one.forwards for one in owner.active()] == costs and costs[0] < costs[1]
    (*_, item) = queue.shown(held, owner)["items"]
    assert (item["title"], item["prompt"], item["mixed"]) == ("2 larger ones", "", True)


@needs_starter
def test_what_is_left_out_is_said_where_no_more_may_wait_too(
    studio_home: Path, said: list[str], held: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids, owner = of_history(studio_home, [LACKING, PLAIN]), held.session("a")
    monkeypatch.setattr(held, "limits", Limits(waiting=1))
    for _ in range(2):
        held.submit(owner, PLAIN)
        while not any(one.state == "running" for one in owner.active()):
            held.wait(owner, owner.version, 0.1)
    with pytest.raises(StudioError, match="as many as may"):
        begun(held, owner, ids, held.limits)
    assert len(said) == 1 and said[0].startswith("Left out: fox: ")


@needs_starter
def test_alike_ones_keep_their_name_in_the_queue(held: Runs) -> None:
    owner = held.session("a")
    alike = [Labelled(PLAIN.with_seed(n), str(n)) for n in range(3)]
    wiring._submit(held, Limits(), owner, alike, "")
    (*_, item) = queue.shown(held, owner)["items"]
    assert (item["title"], item["prompt"], item["mixed"]) == ("cat", "a cat", False)


@needs_starter
def test_more_than_may_wait_on_a_shared_page_are_refused_unread(
    studio_home: Path, said: list[str], held: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "limits", SPACE)
    ids, owner = of_history(studio_home, [PLAIN] * (SPACE.waiting + 1)), held.session("a")
    with pytest.raises(StudioError, match="4 runs are asked for, and 3 more may wait"):
        begun(held, owner, ids, SPACE)
    assert not said and not owner.active()


@pytest.mark.parametrize("state", ["running", "failed", "cancelled", "done"])
def test_the_bar_says_which_failed_and_why(state: str, held: Runs) -> None:
    owner, series = held.session("a"), Series(9)
    for n in range(8):
        series.fail(f"picture {n}", f"why {n}")
    one = held.submit(owner, PLAIN, series=series)
    one.state = state
    bar = run.bar_of(held, one)
    assert "8 failed" in bar
    if state != "running":  # which leaves room for what it says of itself
        assert (
            "picture 0: why 0 · picture 1: why 1" in bar and "picture 5: why 5 · and 2 more" in bar
        )
