"""What of a preset is kept as a style."""

from __future__ import annotations

from studio.preset import validate
from studio.preset.style_parts import not_kept, rows_beside, texts_of

ROWS = [
    {"prompt": "", "weight": 2.0, "model": "faces"},
    {"prompt": "a cat", "weight": 5.0},
    {"prompt": "muted", "weight": 3.0, "enabled": False},
    {"prompt": "blurry", "weight": -4.0},
    {"prompt": "at sea", "weight": 1.5},
]


def test_the_first_texts_are_its_own_and_every_other_row_that_takes_part_is_added() -> None:
    preset = validate({"rows": ROWS})
    assert texts_of(preset) == ("a cat", "blurry")
    assert [preset.rows.index(row) for row in rows_beside(preset)] == [0, 4]
    assert not_kept(preset).endswith("rows 3, 5")


def test_where_there_is_no_text_every_row_is_added() -> None:
    preset = validate({"rows": ROWS[:1]})
    assert texts_of(preset) == ("", "") and rows_beside(preset) == preset.rows
    assert not not_kept(preset)
