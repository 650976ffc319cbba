"""What a picture was changed from: what is loaded from elsewhere than the history was made of none."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("gradio")

import gradio as gr
from PIL import Image

from studio.history import history
from studio.history.intake import take_in
from studio.preset import validate
from studio.share import encode_link, save_image
from studio.ui import layout
from studio.ui import page as pages
from studio.ui.history.moments import SHOWN
from studio.ui.presets import galleries, gallery
from studio.ui.runs import Runs
from studio.ui.space import Limits
from studio.ui.wiring import presets
from tests.support.fake_engine import FakeEngine

KEY = "visitor"
PRESET = validate({"name": "Kept", "rows": [{"prompt": "a cat"}]})


class Page:
    """The page, its queue, and its events by what they are of."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        made: dict[str, Any] = {}

        def keeping(name: str, make: Any) -> Any:
            return lambda *args: made.setdefault(name, make(*args))

        patch.setattr(pages, "Runs", keeping("runs", Runs))
        patch.setattr(layout, "lay_out", keeping("parts", layout.lay_out))
        self.blocks = pages.build(events=FakeEngine())
        self.runs: Runs = made["runs"]
        self.parts: layout.Parts = made["parts"]

    def fire(self, block: Any, event: str, *given: Any, name: str = "") -> Any:
        """What an event does for the session; it must send the session's key first, or with the form."""
        (found,) = (
            fn
            for fn in self.blocks.fns.values()
            if (block._id, event) in fn.targets and name in ("", getattr(fn.fn, "__name__", ""))
        )
        assert "window.studio.session()" in str(found.js) and self.parts.session in found.inputs
        assert found.fn is not None
        return found.fn(*given)


@pytest.fixture
def page(studio_home: Path, monkeypatch: pytest.MonkeyPatch) -> Page:
    return Page(monkeypatch)


def event(**data: Any) -> gr.EventData:
    return gr.EventData(None, data)


@pytest.mark.parametrize("source", ["shelf", "tour", "file", "trained", "gallery", "look", "link"])
def test_what_comes_from_elsewhere_was_changed_from_no_picture(
    page: Page, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts, session = page.parts, page.runs.session(KEY)
    session.parent = "0123456789abcdef"
    code = encode_link(PRESET)[0]
    if source in ("shelf", "tour"):
        cards = parts.shelf if source == "shelf" else parts.tour
        found = page.fire(cards, "select", KEY, event(id=gallery.first_id(Limits())))
    elif source == "file":
        file = tmp_path / "kept.json"
        file.write_text(PRESET.to_json())
        found = page.fire(parts.load, "upload", KEY, str(file))
    elif source == "trained":
        monkeypatch.setattr(presets, "preset_of", lambda runner, name: PRESET)
        assert parts.train is not None
        found = page.fire(parts.train.actions["use"], "click", KEY, "mine")
    elif source == "gallery":
        (tmp_path / "kept.json").write_text(PRESET.to_json())
        (*_, shown) = galleries.opened(str(tmp_path), False)
        picked = event(source=shown["source"], id="kept.json")
        assert parts.galleries is not None
        found = page.fire(parts.galleries.galleries, "edit", KEY, picked)
    elif source == "look":
        found = page.fire(parts.look, "select", KEY, event(code=code, look=7))
        assert found[parts.signals["notes"]]["look"] == 7
    else:
        asked = SimpleNamespace(query_params={"p": code})
        found = page.fire(page.blocks, "load", json.dumps({}), KEY, asked, name="opened")
    assert found[parts.signals["notes"]]["loaded"] is True
    assert session.parent == ""


def test_a_form_that_the_browser_kept_is_still_changed_from_its_picture(page: Page) -> None:
    session = page.runs.session(KEY)
    session.parent = "0123456789abcdef"
    kept = json.dumps({"name": "Kept", "rows": [{"prompt": "a cat"}]})
    page.fire(page.blocks, "load", kept, KEY, SimpleNamespace(query_params={}), name="opened")
    assert session.parent == "0123456789abcdef"


def test_what_an_older_strip_shows_is_used_again(page: Page, studio_home: Path) -> None:
    image = Image.new("RGB", (8, 8))
    for _ in range(SHOWN + 1):
        save_image(image, PRESET, studio_home / "outputs")
    take_in(history())
    oldest = history().search(None, SHOWN + 1).records[-1].id
    session = page.runs.session(KEY)
    assert oldest not in [one.id for one in page.runs.newest(session)]
    found = page.fire(page.parts.strip, "select", KEY, event(id=oldest))
    assert found[page.parts.signals["notes"]]["loaded"] is True and session.parent == oldest
