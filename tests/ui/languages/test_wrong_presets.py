"""What is wrong with a preset of a file is said in every language, whoever finds it: the studio or pydantic."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("gradio")

from studio.errors import StudioError
from studio.languages import Language
from studio.preset import validate
from studio.ui.errors import on_page
from studio.ui.schema import labels
from tests.support.script_texts import HOLE
from tests.ui.languages.test_sources import _unturned


def _row(**fields: Any) -> dict[str, Any]:
    return {"rows": [{"prompt": "a cat", **fields}]}


WRONG: tuple[Any, ...] = (
    [1],
    {"tune": 1},
    {"rows": [{}] * 201},
    {"rows": 3},
    {"rows": [3]},
    {"sampler": 3},
    {"sampler": {"steps": 1.5}},
    {"name": "n" * 201},
    {"base": ""},
    {"cfgpp": "x"},
    _row(prompt=3),
    _row(prompt="lone \ud800"),
    _row(weight="x"),
    _row(weight=float("nan")),
    _row(range=[0]),
    _row(range=[0, 1, 1]),
    _row(curve=[]),
    _row(curve=[[0, 0], [0, 1]]),
    _row(curve=[[0, 0]] * 65),
    _row(model={}),
    _row(control={"image": "x"}),
    _row(image_prompt={"model": "a", "image": "a", "blank": True}),
    {"init": {"image": "x", "strength": -1}},
    {"init": {"image": "x", "strength": 0.01}},
    {"init": {"image": "x", "upscaler": "y", "enlarge": "latents"}},
)


def refused(document: Any) -> StudioError:
    with pytest.raises(StudioError) as caught:
        validate(document)
    return caught.value


def _messages() -> Iterator[tuple[str, str]]:
    for document in WRONG:
        yield "preset", refused(document).message.replace("nan", HOLE)


def test_what_is_wrong_with_a_preset_is_a_message(language: Language) -> None:
    assert not _unturned(language, _messages())


def test_no_word_of_pydantics_reaches_a_person() -> None:
    theirs = re.compile(
        r"\b(input|valid|should|string|integer|boolean|dictionary|tuple|required)\b"
    )
    said = [message for _, message in _messages()]
    assert not [
        message for message in said if theirs.search(message.partition(", got ")[0].lower())
    ]


def test_all_fields_at_fault_are_named_at_once(language: Language) -> None:
    wrong = {"rows": [{"weight": "x"}, {"reference": "zz"}], "omega": 7, "tune": 1, "cfgpp": False}
    error = refused(wrong)
    told, _, others = error.message.partition(" · wrong too: ")
    fields = {error.field, *others.split(" · ")}
    assert fields == {"rows.0.weight", "rows.1.reference", "omega", "tune"} and told
    assert "wrong too" not in refused(_row(reference="zz")).message  # one field, several branches
    many = refused({"rows": [{"weight": "x"}] * 20}).message
    assert many.endswith(" · and 13 more")
    shown = on_page(str(error)).partition(" · wrong too: ")[2].split(" · ")
    assert shown == ["row 2, reference", labels()["omega"], "tune"]  # that one is no field
    facts = told, "wrong too: row 2, reference", "row 1, weight", f"and {HOLE} more"
    assert not _unturned(language, [("preset", fact) for fact in facts])


def test_fields_of_the_part_that_is_named_are_named_too() -> None:
    error = refused(_row(model={"lora": 3, "strength": "a"}))
    assert error.field == "rows.0.model.strength"
    assert error.message.endswith(" · wrong too: rows.0.model.lora")
    both = refused({"rows": [{"model": {"strength": "a"}}, {"model": {"lora": 3}}]})
    assert both.message.endswith(" · wrong too: rows.1.model")


def test_a_strangers_name_is_not_repeated_in_full() -> None:
    error = refused({"omega": 7, "x" * 1900: 1})
    assert len(error.message) < 200 and error.message.endswith("…")


def test_what_is_refused_says_what_is_allowed_in_a_persons_words() -> None:
    error = refused({"rows": [{}] * 201})
    assert (error.field, error.message) == ("rows", "at most 200 rows, got 201")
    assert refused(_row(curve="0:0, 2:1")).message == (
        "must be 'constant', 'linear_up', 'linear_down', 'cosine_up' or 'cosine_down', "
        "or a list, got '0:0, 2:1'"
    )
    assert "or an object, got 'zz'" in refused(_row(reference="zz")).message
    assert refused(_row(curve=[])).message == "needs at least 1, and has 0, got []"
    assert refused({"rows": [3]}).message == "must be an object, got 3"
