"""A row whose word a visual encoder reads from a picture: the prediction is that of plain steps by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers.models.embeddings import ImageProjection
from PIL import Image
from safetensors.torch import load_file
from transformers import CLIPImageProcessor, CLIPModel

from studio.engine import Engine
from studio.errors import IncompatibleModels, MissingModel
from studio.events import Done
from studio.library import Library
from studio.plan import compile_plan
from studio.preset import Preset, validate
from tests.support import tiny, train_tiny


@pytest.fixture
def home(studio_home: Path, tmp_path: Path) -> Path:
    train_tiny.base(studio_home)
    folder = train_tiny.pictures(tmp_path / "pictures")
    train_tiny.run(train_tiny.config(folder, "visual-encoder", name="eye", steps=2, rate=0.05))
    inputs = studio_home / "inputs"
    inputs.mkdir(exist_ok=True)
    for number in (1, 2):
        noise = np.random.default_rng(90 + number).integers(0, 255, (20, 24, 3), dtype=np.uint8)
        Image.fromarray(noise).save(inputs / f"{number}.png")
    return studio_home


def preset(image: str = "", prompt: str = "a <hero> ghost", **row: object) -> Preset:
    one = {"model": "eye", "prompt": prompt, "weight": 6.0, **row}
    if image:
        one["image"] = image
    sampler = {"scheduler": "ddim", "steps": 4, "seed": 3, "width": 16, "height": 16}
    return validate({"base": "tiny", "rows": [one], "sampler": sampler})


def made(given: Preset) -> np.ndarray:
    events = Engine(device="cpu").generate(given)
    return np.asarray(next(e.image for e in events if isinstance(e, Done))).astype(int)


def by_hand(home: Path, image: str) -> np.ndarray:
    """CLIP's image embedding, the projection, and a pipeline that knows the word by these vectors."""
    folder = home / "models" / "tiny"
    clip = CLIPModel.from_pretrained(folder / "clip")
    pixels = CLIPImageProcessor.from_pretrained(folder / "clip")(
        images=Image.open(home / image), return_tensors="pt"
    ).pixel_values
    state = load_file(home / "models" / "eye" / "visual_projection.safetensors")
    width = state["norm.weight"].shape[0]
    rows, embedding = state["image_embeds.weight"].shape
    projection = ImageProjection(embedding, width, rows // width)
    projection.load_state_dict(state)
    with torch.no_grad():
        pooled = clip.vision_model(pixel_values=pixels).pooler_output
        vectors = projection(clip.visual_projection(pooled))[0]
    pipe = tiny.load(folder)
    pipe.load_textual_inversion({"<hero>": vectors}, token="<hero>")
    prompt = pipe.maybe_convert_prompt("a <hero> ghost", pipe.tokenizer)
    nothing, text = tiny.encode(pipe, "", prompt)

    def predict(z: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        base, row = (pipe.unet(z, t, states).sample for states in (nothing, text))
        return base + 6.0 * (row - base)

    return tiny.ddim(pipe, predict)


def test_the_picture_is_read_as_by_hand_and_changes_the_prediction(home: Path) -> None:
    assert Library()["eye"].sees == 12
    found = {name: made(preset(name)) for name in ("inputs/1.png", "inputs/2.png")}
    for name, pixels in found.items():
        assert np.abs(pixels - by_hand(home, name)).max() <= 1
    mean = made(preset())
    assert np.abs(found["inputs/1.png"] - found["inputs/2.png"]).max() > 2
    assert np.abs(found["inputs/1.png"] - mean).max() > 2


def test_without_a_picture_the_mean_stands_in_and_a_note_says_so(home: Path) -> None:
    notes = compile_plan(preset(), Library()).notes
    assert any("eye reads its word from a picture" in note and "mean" in note for note in notes)
    assert not any("eye reads" in n for n in compile_plan(preset("inputs/1.png"), Library()).notes)


def test_two_pictures_are_two_passes_and_a_part_without_the_word_has_none(home: Path) -> None:
    plan = compile_plan(preset("inputs/1.png", prompt="a <hero> AND a lamp"), Library())
    shown = {p.condition.prompt: p.condition.image for p in plan.passes}
    assert shown["a <hero>"] == "inputs/1.png" and shown.get("a lamp", "") == ""


def test_what_cannot_be_is_named(home: Path) -> None:
    with pytest.raises(IncompatibleModels, match=r"rows\.0\.image: 'eye' reads the picture into"):
        compile_plan(preset("inputs/1.png", prompt="a ghost"), Library())
    clip = home / "models" / "tiny" / "clip"
    clip.rename(home / "models" / "eye" / "image_encoder")  # beside the model it is found too
    made(preset("inputs/1.png"))
    (home / "models" / "eye" / "image_encoder").rename(home / "elsewhere")
    with pytest.raises(MissingModel, match="needs the CLIP that it was trained with"):
        list(Engine(device="cpu").generate(preset("inputs/1.png")))
