"""Which of a picture's models that are not here a site can be asked for, and by what."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from studio.library import Library
from tests.support import tiny
from tests.support.other_tools import a1111, png, read

HASHES = (
    ', Hashes: {"vae": "c6a580b13a", "model": "1a2b3c4d5e", "lora:ink": "aabbccddeeff", '
    '"embed:soft": "0123456789ab"}'
)

PRESSED = re.compile(r"'.*' can be looked up on civitai\.com: (.*)")


def looked_up(notes: str) -> list[str]:
    return [note for note in notes.splitlines() if "can be looked up" in note]


def test_models_that_are_not_here_are_said_with_their_hashes(tmp_path: Path) -> None:
    text = a1111("a cat, soft, <lora:ink:0.8>", more=HASHES)
    _, notes = read(png(tmp_path, parameters=text), ())
    assert looked_up(notes) == [
        "'mymodel' can be looked up on civitai.com: 1a2b3c4d5e",
        "'ink' can be looked up on civitai.com: aabbccddeeff",
        "'soft' can be looked up on civitai.com: 0123456789",  # of the file: AutoV2 has ten digits
    ]


def test_those_that_finish_it_and_control_it_are_said_too(tmp_path: Path) -> None:
    more = (
        ", Hires checkpoint: fine [aa11bb22cc], Hires upscale: 2, Denoising strength: 0.4, "
        'ControlNet 0: "Module: canny, Model: control_canny [d14c016b], Weight: 1"'
    )
    _, notes = read(png(tmp_path, parameters=a1111("a cat", more=more)), ("mymodel",))
    assert looked_up(notes) == [
        "'control_canny' can be looked up on civitai.com: d14c016b",
        "'fine' can be looked up on civitai.com: aa11bb22cc",
    ]
    refined = ", Refiner: sharp [dd33ee44ff], Refiner switch at: 0.8"
    _, notes = read(png(tmp_path, parameters=a1111("a cat", more=refined)), ("mymodel",))
    assert looked_up(notes) == ["'sharp' can be looked up on civitai.com: dd33ee44ff"]


def test_what_is_here_and_what_has_no_hash_is_not(tmp_path: Path) -> None:
    text = a1111("a cat, <lora:ink:0.8>, <lora:chalk:1>", more=HASHES)
    _, notes = read(png(tmp_path, parameters=text), ("mymodel", "loras/ink"))
    assert "'chalk'" in notes and looked_up(notes) == []


def test_the_site_s_own_pictures_say_which_version(tmp_path: Path) -> None:
    resources = [
        {"type": "checkpoint", "modelVersionId": 128713, "modelName": "DreamShaper"},
        {"type": "lora", "weight": 0.6, "modelVersionId": 456},
        {"type": "lora", "air": "urn:air:sd1:lora:civitai:7@8", "modelName": "Chalk"},
        {"type": "lora", "modelVersionId": 9, "modelName": "Chalk", "modelVersionName": "v2"},
    ]
    text = a1111("a cat", more=f", Civitai resources: {json.dumps(resources)}")
    text = text.replace("Model: mymodel, ", "")
    _, notes = read(png(tmp_path, parameters=text))
    links = [note.rpartition(": ")[2] for note in looked_up(notes)]
    assert links == [
        "civitai.com/api/download/models/128713",
        "civitai.com/api/download/models/456",
        "civitai.com/api/download/models/8",
        "civitai.com/api/download/models/9",
    ]
    assert "'Chalk v2' can be" in notes


def test_swarm_s_hashes_are_of_tensors_which_sites_know_by_twelve_digits(tmp_path: Path) -> None:
    data = {
        "sui_image_params": {"prompt": "a cat", "model": "Mine/other", "cfgscale": 7, "steps": 20},
        "sui_models": [{"name": "Mine/other.safetensors", "hash": "0x" + "ab12" * 16}],
    }
    _, notes = read(png(tmp_path, parameters=json.dumps(data)))
    assert looked_up(notes) == ["'Mine/other' can be looked up on civitai.com: ab12ab12ab12"]


def test_one_that_has_come_from_there_is_known_by_its_version(
    tmp_path: Path, studio_home: Path
) -> None:
    tiny.pipeline(studio_home / "models" / "base")
    made = studio_home / "models" / "loras" / "chalk_drawing"
    tiny.lora(tmp_path / "made", tiny.pipeline(tmp_path / "from").unet)
    made.parent.mkdir()
    next((tmp_path / "made").glob("*.safetensors")).rename(f"{made}.safetensors")
    info = {"id": 8, "name": "v2.0", "model": {"name": "Chalk Drawing", "type": "LORA"}}
    made.with_suffix(".civitai.info").write_text(json.dumps(info))
    resources = [{"type": "lora", "modelVersionId": 8, "modelName": "Chalk Drawing", "weight": 0.6}]
    text = a1111("a cat", more=f", Civitai resources: {json.dumps(resources)}")
    preset, notes = read(png(tmp_path, parameters=text), Library())
    assert "lora" in str(preset.rows[0].model) and "chalk_drawing" in str(preset.rows[0].model)
    assert not [note for note in looked_up(notes) if "Chalk" in note]


def test_the_base_is_not_taken_for_a_lora_of_its_name(tmp_path: Path) -> None:
    more = ', Model hash: 1a2b3c4d5e, Lora hashes: "mymodel: aaaaaaaaaaaa"'
    _, notes = read(png(tmp_path, parameters=a1111("a cat <lora:mymodel:1>", more=more)), ())
    assert looked_up(notes) == [
        "'mymodel' can be looked up on civitai.com: 1a2b3c4d5e",
        "'mymodel' can be looked up on civitai.com: aaaaaaaaaaaa",
    ]


@pytest.mark.parametrize(
    "given",
    [
        "civitai.com/x can be looked up on civitai.com: evil/repo",
        "civitai.com/models/1 evil/repo",
        "evil/repo",
        "abc",
    ],
)
def test_a_strangers_text_leads_nowhere_else(tmp_path: Path, given: str) -> None:
    hashes = f", Hashes: {json.dumps({'lora:ink': given})}"
    resources = f", Civitai resources: {json.dumps([{'type': 'lora', 'air': given}])}"
    for more in (hashes, resources):
        _, notes = read(png(tmp_path, parameters=a1111("a cat <lora:ink:1>", more=more)))
        led = [match[1] for note in notes.splitlines() if (match := PRESSED.fullmatch(note))]
        assert all(re.fullmatch(r"civitai\.com/api/download/models/[0-9]+", one) for one in led)
