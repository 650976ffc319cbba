"""Training of Stable Diffusion XL and SANA: a step against diffusers written plainly, results as rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler, SanaPipeline, StableDiffusionXLPipeline
from peft import LoraConfig, get_peft_model_state_dict
from PIL import Image
from safetensors.torch import load_file

from studio.errors import IncompatibleModels
from studio.library import Library
from studio.train import METHODS, resolve
from studio.train.data import Order, mixed
from studio.train.events import Samples
from tests.support import tiny_sana, tiny_sdxl, train_tiny

CAPTIONS = {f"{n}.png": text for n, text in enumerate(["a ghost", "a red ghost at sea"])}
ATTENTION = ["to_q", "to_k", "to_v", "to_out.0"]


@pytest.fixture
def xl(studio_home: Path) -> StableDiffusionXLPipeline:
    return tiny_sdxl.pipeline(studio_home / "models" / "xl")


@pytest.fixture
def sana(studio_home: Path) -> SanaPipeline:
    return tiny_sana.pipeline(studio_home / "models" / "sana")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return train_tiny.pictures(tmp_path / "pictures", CAPTIONS)


def settings(folder: Path, base: str, method: str = "lora", **changes: Any) -> dict[str, Any]:
    plain = {"word": "ghost", "superclass": ""} if not METHODS[method].without_text else {}
    return train_tiny.settings(
        folder,
        method,
        base=base,
        size=16,
        rank=2,
        time_power=1.0,
        targets="attention",
        **{**plain, **changes},
    )


def pixels(folder: Path, indices: list[int]) -> torch.Tensor:
    arrays = [np.asarray(Image.open(folder / f"{i}.png").convert("RGB")) for i in indices]
    return torch.from_numpy(np.stack(arrays).astype(np.float32) / 127.5 - 1).permute(0, 3, 1, 2)


def drawn(latent: int) -> tuple[list[int], torch.Tensor, torch.Tensor, torch.Tensor]:
    """Pictures, latent noise, noise and time indices of the first batch, as a training draws them."""
    indices = Order([(latent, latent)] * 2, 2, 5).indices(0)
    generator = torch.Generator().manual_seed(mixed(5, 2, 0))
    of_latent, noise = (torch.randn((2, 4, latent, latent), generator=generator) for _ in range(2))
    times = (1000 * torch.rand(2, generator=generator, dtype=torch.float64)).long()
    return indices, of_latent, noise, times


def adapted(network: Any) -> Any:
    network.requires_grad_(False)
    torch.manual_seed(5)
    network.add_adapter(
        LoraConfig(r=2, lora_alpha=2, init_lora_weights="gaussian", target_modules=ATTENTION)
    )
    return network


def stepped(network: Any, loss: torch.Tensor) -> None:
    """One AdamW step with the settings' own numbers."""
    trained = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-2, weight_decay=0.01)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimizer.step()


def same_adapter(path: Path, prefix: str, network: Any) -> None:
    """The saved factors are the network's own.

    But for a hundredth: AdamW's first step is ``g / (|g| + 1e-8)``, in which the rounding of a
    gradient of about 1e-8 shows.
    """
    expected = get_peft_model_state_dict(network)
    saved = load_file(path / "pytorch_lora_weights.safetensors")
    names = {
        key.removeprefix(prefix).replace("lora.down", "lora_A").replace("lora.up", "lora_B"): value
        for key, value in saved.items()
    }
    assert names.keys() == expected.keys() and len(names) > 0
    close = [
        torch.isclose(value, expected[name], rtol=1e-4, atol=1e-5).flatten()
        for name, value in names.items()
    ]
    assert torch.cat(close).float().mean() > 0.99
    for name, value in names.items():
        torch.testing.assert_close(value, expected[name], rtol=0, atol=1e-3)


def test_a_step_of_xl_is_diffusers_recipe_written_plainly(
    xl: StableDiffusionXLPipeline, folder: Path
) -> None:
    config = resolve(settings(folder, "xl", steps=1, rate=1e-2, weight_decay=0.01), Library())
    events = train_tiny.run(config)

    indices, of_latent, noise, times = drawn(8)
    moments = xl.vae.encode(pixels(folder, indices)).latent_dist
    clean = ((moments.mean + moments.std * of_latent) * xl.vae.config.scaling_factor).detach()
    with torch.no_grad():
        told = [xl.encode_prompt(CAPTIONS[f"{i}.png"], device="cpu") for i in indices]
    unet = adapted(xl.unet)
    sizes = torch.tensor([[16, 16, 0, 0, 16, 16]] * 2, dtype=torch.float32)
    output = unet(
        xl.scheduler.add_noise(clean, noise, times),
        times,
        encoder_hidden_states=torch.cat([states for states, *_ in told]),
        added_cond_kwargs={
            "text_embeds": torch.cat([pooled for _, _, pooled, _ in told]),
            "time_ids": sizes,
        },
    ).sample
    loss = torch.nn.functional.mse_loss(output, noise)
    stepped(unet, loss)
    assert train_tiny.losses_of(events)[0].mse == pytest.approx(loss.item(), rel=1e-5)
    same_adapter(train_tiny.result_of(events), "unet.", unet)


def test_a_step_of_sana_is_diffusers_recipe_written_plainly(
    sana: SanaPipeline, folder: Path
) -> None:
    config = resolve(settings(folder, "sana", steps=1, rate=1e-2, weight_decay=0.01), Library())
    events = train_tiny.run(config)

    indices, _, noise, times = drawn(8)
    with torch.no_grad():
        clean = sana.vae.encode(pixels(folder, indices)).latent * sana.vae.config.scaling_factor
        told = [
            sana.encode_prompt(
                CAPTIONS[f"{i}.png"],
                do_classifier_free_guidance=False,
                device="cpu",
                complex_human_instruction=human(),
            )
            for i in indices
        ]
    scheduler = FlowMatchEulerDiscreteScheduler(shift=tiny_sana.SHIFT)
    order = torch.argsort(scheduler.timesteps)  # theirs fall, a training's rise
    sigma = scheduler.sigmas[order][times].view(-1, 1, 1, 1)
    network = adapted(sana.transformer)
    output = network(
        (1 - sigma) * clean + sigma * noise,
        encoder_hidden_states=torch.cat([states for states, *_ in told]),
        encoder_attention_mask=torch.cat([mask for _, mask, *_ in told]),
        timestep=scheduler.timesteps[order][times] * network.config.timestep_scale,
    ).sample
    loss = torch.nn.functional.mse_loss(output, noise - clean)
    stepped(network, loss)
    assert train_tiny.losses_of(events)[0].mse == pytest.approx(loss.item(), rel=1e-5)
    same_adapter(train_tiny.result_of(events), "transformer.", network)


def human() -> list[str]:
    """The instruction that the pipeline puts before a prompt."""
    import inspect

    return inspect.signature(SanaPipeline.__call__).parameters["complex_human_instruction"].default


@pytest.mark.parametrize("method", ["lora", "dreambooth", "concept", "concept-lora"])
def test_what_xl_learns_is_a_row_at_once(
    xl: StableDiffusionXLPipeline, folder: Path, method: str
) -> None:
    extra: dict[str, Any] = {"null_text": "calibrated"} if method == "concept" else {}
    if not METHODS[method].without_text:
        extra = {"ddloss": 0.2}
    config = resolve(
        settings(folder, "xl", method, steps=2, sample_every=2, sample_steps=2, **extra), Library()
    )
    events = train_tiny.run(config)
    made = [event for event in events if isinstance(event, Samples)]
    assert [(e.step, e.images[0].size) for e in made] == [(2, (16, 16))], events
    entry = Library()["mine"]
    assert (entry.family, entry.problem, entry.base) == ("sdxl", "", "xl")
    if method == "dreambooth":
        again = StableDiffusionXLPipeline.from_pretrained(entry.path)
        assert again.config.force_zeros_for_empty_prompt


@pytest.mark.parametrize("method", ["lora", "concept-lora"])
def test_what_sana_learns_is_a_row_at_once(sana: SanaPipeline, folder: Path, method: str) -> None:
    given = settings(folder, "sana", method, steps=2, sample_every=2, sample_steps=2)
    config = resolve(given, Library())
    events = train_tiny.run(config)
    assert [e.images[0].size for e in events if isinstance(e, Samples)] == [(16, 16)], events
    entry = Library()["mine"]
    assert (entry.kind, entry.family, entry.base) == ("lora", "sana", "sana")
    pipe = SanaPipeline.from_pretrained(Library()["sana"].path)
    pipe.load_lora_weights(entry.path, weight_name="pytorch_lora_weights.safetensors")


@pytest.mark.parametrize(
    "base, changes, message",
    [
        (
            "sana",
            {"method": "concept"},
            "method: 'concept' does not train on SANA; what does is lora",
        ),
        (
            "xl",
            {"method": "ti", "word": "<g>", "superclass": "ghost"},
            "method: 'ti' does not train",
        ),
        ("xl", {"pdloss": 0.1, "superclass": "ghost"}, "pdloss: PDLoss reads one CLIP"),
        ("sana", {"ddloss": 0.1}, "ddloss: the denoising discrepancy"),
        ("sana", {"targets": "attention+mlp"}, "targets: .* convolutions"),
    ],
)
def test_what_a_family_cannot_learn_is_named(
    xl: StableDiffusionXLPipeline,
    sana: SanaPipeline,
    folder: Path,
    base: str,
    changes: dict,
    message: str,
) -> None:
    with pytest.raises(IncompatibleModels, match=message):
        resolve({**settings(folder, base), **changes}, Library())
