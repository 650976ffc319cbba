"""The schema as the page's controls: bounds, choices and words that no control repeats."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import pytest

pytest.importorskip("gradio")

import gradio as gr
from pydantic import BaseModel, Field

from studio.images import SUFFIXES
from studio.preset import Preset, Row, validate
from studio.preset.preprocessors import PREPROCESSORS, Preprocessor
from studio.preset.schedulers import SCHEDULERS, SchedulerKind
from studio.ui.editor.stack import served
from studio.ui.form import paths, restored, to_preset, to_values
from studio.ui.help import ROW_VALUES
from studio.ui.layout import bounded
from studio.ui.page import build
from studio.ui.schema import leaves, leaves_of, row_leaves
from studio.ui.space import SPACE, Limits
from studio.ui.static_files import head


class Inner(BaseModel):
    """``depth``: how far it goes, in steps. ``shape``: of the whole."""

    depth: Annotated[int, Field(ge=1, lt=9)] = 3
    shape: Literal["round", "square"] = "round"


class Toy(BaseModel):
    inner: Inner = Inner()
    amount: Annotated[float | None, Field(gt=0, description="Of what is added.")] = None
    anything: dict[str, int] = {}


def test_a_field_of_the_schema_is_a_control_by_itself() -> None:
    found = leaves_of(Toy)
    depth = found["inner_depth"]
    assert (depth["path"], depth["kind"], depth["low"], depth["below"]) == (
        "inner.depth",
        "integer",
        1,
        9,
    )
    assert depth["help"] == "how far it goes, in steps" and depth["default"] == 3
    assert [choice[0] for choice in found["inner_shape"]["choices"]] == ["round", "square"]
    amount = found["amount"]
    assert amount["nullable"] and amount["above"] == 0 and amount["help"] == "Of what is added."
    assert found["anything"]["kind"] == "json"  # shown as text rather than not at all


def everything(data: Any, prefix: str = "") -> set[str]:
    """The dotted paths of all values in plain data."""
    if not isinstance(data, dict) or not data:
        return {prefix}
    return set().union(*(everything(v, f"{prefix}.{k}".strip(".")) for k, v in data.items()))


def test_every_field_of_a_preset_is_on_the_page() -> None:
    plain = Preset().model_dump(mode="json")
    missing = everything(plain) - set(paths().values()) - {"schema_version", "refinements"}
    assert not missing


def test_every_field_of_a_row_has_an_editor() -> None:
    from studio.ui.schema import ROW_EDITORS

    own = {path.split(".")[0] for path in (leaf["path"] for leaf in row_leaves().values())}
    assert set(Row.model_fields) == set(ROW_EDITORS) | own


def test_an_entry_in_another_s_place_is_the_one_that_is_shown() -> None:
    for name in ("toy", "other"):
        SCHEDULERS.register(name, SchedulerKind(name.title(), "Nobody's.", "DDIMScheduler"))
        try:
            choices = [choice[0] for choice in leaves()["scheduler"]["choices"]]
        finally:
            SCHEDULERS.remove(name)
        assert choices[-1] == name


def test_every_named_value_of_a_row_has_a_title() -> None:
    for field, named in ROW_VALUES.items():
        parts = Row.model_json_schema()["properties"][field]["anyOf"]
        assert [one["enum"] for one in parts if "enum" in one] == [list(named)]


def test_the_control_s_choices_are_the_table_s() -> None:
    PREPROCESSORS.register("toy", Preprocessor("Toy", "Nobody's.", run=lambda picture: picture))
    try:
        choices = served()["preprocessors"]
    finally:
        PREPROCESSORS.remove("toy")
    assert ["toy", "Toy", "Nobody's."] in choices
    assert [name for name, *_ in choices if name != "toy"] == list(PREPROCESSORS)


def test_a_shared_page_allows_less_than_the_schema() -> None:
    whole, here = leaves(), bounded(leaves(), SPACE)
    assert (whole["steps"]["high"], here["steps"]["high"]) == (200, SPACE.steps)
    assert here["width"]["high"] == SPACE.edge and here["omega"] == whole["omega"]


def test_a_kept_form_comes_back_in_whatever_state_it_was() -> None:
    values = to_values(validate({"rows": [{"prompt": "a"}]}))
    saved = {**values, "rows": [{"prompt": "a"}], "steps": "50o", "gone": 1}
    found = restored(saved)
    assert found["steps"] == "50o" and "gone" not in found
    assert found["rows"] == [
        Row(prompt="a").model_dump(mode="json")
    ]  # one of fewer fields is filled
    assert restored({"rows": []})["steps"] == 25  # what an earlier version did not have
    with pytest.raises(Exception, match="rows"):
        restored({"rows": "a"})


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("steps", 500, "sampler.steps"),
        ("seed", -5, "sampler.seed"),
        ("width", "5,5", "sampler.width"),
        ("omega", "abc", "omega"),
        ("count", 2.5, "sampler.count"),
    ],
)
def test_what_was_typed_is_refused_by_its_field(name: str, value: Any, field: str) -> None:
    from studio.errors import BadPreset

    with pytest.raises(BadPreset) as caught:
        to_preset({**to_values(Preset()), name: value})
    assert caught.value.field == field and str(value) in str(caught.value)


def test_the_page_is_plain_json_before_a_browser_asks() -> None:
    """An attribute that a component lacks would be a function of the whole page, copied for
    every visitor."""
    for part in build().get_config_file()["components"]:
        json.dumps(part["props"].get("props", {}))


def test_a_name_of_a_table_or_a_number_is_a_choice_that_keeps_the_number() -> None:
    effort = leaves()["effort"]
    assert (effort["kind"], effort["path"]) == ("choice", "sampler.effort")
    assert [title for _, title, _ in effort["choices"]] == ["Exact", "Balanced", "Fast"]
    assert (effort["low"], effort["high"]) == (0, 1)  # by which the page knows a number as one
    values = to_values(validate({"sampler": {"effort": 0.02}}))
    assert to_preset({**values, "effort": "0.02"}).sampler.effort == 0.02


def test_what_a_script_needs_travels_with_it_and_not_as_a_prop() -> None:
    """Props besides the value go with the second update of a part that is not mounted yet."""
    drawn = [block for block in build(Limits()).blocks.values() if isinstance(block, gr.HTML)]
    assert len(drawn) > 30
    assert not {block.elem_id: block.props for block in drawn if block.props}


def test_the_scripts_know_the_suffixes_of_pictures_from_python() -> None:
    scripts = head()
    assert json.dumps(SUFFIXES) in scripts
    assert scripts.count(".avif") == json.dumps(SUFFIXES).count(".avif")
