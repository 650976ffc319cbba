"""Training further from what ships: the latents' basis read back, weights taken over, attention watched or not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import UNet2DConditionModel

from studio.home import ASSETS
from studio.starter import common, shipped
from studio.starter.pictures import captions
from studio.starter.stages import attention_supervision, clip, clip_batches, patch_basis, prior, vae
from studio.starter.stages import tokenizer as bpe

STARTER = ASSETS / "starter"
needs_shipped = pytest.mark.skipif(
    not (STARTER / "model_index.json").exists(), reason="no shipped models here"
)


def test_the_basis_is_read_back_from_the_encoder() -> None:
    torch.manual_seed(1)
    coarse = torch.rand(40, 3, 5, 5) * 2 - 1
    images = torch.nn.functional.interpolate(coarse, size=64, mode="bicubic").clamp(-1, 1)
    written = patch_basis.PatchBasis.fit(images)
    model = vae.build()
    patch_basis.set_linear_encoder(model, written)
    read = patch_basis.read_basis(model)
    with torch.no_grad():
        encoded = model.encode(images).latent_dist.mean
    assert (read.encode(images) - encoded).abs().max() < 2e-3  # the encoder is linear to that
    assert (read.encode(images) - written.encode(images)).abs().max() < 0.05


@needs_shipped
def test_an_empty_work_folder_takes_what_ships(tmp_path: Path) -> None:
    (tmp_path / "tokenizer").mkdir()
    shipped.unpack(tmp_path, ASSETS)
    assert not any((tmp_path / "tokenizer").iterdir()), "what was there is kept"
    figures = json.loads((STARTER / "figures.json").read_text())
    assert json.loads((tmp_path / "figures" / "prior.json").read_text()) == figures["prior"]
    again = UNet2DConditionModel.from_pretrained(tmp_path / "unet")
    assert sum(p.numel() for p in again.parameters()) > 1e6
    images = torch.rand(2, 3, 128, 128) * 2 - 1
    model = vae.AutoencoderKL.from_pretrained(STARTER / "vae").float()
    with torch.no_grad():
        encoded = model.encode(images).latent_dist.mean
    difference = patch_basis.fit_basis(tmp_path).encode(images) - encoded
    assert difference.abs().max() < 0.02


def test_going_on_takes_weights_and_counts_but_never_over_a_checkpoint(tmp_path: Path) -> None:
    def make() -> common.Loop:
        torch.manual_seed(len(list(tmp_path.iterdir())))
        model = prior.build((32, 32), text_width=16, channels=4, heads=2)
        return common.Loop(
            model, common.Budget(10, 9), tmp_path / "prior.pt", 1e-3, 4, ema_decay=0.9
        )

    first = make()
    first.model.save_pretrained(tmp_path / "unet")
    common.write_json({"steps": 7, "minutes": 2.0}, tmp_path / "figures" / "prior.json")
    loop = make()
    shipped.go_on(loop, tmp_path, "unet", "prior")
    assert (loop.step, loop.spent) == (7, 0.0), "a budget of its own"
    for mine, average, wanted in zip(
        loop.model.parameters(), loop.best().parameters(), first.model.parameters(), strict=True
    ):
        assert torch.equal(mine, wanted) and torch.equal(average, wanted)
    rates = []
    inputs = torch.randn(1, 4, 8, 8), torch.tensor([3]), torch.randn(1, 3, 16)
    for _ in loop.steps(lambda _: loop.model(*inputs).sample.square().mean(), "x"):
        rates.append(loop.optimizer.param_groups[0]["lr"])
    assert rates[0] < 0.3e-3, "the fresh optimiser warms up"
    again = make()
    shipped.go_on(again, tmp_path, "unet", "prior")
    assert again.step == 9 and again.began == 7


def test_attention_is_watched_only_while_asked() -> None:
    model = prior.build((32, 32), text_width=16, channels=4, heads=2)
    inputs = torch.randn(1, 4, 16, 16), torch.tensor([3]), torch.randn(1, bpe.MAX_TOKENS, 16)
    watcher = attention_supervision.Looking(model)
    watched = model(*inputs).sample
    assert watcher.noted and watcher.loss() > 0
    watcher.watch(False)
    assert torch.allclose(model(*inputs).sample, watched, atol=1e-5) and not watcher.noted


def test_part_captions_score_every_word() -> None:
    words = bpe.train(captions.corpus())
    torch.manual_seed(0)
    model = clip.build(len(words), words.bos_token_id, words.eos_token_id, 48, 40, 1).eval()
    parts = clip.PartCaptions(model, words)
    assert [len(p) for p in parts.pooled] == [len(p) for p in clip_batches.PARTS]
    vision = torch.nn.functional.normalize(torch.randn(3, 128), dim=-1)
    logits = parts.logits(model, vision)
    text = f"in {clip_batches.PARTS[1][2]} style"
    ids = clip_batches.encode_texts(words, [text])
    with torch.no_grad():
        feature, _ = clip.features(
            model, ids, torch.zeros(1, 3, clip_batches.IMAGE, clip_batches.IMAGE)
        )
    assert np.allclose(logits[1][:, 2].detach(), (vision @ feature.T)[:, 0], atol=1e-4)
