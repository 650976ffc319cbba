"""The example pictures take nothing of a person's own away."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studio.errors import StudioError
from studio.ui.train import examples, form
from studio.ui.train.images import Picture

SHIPPED = Picture("b.png", "a hero", "a <hero>", "a person")


def test_what_the_page_filled_in_is_nobodys_own() -> None:
    filled = replace(SHIPPED, target="a <hero> x", general="a y", split=("a <hero> x", "a y"))
    form.refuse_to_lose([SHIPPED, Picture("b.png"), filled], [SHIPPED])


@pytest.mark.parametrize(
    "changed",
    [{"caption": "my grandmother"}, {"target": "mine"}, {"crop": (0.0, 0.0, 0.5, 1.0)}],
)
def test_texts_and_crops_of_a_person_are(changed: dict[str, Any]) -> None:
    with pytest.raises(StudioError, match=r"images: what you changed at b.png would go"):
        form.refuse_to_lose([replace(SHIPPED, **changed)], [SHIPPED])


def test_a_picture_that_is_called_as_one_of_them_is() -> None:
    example = examples.hero()
    assert examples.others(example.files) == []
    mine = Path(example.files[0]).parent / "of mine" / Path(example.files[0]).name
    mine.parent.mkdir(exist_ok=True)
    mine.write_bytes(Path(example.files[1]).read_bytes())
    own = examples.others([str(mine), *example.files[1:]])
    assert own == [mine.name]
    with pytest.raises(StudioError, match="images: one of your own is here"):
        form.refuse_to_lose(example.pictures, example.pictures, own)
