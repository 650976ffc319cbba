"""A preset's θ_ω as a recipe: merged, and with its rows as it is said, it makes the same picture at ω 0."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import save_file
from torch import Tensor

from studio.engine.merging.merge import merge
from studio.errors import StudioError
from studio.home import models_folder
from studio.library import Library
from studio.library.merging import Recipe
from studio.plan.kept_omega import recipe_of
from studio.plan.kept_rows import advice
from studio.preset import Preset, validate
from tests.support import tiny, tiny_pictures

INK = {"lora": "ink", "strength": 0.8}
TEXT = {"lora": "text", "strength": 0.8, "text_strength": 0.5}
DORA = {"lora": "dora", "strength": 0.8}
STAYS = "With it as the base and ω at 0, the picture stays"
Rows = list[dict[str, Any]]


def factors(name: str, weight: Tensor, scale: float = 0.3) -> dict[str, Tensor]:
    """Kohya's tensors of a layer, of rank 2."""
    out, wide = weight.shape
    return {
        f"{name}.lora_down.weight": torch.randn(2, wide) * scale,
        f"{name}.lora_up.weight": torch.randn(out, 2) * scale,
        f"{name}.alpha": torch.tensor(2.0),
    }


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    folder = home / "models"
    for seed, name in enumerate("abc"):
        pipe = tiny.pipeline(folder / name, seed)
        with torch.no_grad():
            for parameter in pipe.text_encoder.parameters():
                parameter.add_(0.02 * seed * torch.randn_like(parameter))
        pipe.text_encoder.save_pretrained(folder / name / "text_encoder")
    network = UNet2DConditionModel.from_pretrained(folder / "a/unet")
    for seed, name in ((1, "ink"), (2, "oil")):
        tiny.lora(folder / name, network, seed)
    torch.manual_seed(3)
    plain: dict[str, Tensor] = {}
    dora: dict[str, Tensor] = {}
    for name, module in network.named_modules():
        if name.endswith((".to_q", ".to_k", ".to_v")):
            layer, weight = f"lora_unet_{name.replace('.', '_')}", module.weight.detach()
            dora |= factors(layer, weight)
            dora[f"{layer}.dora_scale"] = 1.3 * weight.norm(dim=1, keepdim=True)
            plain |= factors(layer, weight)
    for name, module in tiny.load(folder / "a").text_encoder.named_modules():
        if name.endswith(("mlp.fc1", "v_proj")):
            path = "text_model." + name.removeprefix("text_model.")
            plain |= factors(f"lora_te_{path.replace('.', '_')}", module.weight.detach(), 1.0)
    save_file(plain, folder / "text.safetensors")
    save_file(dora, folder / "dora.safetensors")
    return home


@pytest.fixture(autouse=True)
def home(found: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_HOME", str(found))


def row(model: object = None, weight: float = 3.0, **more: Any) -> dict[str, Any]:
    return {"prompt": "a cat", "weight": weight, "model": model, **more}


def preset(*rows: dict[str, Any], omega: float = 0.4) -> Preset:
    return validate({"base": "a", "rows": list(rows), "omega": omega})


def left(model: dict[str, Any], omega: float) -> dict[str, Any]:
    """A row's LoRA with (1 − ω) of its strengths."""
    names = [name for name in ("strength", "text_strength") if name in model]
    return {**model, **{name: model[name] * (1 - omega) for name in names}}


def on_a(model: dict[str, Any] | str) -> dict[str, Any]:
    return {"model": "a", **(model if isinstance(model, dict) else {"lora": model})}


def words(model: dict[str, Any], omega: float) -> str:
    """As a LoRA's line says it: the strength in the text where it is another."""
    here = left(model, omega)
    strengths = dict.fromkeys(f"{here[k]:g}" for k in ("strength", "text_strength") if k in here)
    return ":".join([model["lora"], *strengths])


@pytest.mark.parametrize("omega", [0.4, 1.0])
@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ([row("b")], lambda w: [row("b")], " as its rows are."),
        (
            [row(INK)],
            lambda w: [row(left(INK, w))],
            lambda w: f" with these rows · row 1 with {words(INK, w)}",
        ),
        (
            [row(TEXT)],
            lambda w: [row(left(TEXT, w))],
            lambda w: f" with these rows · row 1 with {words(TEXT, w)}",
        ),
        (
            [row({"model": "b", **INK})],
            lambda w: [row({"model": "b", **INK})],
            " as its rows are.",
        ),
        (  # p₁ = p₂ = ½: neither is what was merged
            [row(INK), row("oil")],
            lambda w: [row(on_a(INK)), row(on_a("oil"))],
            " with these rows · row 1 with a as its model · row 2 with a as its model",
        ),
        (
            [row("b"), row(), row(weight=-1.0, prompt="bad")],
            lambda w: [row("b"), row("a"), row("a", weight=-1.0, prompt="bad")],
            " with these rows · row 2 with a as its model · row 3 with a as its model",
        ),
        (
            [row(INK), row(INK, weight=-1.0, prompt="bad"), row(weight=-0.5)],
            lambda w: [
                row(left(INK, w)),
                row(left(INK, w), weight=-1.0, prompt="bad"),
                row("a", weight=-0.5),
            ],
            lambda w: (
                f" with these rows · row 1 with {words(INK, w)} · row 2 with {words(INK, w)} · "
                "row 3 with a as its model"
            ),
        ),
        (
            [row({**INK, "loras": [{"lora": "ink", "strength": 0.4}]})],
            lambda w: [row({"lora": "ink", "strength": 1.2 * (1 - w)})],
            lambda w: f" with these rows · row 1 with ink:{1.2 * (1 - w):g}",
        ),
        (
            [row(DORA)],
            lambda w: [row(on_a(DORA))],
            " with these rows · row 1 with a as its model",
        ),
        (  # Δ is the one that it makes to b
            [row({"model": "b", **DORA})],
            lambda w: [row({"model": "b", **DORA})],
            " as its rows are.",
        ),
        (
            [row("b", weight=2.0), row(INK, weight=1.0)],
            lambda w: [row("b", weight=2.0), row(on_a(INK), weight=1.0)],
            " with these rows · row 2 with a as its model",
        ),
        ([row("b", reference="own")], lambda w: [row("b", reference="own")], " as its rows are."),
    ],
)
def test_the_merged_model_makes_the_same_picture(
    before: Rows, after: Any, says: Any, omega: float
) -> None:
    asked, library = preset(*before, omega=omega), Library()
    recipe = recipe_of(asked, library)
    told = advice(recipe, asked, library)
    assert told == STAYS + (says if isinstance(says, str) else says(omega))
    name = f"kept{len(list(models_folder().iterdir()))}"
    list(merge(replace(recipe, name=name, precision="fp32"), library))

    def picture(base: str, rows: Rows, omega: float) -> Any:
        return tiny_pictures.ours(models_folder(), base, 16, rows=rows, omega=omega)

    made = picture("a", before, omega)
    assert tiny_pictures.difference(made, picture(name, after(omega), 0.0)) <= 1
    assert tiny_pictures.difference(made, picture("a", before, 0.0)) > 1
    if "as its rows are" not in told:
        assert tiny_pictures.difference(made, picture(name, before, 0.0)) > 1


@pytest.mark.parametrize(
    ("rows", "number"),
    [
        ([row("b", reference="autoguidance")], 1),
        ([row("b"), row(reference="own")], 2),
        ([row("b"), row(INK, reference="own")], 2),
    ],
)
def test_a_row_that_is_compared_with_the_base_is_said(rows: Rows, number: int) -> None:
    asked, library = preset(*rows), Library()
    assert advice(recipe_of(asked, library), asked, library) == (
        "With it as the base the picture changes in any case · "
        f"row {number} is compared with the base itself"
    )


@pytest.mark.parametrize("curve", ["linear_down", "cosine_down", [[0.0, 0.5], [1.0, 0.0]]])
def test_a_curve_that_ends_at_0_is_one_model(curve: Any) -> None:
    assert recipe_of(preset(row("b", curve=curve)), Library()).b == "b"


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (preset(row("b"), omega=0.0), "omega: changes nothing now"),
        (preset(row()), "omega: changes nothing now"),
        (
            preset(row("b"), row("c")),
            "omega: lies between a and several fine-tunes (b at 0.2, c at 0.2); make a weighted sum",
        ),
        (preset(row("b", range=[0.2, 1.0])), "omega: acts in a part of the denoising alone"),
        (
            preset(row("b", curve=[[0.0, 0.0], [0.5, 0.0], [0.51, 1.0]])),
            "omega: acts in a part of the denoising alone, as the curve of its row is 0 at times",
        ),
        (preset(row("b", curve="linear_up")), "omega: acts in a part of the denoising alone"),
        (preset(row("b", mask="assets/examples/x.png")), "omega: acts where the masks of its rows"),
    ],
)
def test_what_is_no_one_model_is_refused(made: Preset, says: str) -> None:
    with pytest.raises(StudioError) as refused:
        recipe_of(made, Library())
    assert str(refused.value).startswith(says)


def test_several_fine_tunes_merged_as_it_says_make_the_same_picture() -> None:
    rows = [row("b"), row("c", weight=1.0)]
    asked = preset(*rows)
    with pytest.raises(StudioError, match=r"\(b at 0\.3, c at 0\.1\)"):
        recipe_of(asked, Library())
    first = Recipe("first", "a", "b", multiplier=0.3, precision="fp32")
    list(merge(first, Library()))
    list(merge(Recipe("both", "first", "c", "a", multiplier=0.1, precision="fp32"), Library()))
    made = tiny_pictures.ours(models_folder(), "a", 16, rows=rows, omega=0.4)
    again = tiny_pictures.ours(models_folder(), "both", 16, rows=rows, omega=0.0)
    assert tiny_pictures.difference(made, again) <= 1
