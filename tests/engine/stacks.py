"""Random presets for the fuzzer, and smaller ones of a preset that differs."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

PROMPTS = ["", "cat", "a dog", "in ink style", "a bear that sits on a mat", "x" * 30, "y z" * 19]
LONG = "a lamp on a hill beside a house with a red roof and a big old tree"  # three windows
MASKS = ["left.png", "disc.png", "soft.png"]
CURVES = ["linear_up", "linear_down", "cosine_up", "cosine_down", [[0.1, 0.0], [0.5, 2.0]]]
RANDOM = ("euler_a",)  # schedulers that draw noise


@dataclass(frozen=True)
class Choices:
    """What a base's rows can be made of. ``words``: learned word by the model that holds it."""

    tuned: str
    other: str = ""  # a fine-tune of another parameterisation
    concept: str = ""
    adapters: tuple[str, ...] = ()
    words: tuple[tuple[str, str], ...] = ()
    guide: str = ""
    schedulers: tuple[str, ...] = ("ddim", "euler", "dpm++", "heun", "euler_a", "unipc")


SD = {
    "concept": "base/concept",
    "adapters": (
        *("base/style", "base/style", "base/other", "thin", "thin", "whole"),
        *("loha", "lokr", "glora", "ia3", "oft", "full", "norm", "replaced", "dora", "dog"),
    ),
    "words": (("cat-word", "<cat>"), ("dog", "<new1>")),
    "guide": "base/guide",
}
CHOICES = {
    "base": Choices("tuned", "velocity", **SD),  # type: ignore[arg-type]
    "vbase": Choices("velocity", "tuned", **SD),  # type: ignore[arg-type]
    "xl": Choices(
        "xl-tuned",
        concept="xl/concept",
        adapters=("xl-style",),
        words=(("hero", "hero"),),
        guide="xl/guide",
    ),
    "sana": Choices("sana-tuned", adapters=("sana-style",), schedulers=("euler", "dpm++", "heun")),
}


def random_stack(seed: int) -> dict[str, Any]:
    """A preset of 0 to 8 rows, as JSON."""
    chance = random.Random(seed)
    base = chance.choice(["base", "base", "base", "vbase", "vbase", "xl", "sana"])
    stack: dict[str, Any] = {
        "base": base,
        "omega": chance.choice([0.0, 0.0, 1.0, 0.3, round(chance.random(), 2)]),
        "decoupling": chance.choice([0.0, 1.0, 1.0, 0.4]),
    }
    count = chance.choice([0, 1, 2, 2, 3, 4, 5, 6, 7, 8])
    stack["rows"] = [_row(chance, stack, CHOICES[base]) for _ in range(count)]
    if chance.random() < 0.2:
        stack["guidance_rescale"] = chance.choice([0.3, 0.7, 1.0])
    if chance.random() < 0.25:
        stack["apg"] = {
            "eta": chance.choice([0.0, 0.5, 1.0, 1.5]),
            "norm_threshold": chance.choice([0.0, 0.5, 2.0]),
            "momentum": chance.choice([0.0, -0.5, 0.3]),
        }
    if chance.random() < 0.2:
        stack["cfgpp"] = True
    single = [name for name in CHOICES[base].schedulers if name in ("ddim", "euler")]
    scheduler = chance.choice(single if "cfgpp" in stack else CHOICES[base].schedulers)
    stack["sampler"] = {"scheduler": scheduler, "steps": chance.choice([2, 2, 3])}
    return stack


def _row(chance: random.Random, stack: dict[str, Any], choices: Choices) -> dict[str, Any]:
    row: dict[str, Any] = {"weight": chance.choice([7.5, -6.5, 1.0, _weight(chance)])}
    row["prompt"] = LONG if chance.random() < 0.05 else chance.choice(PROMPTS)
    if chance.random() < 0.25:
        row["prompt"] = " AND ".join(
            text + chance.choice(["", "", ":1.5", ":-0.5"])
            for text in chance.sample(PROMPTS[1:5], chance.choice([2, 3]))
        )
    model = _model(chance, stack, choices)
    if model is not None:
        row["model"] = model
    word = _word(model, choices)
    if word and chance.random() < 0.7:
        row["prompt"] = chance.choice([f"a {word} here", f"{word} AND in ink style", word])
    if choices.guide and chance.random() < 0.2 and model != choices.concept:
        row["control"] = {
            "type": "map",
            "image": "map.png",
            "model": choices.guide,
            "strength": chance.choice([1.0, 0.6]),
        }
    if chance.random() < 0.35:
        row["mask"] = chance.choice(MASKS)
    if chance.random() < 0.3:
        row["range"] = sorted(chance.sample([0.0, 0.2, 0.6, 1.0], 2))
    if chance.random() < 0.25:
        row["curve"] = chance.choice(CURVES)
    if chance.random() < 0.4:
        text = word if word and chance.random() < 0.3 else chance.choice(PROMPTS[:5])
        row["reference"] = chance.choice(["autoguidance", "own", {"prompt": text}])
    if chance.random() < 0.1:
        row[chance.choice(["enabled", "solo"])] = chance.random() < 0.5
    return row


def _weight(chance: random.Random) -> float:
    return round(chance.uniform(-4, 8), 2) or 1.0


def _model(chance: random.Random, stack: dict[str, Any], choices: Choices) -> Any:
    """A base, fine-tune or concept network by id, or adapters and words on one of them."""
    tuned = choices.tuned
    if choices.other and stack["omega"] == 0 and chance.random() < 0.5:
        tuned = choices.other
    kind = chance.random()
    if kind < 0.3:
        return None
    if kind < 0.42:
        return choices.concept or None
    if kind < 0.57:
        return tuned
    if kind < 0.64:
        return chance.choice(choices.adapters)
    if kind < 0.72 and choices.words:
        held = chance.choice(choices.words)[0]
        return chance.choice([held, {"embeddings": [held], "model": tuned}])
    model: dict[str, Any] = {
        "lora": chance.choice(choices.adapters),
        "strength": chance.choice([1.0, 0.7, -0.5]),
    }
    if chance.random() < 0.2:
        model["text_strength"] = chance.choice([0.0, 0.6, -0.8])
    if chance.random() < 0.3:
        model["loras"] = [
            {"lora": chance.choice(choices.adapters), "strength": chance.choice([1.0, 0.4])}
        ]
    if chance.random() < 0.25:
        model["model"] = tuned
    return model


def _word(model: Any, choices: Choices) -> str:
    """A learned word that the model holds."""
    names = {model} if isinstance(model, str) else set()
    if isinstance(model, dict):
        names = {model.get("lora"), *model.get("embeddings", ())}
    return next((word for holder, word in choices.words if holder in names), "")


def smaller(stack: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The stack with one row, or one field, left out."""
    rows = stack["rows"]
    for index in range(len(rows)):
        yield {**stack, "rows": rows[:index] + rows[index + 1 :]}
    for name in ("guidance_rescale", "apg", "cfgpp"):
        if name in stack:
            yield {key: value for key, value in stack.items() if key != name}
    for index, row in enumerate(rows):
        for name in row:
            if name not in ("weight", "model", "prompt"):
                less = {key: value for key, value in row.items() if key != name}
                yield {**stack, "rows": [*rows[:index], less, *rows[index + 1 :]]}
