"""The engine: a preset in, events out. Knows no widget."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from studio.diffusion import noise, sampling, schedulers
from studio.diffusion.progress import progress_of
from studio.engine.altered import Altered
from studio.engine.combine import drifts, row_shares
from studio.engine.decoding import decode
from studio.engine.denoiser import Denoiser
from studio.engine.detail import in_turn
from studio.engine.explain import Explainer
from studio.engine.families.pixels import apply_preview
from studio.engine.inputs.enlarged import enlarged
from studio.engine.inputs.frame import AtHand
from studio.engine.inputs.masks import unjoined
from studio.engine.inputs.memory_check import samples_at_once
from studio.engine.inputs.passes import left_out, prepare_passes
from studio.engine.inputs.settled import as_chosen, latent_shape, resolved, single, size_of
from studio.engine.inputs.start_image import Pictures
from studio.engine.inputs.surroundings import replaced
from studio.engine.inputs.trained_as import check_second
from studio.engine.job import Job, drawn_noise, effort_of, part_of
from studio.engine.networks import devices
from studio.engine.networks.loader import Loader, named
from studio.engine.networks.registry import Registry
from studio.engine.seamless import AXES
from studio.engine.speed.runtime import Regions, Runtime
from studio.engine.tiled import Tiled
from studio.engine.upscaling import Upscaler, unpainted
from studio.errors import StudioError
from studio.events import Done, Event, Preview, Progress, placed
from studio.heap import tidied
from studio.library import Library, ModelEntry
from studio.library.missing import describe_networks, named_by
from studio.plan import Plan, compile_plan
from studio.plan.places import meeting_in
from studio.plan.row_models import check_base
from studio.plan.stated import stated_plan
from studio.plan.tiles import as_seen, with_tiles
from studio.preset import Preset, Sampler
from studio.preset.second_pass import of_second_pass
from studio.preset.variants import preset_varies

MAX_IMAGES_AT_ONCE = 8


class Engine:
    """Turns presets into images.

    Args:
        device: ``cuda``, ``mps`` or ``cpu``; chosen by itself when not given.
        dtype: precision of the networks; fp16 on CUDA, float32 elsewhere.
        budget: bytes of network weights to keep resident.
        library: where model ids are looked up.
        image_roots: folders besides the studio's own from which control images may come.
        exact: no batching of passes and nothing shared, to reproduce other tools bit for bit.
        runtime: attention, memory layout, compilation; the device's own when not given.
    """

    def __init__(
        self,
        device: str | None = None,
        dtype: torch.dtype | None = None,
        budget: int | None = None,
        library: Library | None = None,
        image_roots: Iterable[Path] = (),
        exact: bool = False,
        runtime: Runtime | None = None,
    ) -> None:
        self.device = devices.choose(device)
        self.runtime = runtime or Runtime.chosen(self.device)
        self.regions = Regions() if self.runtime.compile else None
        self.dtype = dtype or devices.precision(self.device)
        self.library = library if library is not None else Library()
        self.registry = Registry(budget or devices.budget(self.device), devices.host(self.device))
        self.loader = Loader(self.library, self.registry, self.device, self.dtype, self.runtime)
        self.image_roots = tuple(image_roots)
        self.exact = exact
        self._lock = threading.Lock()

    def describe(self) -> list[dict[str, Any]]:
        """What is loaded, oldest first: kind, id, bytes, device, and whether a run holds it."""
        return [
            {**item, **dict(zip(("kind", "id"), named(item["key"]), strict=True))}
            for item in self.registry.describe()
        ]

    def look_in(self, library: Library) -> None:
        """Look models up in ``library`` from now on: a newer scan of the same folders."""
        self.library = self.loader.library = library

    def generate(
        self, preset: Preset, drift_every: int = 0, explain: bool = False
    ) -> Generator[Event, None, None]:
        """Make the preset's images: ``count`` of them, seeds counting up from the preset's.

        Args:
            drift_every: measure the unconditional drift of every personalised row at every so
                many steps (what GCFG, Fig. 2 shows), for the passes that it takes; 0: only where
                both null passes run anyway.
            explain: keep what each row pulls towards at a few steps, for ``Done.explanation``, and
                measure the drift there. The picture is the same, bit for bit.

        Yields ``Progress`` and ``Preview`` after every step and ``Done`` for each image, and before
        each further pass of an image the picture as far as it is as ``FirstPass``.
        Closing the generator cancels before the next step and frees what the run held.

        Raises:
            StudioError: anything wrong with the preset, its models or its images.
        """
        with named_by(preset):
            describe_networks(preset, self.library)
            entry = check_base(self.library, preset.base, preset.vae)
            preset = resolved(preset, entry)
            if not preset_varies(preset) and preset.once:
                yield from self._generate(preset, entry, drift_every, explain)
                return
            # Each image has a text, or a start, of its own.
            for index in range(preset.sampler.count):
                one = single(preset, index)
                for event in self._generate(as_chosen(one), entry, drift_every, explain):
                    yield placed(event, index)

    def _generate(
        self, preset: Preset, entry: ModelEntry, drift_every: int, explain: bool
    ) -> Generator[Event, None, None]:
        """The images of a preset whose prompts are settled; with passes after the first, the one image."""

        def make(one: Preset, start: AtHand | None) -> Generator[Event, None, None]:
            part = start is not None and start.mask is not None  # whose drift nobody shows
            measured = 0 if part else drift_every
            return self._once(one, entry, measured, explain and start is None, start)

        if preset.once:
            yield from make(preset, None)
            return
        # What the passes after it cannot do is said before the first runs.
        stated = stated_plan(preset, self.library, self.image_roots)
        with of_second_pass(), self._lock:
            self._upscaler(preset.second_pass.upscaler if preset.second_pass.on else "")
            check_second(stated.second, self.loader)
        yield from in_turn(preset, entry, stated, make)

    def _once(
        self,
        preset: Preset,
        entry: ModelEntry,
        drift_every: int,
        explain: bool,
        start: AtHand | None = None,
    ) -> Generator[Event, None, None]:
        """One pass; ``start`` is what it starts from, where that is no reference."""
        started = time.perf_counter()
        yield Progress(0, preset.sampler.steps, 0.0, 0.0, 0, "loading")
        config = self.loader.family(preset.base).scheduler_config(entry)
        seen = as_seen(preset.sampler, entry)
        progress = progress_of(seen, config, preset.first_step, entry.family)
        meeting = meeting_in(self.image_roots)
        plan = compile_plan(preset, self.library, progress, meeting, drift_every, explain)
        plan = with_tiles(plan, preset, entry)
        if explain and len(plan.tiles) > 1:
            raise StudioError(
                "a picture in tiles cannot be explained; switch tiles off, or make it smaller",
                field="sampler.tiles",
            )
        with devices.memory_errors_named(), tidied(), closing(self.registry.lease()) as lease:
            size = size_of(preset)
            with self._lock, lease.recording():
                pictures = Pictures.read(plan, preset.init, size, self.image_roots, start)
                upscaler = self._upscaler(preset.init.upscaler if preset.init else "")
            if upscaler is not None:
                given = (self._lock, plan.steps, AXES[preset.seamless], start is None)
                pictures = yield from enlarged(pictures, upscaler, *given)
            if not preset.paints:
                yield from unpainted(preset, pictures.unpainted(), started, pictures.notes)
                return
            with self._lock, lease.recording():
                job = self._prepared(preset, plan, config, seen, pictures)
            count = preset.sampler.count
            for first in range(0, count, MAX_IMAGES_AT_ONCE):
                yield from self._batch(job, first, min(MAX_IMAGES_AT_ONCE, count - first))

    def _prepared(
        self,
        preset: Preset,
        plan: Plan,
        config: Mapping[str, Any],
        seen: Sampler,
        pictures: Pictures,
    ) -> Job:
        """Everything that a generation's batches share, loaded."""
        passes = prepare_passes(preset, plan, self.loader, self.image_roots, config, pictures.frame)
        vae = self.loader.vae(preset.base, preset.vae)
        shape = latent_shape(vae, preset)
        family = self.library[preset.base].family
        part = part_of(shape, preset.sampler, seen)
        alike = preset.model_copy(update={"sampler": seen})
        samples = samples_at_once(self.device, alike, passes, part)
        return Job(preset, plan, passes, pictures, vae, shape, config, family, seen, samples)

    def _upscaler(self, name: str) -> Upscaler | None:
        """A network that enlarges pictures; ``None`` for no name."""
        return self.loader.upscaler(name) if name else None

    def _batch(self, job: Job, first: int, size: int) -> Generator[Event, None, None]:
        """Images ``first … first + size − 1``, from noise to ``Done``."""
        preset, plan, began = job.preset, job.plan, time.perf_counter()
        sampler = preset.sampler
        scheduler = schedulers.scheduler_for(job.seen, job.config, self.device, job.family)
        singles = [single(preset, first + i) for i in range(size)]
        drawn_on = self.device if sampler.noise == "device" else torch.device("cpu")
        generators = [noise.generator(one.sampler.seed, drawn_on) for one in singles]
        latent_size = (job.shape[2], job.shape[1])
        start = schedulers.first_evaluation(scheduler, preset.first_step)
        with self._lock:  # draws before the noise, as diffusers does
            picture = job.pictures.starting(start, job.vae, latent_size, generators)
        drawn = drawn_noise(job.shape, singles, generators, self.device)
        picture = replaced(picture, preset.init, drawn)
        painted = None
        if any(one.paints for one in job.passes):  # drawn after the noise, as diffusers does
            with self._lock:
                painted = job.pictures.painted(job.vae, latent_size, generators)
        kind = scheduler.config.prediction_type
        whole = Denoiser(
            plan,
            job.passes,
            kind,
            job.samples,
            self.exact,
            masks=job.pictures.row_masks(latent_size, self.device),
            buckets=self.runtime.buckets,
            regions=self.regions,
            effort=effort_of(preset, plan, scheduler, start, size),
            painted=painted,
            explainer=Explainer(plan, kind) if plan.looks else None,
            altered=Altered.by(preset),
        )
        denoiser, factor = whole, (sampler.width or 0) // job.shape[2]
        if len(plan.tiles) > 1:
            efforts = [effort_of(preset, plan, scheduler, start, size) for _ in plan.tiles]
            denoiser = Tiled.of(whole, plan.tiles, factor, latent_size, efforts)
        preview = self.loader.family(preset.base).preview(self.library[preset.base], job.shape[0])

        def denoise(index: int, z: Tensor, t: Tensor) -> sampling.Prediction:
            with self._lock:  # hooks of one run must not be seen by another's forward
                return denoiser.predict(index, z, t, *sampling.noise_level(scheduler, t))

        def seen(latents: Tensor) -> list[Image.Image]:
            return apply_preview(latents, *preview)

        latent = drawn
        steps = sampling.sample(denoise, drawn, scheduler, generators, picture, sampler.eta)
        for step in steps:
            latent, done = step.latent, step.index + 1
            spent = time.perf_counter() - began
            left = spent / done * (plan.steps - done)
            yield Progress(done, plan.steps, spent, left, denoiser.forwards)
            yield Preview(done, tuple(apply_preview(step.sample, *preview)))
        yield Progress(
            plan.steps,
            plan.steps,
            time.perf_counter() - began,
            0.0,
            denoiser.forwards,
            "decoding",
        )
        with self._lock:
            axes, family = AXES[preset.seamless], self.loader.family(preset.base)
            images = decode(family, job.vae, latent, factor, axes)
        images = [job.pictures.pasted(image) for image in images]
        seconds = (time.perf_counter() - began) / size
        shares, drift = row_shares(denoiser.assembly), drifts(denoiser.assembly)
        explainer = whole.explainer
        for index, (image, one) in enumerate(zip(images, singles, strict=True)):
            yield Done(
                image,
                one.sampler.seed,
                one,
                denoiser.forwards_of[index],
                seconds,
                first + index,
                shares,
                drift,
                (*left_out(job.passes), *job.pictures.notes, *unjoined(picture, plan.steps)),
                plan.forwards_total - denoiser.forwards_of[index],
                denoiser.estimate(index),
                explainer.told(index, plan.steps, seen) if explainer else None,
            )
