"""A training step's losses as the papers write them: numpy in float64, one sample at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

Array = np.ndarray


@dataclass
class Loss:
    """One batch of one training.

    Args:
        stepper: networks and texts in float64; its own sums and batches are not used.
        held: μ_g and μ_∅ of each sample as they were first seen: their gradient is stopped
            (ACCORD, Eq. 8).
    """

    stepper: Any
    held: dict[tuple[int, str], Array] = field(default_factory=dict)

    def values(self, batch: Any, classes: Any = None) -> dict[str, float]:
        """``total`` and what it is made of, at the weights as they are now."""
        config = self.stepper.config
        levels = self.stepper.levels.double().numpy()
        kind = self.stepper.noising.prediction
        sums: dict[str, list[float]] = {"mse": [], "dd": [], "denoising": []}
        for b, t in enumerate(batch.times.tolist()):
            caption = batch.captions[b] if batch.captions else None
            output = self.output(batch, b, caption and caption.text)
            sums["mse"].append(self.error(batch, b, output))
            if config.ddloss:
                assert caption is not None
                means = {
                    "pg": posterior_mean(output, batch.noisy[b].numpy(), t, levels, kind),
                    **{
                        name: posterior_mean(
                            self.output(batch, b, text), batch.noisy[b].numpy(), t, levels, kind
                        )
                        for name, text in (
                            ("p", caption.target),
                            ("g", caption.general),
                            ("none", ""),
                        )
                    },
                }
                for name in ("g", "none"):
                    means[name] = self.held.setdefault((b, name), means[name])
                change = dependence_change(means, t, levels, config.ddloss_norm)
                steps = len(levels)
                sums["dd"].append((t + 1) / steps * abs(change))
                power = 1 / config.time_power
                drawn = ((t + 1) / steps) ** power - (t / steps) ** power
                sums["denoising"].append(abs(change) / drawn)
        found = {name: float(np.mean(values)) for name, values in sums.items() if values}
        total = found["mse"] + config.ddloss * found.get("dd", 0.0)
        if config.pdloss:
            found["pd"] = self.prior_gap(batch)
            total += config.pdloss * found["pd"]
        if classes is not None:
            kept = [
                self.error(classes, b, self.output(classes, b, caption.text))
                for b, caption in enumerate(classes.captions)
            ]
            found["mse"] += config.prior_weight * float(np.mean(kept))
            total += config.prior_weight * float(np.mean(kept))
        return {**found, "total": total}

    def output(self, batch: Any, b: int, text: str | None) -> Array:
        """The network's answer for one sample under one text."""
        features = None if batch.features is None else batch.features[b : b + 1]
        with torch.no_grad():
            answer = self.stepper.trainee(
                batch.noisy[b : b + 1],
                batch.times[b : b + 1],
                None if text is None else [text],
                features,
            )
        return answer[0].numpy()

    @staticmethod
    def error(batch: Any, b: int, output: Array) -> float:
        """The mean over what counts of the squared error (DDPM, Eq. 14)."""
        squares = (output - batch.wanted[b].numpy()) ** 2
        if batch.weight is None:
            return float(squares.mean())
        weight = np.broadcast_to(batch.weight[b].numpy(), squares.shape)
        return float((weight * squares).sum() / weight.sum())

    def prior_gap(self, batch: Any) -> float:
        """``mean |cos(f_p, f_g) − cos(f_s, f_g)|`` over targets and general texts (Eq. 14)."""
        job, trainee = self.stepper.job, self.stepper.trainee
        targets = [caption.target for caption in batch.captions]
        if trainee.projection is None:
            targets = sorted(set(targets))
        with torch.no_grad():
            words = trainee.words(batch.features, len(targets))
            f_p = [
                job.projector.texts([text], word)[0].numpy()
                for text, word in zip(targets, words, strict=True)
            ]
        f_s, f_g = (part.numpy() for part in job.prior)
        return float(np.mean([abs(cosine(p, g) - cosine(f_s[0], g)) for p in f_p for g in f_g]))


@contextmanager
def start_mark_held(network: nn.Module) -> Iterator[None]:
    """Custom Diffusion's keys and values of the first token, as they were when first seen.

    Its authors' code, and diffusers' after it, stops their gradient. The start mark's state is the
    same in every text, so that they depend on the weights alone.
    """
    kept: dict[str, torch.Tensor] = {}

    def hold(name: str, output: torch.Tensor) -> torch.Tensor:
        first = kept.setdefault(name, output[:1, :1].detach())
        return torch.cat([first.expand(len(output), -1, -1), output[:, 1:]], dim=1)

    handles = [
        module.register_forward_hook(lambda _m, _args, output, name=name: hold(name, output))
        for name, module in network.named_modules()
        if name.endswith(("to_k_custom_diffusion", "to_v_custom_diffusion"))
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def posterior_mean(output: Array, x_t: Array, t: int, levels: Array, kind: str) -> Array:
    """The mean of ``q(x_{t−1} | x_t, x_0)`` at the predicted x_0 (Ho et al. 2020, Eq. 7)."""
    now, before = levels[t], levels[t - 1] if t else 1.0
    if kind == "v_prediction":
        x_0 = np.sqrt(now) * x_t - np.sqrt(1 - now) * output
    else:
        x_0 = (x_t - np.sqrt(1 - now) * output) / np.sqrt(now)
    alpha = now / before
    return (np.sqrt(before) * (1 - alpha) * x_0 + np.sqrt(alpha) * (1 - before) * x_t) / (1 - now)


def dependence_change(means: Mapping[str, Array], t: int, levels: Array, norm: str) -> float:
    """``D_t`` (ACCORD, Eq. 8), over twice the posterior's variance."""
    t = max(t, 1)
    now, before = levels[t], levels[t - 1]
    variance = (1 - now / before) * (1 - before) / (1 - now)
    sums = {name: float(((means["pg"] - means[name]) ** 2).sum()) for name in ("p", "g", "none")}
    count = means["pg"].size if norm == "mean" else 1
    return (sums["p"] + sums["g"] - sums["none"]) / count / (2 * variance)


def cosine(one: Array, other: Array) -> float:
    return float(one @ other / np.sqrt((one @ one) * (other @ other)))
