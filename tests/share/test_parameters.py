"""The text beside a preset that other tools show, read by rules worked out from their sources."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from studio import share
from studio.errors import BadPreset
from studio.preset import Preset, validate
from studio.share.read import read_any
from tests.support.other_tools import a1111, png, read, rows


def made() -> Preset:
    model = {"lora": "styles/ink", "strength": 0.8, "text_strength": 0.3, "loras": [{"lora": "b"}]}
    return validate(
        {
            "base": "mymodel",
            "vae": "vae/ema",
            "omega": 1.0,
            "guidance_rescale": 0.5,
            "rows": [
                {"prompt": "a cat, (red:1.2)", "weight": 7.0, "model": model},
                {"prompt": "bad,\nworse", "weight": -6.0, "model": model},
            ],
            "sampler": {"steps": 20, "seed": 42, "schedule": "karras", "width": 64, "height": 96},
        }
    )


def as_swarmui_reads(text: str) -> dict[str, str]:
    """``upvertAutoWebuiMetadataToSwarm``: the negative prompt is one line, the last line settings."""
    found = {}
    head, _, tail = text.partition("\nNegative prompt: ")
    found["prompt"] = head
    found["negativeprompt"], settings = tail.split("\n")[:2]
    for part in settings.split(","):
        pair = [one.strip() for one in part.split(":")]
        if len(pair) == 2:
            found[pair[0].lower().replace(" ", "")] = pair[1]
    return found


def as_civitai_reads(text: str) -> dict[str, str]:
    """The last line that starts with ``Steps: ``; ``Negative prompt: `` at a line's start."""
    lines = [line for line in text.split("\n") if line.strip()]
    assert lines[-1].startswith("Steps: ")
    at = next(i for i, line in enumerate(lines) if line.startswith("Negative prompt: "))
    return {
        "prompt": "\n".join(lines[:at]),
        "negativePrompt": "\n".join(lines[at:-1]).removeprefix("Negative prompt: "),
        **dict(part.split(": ", 1) for part in lines[-1].split(", ")),
    }


def test_swarmui_and_civitai_show_it(tmp_path: Path) -> None:
    text = Image.open(share.save_image(Image.new("RGB", (64, 96)), made(), tmp_path)).info[
        "parameters"
    ]
    prompt = "a cat, (red:1.2) <lora:ink:0.3:0.8> <lora:b:1>"
    swarm = as_swarmui_reads(text)
    assert (swarm["prompt"], swarm["negativeprompt"]) == (prompt, "bad, worse")
    assert (swarm["steps"], swarm["seed"], swarm["cfgscale"]) == ("20", "42", "7")
    assert (swarm["size"], swarm["model"], swarm["scheduletype"]) == ("64x96", "mymodel", "Karras")
    civitai = as_civitai_reads(text)
    assert (civitai["prompt"], civitai["negativePrompt"]) == (prompt, "bad, worse")
    assert (civitai["Sampler"], civitai["CFG scale"]) == ("DPM++ 2M", "7")


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    path = png(tmp_path, size=(64, 96), parameters=share.parameters_text(made()))
    preset, notes = read(path, ("mymodel", "styles/ink", "b", "vae/ema"))
    expected = made().model_copy(update={"name": preset.name})
    assert preset.rows[0] == expected.rows[0] and rows(preset)[1] == ("bad, worse", -6.0)
    assert preset.model_copy(update={"rows": expected.rows}) == expected
    assert len(notes.splitlines()) == 1


def test_what_the_text_leaves_out_is_said() -> None:
    assert share.unsaid(made()) == [
        "rows.0.model: there, a LoRA acts on every prompt of the picture",
        "rows.1.model: there, a LoRA acts on every prompt of the picture",
    ]
    mask = {"mask": "assets/examples/mask-left.png", "range": [0.0, 0.5]}
    preset = validate(
        {
            "omega": 0.3,
            "decoupling": 0.5,
            "apg": {"eta": 0.2},
            "init": {"image": "assets/examples/cat.png"},
            "sampler": {"scheduler": "ipndm"},
            "rows": [
                {"prompt": "a AND b:0.5", "weight": 4.0, **mask},
                {"prompt": "c", "weight": 2.0, "model": {"lora": "ink", "model": "other"}},
                {"model": "starter/faces", "weight": 1.0},
                {"prompt": "fog", "weight": -2.0},
                {"prompt": "rain", "weight": -1.0},
                {"prompt": "muted", "enabled": False, **mask},
            ],
        }
    )
    fields = [note.partition(":")[0] for note in share.unsaid(preset)]
    assert fields == [
        *("rows.0.mask", "rows.0.range", "rows.1.model", "rows.1.model", "rows.2", "rows"),
        *("rows.3.weight", "omega", "decoupling", "apg", "init", "sampler.scheduler"),
    ]
    assert "weighs -7 there, and -3 here" in "".join(share.unsaid(preset))
    assert share.parameters_text(preset).startswith("a :1 AND b :0.5 AND c :0.5 <lora:ink:1>\n")


def test_a_prompt_and_a_negative_one_of_the_scale_are_said_whole() -> None:
    pair = [{"prompt": "a cat", "weight": 7.0}, {"prompt": "fog", "weight": -6.0}]
    assert share.unsaid(validate({"rows": pair})) == []


def test_rows_that_take_turns_around_a_control_are_one_prompt() -> None:
    """As a picture of the web UI opens whose ControlNet ends early."""
    parts = [
        {"range": [0.0, 0.1]},
        {"range": [0.1, 0.7], "control": {"type": "map", "model": "net", "image": "inputs/a.png"}},
        {"range": [0.7, 1.0]},
    ]
    sides = [{"prompt": "a cat", "weight": 7.0}, {"prompt": "fog", "weight": -6.0}]
    rows = [{**side, **part} for side in sides for part in parts]
    text = share.parameters_text(validate({"rows": rows}))
    assert text.startswith("a cat\nNegative prompt: fog\nSteps: ")
    said = share.unsaid(validate({"rows": rows}))
    assert not [note for note in said if note.startswith("rows: ") or ".weight: " in note]
    rows[2]["range"] = [0.6, 1.0]  # beside the second for a while, and so twice as much
    text = share.parameters_text(validate({"rows": rows}))
    assert text.startswith("a cat :1 AND a cat :1\nNegative prompt: fog\n")


@pytest.mark.parametrize(
    ("prompt", "weight", "said"),
    [
        ("a cat <lora:ink:0.8>", 7.0, "loads a network"),
        ("a cat, <hypernet:soft:1>", -6.0, "loads a network"),
        ("a cat {red|blue}", 7.0, "choose here"),
        ("a __colour__ cat", 7.0, "choose here"),
        ("a cat # of mine", 7.0, "is a comment"),
        ("a cat\nNegative prompt: fog", 7.0, "begins the negative prompt"),
        ("a cat, ratio 16:9", 7.0, "is a weight"),
        ("a AND b", -6.0, "AND is plain text"),
        ("a cat, ratio 16:9", -6.0, ""),
        ("a AND b:2", 7.0, ""),
        ("(red:1.2) cat, [cat:dog:0.5], [a|b], a < b, 16:9 wide", 7.0, ""),
    ],
)
def test_what_is_typed_and_read_otherwise_there_is_said(
    prompt: str, weight: float, said: str
) -> None:
    row = {"prompt": prompt, "weight": weight}
    other = {"prompt": "fog", "weight": -6.0} if weight > 0 else {"prompt": "x", "weight": 7.0}
    notes = share.unsaid(validate({"rows": [row, other]}))
    typed = [note for note in notes if note.startswith("rows.0.prompt: ")]
    assert len(typed) == bool(said) and said in "".join(typed)


def test_the_web_ui_s_own_text_comes_back(tmp_path: Path) -> None:
    text = a1111()
    preset, _ = read(png(tmp_path, size=(64, 96), parameters=text))
    assert share.parameters_text(preset) == text


def test_a_text_that_was_copied_whole_is_read_as_its_picture_is(tmp_path: Path) -> None:
    file = tmp_path / "settings.txt"
    settings = "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 512x512"
    file.write_bytes(f"a cat\r\nNegative prompt: blurry\r\n{settings}".encode())
    preset, _ = read_any(file)
    assert [(row.prompt, row.weight) for row in preset.rows] == [("a cat", 7), ("blurry", -6)]
    assert (preset.sampler.seed, preset.sampler.steps) == (5, 20)
    file.write_text("{red|blue} cat\n" + settings)  # a prompt may begin as JSON does
    assert read_any(file)[0].rows[0].prompt == r"\{red|blue\} cat"
    file.write_text(preset.to_json())
    assert read_any(file)[0] == preset
    file.write_text("a cat")
    with pytest.raises(BadPreset, match="no settings of another tool"):
        read_any(file)


@pytest.mark.parametrize(
    ("scheduler", "strength", "told"),
    [("tcd", 0.5, True), ("tcd", 0.0, False), ("ddim", 0.5, False)],
)
def test_a_second_pass_s_scheduler_without_a_name_there_is_told(
    scheduler: str, strength: float, told: bool
) -> None:
    again = {"scale": 2.0, "strength": strength, "scheduler": scheduler}
    rows = [{"prompt": "a cat", "weight": 7.0}]
    notes = share.unsaid(validate({"rows": rows, "second_pass": again}))
    assert any(note.startswith("second_pass.scheduler: TCD has no name") for note in notes) == told
