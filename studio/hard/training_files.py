"""What lies in a training folder: captions in every form, dataset configs, kept settings; mutated."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image

from studio.hard.attack import ATTACKS, Attack
from studio.hard.mutation import bytes_mutated, json_mutated, json_text
from studio.home import training_folder
from studio.train.config import TrainConfig
from studio.train.examples import choose
from studio.train.runner import kept_settings

_CAPTIONS = {
    "0.png": "a <hero> ghost on a hill",
    "1.png": {"caption": "a <hero> ghost, a lamp", "target": "<hero> ghost", "general": "a lamp"},
    "10_<hero>/2.png": "drawing of a <hero> ghost",
}
_LINES = (
    {"file_name": "0.png", "text": "a <hero> ghost on a hill"},
    {"file_name": "1.png", "caption": "a <hero> ghost, a lamp", "tags": ["x"]},
)
_CONFIG: dict[str, Any] = {
    "general": {"shuffle_caption": True, "caption_extension": ".txt"},
    "datasets": [
        {
            "resolution": 64,
            "subsets": [
                {"image_dir": ".", "num_repeats": 3, "class_tokens": "<hero> ghost"},
                {"image_dir": "10_<hero>", "metadata_file": "captions.json"},
            ],
        }
    ],
}


def _pictures(folder: Path) -> None:
    (folder / "10_<hero>").mkdir()
    for number, name in enumerate(_CAPTIONS):
        Image.new("RGB", (16, 16), (80 * number, 9, 9)).save(folder / name, compress_level=1)


def _config(images: Path, **more: Any) -> TrainConfig:
    return TrainConfig(
        method="lora", images=str(images), name="x", word="<hero>", superclass="ghost", **more
    )


def _either(random: Random, value: Any) -> bytes:
    if random.random() < 0.4:
        return bytes_mutated(random, json_text(value))
    return json_text(json_mutated(random, value))


def captions(random: Random, folder: Path) -> None:
    """A caption file, ``metadata.jsonl`` or texts beside pictures, changed."""
    _pictures(folder)
    given: dict[str, Any] = {}
    match random.randrange(3):
        case 0:
            path = folder / "captions.json"
            path.write_bytes(_either(random, _CAPTIONS))
            given["captions"] = str(path)
        case 1:
            lines = [_either(random, line) for line in _LINES]
            (folder / "metadata.jsonl").write_bytes(b"\n".join(lines))
        case 2:
            text = bytes_mutated(random, b"a <hero> ghost (on a hill:1.2), [lamp]")
            (folder / f"0{random.choice(('.txt', '.caption'))}").write_bytes(text)
    list(choose(_config(folder, **given)))


def dataset(random: Random, folder: Path) -> None:
    """A dataset config of sd-scripts, changed."""
    _pictures(folder)
    (folder / "captions.json").write_bytes(json_text(_CAPTIONS))
    changed = random.random() < 0.6
    text = _toml(json_mutated(random, _CONFIG) if changed else _CONFIG).encode(errors="replace")
    path = folder / "set.toml"
    path.write_bytes(text if changed else bytes_mutated(random, text))
    list(choose(_config(path)))


def _toml(value: Any) -> str:
    """Tables of tables as TOML, as far as it can be written so."""
    if not isinstance(value, dict):
        return f"x = {_inline(value)}"
    return "".join(f"{json.dumps(str(key))} = {_inline(item)}\n" for key, item in value.items())


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(str(k))} = {_inline(v)}' for k, v in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_inline, value))}]"
    return '""' if value is None else json.dumps(value)


def settings(random: Random, folder: Path) -> None:
    """The settings that a training was begun with, changed."""
    kept = {**_config(folder).model_dump(mode="json"), "data": "a" * 16}
    path = training_folder("x") / "settings.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(_either(random, kept))
    kept_settings("x")


ATTACKS.register(
    "captions", Attack("caption files, metadata.jsonl and texts beside pictures", captions)
)
ATTACKS.register("dataset configs", Attack("sd-scripts' dataset configs (TOML)", dataset))
ATTACKS.register(
    "training settings", Attack("settings.json of a training that was begun", settings)
)
