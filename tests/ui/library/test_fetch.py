"""Fetching on the Models tab: from a hub on the loopback address, and without any network."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest

pytest.importorskip("gradio")

from studio.errors import StudioError
from studio.ui.library import fetch, models
from studio.ui.page import build
from studio.ui.space import SPACE, Limits
from tests.library.test_download import NAME, Hub, hub  # noqa: F401
from tests.support.waiting import until

WHOLE = "unet/diffusion_pytorch_model.safetensors"


def text(bar: str) -> str:
    return re.sub("<[^>]*>", "", bar)


def test_a_model_comes_with_its_licence_told_first(hub: Hub, studio_home: Path) -> None:  # noqa: F811
    models.rescan()
    told = text(fetch.looked_up(NAME, hub.url))
    assert told.startswith(f"{NAME}: licence openrail, ") and told.endswith(" MB")
    for page in (f"http://huggingface.co/{NAME}", f"https://hf.co/{NAME}/tree/main?not=1#files"):
        assert text(fetch.looked_up(page, hub.url)) == told
    assert not hub.fetched
    seen = list(fetch.fetched(f" https://huggingface.co/{NAME}/ ", hub.url))
    lines = [text(bar) for bar, _ in seen]
    assert lines[0] == "Asking for it …" and lines[1].startswith(told)
    assert any(f"fetching {WHOLE} (" in line for line in lines)
    assert lines[-1].startswith(f"{NAME} is in the library") and "licence openrail" in lines[-1]
    assert [arrived for _, arrived in seen] == [False] * (len(seen) - 1) + [True]
    shares = [int(re.search(r'valuenow="(\d+)"', bar)[1]) for bar, _ in seen]  # type: ignore[index]
    assert shares == sorted(shares) and shares[-1] == 100
    assert 'data-state="done"' in seen[-1][0]
    models.rescan()
    assert NAME in models.bases("starter") and NAME in models.table(shared=False)


def test_stopping_keeps_the_whole_files_and_the_next_call_goes_on(
    hub: Hub,  # noqa: F811
    studio_home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("studio.library.transfer.LOOK_SECONDS", 60)  # no word within a file
    running = fetch.fetched(NAME, hub.url)
    while not hub.fetched:
        next(running)
    running.close()  # type: ignore[attr-defined]
    assert "the one under way starts again" in text(fetch.STOPPED)
    first = list(hub.fetched)
    assert list(fetch.fetched(NAME, hub.url))[-1][1]
    assert len(first) < len(hub.fetched) and not set(first) & set(hub.fetched[len(first) :])


def test_a_break_is_one_line_and_the_next_call_goes_on(hub: Hub, studio_home: Path) -> None:  # noqa: F811
    hub.broken = WHOLE
    bar, arrived = list(fetch.fetched(NAME, hub.url))[-1]
    assert (
        f"stopped in {WHOLE}; the same call keeps the whole files and starts this one again"
        in text(bar)
    )
    assert 'data-state="failed"' in bar and not arrived
    hub.broken = ""
    assert list(fetch.fetched(NAME, hub.url))[-1][1]


def test_it_goes_on_when_the_page_leaves_and_is_shown_to_the_next(
    hub: Hub,  # noqa: F811
    studio_home: Path,
) -> None:
    models.rescan()
    let_go = threading.Event()
    hub.slow, hub.goes_on = WHOLE, let_go.is_set
    job = fetch.fetch_job(hub.url)
    job.start({"identity": NAME})
    watcher = job.watch()
    while "fetching" not in next(watcher)[0]:
        pass
    watcher.close()  # type: ignore[attr-defined]
    assert job.given == {"identity": NAME} and "fetching" in job.line()
    with pytest.raises(StudioError, match=f"^{NAME}: is fetched first; wait until it is there"):
        job.start({"identity": "somebody/else"})
    let_go.set()
    *_, (line, arrived) = job.watch()
    assert arrived and f"{NAME} is in the library" in text(line) and NAME in models.library()
    assert not job.given and job.line() == line  # which the page that was left may have been told


def test_what_is_stopped_keeps_the_whole_files(
    hub: Hub,  # noqa: F811
    studio_home: Path,
) -> None:
    hub.slow, hub.goes_on = WHOLE, lambda: False
    job = fetch.fetch_job(hub.url)
    job.start({"identity": NAME})
    until(lambda: WHOLE in hub.fetched)
    threading.Timer(0.5, lambda: setattr(hub, "goes_on", lambda: True)).start()
    assert job.stop() and list(job.watch()) == [(fetch.STOPPED, False)] and not job.stop()
    came = set(hub.fetched) - {WHOLE}
    hub.fetched.clear()
    job.start({"identity": NAME})
    assert list(job.watch())[-1][1] and came and not came & set(hub.fetched)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "type a hub id (owner/name), or a link or hash of civitai.com first"),
        ("../etc", "is no hub id (owner/name)"),
        ("https://huggingface.co/datasets/a/b", "is no hub id (owner/name)"),
        ("nobody/nothing", "HF_HUB_OFFLINE is set"),
        ("<b>/x", "is no hub id (owner/name)"),
    ],
)
def test_offline_and_nonsense_are_one_clear_line(given: str, said: str, studio_home: Path) -> None:
    for bar in (fetch.looked_up(given), list(fetch.fetched(given))[-1][0]):
        assert said in text(bar) and "\n" not in text(bar) and "Traceback" not in bar
        assert 'data-state="failed"' in bar and "<b>" not in bar


@pytest.mark.parametrize(("limits", "there"), [(Limits(), True), (SPACE, False)])
def test_a_shared_page_fetches_nothing(limits: Limits, there: bool) -> None:
    ids = {c["props"].get("elem_id") for c in build(limits).config["components"]}
    assert ("gs-fetch-start" in ids) is there
