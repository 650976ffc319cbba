"""``denoise(step, z, t)`` for a prepared plan: as few batches as its passes' weights allow.

Knows passes, networks and tensors; not which row or paper made the plan.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from studio.diffusion.sampling import Prediction
from studio.engine.adapters.image_prompt import Seen, looking
from studio.engine.adapters.lora import Adapter, Attachment
from studio.engine.altered import Altered
from studio.engine.combine import Assembly
from studio.engine.controls import WITHIN, Guide, residuals
from studio.engine.effort import Controller, Level, Sample
from studio.engine.explain import Explainer
from studio.engine.families import Family, Text
from studio.engine.inputs.row_images import together
from studio.engine.networks.devices import free_memory, is_out_of_memory
from studio.engine.networks.storage import dtype_of
from studio.engine.perturbed import perturbed
from studio.engine.speed.direct import direct
from studio.engine.speed.prefix import TextCache, prefix_modules, shared_prefix, untouched
from studio.engine.speed.runtime import Regions, next_batch
from studio.errors import NumericalError, OutOfMemory
from studio.plan import Plan
from studio.plan.passes import Area


@dataclass(frozen=True)
class PreparedPass:
    """What one pass of the plan runs on.

    ``group``: passes of equal group share a network and run in one batch. ``network``: opens it
    for one batch; it may be fetched for that alone. ``family``: knows how that network is called.
    ``text``: of one prompt, ``None`` for null-text networks. ``adapters``: LoRA and scale.
    ``prediction``: the network's parameterisation. ``picture``: what an editing network changes,
    as a latent (1, channels, h, w). ``paints``: whether the network reads the run's mask and the
    picture around it. ``seen``: image prompts, as the network sees them.
    ``perturbed``: whether the network's middle attends to nothing.
    ``position_bytes``: what one position of one latent takes of memory on its way through.
    """

    group: Hashable
    network: Callable[[], AbstractContextManager[nn.Module]]
    family: Family
    text: Text | None
    prediction: str
    adapters: tuple[tuple[Adapter, float], ...] = ()
    guides: tuple[Guide, ...] = ()
    picture: Tensor | None = None
    paints: bool = False
    seen: tuple[Seen, ...] = ()
    perturbed: bool = False
    position_bytes: int = 0


@dataclass
class Denoiser:
    """A guided denoiser with a plain denoiser's call shape.

    Args:
        plan: coefficients per step.
        passes: one prepared pass per pass of the plan.
        prediction: the parameterisation in which the sum is returned (the scheduler's).
        max_samples: network samples in one batch; halved when CUDA runs out of memory.
        exact: one forward per pass and nothing shared, to reproduce other tools' arithmetic.
        masks: mask image or area → map of shape (1, 1, h, w) in [0, 1], for those of the plan.
        buckets: batch sizes to run, padded where a quarter at most is waste; () for any.
        regions: where compiled parts are kept; ``None`` to compile nothing.
        painted: a mask and the picture around it (batch, 1 + channels, h, w), for networks that
            paint.
        explainer: keeps what the rows pull towards, where that was asked for.
        effort: chooses what runs at a step; ``None`` for every pass at every step.
        altered: what the run changes in every network that it calls.

    ``forwards`` counts network samples, ``forwards_of`` those of each image of the batch.
    """

    plan: Plan
    passes: Sequence[PreparedPass]
    prediction: str
    max_samples: int = 16
    exact: bool = False
    forwards: int = 0
    masks: Mapping[str | Area, Tensor] = field(default_factory=dict)
    texts: TextCache = field(default_factory=TextCache)
    buckets: Sequence[int] = ()
    regions: Regions | None = None
    effort: Controller | None = None
    forwards_of: dict[int, int] = field(default_factory=dict)
    painted: Tensor | None = None
    explainer: Explainer | None = None
    altered: Altered = field(default_factory=Altered)
    _attachments: dict[Hashable, Attachment] = field(default_factory=dict)
    _last: tuple[Sample, ...] = ()

    def __post_init__(self) -> None:
        self.assembly = Assembly(self.plan, self.prediction, self.masks, self.explainer)

    def __call__(self, step: int, z: Tensor, t: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
        """The combined prediction at ``step`` for latents ``z`` (batch, channels, h, w).

        Raises:
            NumericalError: a network returned NaN or infinity; names the rows.
            OutOfMemory: not even one sample fits.
        """
        return self.predict(step, z, t, alpha, sigma).output

    def estimate(self, image: int) -> float:
        """The error that is expected in an image's finished latent; 0 where every pass runs."""
        return self.effort.estimate(image) if self.effort else 0.0

    @torch.inference_mode()
    def predict(self, step: int, z: Tensor, t: Tensor, alpha: Tensor, sigma: Tensor) -> Prediction:
        """The same, with the prediction whose noise is put back where CFG++ asks for one."""
        active, level = self.plan.active(step), (alpha, sigma)
        if self.effort is not None:
            return self._partly(self.effort, step, z, t, level)
        ran = self._samples(step, [(i, b) for i in active for b in range(z.shape[0])], z, t)
        outputs = _stacked(ran, z.shape[0])
        aside = _stacked(self._aside(step, ran, z, t, level), z.shape[0])
        kinds = {index: self.passes[index].prediction for index in active}
        return self.assembly.combine(step, outputs, kinds, z, level, aside)

    def _aside(
        self, step: int, ran: Collection[Sample], z: Tensor, t: Tensor, level: Level
    ) -> dict[Sample, Tensor]:
        """What a diagnosis alone needs, as the scheduler predicts, in batches of its own: in those of
        the guided prediction it would change how they round."""
        needed = [(i, b) for i in self.plan.measured(step) for b in range(z.shape[0])]
        missing = [sample for sample in needed if sample not in ran]
        most = self.max_samples  # of the sum's batches, whatever fits of these
        try:
            found = self._samples(step, missing, z, t)
        finally:
            self.max_samples = most
        return self._scheduled(found, z, level)

    def _scheduled(
        self, ran: Mapping[Sample, Tensor], z: Tensor, level: Level
    ) -> dict[Sample, Tensor]:
        """Samples as the scheduler predicts."""
        return {
            (index, b): self.assembly.as_scheduled(y, z[b], level, self.passes[index].prediction)
            for (index, b), y in ran.items()
        }

    def _partly(
        self, effort: Controller, step: int, z: Tensor, t: Tensor, level: Level
    ) -> Prediction:
        """As :meth:`predict`, with the passes that need not run extrapolated."""
        ran = self._samples(step, effort.due(step), z, t)
        said = self._scheduled(ran, z, level)
        outputs = effort.completed(step, said, z, level, self.prediction)
        aside = _stacked({**said, **self._aside(step, ran, z, t, level)}, z.shape[0])
        same = dict.fromkeys(outputs, self.prediction)
        return self.assembly.combine(step, outputs, same, z, level, aside)

    def _samples(
        self, step: int, samples: Sequence[Sample], z: Tensor, t: Tensor
    ) -> dict[Sample, Tensor]:
        """What the networks say of each (pass, image); there may be none."""
        ran: dict[Sample, Tensor] = {}
        for group in self._groups(samples).values():
            with self.passes[group[0][0]].network() as network:
                ran.update(zip(group, self._run(network, group, z, t), strict=True))
        self.forwards += len(samples)
        for _, image in samples:
            self.forwards_of[image] = self.forwards_of.get(image, 0) + 1
        self._check_finite(ran, step)
        return ran

    def _groups(self, samples: Sequence[Sample]) -> dict[Hashable, list[Sample]]:
        groups: dict[Hashable, list[Sample]] = defaultdict(list)
        for index, image in samples:
            group = self.passes[index].group
            groups[(group, index) if self.exact else group].append((index, image))
        return groups

    def _run(
        self, network: nn.Module, samples: Sequence[Sample], z: Tensor, t: Tensor
    ) -> list[Tensor]:
        """Samples (pass, image) of one network as one batch, in chunks that fit."""
        done: list[Tensor] = []
        while len(done) < len(samples):
            chunk = list(samples[len(done) : len(done) + self.max_samples])
            fitting = [size for size in self.buckets if size <= self.max_samples]
            taken, size = next_batch(len(chunk), fitting)
            chunk = chunk[:taken] + chunk[taken - 1 : taken] * (size - taken)
            try:
                done.extend(self._forward(network, chunk, z, t)[:taken].unbind(0))
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                free_memory()
                if self.max_samples == 1:
                    raise OutOfMemory(
                        "one sample of this size does not fit on the device; choose a smaller "
                        "width and height",
                        field="sampler.width",
                    ) from error
                self.max_samples = max(1, min(self.max_samples, len(chunk)) // 2)
        return done

    def _forward(self, network: nn.Module, chunk: Sequence[Sample], z: Tensor, t: Tensor) -> Tensor:
        passes = [self.passes[i] for i, _ in chunk]
        self._make_room(tuple(chunk))
        dtype = dtype_of(network)
        latents = z[[b for _, b in chunk]].to(dtype)
        with ExitStack() as stack:
            guides = [one.network for p in passes for one in p.guides]
            stack.enter_context(self.altered.on(network, guides))
            loras = list({id(lora): lora for p in passes for lora, _ in p.adapters}.values())
            if loras:
                stack.enter_context(self._attachment(network, tuple(chunk), loras).on(network))
            stack.enter_context(direct(network, blocks=self.regions is None))
            stack.enter_context(perturbed(network, passes[0].perturbed))
            family = passes[0].family
            adapted = {layer for lora in loras for layer in lora.unet}
            seen = [p.seen for p in passes]
            stack.enter_context(looking(network, seen))
            adapted |= {layer for each in seen for one in each for layer in one.layers}
            if passes[0].paints and self.painted is not None:
                pictures = self.painted[[b for _, b in chunk]]
            else:
                pictures = together([p.picture for p in passes], latents)
            text, added = None, {}
            if passes[0].text is not None:
                text = Text.cat([p.text for p in passes if p.text is not None], dtype)
                added = residuals([p.guides for p in passes], latents, t, text, family)
            # With a picture, or what is added within the first half, samples differ at once.
            alone = self.exact or pictures is not None or WITHIN in added
            prefix = [] if alone else untouched(prefix_modules(network), adapted)
            if self.regions is not None and not passes[0].perturbed:
                stack.enter_context(self.regions.attached(network, adapted.union(prefix)))
            if text is None:
                return family.predict(network, latents, t, None)
            if not self.exact:
                stack.enter_context(shared_prefix(network, prefix, [b for _, b in chunk]))
                stack.enter_context(self._texts(network, passes[0].group, chunk))
            return family.predict(network, latents, t, text, pictures, **added)

    def _texts(
        self, network: nn.Module, group: Hashable, chunk: Sequence[Sample]
    ) -> AbstractContextManager[None]:
        """Keys and values of the batch's texts, one by one where batches differ from step to step."""
        if self.effort is None:
            return self.texts.attached(network, (group, *chunk))
        return self.texts.attached(network, group, [index for index, _ in chunk])

    def _make_room(self, chunk: tuple[Sample, ...]) -> None:
        """Forget the adapters of another batch, where batches differ from step to step."""
        if self.effort is not None and chunk != self._last:
            self._attachments, self._last = {}, chunk

    def _attachment(
        self, network: nn.Module, chunk: tuple[Sample, ...], loras: Sequence[Adapter]
    ) -> Attachment:
        """The adapters of a batch, made ready once for all steps."""
        if chunk not in self._attachments:
            scales = torch.tensor(
                [
                    [sum(s for lo, s in self.passes[i].adapters if lo is lora) for lora in loras]
                    for i, _ in chunk
                ],
                dtype=torch.float64,
            )
            self._attachments[chunk] = Attachment(
                network,
                [lora.unet for lora in loras],
                scales,
                ", ".join(lora.name for lora in loras),
            )
        return self._attachments[chunk]

    def _check_finite(self, outputs: Mapping[Sample, Tensor], step: int) -> None:
        fine = [torch.isfinite(output).all() for output in outputs.values()]
        if not fine or bool(torch.stack(fine).all()):
            return
        bad = sorted({i for (i, _), o in outputs.items() if not bool(torch.isfinite(o).all())})
        rows = sorted({row for i in bad for row in self.plan.passes[i].rows})
        names = "; ".join(str(self.plan.passes[i]) for i in bad)
        raise NumericalError(
            f"NaN or infinity at step {step + 1} from {names}",
            field=", ".join(f"rows.{row}" for row in rows) or "base",
        )


def _stacked(said: Mapping[Sample, Tensor], images: int) -> dict[int, Tensor]:
    """What was said of all images, by pass."""
    whole = [i for i, b in said if b == 0 and all((i, b) in said for b in range(images))]
    return {index: torch.stack([said[index, b] for b in range(images)]) for index in whole}
