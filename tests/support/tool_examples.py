"""One rich example of each tool's picture, and how its file is written from a change of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.support.other_tools import a1111
from tests.support.tool_samples import DRAW, EASY, FOOOCUS, INVOKE, MOCHI_2, NOVELAI, SWARM

Write = Callable[[dict[str, Any]], dict[str, str]]


def _json(key: str, *inside: str) -> Write:
    def write(data: dict[str, Any]) -> dict[str, str]:
        for name in reversed(inside):
            data = {name: data}
        return {key: json.dumps(data)}

    return write


def _settings(more: Mapping[str, str]) -> dict[str, str]:
    """The web UI's settings by name."""
    line = a1111().split("\n")[-1]
    return dict(pair.split(": ", 1) for pair in line.split(", ")) | dict(more)


def _line(data: dict[str, Any]) -> dict[str, str]:
    quoted = (
        f"{k}: {v if k == 'Hashes' or not set(str(v)) & set(',:') else json.dumps(v)}"
        for k, v in data.items()
    )
    return {"parameters": f"a cat\nNegative prompt: bad\n{', '.join(quoted)}"}


def _mochi(data: dict[str, Any]) -> dict[str, str]:
    return {"Caption": "\n".join(f"{key}: {value}" for key, value in data.items())}


_CONTROL = {
    "image": {"image_name": "house.png"},
    "control_model": {"name": "canny15"},
    "control_weight": 0.6,
    "begin_step_percent": 0.0,
    "end_step_percent": 0.5,
    "control_mode": "balanced",
    "resize_mode": "just_resize",
}
_ADAPTER = {
    "image": {"image_name": "face.png"},
    "ip_adapter_model": {"name": "ip"},
    "clip_vision_model": "ViT-H",
    "method": "full",
    "weight": 0.5,
    "begin_step_percent": 0.0,
    "end_step_percent": 1.0,
}
_T2I = {"image": {"image_name": "t.png"}, "t2i_adapter_model": {"name": "t"}, "weight": 1.0}
_LORA = {"model": {"name": "ink"}, "weight": 0.5}
_CAPTION = {
    "caption": {
        "base_caption": "a cat",
        "char_captions": [{"char_caption": "a dog", "centers": [{"x": 0.5, "y": 0.3}]}],
    },
    "use_coords": False,
    "use_order": True,
}
_UNCAPTION = {"caption": {"base_caption": "bad", "char_captions": []}, "legacy_uc": False}
_WHOLE = {
    "clipSkip": 1,
    "sharpness": 0,
    "hiresFix": True,
    "tiledDecoding": True,
    "tiledDiffusion": True,
    "separateClipL": True,
    "refinerModel": "xl",
    "loras": [{"file": "ink", "weight": 0.6, "mode": "all"}],
    "controls": [{"file": "canny15", "weight": 1, "controlImportance": "balanced"}],
}
_SITE = {
    "prompt": "a cat",
    "negativePrompt": "bad",
    "cfgScale": 7,
    "steps": 20,
    "sampler": "Euler a",
    "seed": 42,
    "width": 64,
    "height": 96,
    "workflowId": "txt2img",
    "resources": [
        {"type": "checkpoint", "modelName": "mymodel", "modelVersionId": 1},
        {"type": "lora", "modelName": "ink", "weight": 0.5},
    ],
}
BASES: dict[str, tuple[dict[str, Any], Write]] = {
    "NovelAI": (
        NOVELAI | {"v4_prompt": _CAPTION, "v4_negative_prompt": _UNCAPTION},
        _json("Comment"),
    ),
    "InvokeAI": (
        INVOKE
        | {
            "controlnets": [_CONTROL],
            "ipAdapters": [_ADAPTER],
            "t2iAdapters": [_T2I],
            "loras": [_LORA],
        },
        _json("invokeai_metadata"),
    ),
    "Fooocus": (
        FOOOCUS | {"refiner_model": "xl", "refiner_switch": 0.8, "loras": [["ink", 0.5, "h"]]},
        _json("parameters"),
    ),
    "SwarmUI": (
        SWARM
        | {"loras": ["ink"], "loraweights": ["0.5"], "loratencweights": ["0.4"]}
        | {"variationseed": 5, "variationseedstrength": 0.2},
        _json("parameters", "sui_image_params"),
    ),
    "Draw Things": (DRAW | {"v2": _WHOLE}, _json("UserComment")),
    "Easy Diffusion": (EASY, _json("parameters")),
    "civitai.com": (_SITE, lambda data: _json("prompt")({"extraMetadata": json.dumps(data)})),
    "Mochi Diffusion": (dict(one.split(": ", 1) for one in MOCHI_2.split("\n")), _mochi),
    "AUTOMATIC1111": (_settings({}), _line),
    "SD.Next": (_settings({"App": "SD.Next"}), _line),
}
