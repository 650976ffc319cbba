"""The effort of a preset: one field from the table to the schema, the command line and back."""

from __future__ import annotations

import pytest

from studio.preset import Preset, parse, validate
from studio.preset.effort import EFFORTS, allowed_error
from studio.preset.fields import with_fields
from tests.support import REPOSITORY


def test_a_preset_without_one_is_exact() -> None:
    assert validate({"sampler": {"steps": 4}}).sampler.effort == "exact"
    assert "effort" not in Preset().to_json()
    assert allowed_error("exact") == 0


def test_every_name_of_the_table_is_allowed_and_listed() -> None:
    shape = Preset.model_json_schema()["$defs"]["Sampler"]["properties"]["effort"]
    assert shape["anyOf"][0]["enum"] == list(EFFORTS) and shape["default"] == "exact"
    for name, record in EFFORTS.items():
        preset = validate({"sampler": {"effort": name}})
        assert parse(preset.to_json()) == preset
        assert allowed_error(preset.sampler.effort) == record.allowed


@pytest.mark.parametrize("given", [0.02, "0.02"])
def test_a_number_is_the_allowed_error(given: object) -> None:
    preset = with_fields(Preset(), [("sampler.effort", given)])
    assert preset.sampler.effort == 0.02 and allowed_error(0.02) == 0.02
    assert parse(preset.to_json()) == preset


def test_the_docs_list_the_table() -> None:
    text = (REPOSITORY / "docs" / "samplers.md").read_text(encoding="utf-8")
    for name, one in EFFORTS.items():
        assert f"| `{name}` | {one.title}. {one.help} | {one.allowed:g} |" in text
