"""One picture enlarged, at the size that is asked for."""

from __future__ import annotations

import base64
import io
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

pytest.importorskip("gradio")

from studio.events import Done, Event
from studio.preset import Preset
from tests.support.fake_engine import FakeEngine
from tests.support.waiting import until
from tests.support.webui import as_base64, client_of


class Painter:
    """Makes one picture of the size that the preset has, its upper half red."""

    def __init__(self) -> None:
        self.seen: list[Preset] = []

    def __call__(self, preset: Preset, explain: bool = False) -> Iterator[Event]:
        self.seen.append(preset)
        sampler = preset.sampler
        picture = Image.new("RGB", (sampler.width or 32, sampler.height or 32), "red")
        yield Done(picture, sampler.seed, preset, 1, 0.1, 0, ())


def asked(size: tuple[int, int], **body: Any) -> tuple[int, Any, Painter]:
    painter = Painter()
    image = as_base64(Image.new("RGB", size, "blue"))
    with client_of(painter) as client:
        answer = client.post("/sdapi/v1/extra-single-image", json={"image": image, **body})
    return answer.status_code, answer.json(), painter


@pytest.mark.parametrize(
    ("size", "body", "expected"),
    [
        ((30, 50), {"upscaling_resize": 1.5}, (45, 75)),
        ((30, 50), {"upscaling_resize": None}, (60, 100)),
        ((32, 32), {"upscaling_resize": "2"}, (64, 64)),
        ((1, 1), {"upscaling_resize": 8}, (8, 8)),
        (
            (40, 20),
            {"resize_mode": 1, "upscaling_resize_w": 60, "upscaling_resize_h": 60},
            (60, 60),
        ),
        (
            (40, 20),
            {
                "resize_mode": 1,
                "upscaling_resize_w": 60,
                "upscaling_resize_h": 60,
                "upscaling_crop": False,
            },
            (120, 60),
        ),
    ],
    ids=str,
)
def test_it_has_the_size_that_is_asked_for(
    size: tuple[int, int], body: dict[str, Any], expected: tuple[int, int]
) -> None:
    status, found, painter = asked(size, **body)
    assert status == 200, found
    assert Image.open(io.BytesIO(base64.b64decode(found["image"]))).size == expected
    assert not painter.seen[-1].paints


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"gfpgan_visibility": 0.5}, "gfpgan_visibility: is not done here"),
        ({"codeformer_visibility": 1}, "codeformer_visibility: is not done here"),
        ({"extras_upscaler_2_visibility": 1}, "extras_upscaler_2_visibility: is not done here"),
        ({"upscaler_1": "none such"}, "upscaler_1: 'none such' is not in the library"),
        ({"upscaling_resize": 90}, "upscaling_resize: over 0 to 8, got 90"),
        ({"resize_mode": 1, "upscaling_resize_w": 0}, "upscaling_resize_w: at most 8"),
        ({"resize_mode": 1, "upscaling_resize_w": 9000}, "upscaling_resize_w: at most 8"),
    ],
    ids=str,
)
def test_what_is_not_done_here_is_refused_by_its_name(body: dict[str, Any], words: str) -> None:
    status, found, painter = asked((32, 32), **body)
    assert status == 422 and words in found["detail"] and not painter.seen


def test_one_that_is_stopped_says_so() -> None:
    with client_of(FakeEngine(pause=0.05, steps=400)) as client:
        body = {"image": as_base64(Image.new("RGB", (32, 32)))}
        answers: list[Any] = []
        thread = threading.Thread(
            target=lambda: answers.append(client.post("/sdapi/v1/extra-single-image", json=body))
        )
        thread.start()
        until(lambda: client.get("/sdapi/v1/progress").json()["state"]["sampling_step"] > 1)
        client.post("/sdapi/v1/interrupt")
        thread.join(30)
    assert answers[0].status_code == 422 and "was cancelled" in answers[0].json()["detail"]


def test_several_pictures_are_enlarged_one_after_the_other() -> None:
    painter = Painter()
    given = [{"data": as_base64(Image.new("RGB", (16, side))), "name": "x"} for side in (16, 32)]
    with client_of(painter) as client:
        body = {"imageList": given, "upscaling_resize": 2}
        answer = client.post("/sdapi/v1/extra-batch-images", json=body)
        found = [base64.b64decode(one) for one in answer.json()["images"]]
        assert [Image.open(io.BytesIO(one)).size for one in found] == [(32, 32), (32, 64)]
        for wrong in (3, ["x"]):
            refused = client.post("/sdapi/v1/extra-batch-images", json={"imageList": wrong})
            assert refused.status_code == 422 and "imageList" in refused.json()["detail"]
