"""What is timed: one base, its LoRA, presets on it, through the engine and through its peers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline
from torch import Tensor, nn

from studio.diffusion import sampling
from studio.engine.denoiser import Denoiser
from studio.engine.inputs.passes import prepare_passes
from studio.engine.networks.loader import Loader
from studio.engine.speed.runtime import Regions
from studio.plan import Weights, compile_plan
from studio.preset import Preset, validate

Run = Callable[[], Tensor]
SEED = 7


@dataclass
class Scene:
    """One base on one device; every run starts from the same noise and ends with a latent.

    Text and pixels are left out on all sides: prompts are encoded beforehand, nothing is decoded.
    """

    loader: Loader
    base: str
    lora: str
    latent: tuple[int, int, int]
    steps: int
    max_samples: int = 64
    prompts: Sequence[str] = tuple(
        f"{word} on a table"
        for word in ("apple", "boat", "castle", "dog", "egg", "fish", "guitar", "hat")
    )
    _regions: Regions = field(default_factory=Regions)

    @cached_property
    def network(self) -> nn.Module:
        """The base's U-Net."""
        return self.loader.network(Weights(self.base))

    @cached_property
    def states(self) -> Tensor:
        """The null prompt and all prompts encoded, (1 + prompts, tokens, width)."""
        family = self.loader.family(self.base)
        encoder = self.loader.text_encoder(self.base)
        return torch.cat([family.encode_text(encoder, [p]) for p in ("", *self.prompts)])

    @cached_property
    def noise(self) -> Tensor:
        """Where every run starts, (1, channels, h, w), float32."""
        generator = torch.Generator("cpu").manual_seed(SEED)
        return sampling.initial_noise(self.latent, [generator], self.loader.device)

    def scheduler(self) -> Any:
        """A fresh DDIM scheduler, its time steps set."""
        entry = self.loader.library[self.base]
        config = self.loader.family(self.base).scheduler_config(entry)
        scheduler = sampling.make_scheduler("ddim", config)
        scheduler.set_timesteps(self.steps, device=self.loader.device)
        return scheduler

    def rows(self, count: int, **fields: Any) -> list[dict[str, Any]]:
        """``count`` rows of different prompts, with ``fields`` on each."""
        return [{"prompt": p, "weight": 7.5 / count, **fields} for p in self.prompts[:count]]

    def lora_rows(self) -> list[dict[str, Any]]:
        """One row on the base's LoRA."""
        return self.rows(1, model={"lora": self.lora})

    def engine(self, rows: Sequence[dict[str, Any]], exact: bool = False, **fields: Any) -> Run:
        """The studio's own denoising of ``rows``."""
        steps = {"steps": self.steps, "scheduler": "ddim"}
        preset = validate({"base": self.base, "rows": list(rows), "sampler": steps, **fields})
        denoiser = self.denoiser_of(preset)

        def run() -> Tensor:
            scheduler, denoise = self.scheduler(), denoiser(exact)

            def call(step: int, z: Tensor, t: Tensor) -> Tensor:
                return denoise(step, z, t, *sampling.noise_level(scheduler, t))

            latent = self.noise
            generators = [torch.Generator("cpu").manual_seed(SEED)]
            for step in sampling.sample(call, self.noise, scheduler, generators):
                latent = step.latent
            return latent

        return run

    def denoiser_of(self, preset: Preset) -> Callable[[bool], Denoiser]:
        """Prepare a preset; every call makes a new run's denoiser, its caches empty."""
        scheduler = self.scheduler()
        plan = compile_plan(preset, self.loader.library, sampling.progress_of(scheduler))
        passes = prepare_passes(preset, plan, self.loader)
        prediction = scheduler.config.prediction_type
        runtime = self.loader.runtime
        return lambda exact: Denoiser(
            plan,
            passes,
            prediction,
            self.max_samples,
            exact,
            buckets=runtime.buckets,
            regions=self._regions if runtime.compile else None,
        )

    # -- peers --------------------------------------------------------------------------------

    def bare(self, count: int, batched: bool = True) -> Run:
        """Forwards of the distinct work and nothing else: the null prompt and ``count`` rows."""
        texts = self.states[: count + 1]
        groups = [texts] if batched else list(texts.split(1))

        @torch.inference_mode()
        def run() -> Tensor:
            z = output = self.noise.to(texts.dtype)
            for t in self.scheduler().timesteps:
                for group in groups:
                    output = self._predict(z.expand(len(group), -1, -1, -1), t, group)
            return output

        return run

    def loop(self, count: int, weight: float | None = None) -> Run:
        """GCFG's Algorithm 1 as it is written: ``ε ← ε_∅ + Σ w_i(ε_i − ε_∅)``, one by one.

        diffusers' community pipeline for composable diffusion runs the same forwards, one for
        each prompt, and sums them the same way; it is not part of the package, so this stands
        for it too.
        """
        weight = 7.5 / count if weight is None else weight

        @torch.inference_mode()
        def run() -> Tensor:
            scheduler, latent = self.scheduler(), self.noise
            for t in scheduler.timesteps:
                z = scheduler.scale_model_input(latent, t).to(self.states.dtype)
                free = self._predict(z, t, self.states[:1])
                total = free
                for text in self.states[1 : count + 1].split(1):
                    total = total + weight * (self._predict(z, t, text) - free)
                latent = scheduler.step(total.float(), t, latent, return_dict=False)[0]
            return latent

        return run

    def diffusers(self) -> Run:
        """diffusers' own pipeline: classifier-free guidance on the first prompt."""
        config = dict(self.scheduler().config)
        pipe = StableDiffusionPipeline(
            vae=self.loader.vae(self.base),
            text_encoder=self.loader.text_encoder(self.base),
            tokenizer=None,
            unet=self.network,
            scheduler=DDIMScheduler.from_config(config),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
        pipe.set_progress_bar_config(disable=True)
        null, text = self.states[:1], self.states[1:2]
        factor = pipe.vae_scale_factor
        size = {"height": self.latent[1] * factor, "width": self.latent[2] * factor}

        def run() -> Tensor:
            return pipe(
                prompt_embeds=text,
                negative_prompt_embeds=null,
                guidance_scale=7.5,
                **size,
                num_inference_steps=self.steps,
                output_type="latent",
                latents=self.noise.to(text.dtype),
                return_dict=False,
            )[0]

        return run

    def _predict(self, z: Tensor, t: Tensor, text: Tensor) -> Tensor:
        return self.network(z, t, encoder_hidden_states=text, return_dict=False)[0]
