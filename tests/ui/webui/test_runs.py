"""What comes back of a run, which may be other than what was asked for; and several at once."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

pytest.importorskip("gradio")

from studio.engine.inputs.settled import as_chosen, single
from studio.events import Done, Event, FirstPass
from studio.preset import Preset
from studio.preset.styles import save_style
from tests.support.fake_engine import FakeEngine
from tests.support.waiting import until
from tests.support.webui import BODY, as_base64, client_of


class Engine:
    """Makes each picture as the engine does: its own seeds, choices made, and a note on the models."""

    def __call__(self, preset: Preset, explain: bool = False) -> Iterator[Event]:
        for index in range(preset.sampler.count):
            one = as_chosen(single(preset, index))
            picture = Image.new("RGB", (32, 32), "red")
            done = Done(picture, one.sampler.seed, one, 6, 0.3, index, ())
            yield replace(done, notes=("a file was left out",))


def info_of(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.json()
    return json.loads(answer.json()["info"])


def test_variations_of_a_seed_count_up_their_own() -> None:
    body = {**BODY, "batch_size": 2, "subseed": 9, "subseed_strength": 0.5}
    with client_of(Engine()) as client:
        info = info_of(client.post("/sdapi/v1/txt2img", json=body))
    assert (info["all_seeds"], info["all_subseeds"]) == ([5, 5], [9, 10])
    assert "Variation seed: 10" in info["infotexts"][1] and "Seed: 5," in info["infotexts"][1]


def test_what_chance_chose_stands_in_each_picture_s_text_and_notes_of_the_run_too() -> None:
    save_style("ink", "{prompt}, {red|green|blue} ink")
    body = {**BODY, "batch_size": 4, "styles": ["ink"]}
    with client_of(Engine()) as client:
        answer = client.post("/sdapi/v1/txt2img", json=body)
        info = info_of(answer)
        files = [
            client.post("/sdapi/v1/png-info", json={"image": one}).json()["info"]
            for one in answer.json()["images"]
        ]
    assert info["infotexts"] == files and not any("|" in one for one in files)
    assert info["notes"] == ["a file was left out"]


def test_a_first_pass_that_was_kept_is_what_is_said() -> None:
    class Halfway(FakeEngine):
        def __call__(self, preset: Preset, explain: bool = False) -> Iterator[Event]:
            first = preset.with_seed(5).model_copy(
                update={"second_pass": type(preset.second_pass)()}
            )
            yield FirstPass(Done(Image.new("RGB", (32, 32)), 5, first, 3, 0.1, 0, ()))
            yield from super().__call__(preset, explain)

    body = {**BODY, "steps": 20, "enable_hr": True, "hr_upscaler": "Lanczos"}
    body |= {"denoising_strength": 0.5}
    with client_of(Halfway(pause=0.05, steps=400)) as client:
        answer = interrupted(client, body)
    assert "Hires" not in info_of(answer)["infotexts"][0]


def interrupted(client: Any, body: dict[str, Any], by: str = "interrupt") -> Any:
    answers: list[Any] = []
    thread = threading.Thread(
        target=lambda: answers.append(client.post("/sdapi/v1/txt2img", json=body))
    )
    thread.start()
    until(lambda: client.get("/sdapi/v1/progress").json()["state"]["sampling_step"] > 1)
    client.post(f"/sdapi/v1/{by}")
    thread.join(30)
    return answers[0]


def test_the_run_that_goes_on_is_shown_and_stopped_and_no_waiting_one() -> None:
    engine = FakeEngine(pause=0.05, steps=200)
    with client_of(engine) as client:
        answers: dict[int, Any] = {}

        def ask(seed: int) -> threading.Thread:
            def post() -> None:
                body = {**BODY, "seed": seed}
                answers[seed] = client.post("/sdapi/v1/txt2img", json=body)

            thread = threading.Thread(target=post)
            thread.start()
            return thread

        def step() -> int:
            return client.get("/sdapi/v1/progress").json()["state"]["sampling_step"]

        first = ask(1)
        until(lambda: step() > 1)
        second = ask(2)
        runs = client.app.runs  # type: ignore[attr-defined]
        until(lambda: len(runs.session("webui-api").active()) == 2)
        assert step() > 1
        client.post("/sdapi/v1/interrupt")
        first.join(30)
        assert answers[1].json()["images"] == [] and 2 not in answers
        until(lambda: len(engine.seen) == 2)
        client.post("/sdapi/v1/interrupt")
        second.join(30)
        assert [one.sampler.seed for one in engine.seen] == [1, 2]


def test_one_of_several_pictures_is_not_skipped() -> None:
    with client_of(FakeEngine(pause=0.02, steps=60)) as client:
        body = {**BODY, "batch_size": 2}
        answer = interrupted(client, body, by="skip")
        assert len(answer.json()["images"]) == 2
        assert interrupted(client, BODY, by="skip").json()["images"] == []
        assert client.post("/sdapi/v1/skip").status_code == 200


class Breaks(Engine):
    """Makes one picture, then fails."""

    def __call__(self, preset: Preset, explain: bool = False) -> Iterator[Event]:
        yield next(iter(super().__call__(preset)))
        raise RuntimeError("the device is gone")


def test_a_fault_in_a_run_is_the_server_s_and_says_what_is_kept() -> None:
    with client_of(Breaks()) as client:
        answer = client.post("/sdapi/v1/txt2img", json={**BODY, "batch_size": 2})
    assert answer.status_code == 500
    assert "the device is gone (1 kept in the History)" in answer.json()["detail"]


def test_a_mask_and_what_it_keeps_stay_a_preset_that_can_be_opened() -> None:
    mask = Image.new("L", (32, 32))
    mask.paste(255, (0, 0, 16, 32))
    body = {**BODY, "init_images": [as_base64(Image.new("RGB", (32, 32), "blue"))]}
    body |= {"mask": as_base64(mask), "denoising_strength": 0.5}
    units = {"ADetailer": {"args": [{"ad_model": "face_yolov8n.pt"}]}}
    with client_of(Engine()) as client:
        info = info_of(client.post("/sdapi/v1/img2img", json={**body, "alwayson_scripts": units}))
        assert "ADetailer is left out: it would paint what the mask keeps" in info["notes"]
        tiled = client.post("/sdapi/v1/img2img", json={**body, "tiling": True})
        assert tiled.status_code == 422
        few = {**body, "steps": 8, "denoising_strength": 0.05}
        answer = client.post("/sdapi/v1/img2img", json=few)
        assert answer.status_code == 422 and "leaves none to run" in answer.json()["detail"]


@pytest.mark.parametrize("text", ["a dog\nSteps: 3, Sampler: Euler, CFG scale: 7", "any words"])
def test_a_picture_s_own_text_is_said_as_it_stands(text: str) -> None:
    import base64
    import io

    kept = PngImagePlugin.PngInfo()
    kept.add_text("parameters", text)
    data = io.BytesIO()
    Image.new("RGB", (8, 8)).save(data, "PNG", pnginfo=kept)
    with client_of(Engine()) as client:
        image = base64.b64encode(data.getvalue()).decode()
        found = client.post("/sdapi/v1/png-info", json={"image": image}).json()
        assert found["info"] == text
        if "Steps" in text:
            assert found["parameters"]["Prompt"] == "a dog"
        bare = {"image": as_base64(Image.new("RGB", (8, 8)))}
        answer = client.post("/sdapi/v1/png-info", json=bare)
        assert (answer.status_code, answer.json()["info"]) == (200, "")


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"sd_model_checkpoint": "nope"}, "sd_model_checkpoint"),
        ({"sd_model_checkpoint": 3}, "sd_model_checkpoint"),
        ({"sd_vae": {"a": 1}}, "sd_vae"),
        ({"sd_vae": "none such"}, "sd_vae"),
        ({"CLIP_stop_at_last_layers": "x"}, "CLIP_stop_at_last_layers"),
        ({"CLIP_stop_at_last_layers": 99}, "CLIP_stop_at_last_layers"),
    ],
    ids=str,
)
def test_an_option_that_cannot_be_is_refused_and_null_leaves_it(
    options: dict[str, Any], field: str
) -> None:
    with client_of(Engine()) as client:
        chosen = {"sd_model_checkpoint": "Starter-1 [0123456789]", "sd_vae": "Automatic"}
        assert client.post("/sdapi/v1/options", json=chosen).status_code == 200
        before = client.get("/sdapi/v1/options").json()
        assert before["sd_model_checkpoint"] == "starter-1"
        answer = client.post("/sdapi/v1/options", json=options)
        assert answer.status_code == 422 and answer.json()["detail"].startswith(f"{field}: ")
        assert client.post("/sdapi/v1/options", json={field: None}).status_code == 200
        assert client.get("/sdapi/v1/options").json() == before


def test_the_interface_is_at_the_beginning_of_a_path_alone() -> None:
    with client_of(Engine()) as client:
        for path in ("/gradio_api/file=/pictures/controlnet/a.png", "/a/sdapi/v1/samplers"):
            assert client.get(path).text == "the page"
    with client_of(Engine(), prefix="/studio/") as client:
        assert client.get("/studio/sdapi/v1/samplers").json()
        assert client.get("/sdapi/v1/samplers").json()
        assert client.get("/other/sdapi/v1/samplers").text == "the page"
