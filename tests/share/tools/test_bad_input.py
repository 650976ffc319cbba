"""Damaged and hostile texts of every format: a preset or one line, no traceback, in bounded time."""

from __future__ import annotations

import json
import random
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from studio import share
from studio.errors import StudioError
from studio.preset import Preset
from studio.share.texts import Texts
from studio.share.tools.foreign import read_foreign
from tests.support.other_tools import a1111, encode, graph, node, photo, png, sampler
from tests.support.tool_samples import (
    DRAW,
    EASY,
    FOOOCUS,
    INVOKE,
    MOCHI,
    NOVELAI,
    PACKET,
    SWARM,
)

SECONDS = 2.0
SEED = 20261126
SAMPLES = 500  # of up to 3,500 for a tool; all of them have been run
PLACES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    10**30,
    10**300,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "x" * 5000,
    "\ud800",
    [],
    {},
    [[]],
    {"a": {"b": []}},
    ["3", 0],
    ["missing", 99],
    [None, None],
    "NaN",
    "9" * 500,
)
RICH_GRAPH = graph(
    n3=sampler(positive=["9", 0], model=["20", 0], latent_image=["26", 0]),
    n8=encode("a sky"),
    n9=node("ConditioningCombine", conditioning_1=["21", 0], conditioning_2=["22", 0]),
    n20=node("LoraLoader", lora_name="ink", strength_model=1, strength_clip=0.5, model=["25", 0]),
    n21=node(
        "ConditioningSetArea", conditioning=["6", 0], x=0, y=0, width=32, height=32, strength=1
    ),
    n22=node("ConditioningSetTimestepRange", conditioning=["23", 0], start=0.1, end=0.9),
    n23=node(
        "ConditioningAverage",
        conditioning_to=["8", 0],
        conditioning_from=["24", 0],
        conditioning_to_strength=0.4,
    ),
    n24=node("ConditioningConcat", conditioning_to=["6", 0], conditioning_from=["8", 0]),
    n25=node("RescaleCFG", multiplier=0.5, model=["4", 0]),
    n26=node("LatentUpscale", samples=["5", 0], width=64, height=64),
)
OBJECTS: dict[str, tuple[str, dict[str, Any]]] = {
    "ComfyUI": ("prompt", RICH_GRAPH),
    "NovelAI": (
        "Comment",
        NOVELAI
        | {
            "v4_prompt": {
                "caption": {"base_caption": "a", "char_captions": [{"char_caption": "b"}]}
            }
        },
    ),
    "InvokeAI": ("invokeai_metadata", INVOKE | {"loras": [{"model": {"name": "a"}, "weight": 1}]}),
    "InvokeAI 2": (
        "sd-metadata",
        {
            "model_weights": "a",
            "image": {
                "prompt": [{"prompt": "a [b]", "weight": 1}],
                "sampler": "k_euler",
                "steps": 2,
                "seed": 1,
                "cfg_scale": 3,
            },
        },
    ),
    "Fooocus": ("parameters", FOOOCUS | {"loras": [["a", 1, "h"]], "full_prompt": ["a"]}),
    "SwarmUI": ("parameters", {"sui_image_params": SWARM | {"loras": ["a"], "loraweights": ["1"]}}),
    "Draw Things": ("UserComment", DRAW | {"control": [{"model": "c", "weight": 1}]}),
    "Easy Diffusion": ("parameters", EASY),
    "civitai.com": (
        "extraMetadata",
        {"prompt": "a", "cfgScale": 3, "steps": 2, "resources": [{"type": "lora", "weight": 1}]},
    ),
}
TEXTS_OF: dict[str, tuple[str, str]] = {
    "AUTOMATIC1111": (
        "parameters",
        a1111(
            more=', ControlNet 0: "Module: a, Weight: 1", Lora hashes: "a: b", Hashes: {"embed:x": "1"}, TI hashes: "y: 2"'
        ),
    ),
    "Mochi": ("Caption", MOCHI),
    "Dream": ("Dream", '"a cat [bad]" -s 20 -S 42 -W 64 -H 96 -C 7.0 -A k_euler_a'),
    "Draw Things packet": ("XML:com.adobe.xmp", PACKET.format(json.dumps(DRAW))),
}


def harmless(named: dict[str, str]) -> None:
    """Reading these texts gives a preset and notes of one line each, or nothing, and soon."""
    start = time.process_time()
    found = read_foreign(Texts(named, (64, 64)), "theirs.png", ("mymodel", "ink", "a"))
    assert time.process_time() - start < SECONDS
    if found is not None:
        preset, notes = found
        assert isinstance(preset, Preset)
        assert all(isinstance(note, str) and len(note) <= 600 for note in notes)
        assert len(notes) <= 60


def paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    found = [here] if here else []
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in items:
        found += paths(inner, (*here, key))
    return found


def with_value(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    copy = json.loads(json.dumps(data))
    holder = copy
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return copy


@pytest.mark.parametrize("tool", OBJECTS)
def test_any_value_of_any_type_in_any_place(studio_home: Path, tool: str) -> None:
    key, data = OBJECTS[tool]
    harmless({key: json.dumps(data)})
    pairs = [(path, value) for path in paths(data) for value in PLACES]
    for path, value in random.Random(SEED).sample(pairs, min(len(pairs), SAMPLES)):
        harmless({key: json.dumps(with_value(data, path, value))})


@pytest.mark.parametrize("tool", [*OBJECTS, *TEXTS_OF])
def test_cut_off_and_scrambled_texts(studio_home: Path, tool: str) -> None:
    key, text = (
        TEXTS_OF[tool] if tool in TEXTS_OF else (OBJECTS[tool][0], json.dumps(OBJECTS[tool][1]))
    )
    dice = random.Random(SEED)
    for cut in range(0, len(text), max(1, len(text) // 60)):
        harmless({key: text[:cut]})
    for _ in range(150):
        letters = list(text)
        for _ in range(dice.randrange(1, 8)):
            letters[dice.randrange(len(letters))] = dice.choice('{}[]",:\\()<>\n\0 0-x\u202e')
        harmless({key: "".join(letters)})


@pytest.mark.parametrize("name", ["parameters", "prompt", "Comment", "UserComment", "Caption"])
@pytest.mark.parametrize(
    "text",
    [
        "[" * 10**6,
        '{"a":' * 200_000,
        '{"prompt": ' + "[" * 10**6,
        "{"
        + ",".join(
            f'"{i}": {{"class_type": "KSampler", "inputs": {{"steps": ["{i + 1}", 0], "cfg": 1, "sampler_name": "a", "positive": ["{i + 1}", 0]}}}}'
            for i in range(9000)
        )
        + "}",
        "a" * 10**6 + "\nSteps: 1, Seed: 1, Size: 1x1, " + "k: v, " * 10_000,
        "\n" * 10**6 + "Steps: 1, Seed: 1, Sampler: a",
        "Negative prompt:\n" * 60_000 + "Steps: 1, Seed: 1, Sampler: a",
        "Include in Image: " + "; Model: x" * 100_000,
        json.dumps({"sui_image_params": {"prompt": "<a:" * 10**5 + "<random[" * 10**5}}),
    ],
    ids=lambda text: text[:12],
)
def test_large_texts(studio_home: Path, name: str, text: str) -> None:
    harmless({name: text})


def one_line(path: Path) -> None:
    start = time.process_time()
    try:
        share.read_image(path)
    except StudioError as error:
        assert "\n" not in str(error) and len(str(error)) < 1000
    assert time.process_time() - start < 2 * SECONDS


FILES: dict[str, Callable[[Path], Path]] = {
    "png": lambda folder: png(folder, parameters=a1111(), prompt=json.dumps(RICH_GRAPH)),
    "jpg": lambda folder: photo(folder, b"UNICODE\0" + a1111().encode("utf-16-be")),
    "webp": lambda folder: photo(folder, b"ASCII\0\0\0" + a1111().encode(), "webp"),
}


@pytest.mark.parametrize("kind", FILES)
def test_cut_off_and_scrambled_files(studio_home: Path, tmp_path: Path, kind: str) -> None:
    path = FILES[kind](tmp_path)
    data = path.read_bytes()
    dice = random.Random(SEED)
    for number in range(120):
        changed = bytearray(data)
        if number % 3 == 0:
            changed = changed[: dice.randrange(len(changed))]
        for _ in range(dice.randrange(0 if number % 3 == 0 else 1, 6)):
            if changed:
                changed[dice.randrange(len(changed))] = dice.randrange(256)
        path.write_bytes(bytes(changed))
        one_line(path)


def test_fifty_megabytes_of_text(studio_home: Path, tmp_path: Path) -> None:
    text = b"parameters\0\0" + zlib.compress(b"x" * 50 * 2**20, 9)
    chunk = len(text).to_bytes(4, "big") + b"zTXt" + text
    chunk += zlib.crc32(b"zTXt" + text).to_bytes(4, "big")
    path = tmp_path / "big.png"
    Image.new("RGB", (32, 32), "red").save(path)
    data = path.read_bytes()
    at = data.index(b"IDAT") - 4
    path.write_bytes(data[:at] + chunk + data[at:])
    start = time.process_time()
    with pytest.raises(StudioError, match="carries no preset; parameters: "):
        share.read_image(path)
    assert time.process_time() - start < 2 * SECONDS
    plain = b"parameters\0" + b"Steps: 1, " * (5 * 2**20)
    chunk = len(plain).to_bytes(4, "big") + b"tEXt" + plain
    chunk += zlib.crc32(b"tEXt" + plain).to_bytes(4, "big")
    path.write_bytes(data[:at] + chunk + data[at:])
    with pytest.raises(StudioError, match="52428800 characters are too long"):
        share.read_image(path)
