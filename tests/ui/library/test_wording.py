"""What is said of a model on the page is not written over what another tab has said since."""

from __future__ import annotations

from pathlib import Path

from studio.ui.library import models
from studio.ui.library.wording import model_words
from tests.support.studio_page import needs_starter

pytestmark = needs_starter
FOX = "starter/lora-fox"


def test_words_that_have_changed_since_they_were_read_stay(studio_home: Path) -> None:
    models.rescan()
    before = {one["name"]: one["value"] for one in model_words({"id": FOX})["fields"]}
    assert model_words({"id": FOX, "said": {"title": "Ink"}, "before": before}) == {"kept": True}
    models.rescan()
    refused = model_words({"id": FOX, "said": {"title": "Pen"}, "before": before})
    assert "its words have changed meanwhile" in refused["error"]
    assert model_words({"id": FOX})["fields"][0]["value"] == "Ink"
