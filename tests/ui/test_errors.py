"""How a line of the studio reads at the page: fields by their own names there, rows by their number."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("gradio")

import gradio as gr

from studio.errors import StudioError
from studio.languages import ENGLISH, languages
from studio.settings import SETTINGS
from studio.train.runner import State
from studio.ui import describe
from studio.ui.editor.stack import GuidanceStack
from studio.ui.editor.start_image import StartPicture
from studio.ui.errors import field_of, on_page, one_line, plain_line, tell, warn
from studio.ui.library import fetch, folders
from studio.ui.page import build
from studio.ui.schema import labels
from studio.ui.space import SPACE, Limits
from studio.ui.train import view as train_view
from studio.ui.train.words import on_tab
from studio.ui.wiring.settings import in_words
from tests.support import REPOSITORY
from tests.support.fake_engine import values


def test_the_page_numbers_rows_as_a_person_sees_them() -> None:
    assert on_page("rows.1.weight: at most 5") == "row 2, weight: at most 5"
    assert on_page("rows.0.image_prompt.model: no") == "row 1, image prompt, model: no"
    assert on_page("rows.0.model.loras.1.strength: no") == "row 1, model, LoRA 2, strength: no"
    assert on_page("rows.0.range.1: at most 1") == "row 1, end of the range: at most 1"
    assert on_page("rows.0.range: no") == "row 1, range: no"
    assert on_page("rows.2.curve.1.0: no") == "row 3, point 2 of the curve: no"
    assert on_page("rows.11: bad; rows: many") == "row 12: bad; rows: many"
    rows = [{"prompt": "a"}, {"prompt": "b", "weight": 1e9}]
    shown, _, fault = describe.describe(Limits(), **{**values(), "rows": rows})
    assert "row 2, weight: " in shown and fault["field"] == "rows.1.weight"


def test_what_heads_a_toast_is_in_the_language_of_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    heads: list[str] = []
    monkeypatch.setattr(gr, "Warning", lambda _, title: heads.append(title))
    for told in (StudioError("no"), "kept", ValueError("odd")):
        warn(told)
    for component in (GuidanceStack(), StartPicture()):
        with pytest.raises(gr.Error) as refused:
            component.preprocess("<b>")
        heads.append(refused.value.title)
        assert "&lt;b&gt;" in str(refused.value) and "<b>" not in str(refused.value)
    assert heads[0] == heads[3] == heads[4] != heads[1]
    for tag, language in languages().items():
        assert tag == ENGLISH or not set(heads) - dict(language.messages).keys()


def test_a_name_in_a_toast_is_shown_letter_by_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(gr, "Info", lambda text, title: said.append(f"{title}: {text}"))
    tell("Kept as <b>mine</b>", "Style")
    assert said == ["Style: Kept as &lt;b&gt;mine&lt;/b&gt;"]
    for path in (REPOSITORY / "studio" / "ui").rglob("*.py"):  # none past the two that escape
        if path.name != "errors.py":
            assert not re.search(r"\bgr\.(Info|Warning|Success)\(", path.read_text("utf-8")), path


def test_a_wildcard_that_is_not_there_is_said_in_the_plan() -> None:
    rows = [{"prompt": "a {cat|dog} with a __nothere__"}]
    shown, _, fault = describe.describe(Limits(), **{**values(), "rows": rows})
    assert fault["field"] == "rows.0.prompt" and "there is no wildcard 'nothere'" in fault["text"]
    assert "gs-plan-bad" in shown


def test_the_page_calls_a_field_as_it_does_over_its_box() -> None:
    assert on_page("sampler.width: 9999 is too much") == "Width: 9999 is too much"
    assert on_page("sampler.seed: no; see sampler.steps") == "Seed: no; see Steps"
    assert on_page("omega: no") == "ω, personalization guidance: no"
    assert on_page("base: no") == "Base model: no" and on_page("name: no") == "Preset: no"
    assert on_page("freeu.b1: no") == "FreeU b1: no"
    assert on_page("init.mask: no") == "Start from a picture, mask: no"
    assert on_page("a name: omega, starter.safetensors") == "a name: omega, starter.safetensors"
    shown, _, fault = describe.describe(SPACE, **values(sampler={"steps": 60}))
    assert "Steps: at most 50" in shown and fault["field"] == "sampler.steps"
    drawn = {c["props"].get("label") for c in build(Limits()).config["components"]}
    assert set(labels().values()) & drawn >= {"Preset", "Base model", "Width", "Images"}
    refused = StudioError("no", field="sampler.width")
    assert (one_line(refused), plain_line(refused)) == ("Width: no", "sampler.width: no")


def test_the_train_tab_and_the_settings_call_theirs_by_their_own_names() -> None:
    assert on_tab("name: is in use") == "Name of the model: is in use"
    assert on_tab("token_rate: no; images: none") == "Rate of the word: no; images: none"
    failed = State(status="failed", text="sample_weight: must be less")
    assert "Weight of the samples: must be less" in train_view.progress(failed)
    assert folders.in_words("folders: no path") == "Folders of other tools: no path"
    assert "From the Hugging Face Hub or Civitai: type a hub id" in fetch.looked_up("")
    assert in_words("long_run: must be more") == f"{SETTINGS['long_run'].title}: must be more"


def test_what_is_not_here_is_not_fetched_where_the_hub_is_not_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line = "no weights; set STUDIO_ALLOW_DOWNLOAD=1 to fetch them, or choose another"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    assert "turn on" in on_page(line)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # however it was set
    assert "not fetched here" in on_page(line)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("studio.library.hub._closed", True)
    assert "not fetched here" in on_page(line)


def test_a_line_names_a_field_only_where_it_is_one() -> None:
    assert field_of("init.image: gone") == "init.image" and field_of("init: bad") == "init"
    assert field_of("sampler.steps: x") == "sampler.steps"
    assert field_of("initially: x") == "" and field_of("initial.image: x") == ""
