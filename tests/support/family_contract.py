"""What the shared contract of families has at hand: a library of each, and a plain loop to compare with."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from studio.diffusion.schedulers import scheduler_for
from studio.engine.families import family_named
from studio.engine.families.pixels import to_images, to_pixels
from studio.engine.networks.loader import Loader
from studio.engine.networks.registry import Registry
from studio.library import FAMILIES, Library
from studio.plan import Weights
from studio.preset import Sampler
from tests.support import tiny_pictures
from tests.support.tiny_families import BUILDERS
from tests.support.tiny_pictures import SCALE, SEED, STEPS

PROMPT, SIZE, SCHEDULER = "a cat", 32, "euler"
ADAPTED = (
    "attn1.to_q",
    "attn2.to_k",
    "attn.to_q",
    "attn.add_k_proj",
    "attention.to_q",
    "cap_embedder.1",
    "mlp.up_proj",
    "final_linear",
    "ff.gate",
    "projector",
)
Roots = Callable[[str], Path]
Guided = Callable[[torch.Tensor, torch.Tensor, int], torch.Tensor]


def fill(root: Path, name: str) -> None:
    """A library: ``base``, a full fine-tune of it, a LoRA, a picture."""
    assert name in BUILDERS, f"give {name!r} a tiny pipeline in tests/support/tiny_families.py"
    pipe = BUILDERS[name](root / "base")
    record = FAMILIES[name]
    for folder in (root / "base", root / "tuned"):
        # Whatever the width of a tiny model's text: what the family is stands in its card.
        folder.mkdir(exist_ok=True)
        (folder / "card.json").write_text(json.dumps({"family": name}))
    tuned = copy.deepcopy(getattr(pipe, record.part))
    jitter(tuned)
    type(pipe)(**{**pipe.components, record.part: tuned}).save_pretrained(root / "tuned")
    generator = torch.Generator().manual_seed(2)
    state = {}
    for layer, module in getattr(pipe, record.part).named_modules():
        if layer.endswith(ADAPTED):
            out, inner = module.weight.shape
            state[f"{record.part}.{layer}.lora_A.weight"] = torch.randn(
                2, inner, generator=generator
            )
            state[f"{record.part}.{layer}.lora_B.weight"] = torch.randn(out, 2, generator=generator)
    save_file(state, root / "style.safetensors")
    pixels = np.random.default_rng(0).integers(0, 255, (SIZE, SIZE, 3), np.uint8)
    Image.fromarray(pixels).save(root / "picture.png")


def jitter(network: torch.nn.Module) -> None:
    """Move every weight a little."""
    generator = torch.Generator().manual_seed(17)
    for parameter in network.parameters():
        parameter.data += 0.05 * torch.randn(parameter.shape, generator=generator)


def ours(root: Path, row: dict[str, Any] | None = None, **fields: Any) -> np.ndarray:
    """The engine's picture of one row."""
    row = {"prompt": PROMPT, "weight": SCALE, **(row or {})}
    sampler = {"steps": STEPS, "scheduler": SCHEDULER, "seed": SEED, "width": SIZE, "height": SIZE}
    return tiny_pictures.made(root, {"base": "base", "rows": [row], **fields, "sampler": sampler})


class Loop:
    """The same picture by diffusers' scheduler and the family's networks, one forward each."""

    def __init__(self, root: Path, name: str) -> None:
        library = Library((root,))
        self.family = family_named(name)
        self.loader = Loader(library, Registry(2**30), torch.device("cpu"), torch.float32)
        self.config = self.family.scheduler_config(library["base"])
        self.factor = library["base"].latent_factor
        self.prior: Any = self.loader.network(Weights("base"))
        self.text = self.loader.text_encoder("base")
        self.vae: Any = self.loader.vae("base")
        self.told, self.null = (self.family.encode(self.text, [p]) for p in (PROMPT, ""))

    def scheduler(self) -> Any:
        """diffusers', at the run's steps."""
        sampler = Sampler(scheduler=SCHEDULER, steps=STEPS, width=SIZE, height=SIZE)
        return scheduler_for(sampler, self.config)

    def __call__(
        self, weak: Any, strong: Any, picture: Image.Image | None = None, first: int = 0
    ) -> Any:
        """``ε_weak(φ) + λ·(ε_strong(c) − ε_weak(φ))`` at every step from ``first``."""

        def guided(x: torch.Tensor, t: torch.Tensor, step: int) -> torch.Tensor:
            free = self.family.predict(weak, x, t, self.null)
            return free + SCALE * (self.family.predict(strong, x, t, self.told) - free)

        return self.run(guided, picture, first)

    @torch.no_grad()
    def run(self, guided: Guided, picture: Image.Image | None = None, first: int = 0) -> Any:
        """The picture of what ``guided`` says of each latent, time and step."""
        scheduler, generator = self.scheduler(), torch.Generator().manual_seed(SEED)
        start = None if picture is None else self._encoded(picture, generator)
        channels, edge = self.vae.config.latent_channels, SIZE // self.factor
        noise = torch.randn((1, channels, edge, edge), generator=generator)
        z = noise * scheduler.init_noise_sigma
        if start is not None:
            z = scheduler.add_noise(start, noise, scheduler.timesteps[first : first + 1])
        for step, t in enumerate(scheduler.timesteps[first:], first):
            output = guided(scheduler.scale_model_input(z, t), t, step)
            z = scheduler.step(output, t, z).prev_sample
        z = z / self.vae.config.scaling_factor + self._shift
        pixels = self.vae.decode(z, return_dict=False)[0]
        return np.asarray(to_images(pixels)[0]).astype(int)

    def _encoded(self, picture: Image.Image, generator: torch.Generator) -> torch.Tensor:
        found = self.vae.encode(to_pixels(picture))
        latent = (
            found.latent_dist.sample(generator) if hasattr(found, "latent_dist") else found.latent
        )
        return (latent - self._shift) * self.vae.config.scaling_factor

    @property
    def _shift(self) -> float:
        return self.vae.config.get("shift_factor") or 0.0


def changed(network: Any, change: Callable[[str, torch.Tensor], torch.Tensor]) -> Any:
    """A copy of ``network`` with other weights."""
    other = copy.deepcopy(network)
    for name, parameter in other.named_parameters():
        parameter.data = change(name, parameter.data)
    return other


def merged(loop: Loop, root: Path, name: str, strength: float) -> Any:
    """The prior with the library's LoRA in its weights."""
    state, part = load_file(root / "style.safetensors"), FAMILIES[name].part

    def change(key: str, value: torch.Tensor) -> torch.Tensor:
        layer = f"{part}.{key.removesuffix('.weight')}"
        if f"{layer}.lora_A.weight" not in state:
            return value
        return value + strength * (
            state[f"{layer}.lora_B.weight"] @ state[f"{layer}.lora_A.weight"]
        )

    return changed(loop.prior, change)
