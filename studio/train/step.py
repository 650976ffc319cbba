"""One training step: what is drawn, what is predicted, what is minimised."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor

from studio.engine.networks.devices import free_memory, is_out_of_memory
from studio.train import losses
from studio.train.batch import Batch, add_to, side, weights
from studio.train.captions import Caption
from studio.train.config import TrainConfig
from studio.train.data import Order, mixed
from studio.train.events import Losses
from studio.train.latents import draw
from studio.train.machine import adamw
from studio.train.noising import Diffusion
from studio.train.prepare import Job, Pictures

OF_TARGET, OF_CLASS = 2, 3  # streams of random numbers
SHARE_EVERY = 50  # steps between measures of the losses' share of the gradient
NO_CAPTION = Caption("", "", "")


class Stepper:
    """Forward, backward and optimiser of a training.

    Attributes:
        optimizer: as accelerate wraps it.
        parameters: everything that trains.
        pieces: how many a batch is computed in, one after another; doubled where memory runs out.
    """

    def __init__(self, config: TrainConfig, job: Job, accelerator: Any) -> None:
        self.config = config
        self.job = job
        self.accelerator = accelerator
        self.pieces = 1
        trainee = job.adaptation.trainee
        self.parameters = list(trainee.trained().values())
        groups = job.adaptation.groups(config)
        self.rates = [group["lr"] for group in groups]
        optimizer = adamw(config, accelerator.device)(groups, betas=(0.9, config.beta2))
        self.trainee, self.optimizer = accelerator.prepare(trainee, optimizer)
        # Differences of neighbouring noise levels lose half their digits in float32.
        exact = torch.float32 if accelerator.device.type == "mps" else torch.float64
        self.noising = job.base.noising.to(accelerator.device, exact)
        self.levels = self.noising.levels
        whole = config.batch * accelerator.num_processes
        self.order = Order([item.shape for item in job.pictures.latents], whole, config.seed)
        self.class_order = (
            None
            if job.classes is None
            else Order([item.shape for item in job.classes.latents], whole, config.seed + 1)
        )

    def __call__(self, step: int) -> Losses:
        """Gradients of step ``step`` (from 0); the values are means over all processes.

        Where memory runs out it begins again, with each batch in twice as many pieces, as long as
        there is more than a picture in one: nothing that a step draws depends on it.
        """
        while True:
            try:
                return self._gradients(step)
            except Exception as error:
                alone = self.accelerator.num_processes == 1  # others would wait for this one
                if not (is_out_of_memory(error) and alone and self.pieces < self.config.batch):
                    raise
            self.optimizer.zero_grad(set_to_none=True)
            free_memory()
            self.pieces = min(2 * self.pieces, self.config.batch)

    def _gradients(self, step: int) -> Losses:
        total: dict[str, Tensor] = {}
        parts = self.config.accumulation
        for part in range(parts):
            number = step * parts + part
            last = part == parts - 1
            batch = self.batch(self.job.pictures, self.order, number, OF_TARGET)
            found: dict[str, Tensor] = {}
            with self._synced(last and self.class_order is None):
                for piece, share in batch.pieces(self.pieces):
                    values = self._losses(piece, step)
                    self.accelerator.backward(values["total"] * (share / parts))
                    add_to(found, values, share)
            if self.class_order is not None and self.job.classes is not None:
                batch = self.batch(self.job.classes, self.class_order, number, OF_CLASS)
                with self._synced(last):
                    for piece, share in batch.pieces(self.pieces):
                        kept = self._prior(piece)
                        self.accelerator.backward(kept * (share / parts))
                        add_to(found, {"mse": kept, "total": kept}, share)
            add_to(total, {k: v.to(self.levels.dtype) for k, v in found.items()}, 1 / parts)
        values = self.accelerator.reduce(torch.stack(list(total.values())), "mean").tolist()
        return Losses(step + 1, **dict(zip(total, values, strict=True)))

    def _synced(self, now: bool) -> Any:
        """Whether processes exchange their gradients in this backward pass."""
        return nullcontext() if now else self.accelerator.no_sync(self.trainee)

    def _prior(self, batch: Batch) -> Tensor:
        """The weighted error on pictures of the superclass (DreamBooth's prior preservation)."""
        error = losses.mse(self._predict(batch), batch.wanted, batch.weight).mean()
        return self.config.prior_weight * error

    def update(self, share: float = 1.0) -> float:
        """Clip, step, forget the gradients; returns the gradient's norm (0 where fp16 rescales).

        Args:
            share: of the learning rates, to step with.
        """
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = share * rate
        norm = self.accelerator.clip_grad_norm_(self.parameters, self.config.gradient_clip)
        scaled = self.accelerator.scaler is not None
        if scaled or bool(torch.isfinite(norm)):
            self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return 0.0 if scaled else float(norm)

    def batch(self, pictures: Pictures, order: Order, number: int, stream: int) -> Batch:
        """This process's part of batch ``number``; drawn whole, so that it does not matter how
        many processes share it."""
        job, device = self.job, self.accelerator.device
        indices = order.indices(number)
        generator = torch.Generator().manual_seed(mixed(self.config.seed, stream, number))
        height, width = pictures.latents[indices[0]].shape
        shape = (len(indices), job.channels, height, width)
        of_latent = torch.randn(shape, generator=generator)
        noise = torch.randn(shape, generator=generator)
        uniform = torch.rand(len(indices), generator=generator, dtype=torch.float64)
        turned = torch.rand(len(indices), generator=generator) < 0.5
        dropped = torch.rand(len(indices), generator=generator) < self.config.caption_dropout
        mine = self.accelerator.process_index * self.config.batch
        mine = slice(mine, mine + self.config.batch)
        chosen = [pictures.latents[i] for i in indices[mine]]
        moments = torch.stack(
            [side(item, bool(flip)) for item, flip in zip(chosen, turned[mine], strict=True)]
        )
        clean = draw(moments, of_latent[mine], job.scaling).to(device)
        noise = noise[mine].to(device)
        steps = len(self.noising)
        times = (
            (steps * uniform[mine].pow(self.config.time_power))
            .long()
            .clamp(max=steps - 1)
            .to(device)
        )
        features = [item.features for item in chosen if item.features is not None]
        return Batch(
            noisy=self.noising.add(clean, noise, times),
            times=times,
            wanted=self.noising.wanted(clean, noise, times),
            captions=[
                NO_CAPTION if without else pictures.captions[i]
                for i, without in zip(indices[mine], dropped[mine], strict=True)
            ]
            if pictures.captions
            else [],
            features=torch.stack(features).to(device) if features else None,
            weight=weights(chosen, turned[mine].tolist(), device),
        )

    @torch.no_grad()
    def changes(self, batch: Batch) -> Tensor:
        """ACCORD's ``D_t`` (Eq. 8) of a batch under the weights as they are, shape (batch,)."""
        _, means = self._four(batch, with_gradient=False)
        variance = losses.posterior_variance(batch.times, self.levels)
        return losses.dependence_change(means, variance, self.config.ddloss_norm)

    def _predict(self, batch: Batch) -> Tensor:
        captions = [caption.text for caption in batch.captions] or None
        return self.trainee(
            batch.noisy, self.noising.conditioning(batch.times), captions, batch.features
        )

    def _losses(self, batch: Batch, step: int) -> dict[str, Tensor]:
        """``total`` with its graph, and what it is made of."""
        config, steps = self.config, len(self.levels)
        measured = config.measure_every and (step + 1) % config.measure_every == 0
        found: dict[str, Tensor] = {}
        if config.ddloss > 0 or (measured and batch.captions):
            output, means = self._four(batch, with_gradient=config.ddloss > 0)
            variance = losses.posterior_variance(batch.times, self.levels)
            change = losses.dependence_change(means, variance, config.ddloss_norm)
            found["denoising"] = losses.denoising_discrepancy(
                change, batch.times, steps, config.time_power
            )
            if config.ddloss > 0:
                found["dd"] = losses.dd_loss(
                    means, variance, batch.times, steps, config.ddloss_norm
                ).mean()
        else:
            output = self._predict(batch)
        found["mse"] = losses.mse(output, batch.wanted, batch.weight).mean()
        if config.pdloss > 0:
            projections = self._projections(batch)
            given = config.pdloss_target
            target = None if given == "superclass" else float(given)
            found["pd"] = losses.pd_loss(*projections, target)
            found["prior"] = losses.prior_discrepancy(*projections)
        elif measured and self.job.projector is not None and self.job.prior is not None:
            with torch.no_grad():
                found["prior"] = losses.prior_discrepancy(*self._projections(batch))
        weighted = {
            name: weight * found[name]
            for name, weight in (("dd", config.ddloss), ("pd", config.pdloss))
            if name in found
        }
        total = found["mse"]
        for loss in weighted.values():
            total = total + loss
        if weighted and (step == 0 or (step + 1) % (config.measure_every or SHARE_EVERY) == 0):
            found |= self._shares(found["mse"], weighted)
        return {"total": total, **found}

    def _shares(self, error: Tensor, weighted: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The norm of each weighted loss's gradient as a part of the error's; changes nothing."""
        scaler = self.accelerator.scaler  # of both alike; without it, half precision underflows

        def norm(loss: Tensor) -> Tensor:
            if not loss.requires_grad:
                return torch.zeros((), device=loss.device)
            scaled = loss if scaler is None else scaler.scale(loss)
            found = torch.autograd.grad(
                scaled, self.parameters, retain_graph=True, allow_unused=True
            )
            norms = [gradient.float().norm() for gradient in found if gradient is not None]
            return torch.stack(norms).norm() if norms else torch.zeros((), device=loss.device)

        whole = norm(error).clamp(min=torch.finfo(torch.float32).tiny)
        return {f"{name}_share": norm(loss) / whole for name, loss in weighted.items()}

    def _four(self, batch: Batch, with_gradient: bool) -> tuple[Tensor, losses.Means]:
        """Predictions under the four conditions: those whose gradient is stopped run as one batch
        without a graph, the other two as one batch with it.

        Returns:
            the output under the whole caption, and the four means.
        """
        texts = [c.text for c in batch.captions]
        targets = [c.target for c in batch.captions]
        general = [c.general for c in batch.captions]

        def predict(captions: list[str]) -> tuple[Tensor, Tensor]:
            features = None if batch.features is None else torch.cat([batch.features] * 2)
            output = self.trainee(
                torch.cat([batch.noisy] * 2), torch.cat([batch.times] * 2), captions, features
            )
            first, second = output.chunk(2)
            return first, second

        with torch.no_grad():
            of_g, of_none = predict([*general, *[""] * len(general)])
        if with_gradient:
            of_pg, of_p = predict([*texts, *targets])
        else:
            of_pg = self._predict(batch)
            with torch.no_grad():
                of_p = self.trainee(batch.noisy, batch.times, targets, batch.features)

        assert isinstance(self.noising, Diffusion)  # a flow's trainings have no such losses
        prediction = self.noising.prediction

        def mean(output: Tensor) -> Tensor:
            exact = output.to(torch.promote_types(output.dtype, torch.float32))
            return losses.posterior_mean(exact, batch.noisy, batch.times, self.levels, prediction)

        return of_pg, losses.Means(mean(of_pg), mean(of_p), mean(of_g), mean(of_none))

    def _projections(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """``f`` of the batch's targets, of their superclass and of every general text of the set."""
        job = self.job
        assert job.projector is not None and job.prior is not None
        trainee = self.accelerator.unwrap_model(self.trainee)
        words = trainee.words(batch.features, len(batch.captions))
        targets = [c.target for c in batch.captions]
        if trainee.projection is None:  # a word that all share: each distinct target once
            targets = list(dict.fromkeys(targets))
        f_p = torch.cat(
            [
                job.projector.texts([target], known)
                for target, known in zip(targets, words, strict=False)
            ]
        )
        return f_p, *job.prior
