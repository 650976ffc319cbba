"""The web UI's interface over HTTP, in front of the page."""

from __future__ import annotations

import base64
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

pytest.importorskip("gradio")

from studio import images
from studio.errors import StudioError
from studio.ui.runs import Runs
from studio.ui.serve import flags, serve
from studio.ui.space import Limits
from studio.ui.webui.server import Webui
from tests.support import REPOSITORY
from tests.support.fake_engine import FakeEngine
from tests.support.waiting import until

BODY = {"prompt": "a cat", "seed": 5, "steps": 3}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "home"))


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def client(engine: FakeEngine) -> Iterator[TestClient]:
    with TestClient(Webui(page(), Runs(engine, Limits()))) as client:
        yield client


def page() -> Starlette:
    async def answer(_: Request) -> PlainTextResponse:
        return PlainTextResponse("the page")

    return Starlette(routes=[Route("/{rest:path}", answer)])


def picture() -> str:
    return base64.b64encode(images.png_bytes(Image.new("RGB", (32, 32), "blue"))).decode()


def test_pictures_come_back_with_what_they_were_made_with(
    client: TestClient, engine: FakeEngine
) -> None:
    answer = client.post("/sdapi/v1/txt2img", json={**BODY, "batch_size": 2})
    assert answer.status_code == 200
    found = answer.json()
    assert len(found["images"]) == 2 and found["parameters"]["prompt"] == "a cat"
    info = json.loads(found["info"])
    assert info["all_seeds"] == [5, 6] and info["notes"] == []
    assert (info["width"], info["height"]) == (32, 32)  # as the engine made them
    assert "Steps: 3" in info["infotexts"][1] and "Seed: 6" in info["infotexts"][1]
    data = base64.b64decode(found["images"][0])
    assert Image.open(io.BytesIO(data)).text["parameters"].startswith("a cat")  # type: ignore[attr-defined]
    assert engine.seen[-1].rows[0].prompt == "a cat"
    told = client.post("/sdapi/v1/png-info", json={"image": found["images"][0]}).json()
    assert told["info"].startswith("a cat\nSteps: 3")


def test_the_documented_request_is_answered(client: TestClient, engine: FakeEngine) -> None:
    text = (REPOSITORY / "docs" / "api.md").read_text(encoding="utf-8")
    request = text.partition('/sdapi/v1/txt2img"')[2].partition("-d '")[2].partition("'")[0]
    assert client.post("/sdapi/v1/txt2img", content=request).status_code == 200
    assert engine.seen[-1].rows[0].prompt == "a fox"


def test_from_a_picture_and_larger(client: TestClient, engine: FakeEngine) -> None:
    body = {**BODY, "init_images": [picture()], "denoising_strength": 0.5}
    assert client.post("/sdapi/v1/img2img", json=body).status_code == 200
    assert engine.seen[-1].init is not None and engine.seen[-1].init.strength == 0.5
    asked = {"image": picture(), "upscaling_resize": 2, "upscaler_1": "Lanczos"}
    answer = client.post("/sdapi/v1/extra-single-image", json=asked)
    assert answer.status_code == 200 and answer.json()["image"]
    seen = engine.seen[-1]
    assert (seen.sampler.width, seen.sampler.height, seen.paints) == (64, 64, False)
    wrong = client.post("/sdapi/v1/extra-single-image", json={**asked, "upscaling_resize": 90})
    assert wrong.status_code == 422 and "upscaling_resize" in wrong.json()["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "sd-models",
        "samplers",
        "schedulers",
        "upscalers",
        "latent-upscale-modes",
        "loras",
        "embeddings",
        "sd-vae",
        "prompt-styles",
        "hypernetworks",
        "face-restorers",
        "scripts",
        "script-info",
        "cmd-flags",
    ],
)
def test_what_clients_ask_first_is_answered(client: TestClient, path: str) -> None:
    answer = client.get(f"/sdapi/v1/{path}")
    assert answer.status_code == 200
    if path == "samplers":
        names = {one["name"] for one in answer.json()}
        assert {"Euler", "Euler a", "DPM++ 2M", "DDIM"} <= names
    if path == "sd-models":
        assert "starter" in {one["title"] for one in answer.json()}


def test_the_checkpoint_is_chosen_and_only_one_that_is_here(
    client: TestClient, engine: FakeEngine
) -> None:
    chosen = {"sd_model_checkpoint": "starter-1", "unheard_of": 3}
    assert client.post("/sdapi/v1/options", json=chosen).status_code == 200
    found = client.get("/sdapi/v1/options").json()
    assert found["sd_model_checkpoint"] == "starter-1" and "unheard_of" not in found
    client.post("/sdapi/v1/txt2img", json=BODY)
    assert engine.seen[-1].base == "starter-1"
    wrong = client.post("/sdapi/v1/options", json={"sd_model_checkpoint": "nope"})
    assert wrong.status_code == 422
    assert client.get("/sdapi/v1/options").json()["sd_model_checkpoint"] == "starter-1"


def test_control_extensions_are_listed(client: TestClient) -> None:
    assert client.get("/controlnet/version").json() == {"version": 2}
    assert "starter/canny" in client.get("/controlnet/model_list").json()["model_list"]
    assert "canny" in client.get("/controlnet/module_list").json()["module_list"]


def test_a_map_is_made_for_a_client_to_show(client: TestClient) -> None:
    assert client.get("/internal/ping").json() == {}
    types = client.get("/controlnet/control_types").json()["control_types"]
    assert types["Edges (Canny)"]["default_model"] == "starter/canny"
    assert "depth" in types["All"]["module_list"]
    half = Image.new("RGB", (96, 48), "white")
    half.paste("black", (0, 0, 48, 48))
    given = base64.b64encode(images.png_bytes(half)).decode()
    line = base64.b64encode(images.png_bytes(Image.new("RGB", (1, 4096)))).decode()
    body = {"controlnet_module": "canny", "controlnet_input_images": [given]}
    answer = client.post("/controlnet/detect", json={**body, "controlnet_processor_res": 128})
    (made,) = answer.json()["images"]
    with Image.open(io.BytesIO(base64.b64decode(made))) as image:
        assert image.size == (256, 128) and image.convert("L").getextrema() == (0, 255)
    for wrong, said in (
        ({"controlnet_module": "nonsense"}, "'nonsense' is not here"),
        ({"controlnet_input_images": []}, "1 to 16 pictures, got 0"),
        ({"controlnet_processor_res": 99999}, "at most 2048, got 99999"),
        ({"controlnet_threshold_a": 4000}, "got 4000"),
        ({"controlnet_input_images": [line]}, "at most 4096 a side"),
    ):
        refused = client.post("/controlnet/detect", json={**body, **wrong})
        assert refused.status_code == 422 and said in refused.json()["detail"]


def test_a_run_is_seen_while_it_goes_on_and_can_be_stopped() -> None:
    engine = FakeEngine(pause=0.05, steps=400)
    with TestClient(Webui(page(), Runs(engine, Limits()))) as client:
        answers: list[Any] = []
        asked = threading.Thread(
            target=lambda: answers.append(client.post("/sdapi/v1/txt2img", json=BODY))
        )
        asked.start()
        until(lambda: client.get("/sdapi/v1/progress").json()["state"]["sampling_step"] > 2)
        shown = client.get("/sdapi/v1/progress").json()
        assert 0 < shown["progress"] < 1 and shown["current_image"]
        quiet = client.get("/sdapi/v1/progress?skip_current_image=true").json()
        assert quiet["current_image"] is None
        client.post("/sdapi/v1/interrupt")
        asked.join(30)
        assert answers[0].status_code == 200 and answers[0].json()["images"] == []
        assert client.get("/sdapi/v1/progress").json()["progress"] == 0.0


def test_mistakes_are_one_line_and_everything_else_is_the_page_s(client: TestClient) -> None:
    for body, words in (
        ({**BODY, "width": 100_000, "height": 64}, "100000"),
        ({"prompt": 3}, "prompt"),
    ):
        answer = client.post("/sdapi/v1/txt2img", json=body)
        assert answer.status_code == 422 and words in answer.json()["detail"]
        assert "\n" not in answer.json()["detail"]
    for data in (b"{", b"[]", b"3"):
        assert client.post("/sdapi/v1/txt2img", content=data).status_code == 422
    assert client.get("/sdapi/v1/txt2img").status_code == 405
    assert client.get("/sdapi/v1/unheard-of").status_code == 404
    assert client.get("/anything").text == "the page"


def test_a_run_that_fails_says_why(tmp_path: Path) -> None:
    engine = FakeEngine(fails=StudioError("is broken", field="base"))
    with TestClient(Webui(page(), Runs(engine, Limits()))) as client:
        answer = client.post("/sdapi/v1/txt2img", json=BODY)
        assert answer.status_code == 422 and "is broken" in answer.json()["detail"]


def test_a_page_with_a_password_asks_programs_for_it_too(engine: FakeEngine) -> None:
    app = Webui(page(), Runs(engine, Limits()), ("ada", "secret:1"))
    with TestClient(app) as client:
        assert client.get("/sdapi/v1/samplers").status_code == 401
        assert client.get("/sdapi/v1/samplers", auth=("ada", "wrong")).status_code == 401
        assert client.get("/sdapi/v1/samplers", auth=("ada", "secret:1")).status_code == 200
        assert client.get("/").text == "the page"  # which asks by itself


def test_under_a_path_of_a_proxy_too(engine: FakeEngine) -> None:
    app = Webui(page(), Runs(engine, Limits()))
    with TestClient(app, root_path="/studio") as client:
        assert client.get("/sdapi/v1/samplers").status_code == 200


def test_a_shared_page_has_none() -> None:
    with pytest.raises(StudioError, match="answers no such programs"):
        serve(flags(["--space", "--webui-api"]))


def test_a_program_can_free_the_memory(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    freed: list[bool] = []
    monkeypatch.setattr("studio.ui.host.free", lambda: freed.append(True))
    for verb in ("unload", "reload"):
        answer = client.post(f"/sdapi/v1/{verb}-checkpoint")
        assert (answer.status_code, answer.json()) == (200, {})
    assert freed == [True]
