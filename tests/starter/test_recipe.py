"""The recipe's logic on tiny sizes, and what the shipped files promise."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from studio.home import ASSETS
from studio.starter import common
from studio.starter.pictures import captions, contents, data
from studio.starter.pictures.backdrops import EVERY, backdrop
from studio.starter.pictures.scenes import Scene
from studio.starter.stages import (
    card,
    clip,
    clip_batches,
    judge,
    measure,
    patch_basis,
    prior,
    tokenizer,
    vae,
)

STARTER = ASSETS / "starter"
shipped = pytest.mark.skipif(
    not (STARTER / "model_index.json").exists(), reason="no shipped models here"
)


@pytest.fixture(scope="module")
def words() -> tokenizer.CLIPTokenizer:
    return tokenizer.train(captions.corpus())


def test_vocabulary_is_large_and_unambiguous() -> None:
    every = contents.CONTENTS + contents.HELD_OUT
    assert len(contents.CONTENTS) >= 400 and len(contents.STYLES) >= 4
    assert len({c.name for c in every}) == len({c.slug for c in every}) == len(every)
    for group in ("face", "animal"):  # enough known, and enough that only concept networks see
        assert sum(c.group == group for c in contents.CONTENTS) >= 25
        assert sum(c.group == group for c in contents.HELD_OUT) >= 25


@pytest.mark.parametrize(
    ("names", "style", "background", "articles", "commas", "wanted"),
    [
        (("apple",), "flat", "blue", True, False, "an apple in flat style on a blue background"),
        (
            ("apple", "car"),
            None,
            "orange",
            True,
            False,
            "an apple and a car on an orange background",
        ),
        (("jeans",), "noto", None, True, True, "jeans, noto style"),
        ((), None, "blue", True, False, "on a blue background"),
        (("ufo",), None, None, True, False, "a ufo"),
        ((), None, None, True, False, ""),
    ],
)
def test_caption(names, style, background, articles, commas, wanted) -> None:
    assert captions.caption(names, style, background, articles, commas) == wanted


def test_random_captions_name_only_what_is_there() -> None:
    scene = Scene("single", (0,), ("apple",), "flat", EVERY.index("blue"))
    rng = np.random.default_rng(0)
    texts = {scene.caption(rng) for _ in range(400)}
    assert "an apple in flat style on a blue background" in texts and "apple" in texts
    other = (set(contents.STYLES) | set(contents.BACKGROUNDS)) - {"flat", "blue"}
    assert not any(set(t.replace(",", "").split()) & other for t in texts)


def test_tokenizer_round_trip(words, tmp_path: Path) -> None:
    words.save_pretrained(tmp_path)
    again = tokenizer.CLIPTokenizer.from_pretrained(tmp_path)
    text = "an apple and a sunglasses face in flat style, blue background"
    assert again(text).input_ids == words(text).input_ids
    assert again.decode(again(text).input_ids, skip_special_tokens=True).replace(" ,", ",") == text
    for style in contents.STYLES:
        assert len(words.tokenize(style)) == 1
    assert words.unk_token_id not in words("Ωmega zzyzx 7").input_ids[1:-1]


def test_place_blends_and_stays_inside() -> None:
    rgba = np.zeros((128, 128, 4), np.uint8)
    rgba[..., 0], rgba[..., 3] = 255, 128
    canvas = data.place(backdrop("black", 128), rgba, (0, 0), 64)
    assert canvas.shape == (128, 128, 3)
    expected = np.array([255 * 128 / 255, 0, 0]) + np.array(contents.BACKGROUNDS["black"]) * (
        1 - 128 / 255
    )
    assert np.abs(canvas[5, 5] - expected).max() <= 2
    assert (canvas[100, 100] == contents.BACKGROUNDS["black"]).all()


def test_pair_is_left_and_right() -> None:
    left, right = np.zeros((2, 128, 128, 4), np.uint8)
    left[...], right[...] = (255, 0, 0, 255), (0, 0, 255, 255)
    picture = data.compose_pair(left, right, "white")
    assert tuple(picture[64, 32]) == (255, 0, 0) and tuple(picture[64, 96]) == (0, 0, 255)
    assert tuple(picture[5, 64]) == (255, 255, 255) == tuple(picture[64, 64])


def test_patch_basis_is_the_principal_subspace() -> None:
    torch.manual_seed(0)
    images = torch.nn.functional.interpolate(
        torch.rand(24, 3, 8, 8) * 2 - 1, size=32, mode="bilinear"
    )
    fitted = patch_basis.PatchBasis.fit(images, channels=12)
    flat = patch_basis.patches(images).permute(0, 2, 3, 1).reshape(-1, 192).double()
    centred = flat - flat.mean(0)
    _, _, vectors = torch.linalg.svd(centred, full_matrices=False)
    best = centred @ vectors[:12].T @ vectors[:12] + flat.mean(0)
    mine = (
        patch_basis.patches(fitted.decode(fitted.encode(images)))
        .permute(0, 2, 3, 1)
        .reshape(-1, 192)
        .double()
    )
    assert torch.allclose(mine, best, atol=1e-3)
    assert fitted.encode(images).square().mean().item() == pytest.approx(1, rel=0.05)


def test_linear_encoder_equals_the_basis() -> None:
    torch.manual_seed(1)
    images = torch.nn.functional.interpolate(
        torch.rand(8, 3, 6, 6) * 2 - 1, size=64, mode="bicubic"
    ).clamp(-1, 1)
    fitted = patch_basis.PatchBasis.fit(images)
    model = vae.build()
    patch_basis.set_linear_encoder(model, fitted)
    with torch.no_grad():
        posterior = model.encode(images).latent_dist
    assert (posterior.mean - fitted.encode(images)).abs().max() < 0.05
    assert torch.allclose(
        posterior.std, torch.full_like(posterior.std, patch_basis.LATENT_NOISE), rtol=1e-3
    )


def test_preview_is_the_least_squares_map() -> None:
    model = vae.build()
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 255, (40, 4, 4, 3), dtype=np.uint8).repeat(32, 1).repeat(32, 2)
    images = common.to_float(coarse, torch.device("cpu"))
    patch_basis.set_linear_encoder(
        model, patch_basis.PatchBasis.fit(images + 0.01 * torch.randn_like(images))
    )
    fitted = vae.fit_preview(model, coarse)
    with torch.no_grad():
        latents = model.encode(images).latent_dist.mean
    flat = torch.einsum("pc,nchw->nphw", fitted["weight"], latents) + fitted["bias"].view(
        1, -1, 1, 1
    )
    assert (torch.nn.functional.pixel_shuffle(flat, 8) - images).abs().mean() < 0.05


def test_velocity_targets() -> None:
    alphas = prior.build_scheduler().alphas_cumprod
    clean = torch.randn(4000, 1, 1, 1)
    noisy, times, target = prior.velocity_batch(clean, alphas, torch.Generator().manual_seed(0))
    signal, spread = (
        alphas[times].sqrt().view(-1, 1, 1, 1),
        (1 - alphas[times]).sqrt().view(-1, 1, 1, 1),
    )
    assert torch.allclose(signal * noisy - spread * target, clean, atol=1e-4)
    assert times.float().mean() > 550  # drawn towards noise


def test_loop_trains_saves_and_goes_on(tmp_path: Path) -> None:
    def make(steps: int) -> common.Loop:
        torch.manual_seed(0)
        return common.Loop(
            torch.nn.Linear(4, 1),
            common.Budget(10, steps),
            tmp_path / "x.pt",
            1e-2,
            1,
            ema_decay=0.5,
        )

    inputs, loop = torch.randn(64, 4), make(2)
    assert list(loop.steps(lambda _: loop.model(inputs).square().mean(), "x")) == [1, 2]
    again = make(4)
    assert again.step == 2 and torch.equal(again.model.weight, loop.model.weight)
    assert (
        again.ema is not None
        and loop.ema is not None
        and torch.equal(again.ema.weight, loop.ema.weight)
    )
    assert list(again.steps(lambda _: again.model(inputs).square().mean(), "x")) == [3, 4]


def test_a_loop_goes_on_in_another_order_of_memory(tmp_path: Path) -> None:
    """A checkpoint of a GPU, which trains channels-last, on a CPU, which does not."""
    inputs = torch.randn(8, 3, 6, 6, generator=torch.Generator().manual_seed(1))

    def weights(order: torch.memory_format, *, stops: bool) -> torch.Tensor:
        torch.manual_seed(0)
        first = torch.nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)
        path = tmp_path / f"{stops}.pt"

        def train(model: torch.nn.Module, steps: int) -> torch.Tensor:
            loop = common.Loop(model, common.Budget(0, steps), path, 1e-2, 1)
            loop.budget.minutes = 1e9
            loop.budget.steps = None
            taken = loop.steps(lambda _: (model(inputs) - 1).square().mean(), "x")
            while loop.step < steps:
                next(taken)
            loop.save()
            return next(model.parameters()).detach().contiguous()

        if not stops:
            return train(first, 6)
        train(first, 3)
        return train(torch.nn.Conv2d(3, 4, 3).to(memory_format=order), 6)

    whole = weights(torch.channels_last, stops=False)
    torch.testing.assert_close(weights(torch.contiguous_format, stops=True), whole)


def test_two_steps_of_a_tiny_prior() -> None:
    model = prior.build((32, 32), text_width=16, channels=4, heads=2)
    noisy, times, target = prior.velocity_batch(
        torch.randn(2, 4, 16, 16), prior.build_scheduler().alphas_cumprod
    )
    states, optimizer = torch.randn(2, 5, 16), torch.optim.AdamW(model.parameters(), 1e-3)
    losses = []
    for _ in range(2):
        loss = (model(noisy, times, states).sample - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[1] < losses[0]
    first = prior.sample(model, states, torch.zeros(1, 5, 16), [1, 2], steps=2)
    assert torch.equal(first, prior.sample(model, states, torch.zeros(1, 5, 16), [1, 2], steps=2))


def test_text_tower_is_clips(words) -> None:
    model = clip.build(len(words), words.bos_token_id, words.eos_token_id, 48, 40, 1)
    ids = clip_batches.encode_texts(words, ["an apple", "a car"])
    assert ids.shape == (2, tokenizer.MAX_TOKENS)
    text, vision = clip.features(
        model, ids, torch.randn(2, 3, clip_batches.IMAGE, clip_batches.IMAGE)
    )
    assert torch.allclose(text.norm(dim=1), torch.ones(2)) and vision.shape == text.shape


def test_judge_counts_and_measuring_prompts() -> None:
    hidden = judge.held_out_pairs()
    assert len(hidden) == len(contents.CONTENTS) * len(contents.STYLES) // 10
    logits = judge.Judge(len(contents.CONTENTS), len(contents.STYLES), len(contents.BACKGROUNDS))(
        torch.zeros(2, 3, 64, 64)
    )
    assert [part.shape[1] for part in logits] == [len(contents.CONTENTS), len(contents.STYLES), 10]
    wishes = measure.draw_wishes(2 * len(contents.CONTENTS))
    assert len({w.content for w in wishes}) == len(contents.CONTENTS)
    assert len({w.seed for w in wishes}) == len(wishes)
    name = contents.CONTENTS[wishes[0].content].name
    assert name in wishes[0].prompt and list(contents.STYLES)[wishes[0].style] in wishes[0].prompt


def test_card_states_missing_figures_honestly() -> None:
    assert "not measured" in card.text({})


@shipped
def test_shipped_files_are_small_and_described() -> None:
    files = [f for f in STARTER.rglob("*") if f.is_file()]
    assert max(f.stat().st_size for f in files) < 15e6
    assert sum(f.stat().st_size for f in files) < 90e6
    text = (STARTER / "MODEL_CARD.md").read_text()
    figures = json.loads((STARTER / "figures.json").read_text())
    assert figures["vae"]["psnr"] >= 26 and figures["vae"]["plain_drift"] <= 6
    assert figures["vae"]["smallest_eigenvalue"] > 0.01
    assert (
        figures["measure"]["prompts"] >= 400 and card.percent(figures["measure"]["content"]) in text
    )
    for spec in {**contents.STYLES, **contents.HELD_OUT_STYLES}.values():
        assert spec.rpartition("@")[0] in text


@shipped
def test_shipped_family_loads_in_diffusers() -> None:
    from diffusers import StableDiffusionPipeline

    pipe = StableDiffusionPipeline.from_pretrained(
        STARTER, safety_checker=None, torch_dtype=torch.float32
    )
    assert pipe.scheduler.config.prediction_type == "v_prediction"
    image = pipe("an apple", num_inference_steps=2, output_type="np").images[0]
    assert image.shape == (128, 128, 3) and np.isfinite(image).all()
