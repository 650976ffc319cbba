"""Which of a picture's models that are not here a site can be asked for, and by what."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.other_tools import a1111, png, read

HASHES = (
    ', Hashes: {"vae": "c6a580b13a", "model": "1a2b3c4d5e", "lora:ink": "aabbccddeeff", '
    '"embed:soft": "0123456789ab"}'
)


def looked_up(notes: str) -> list[str]:
    return [note for note in notes.splitlines() if "can be looked up" in note]


def test_models_that_are_not_here_are_said_with_their_hashes(tmp_path: Path) -> None:
    text = a1111("a cat, soft, <lora:ink:0.8>", more=HASHES)
    _, notes = read(png(tmp_path, parameters=text), ())
    assert looked_up(notes) == [
        "'mymodel' can be looked up on civitai.com: 1a2b3c4d5e",
        "'ink' can be looked up on civitai.com: aabbccddeeff",
        "'soft' can be looked up on civitai.com: 0123456789ab",
    ]


def test_what_is_here_and_what_has_no_hash_is_not(tmp_path: Path) -> None:
    text = a1111("a cat, <lora:ink:0.8>, <lora:chalk:1>", more=HASHES)
    _, notes = read(png(tmp_path, parameters=text), ("mymodel", "loras/ink"))
    assert "'chalk'" in notes and looked_up(notes) == []


def test_the_site_s_own_pictures_say_which_version(tmp_path: Path) -> None:
    resources = [
        {"type": "checkpoint", "modelVersionId": 128713, "modelName": "DreamShaper"},
        {"type": "lora", "weight": 0.6, "modelVersionId": 456},
        {"type": "lora", "air": "urn:air:sd1:lora:civitai:7@8", "modelName": "Chalk"},
    ]
    text = a1111("a cat", more=f", Civitai resources: {json.dumps(resources)}")
    text = text.replace("Model: mymodel, ", "")
    _, notes = read(png(tmp_path, parameters=text))
    links = [note.rpartition(": ")[2] for note in looked_up(notes)]
    assert links == [
        "civitai.com/api/download/models/128713",
        "civitai.com/api/download/models/456",
        "urn:air:sd1:lora:civitai:7@8",
    ]


def test_swarm_s_hashes_are_of_tensors_which_sites_know_by_twelve_digits(tmp_path: Path) -> None:
    data = {
        "sui_image_params": {"prompt": "a cat", "model": "Mine/other", "cfgscale": 7, "steps": 20},
        "sui_models": [{"name": "Mine/other.safetensors", "hash": "0x" + "ab12" * 16}],
    }
    _, notes = read(png(tmp_path, parameters=json.dumps(data)))
    assert looked_up(notes) == ["'Mine/other' can be looked up on civitai.com: ab12ab12ab12"]
