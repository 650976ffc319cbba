"""What a preset names and the library lacks, and what a base says that it knows."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("gradio")

from studio.home import ASSETS
from studio.languages import languages
from studio.library import Library, ModelEntry, vocabulary
from studio.library.missing import missing
from studio.preset import validate
from studio.ui.library.missing import as_html


def test_all_missing_models_are_named_with_their_fields(studio_home: Path) -> None:
    rows = [
        {"prompt": "a", "model": {"lora": "someone/lora", "loras": [{"lora": "second"}]}},
        {"prompt": "b", "model": "starter/faces"},
        {"prompt": "c", "model": "off", "enabled": False},
        {
            "prompt": "d",
            "control": {"type": "map", "image": "", "model": "some/net"},
            "image_prompt": {"image": "inputs/a.png", "model": "some/adapter"},
        },
    ]
    preset = validate({"base": "nowhere", "rows": rows})
    found = [(one.field, one.id, one.hub) for one in missing(preset, Library())]
    assert found == [
        ("base", "nowhere", ""),
        ("rows.0.model", "someone/lora", "someone/lora"),
        ("rows.0.model", "second", ""),
        ("rows.3.control.model", "some/net", "some/net"),
        ("rows.3.image_prompt.model", "some/adapter", "some/adapter"),
    ]
    assert missing(validate({"rows": rows[1:2]}), Library()) == []


def test_a_model_whose_files_have_gone_since_it_was_listed_is_missing(studio_home: Path) -> None:
    shutil.copytree(ASSETS / "starter" / "lora-hero", studio_home / "models" / "mine")
    preset, library = validate({"rows": [{"prompt": "a", "model": {"lora": "mine"}}]}), Library()
    assert missing(preset, library) == []
    shutil.rmtree(studio_home / "models" / "mine")
    assert [one.id for one in missing(preset, library)] == ["mine"]


def test_a_file_of_a_hubs_model_is_fetched_with_its_model(studio_home: Path) -> None:
    rows = [{"model": {"lora": name}} for name in ("owner/name/file", "Lora/styles/ink", "a/../b")]
    found = missing(validate({"rows": rows}), Library())
    assert [one.hub for one in found] == ["owner/name", "", ""]
    shown = as_html(found, can_fetch=True)
    assert shown.count("data-fetch") == 1 and 'data-fetch="owner/name"' in shown
    assert "<code>owner/name/file</code>" in shown, "which file it is stays said"
    assert ">Look up</button>" in shown, "what else would come, and how much, is said first"


def test_where_a_model_is_named_is_said_in_words_that_the_page_translates(
    studio_home: Path,
) -> None:
    given = {
        "vae": "gone",
        "rows": [{"model": "gone"}],
        "refiner": {"model": "gone", "at": 0.8},
    }
    shown = as_html(missing(validate(given), Library()), can_fetch=False)
    places = {"Autoencoder (VAE)", "Refiner: model", "row 1, model"}
    assert all(f">{place}<" in shown for place in places), "each is a text of its own"
    known = dict(languages()["ar"].messages)
    assert {"Autoencoder (VAE)", "Refiner: model", "row {n}, {the_field}", "model"} <= known.keys()


def test_names_are_escaped_and_only_those_of_the_hub_can_be_fetched(studio_home: Path) -> None:
    preset = validate({"rows": [{"model": '<b>"'}, {"model": "owner/name"}]})
    shown = as_html(missing(preset, Library()), can_fetch=True)
    assert "<b>&quot;" not in shown and "&lt;b&gt;&quot;" in shown
    assert shown.count("data-fetch") == 1 and shown.count("data-choose") == 2
    assert "data-fetch" not in as_html(missing(preset, Library()), can_fetch=False)
    assert as_html([], True) == ""


ENTRY = ModelEntry("x", "base", "sd1", 1, "")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"groups": 5}', "\x00"])
def test_a_vocabulary_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / vocabulary.FILE).write_text(text)
    assert vocabulary.of(replace(ENTRY, path=str(tmp_path))) is None
    assert vocabulary.of(ENTRY) is None and vocabulary.tokens(ENTRY) == 75  # its family's


def test_what_a_base_knows_and_reads(tmp_path: Path) -> None:
    data = {
        "groups": [{"title": "Things", "phrases": ["pine tree", 5]}],
        "also": {"fir": "pine tree", "spruce": 5},
        "words": ["a"],
    }
    (tmp_path / vocabulary.FILE).write_text(json.dumps(data))
    (tmp_path / "tokenizer").mkdir()
    config = tmp_path / "tokenizer" / "tokenizer_config.json"
    config.write_text('{"model_max_length": 77}')
    entry = replace(ENTRY, path=str(tmp_path))
    found = vocabulary.of(entry)
    assert found and found["phrases"] == ["pine tree"] and found["near"] == {}
    assert found["also"] == {"fir": "pine tree"}
    assert vocabulary.tokens(entry) == 75
    config.write_text('{"model_max_length": 1000000000000000019884624838656}')
    assert vocabulary.tokens(entry) == 75  # no limit of its own: the family's
    other = replace(entry, family="of-no-kind")
    assert vocabulary.tokens(other) == 0
