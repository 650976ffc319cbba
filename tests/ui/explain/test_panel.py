"""Explain this picture, as the page asks for it: aside from the results, refused in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from gradio.utils import get_upload_folder
from PIL import Image

from studio.errors import StudioError
from studio.preset import validate
from studio.share import save_image
from studio.ui.explain import panel
from studio.ui.runs import Runs
from studio.ui.space import SPACE, Limits
from studio.ui.widgets import FILE_META
from tests.support.fake_engine import ROWS, FakeEngine

OWN = Limits()


def asked(
    engine: FakeEngine,
    limits: Limits = OWN,
    colour: str = "red",
    **data: Any,
) -> panel.Asked:
    """A press for a picture that the page has uploaded."""
    sampler = {"seed": 5, "count": 3, "steps": data.pop("steps", 20)}
    preset = validate({"name": "Cats", "rows": ROWS, "sampler": sampler})
    image = Image.new("RGB", (32, 32), colour)
    path = save_image(image, preset, Path(get_upload_folder()) / "explained")
    runs = Runs(engine, limits)
    picture = {"path": str(path), "meta": FILE_META}
    return panel.Asked(runs, limits, runs.session("visitor"), {"picture": picture, **data})


def test_the_rows_of_a_picture_are_told_aside_from_the_results(studio_home: Path) -> None:
    engine = FakeEngine()
    ask = asked(engine)
    *before, (last, _) = list(panel.told(ask))
    assert any(value.get("state") == "running" for value, _ in before)
    assert last["state"] == "done" and last["same"]
    assert engine.seen[0].sampler.seed == 5 and engine.seen[0].sampler.count == 1
    assert last["report"]["moments"] == [1, 3] and last["report"]["rows"][0]["share"] == [
        1,
        None,
        1,
    ]
    kinds = {name: [src and src[:15] for src in of] for name, of in last["strips"].items()}
    uri = "data:image/jpeg"
    assert kinds == {"base": [uri, uri], "0": [uri, None], "whole": [uri, uri]}
    assert ask.owner.moments == [] and not list((studio_home / "outputs").rglob("*.png"))
    assert not [value for value, _ in panel.told(asked(engine, colour="blue"))][-1]["same"]


def test_without_a_row_is_a_picture_among_the_others(studio_home: Path) -> None:
    engine = FakeEngine()
    ask = asked(engine, row=1)
    (last, strip) = list(panel.without(ask))[-1]
    assert [row.enabled for row in engine.seen[0].rows] == [True, False]
    assert engine.seen[0].sampler.seed == 5
    first, second = last["compared"]
    assert second["differs"] == ["row 2 muted"]
    assert second["title"] == "Without row 2: <b>dog</b>"
    assert first["image"]["file"]["path"] == ask.data["picture"]["path"]
    assert strip["items"][0]["title"] == "Cats without row 2"
    assert len(list((studio_home / "outputs").rglob("*.png"))) == 1


@pytest.mark.parametrize(
    ("limits", "data", "field"),
    [
        (OWN, {"row": 7}, "rows.7"),
        (OWN, {"row": "1"}, "row"),
        (OWN, {"row": 1, "picture": {"path": "/etc/passwd", "meta": FILE_META}}, "picture"),
        (SPACE, {"row": 1, "steps": 60}, "sampler.steps"),
    ],
)
def test_what_cannot_be_made_names_its_field(
    studio_home: Path, limits: Limits, data: dict[str, Any], field: str
) -> None:
    engine = FakeEngine()
    with pytest.raises(StudioError) as caught:
        list(panel.without(asked(engine, limits, **data)))
    assert caught.value.field == field and not engine.seen
