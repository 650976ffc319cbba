"""The map beside a control image: what the page's script gets back."""

from __future__ import annotations

import base64
import io
import re
from typing import Any

import numpy as np
import pytest

pytest.importorskip("gradio")

from PIL import Image  # noqa: E402

from studio import images  # noqa: E402
from studio.preprocessors import control_map  # noqa: E402
from studio.preset import Control  # noqa: E402
from studio.ui.editor.maps import preview_map  # noqa: E402
from studio.ui.editor.stack import GuidanceStack  # noqa: E402
from studio.ui.library.models import library  # noqa: E402
from studio.ui.static_files import head  # noqa: E402

CAT = "assets/examples/cat.png"


def shown(answer: dict[str, str]) -> np.ndarray:
    assert set(answer) == {"map"}, answer
    kind, _, data = answer["map"].partition(",")
    assert kind == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def test_the_map_is_what_the_engine_will_use() -> None:
    answer = preview_map({"control": {"type": "canny", "image": CAT}, "base": "starter"})
    edge = library()["starter"].size
    expected = control_map.prepare(Control(type="canny"), images.resolve(CAT), (edge, edge))
    assert np.array_equal(shown(answer), np.asarray(expected))


def test_the_map_has_the_shape_of_the_picture() -> None:
    wide = {"control": {"type": "canny", "image": CAT}, "base": "starter", "size": [192, 96]}
    assert shown(preview_map(wide)).shape[:2] == (96, 192)
    assert shown(preview_map({**wide, "size": [4096, 2048]})).shape[:2] == (512, 1024)
    native = library()["starter"].size
    assert shown(preview_map({**wide, "size": ["a", None]})).shape[:2] == (native, native)


def test_a_saved_map_given_back_is_taken_as_it_is() -> None:
    first = preview_map({"control": {"type": "canny", "image": CAT}, "base": "starter"})
    again = preview_map({"control": {"type": "map", "image": first["map"]}, "base": "starter"})
    assert np.array_equal(shown(first), shown(again))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "control"),
        ({"control": "x", "base": "starter"}, "control"),
        ({"control": {"type": "fog", "image": CAT}, "base": "starter"}, "type"),
        ({"control": {"type": "canny", "image": "/etc/passwd"}, "base": "starter"}, "passwd"),
        ({"control": {"type": "canny", "image": CAT}, "base": "nowhere"}, "nowhere"),
        (
            {"control": {"type": "depth", "image": CAT}, "base": "starter"},
            "turn on “Fetch weights when needed” in the Settings",
        ),
    ],
)
def test_mistakes_are_one_line(value: Any, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(control_map.ALLOW_DOWNLOAD, raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    answer = preview_map(value)
    assert set(answer) == {"error"} and told in answer["error"] and "\n" not in answer["error"]


def test_the_script_asks_for_what_the_server_offers() -> None:
    offered = {function.__name__ for function in GuidanceStack().server_fns}
    asked = set(re.findall(r"this\.server\.(\w+)\(", head()))
    assert asked == offered >= {"store_image", "preview_map"}
