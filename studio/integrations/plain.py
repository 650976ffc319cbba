"""Plain diffusers scripts of presets whose passes are prompts on one model."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Mapping
from itertools import groupby
from math import ceil
from pathlib import Path
from pprint import pformat
from typing import Any

from studio.diffusion.noise_table import is_flow
from studio.files import read_regular
from studio.integrations.plain_texts import CALL, HEAD, LOOP, VAE, WRITTEN
from studio.library import ModelEntry, family_of
from studio.library.noise import scheduler_config
from studio.plan import Plan
from studio.preset import Preset
from studio.preset.prompts import weighted_spans
from studio.preset.schedulers import SCHEDULERS

_MARKS = 2  # a tower's own marks around a prompt
_LETTERS = 4  # of a token of CLIP, at least on average, so that no prompt is cut unseen
_LARGEST_SEED = 2**32 - 1  # beyond it the studio's noise is its own


def plain_script(
    preset: Preset, plan: Plan, base: ModelEntry, place: str, vae: str | None = ""
) -> str:
    """The preset as a script of diffusers alone; "" where it needs more than that.

    Args:
        plan: the preset's.
        base: the library's entry of its base.
        place: what diffusers loads the base from, a folder, a file or an id of the hub; "" for
            nothing that can be named.
        vae: likewise the folder of the autoencoder that the preset names, "" for none that it names,
            and ``None`` for one that cannot be loaded so.
    """
    pipeline = family_of(base.family).pipelines[0]
    written = WRITTEN.get(pipeline)
    made = _scheduler(preset, base)
    plain = vae is not None and _is_plain(preset, plan, base)
    if not place or written is None or made is None or not plain:
        return ""
    scheduler, settings, custom = made
    sampler = preset.sampler
    edge = base.size or 512
    width, height = sampler.width or edge, sampler.height or edge
    own_eta = SCHEDULERS[sampler.scheduler].eta
    eta = sampler.eta if sampler.eta is not None else own_eta or 0.0
    skipped = _skipped(preset, base)
    skip = f"\n        clip_skip={skipped}," if skipped and not written.last else ""
    steps = f"num_inference_steps={sampler.steps}" if custom is None else f"timesteps={custom}"
    head = HEAD.format(
        title=title(preset, "diffusers, transformers and torch"),
        names=", ".join(["AutoencoderKL"] * bool(vae) + [pipeline, scheduler]),
        vae=VAE.format(place=vae) if vae else "",
        pipeline=pipeline,
        scheduler=scheduler,
        model=repr(place),
        seeds=_seeds(sampler.seed, sampler.count),
        load="from_single_file" if place.endswith(".safetensors") else "from_pretrained",
        layers=written.last.format(skipped=skipped) if skipped and written.last else "",
        options=(", vae=vae" if vae else "") + written.options,
        settings="\n".join(f"    {name}={value!r}," for name, value in settings.items()),
        freeu=_freed(preset, base),
    )
    guided = _classifier_free(plan)
    if guided is not None and (not preset.refine.chosen or _rescaled_alone(preset)):
        prompt, negative, scale = guided
        return head + CALL.format(
            prompt=repr(prompt),
            negative=repr(negative or None),
            scale=scale,
            rescale=f"\n        guidance_rescale={preset.guidance_rescale},"
            if preset.guidance_rescale
            else "",
            steps=steps,
            width=width,
            height=height,
            eta=eta,
            skip=skip,
        )
    if preset.refine.chosen:
        return ""
    encode = written.encode
    if written.upcast:
        skip = f", clip_skip={skipped}" if skipped else ""
        encode = encode.format(width=width, height=height, skip=skip)
    return head + LOOP.format(
        coefficients="\n".join(
            f"    {one.condition.prompt!r}: {_repeated(one.coefficients)}," for one in plan.passes
        ),
        encode=encode,
        set_steps=str(sampler.steps) if custom is None else f"timesteps={custom}",
        eta=eta,
        width=width,
        height=height,
        upcast=written.upcast,
    )


def _skipped(preset: Preset, base: ModelEntry) -> int:
    """Layers that are left out from the one that the base reads; below 0 for further ones."""
    return 0 if preset.clip_skip is None else preset.clip_skip - family_of(base.family).clip_skip


def _freed(preset: Preset, base: ModelEntry) -> str:
    """The line that switches FreeU on; "" where it is off."""
    factors = preset.freeu.settled(family_of(base.family).freeu).factors()
    said = ", ".join(f"{name}={value!r}" for name, value in factors.items())
    return f"pipe.enable_freeu({said})\n" if said else ""


def title(preset: Preset, needs: str) -> str:
    """A script's first line, which no name can break out of."""
    name = " ".join(preset.name.replace("\\", "/").replace('"', "'").split())
    return f"{name or 'A picture'}. Needs {needs}."


def _is_plain(preset: Preset, plan: Plan, base: ModelEntry) -> bool:
    """Whether all passes are prompts on the base, read as diffusers reads them."""
    sampler = preset.sampler
    if (
        preset.init
        or preset.refiner.on
        or preset.second_pass.on
        or preset.detail.on
        or preset.seamless != "off"
        or sampler.variation_strength
        or sampler.noise != "cpu"
        or len(plan.tiles) > 1
    ):
        return False
    if sampler.seed + sampler.count - 1 > _LARGEST_SEED:
        return False
    latent = base.latent_space.partition("x")[0]
    edits = bool(base.channels and latent and str(base.channels) != latent)
    if plan.mixtures or edits or base.lacks:
        return False
    return all(
        str(one.weights) == preset.base
        and one.condition.prompt is not None
        and one.condition == type(one.condition)(one.condition.prompt)
        and not one.masked
        and _is_read_alike(one.condition.prompt, _window(base))
        for one in plan.passes
    )


def _is_read_alike(prompt: str, window: int) -> bool:
    """Whether a prompt is plain text that surely fits into one window of the tower."""
    if weighted_spans(prompt) not in ([(prompt, 1.0)], []):
        return False
    words = re.findall(r"[A-Za-z]+|\S", prompt)
    return prompt.isascii() and sum(ceil(len(w) / _LETTERS) for w in words) <= window - _MARKS


def _window(base: ModelEntry) -> int:
    """Tokens that the base's text tower reads at once."""
    file = Path(base.path) / "tokenizer" / "tokenizer_config.json"
    try:
        return min(77, int(json.loads(read_regular(file, 2**20))["model_max_length"]))
    except (OSError, ValueError, KeyError, TypeError):
        return 77


def _classifier_free(plan: Plan) -> tuple[str, str, float] | None:
    """Prompt, negative prompt and scale of plain guidance, where the plan is that at every step."""
    steps = {tuple(one.coefficients[k] for one in plan.passes) for k in range(plan.steps)}
    if len(steps) != 1 or len(plan.passes) != 2:
        return None
    (values,) = steps
    scale = max(values)
    if scale <= 1 or abs(sum(values) - 1) > 1e-9:
        return None
    texts = [one.condition.prompt or "" for one in plan.passes]
    place = values.index(scale)
    return texts[place], texts[1 - place], scale


def _rescaled_alone(preset: Preset) -> bool:
    """Whether diffusers' own rescaling is the only refinement."""
    return [one.name for one in preset.refine.chosen] == ["guidance_rescale"]


def _scheduler(
    preset: Preset, base: ModelEntry
) -> tuple[str, Mapping[str, Any], list[int] | None] | None:
    """Name and settings of the scheduler in diffusers, and time steps that a schedule gives."""
    from studio.diffusion.schedulers import make_scheduler
    from studio.diffusion.times import custom_times

    config = scheduler_config(base)
    if not config or is_flow(config):
        return None
    made = make_scheduler(preset.sampler.scheduler, config, preset.sampler.schedule)
    made.set_timesteps(preset.sampler.steps)
    kind, first = type(made), made.timesteps[:2].tolist()
    # The studio's own, or one that diffusers' pipelines would begin with the second step.
    if not kind.__module__.startswith("diffusers.") or first[:1] == first[1:]:
        return None
    defaults = inspect.signature(kind.__init__).parameters
    settings = {
        name: made.config[name]
        for name, one in defaults.items()
        if name in made.config and made.config[name] != one.default
    }
    return kind.__name__, settings, custom_times(preset.sampler, config, base.family)


def _seeds(seed: int, count: int) -> str:
    if seed < 0:
        return f"[torch.seed() % 2**32 for _ in range({count})]"
    return str([seed]) if count == 1 else f"range({seed}, {seed + count})"


def _repeated(values: tuple[float, ...]) -> str:
    """A list in which equal neighbours are written once: ``[7.5] * 25``."""
    runs = [(value, len(list(group))) for value, group in groupby(values)]
    if len(runs) > 6:
        return pformat(list(values), width=96, compact=True).replace("\n", "\n    ")
    return " + ".join(f"[{value!r}]" + (f" * {n}" if n > 1 else "") for value, n in runs)
