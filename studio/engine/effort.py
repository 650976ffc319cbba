"""Rows almost for free: what a row changes is run again only when it would matter.

Approximate, by name (``sampler.effort``), never the default. The guided prediction is
``Σ_j a_j·ε_j`` with ``Σ_j a_j = 1``, so with any pass ``A`` as anchor it is

    ε̂ = ε_A + Σ_j a_j·d_j,      d_j = ε_j − ε_A.

The anchor is, of the passes that run, the one that counts most from here on. A direction ``d_j``
changes slowly along the denoising, and so does the anchor's own ``ε_A = d_A``, with ``a_A = 1``. In
between each is extrapolated from its last two refreshes, linearly in ``λ = log(α/σ)`` and with half
of the slope (measured: less error than with all or with none of it):

    d̂(λ) = d₁ + γ·(d₁ − d₂)·(λ − λ₁)/(λ₁ − λ₂),      γ = 1/2.

**Predicted error.** At every refresh the extrapolation is compared with what the network says; the
error per unit of λ, averaged with the one before, is the direction's rate ``r_j``, and
``e_j = r_j·|λ − λ₁|`` what it will be off at ``λ``; at ``λ₁`` itself, where a solver of second order
asks twice, the latent alone has moved, and it counts as half of the way before. In the finished latent that is about
``W·|a_j|·e_j``: with ``ρ = σ/α`` and ``y = z/α`` a sampler integrates ``dy = ε dρ``, and for data
of unit variance a change of ``y`` at ``ρ`` ends as ``1/√(1 + ρ²)`` of itself. So an evaluation
weighs ``W = ½|ρ₋ − ρ₊|/√(1 + ρ²)``, ``ρ₋`` and ``ρ₊`` those of its neighbours.

**Rule.** A direction is refreshed when what it has added since its last refresh, with this
evaluation's share, would exceed its part of the allowed error: ``1/√n`` of it for ``n`` of them, the
anchor's own included, whose errors are taken to have nothing to do with each other. With any of them
the anchor runs, and whatever would be due within the next two evaluations: so they come together
(measured: fewer evaluations, at less error), and between them no network may run at all. The first
evaluations and the last are whole; so is a pass that has not run at two noise levels yet and been
found out at a third, such as one whose row's range has only begun, and every evaluation at which the
anchor changes. What a refinement goes by runs everywhere, and the anchor with it, so that nothing
there comes earlier than it must.

Two-pass caches of the same kind exist for plain guidance (Lv et al. 2024, FasterCache; Castillo et
al. 2023, Adaptive Guidance); the rule for any number of rows, and its error, are the studio's own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from studio.diffusion.parameterisation import from_epsilon, to_epsilon
from studio.plan import Plan

FIRST, LAST = 4, 1  # evaluations that are whole
AHEAD = 2  # evaluations within which what would be due is refreshed with what is
DAMPING = 0.5  # γ
FARTHEST = 7.0  # |λ| beyond which a noise level counts as this one
_SAME = 1e-6  # of two λ

Sample = tuple[int, int]  # a pass, and an image of the batch
Level = tuple[Tensor, Tensor]  # α and σ of the noisy latent


@dataclass
class _Direction:
    """What is known of one pass for one image: refreshes (λ, d), newest last, and its rate.

    ``added``: what not running it has added since the last refresh.
    """

    seen: list[tuple[float, Tensor]] = field(default_factory=list)
    rate: float | None = None
    added: float = 0.0

    def at(self, now: float) -> Tensor:
        """``d̂(λ)``."""
        (before, old), (last, new) = self.seen[-2:]
        return new + DAMPING * (new - old) * ((now - last) / (last - before))

    def error(self, now: float) -> float:
        """``e = r·|λ − λ₁|``, where a rate is known."""
        assert self.rate is not None
        (before, _), (last, _) = self.seen
        same = abs(now - last) < _SAME
        return self.rate * (abs(last - before) / 2 if same else abs(now - last))

    def refresh(self, now: float, direction: Tensor) -> None:
        """Note what the network said, and how far off the extrapolation would have been."""
        self.added = 0.0
        if self.seen and abs(now - self.seen[-1][0]) < _SAME:
            self.seen[-1] = (self.seen[-1][0], direction)  # the same level again: the newer one
            return
        if len(self.seen) == 2:
            off = float((self.at(now) - direction).square().mean().sqrt())
            rate = off / abs(now - self.seen[-1][0])
            self.rate = rate if self.rate is None else (rate + self.rate) / 2
        self.seen = [*self.seen[-1:], (now, direction)]


class Controller:
    """Chooses what a run's denoiser runs, and completes what it does not.

    Args:
        allowed: what all directions may together add to the finished latent before a refresh.
        plan: what would run at every evaluation.
        levels: ``(α, σ)`` of every evaluation of the run, in order; for what each of them weighs.
        images: pictures of the batch; each is judged for itself.

    """

    def __init__(
        self, allowed: float, plan: Plan, levels: Sequence[Level], images: int = 1
    ) -> None:
        self.allowed = allowed
        self.plan = plan
        self._ratios = [_log_ratio(*level) for level in levels]
        self.weights = _weights([math.exp(-ratio) for ratio in self._ratios])
        self.images = images
        self.anchor = -1
        self._squares = [0.0] * images
        self._counts = [plan.counts(step) for step in range(plan.steps)]
        self._known: dict[Sample, _Direction] = {}
        self._dtype = torch.float32  # of what the networks say, once they have

    def due(self, step: int) -> list[Sample]:
        """The samples to run at evaluation ``step``, a pass's images beside each other."""
        counts = self._counts[step]
        if self.anchor not in counts:
            self.anchor = self._foremost(step)
            self._known.clear()
        due = {(index, image) for image in range(self.images) for index in self._due(step, image)}
        return [
            (index, image)
            for index in counts
            for image in range(self.images)
            if (index, image) in due
        ]

    def _due(self, step: int, image: int) -> set[int]:
        """The passes to run for one image; what not running the others adds is counted."""
        counts = self._counts[step]
        if not FIRST <= step < self.plan.steps - LAST:
            return set(counts)
        kept = self.plan.kept(step)
        kept |= {self.anchor} if kept else set()
        allowed = self.allowed / math.sqrt(max(1, len(counts) - len(kept)))

        def after(until: int) -> dict[int, float]:
            return {index: self._after((index, image), step, until) for index in counts}

        now = after(step)
        due = kept | {index for index, added in now.items() if added > allowed}
        # Where something runs at every step, nothing is won by coming together.
        if due and not kept:
            soon = after(step + AHEAD)
            due |= {self.anchor} | {index for index, added in soon.items() if added > allowed}
        for index in counts.keys() - due:
            known = self._known[index, image]
            self._squares[image] += now[index] ** 2 - known.added**2
            known.added = now[index]
        return set(due)

    def _after(self, sample: Sample, step: int, until: int) -> float:
        """What a direction will have added if it isn't run from ``step`` to ``until``."""
        known = self._known.get(sample)
        if known is None or known.rate is None:  # too little is known of it
            return math.inf
        index, _ = sample
        return known.added + math.fsum(
            self.weights[one]
            * (1.0 if index == self.anchor else self._counts[one].get(index, 0.0))
            * known.error(self._ratios[one])
            for one in range(step, min(until + 1, self.plan.steps))
        )

    def estimate(self, image: int) -> float:
        """The error that is expected in an image's finished latent, as a root mean square.

        What a direction adds between two refreshes sums up; what different ones add, or one after
        a refresh, is taken to have nothing to do with each other: ``√(Σ added²)``.
        """
        return math.sqrt(self._squares[image])

    def _foremost(self, step: int) -> int:
        """Of the passes that run at ``step`` the one that counts most from there on."""
        following = self._counts[step:]
        return max(
            self._counts[step],
            key=lambda index: (math.fsum(one.get(index, 0.0) for one in following), -index),
        )

    def completed(
        self, step: int, ran: Mapping[Sample, Tensor], z: Tensor, level: Level, kind: str
    ) -> dict[int, Tensor]:
        """Every pass's prediction: as it ran, or as it is extrapolated.

        Args:
            ran: what the networks said, each (channels, h, w), predicting ``kind`` already.
            z: the noisy latents (images, channels, h, w) at noise ``level``.
            kind: the parameterisation of ``ran`` and of what is returned.
        """
        found: dict[int, list[Tensor]] = {index: [] for index in self._counts[step]}
        self._dtype = next((output.dtype for output in ran.values()), self._dtype)
        now = self._ratios[step]
        for image in range(self.images):
            said = {index: ran[index, image] for index in found if (index, image) in ran}
            noises = {i: to_epsilon(_wide(y), z[image], *level, kind) for i, y in said.items()}
            anchor = self._known.setdefault((self.anchor, image), _Direction())
            ground = noises[self.anchor] if self.anchor in said else anchor.at(now)
            for index, outputs in found.items():
                known = self._known.setdefault((index, image), _Direction())
                foot = torch.zeros_like(ground) if known is anchor else ground
                if index in said:
                    known.refresh(now, noises[index] - foot)
                    outputs.append(said[index])
                else:
                    held = from_epsilon(foot + known.at(now), z[image], *level, kind)
                    outputs.append(held.to(self._dtype))
        return {index: torch.stack(outputs) for index, outputs in found.items()}


def _log_ratio(alpha: float | Tensor, sigma: float | Tensor) -> float:
    """``log(α/σ)``, within what a picture's noise levels are."""
    alpha, sigma = float(alpha), float(sigma)
    if alpha <= 0 or sigma <= 0:
        return -FARTHEST if alpha <= 0 else FARTHEST
    return min(FARTHEST, max(-FARTHEST, math.log(alpha / sigma)))


def _weights(ratios: Sequence[float]) -> list[float]:
    """``W`` of every evaluation, from ``ρ`` of each; after the last there is no noise."""
    before, after = [ratios[0], *ratios[:-1]], [*ratios[1:], 0.0]
    return [
        abs(low - high) / 2 / math.sqrt(1 + own**2)
        for low, own, high in zip(before, ratios, after, strict=True)
    ]


def _wide(tensor: Tensor) -> Tensor:
    """At least float32; float64 stays."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))
