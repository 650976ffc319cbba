"""From the passes' predictions at one step to the guided one: sum, masks, refinements, diagnostics.

Knows a plan's coefficients and tensors; no network, prompt or device.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from studio.diffusion import guidance, parameterisation
from studio.diffusion.parameterisation import Prediction
from studio.engine.explain import Explainer
from studio.events import Drift, RowShare
from studio.plan import Plan
from studio.plan.passes import EVERYWHERE, Area, Direction, Term, Weights

Level = tuple[Tensor, Tensor]  # α and σ of the noisy latent


@dataclass
class Assembly:
    """Combines predictions of one run; what refinements remember lives as long as it does.

    Args:
        plan: coefficients per step.
        prediction: the parameterisation in which the sum is returned (the scheduler's).
        masks: mask image or area → map of shape (1, 1, h, w) in [0, 1], at the latents' size.
        explainer: keeps what the rows pull towards, where that was asked for.

    ``sizes`` and ``drifts`` hold one entry per step: row → (norm, cosine) of its term, and
    weights → ``‖ε_θ′(z, φ) − ε_θ(z, φ)‖`` where both passes run. Norms are root mean squares over the
    whole batch, of noises, whatever the scheduler's parameterisation.
    """

    plan: Plan
    prediction: str
    masks: Mapping[str | Area, Tensor] = field(default_factory=dict)
    explainer: Explainer | None = None
    sizes: list[Mapping[int, tuple[float, float]]] = field(default_factory=list)
    drifts: list[Mapping[Weights, float]] = field(default_factory=list)
    _memory: dict[Hashable, Any] = field(default_factory=dict)

    def combine(
        self,
        step: int,
        outputs: Mapping[int, Tensor],
        kinds: Mapping[int, str],
        z: Tensor,
        level: Level,
        aside: Mapping[int, Tensor] | None = None,
    ) -> Prediction:
        """The guided prediction, and for CFG++ the one whose noise is put back.

        Args:
            step: from 0.
            outputs: pass index → what its network returned, for the passes that run.
            kinds: pass index → that network's parameterisation.
            z: the noisy latents (batch, channels, h, w), at noise ``level``.
            aside: pass index → prediction, in the scheduler's parameterisation, of what ran for a
                diagnosis; the sum knows nothing of it.
        """
        outputs = {
            index: self.as_scheduled(output, z, level, kinds[index])
            for index, output in outputs.items()
        }
        outputs, aside = self._with_mixtures(step, outputs), aside or {}
        self._measure(step, {**aside, **outputs}, {**outputs, **aside}, level)
        guided = Prediction(self._sum(self._layers(step, "sum"), outputs))
        if self.plan.refine.chosen:
            moment = self._moment(step, outputs, z, level)
            guided = guidance.refined(guided, moment, self.plan.refine)
        if self.explainer is not None:
            self.explainer.look(step, {**aside, **outputs}, guided.output, z, level)
        return guided

    def as_scheduled(self, output: Tensor, z: Tensor, level: Level, kind: str) -> Tensor:
        """A network's output in the scheduler's parameterisation."""
        if kind == self.prediction:
            return output
        eps = parameterisation.to_epsilon(_wide(output), z, *level, kind)
        return parameterisation.from_epsilon(eps, z, *level, self.prediction)

    def _moment(
        self, step: int, outputs: Mapping[int, Tensor], z: Tensor, level: Level
    ) -> guidance.Moment:
        """What the refinements of the plan see of a step."""
        refine, base = self.plan.refine, self.plan.unconditional[step]
        return guidance.Moment(
            z,
            *level,
            self.prediction,
            _wide(outputs[base]) if refine.needs("base") and base is not None else None,
            self._sum(self._layers(step, "reference"), outputs)
            if refine.needs("reference")
            else None,
            [self._vector(one, outputs) for one in self.plan.directions(step)]
            if refine.needs("directions")
            else (),
            self._memory,
        )

    def _vector(self, direction: Direction[int], outputs: Mapping[int, Tensor]) -> guidance.Vector:
        mask = self.masks[direction.mask] if direction.mask else None
        unit = self._unit(direction, outputs)
        return guidance.Vector(direction.weight, unit, mask, direction.rows)

    def _with_mixtures(self, step: int, outputs: Mapping[int, Tensor]) -> dict[int, Tensor]:
        """The passes' predictions, and the base terms that are made of several of them."""
        found = dict(outputs)
        for number, mixed in enumerate(self.plan.mixtures, len(self.plan.passes)):
            if mixed.runs(step):
                layers = mixed.layers_of_passes()
                found[number] = guidance.masked_sum(outputs, layers, self.masks)
        return found

    def _layers(self, step: int, which: str) -> dict[str, dict[int, float]]:
        """mask → pass → coefficient at ``step``, of the sum or of the reference."""
        layers: dict[str, dict[int, float]] = {EVERYWHERE: {}}
        for index, item in enumerate(self.plan.predictions):
            for mask, a in (item.layers() if which == "sum" else item.reference).items():
                if a[step] != 0:
                    layers.setdefault(mask, {})[index] = a[step]
        return layers

    def _sum(
        self, layers: Mapping[str, Mapping[int, float]], outputs: Mapping[int, Tensor]
    ) -> Tensor:
        return guidance.masked_sum(outputs, layers, self.masks)

    def _unit(self, direction: Direction[int], outputs: Mapping[int, Tensor]) -> Tensor:
        """``mask ⊙ (ε_row − r)``."""
        return self._sum({direction.mask: direction.unit}, outputs)

    def _measure(
        self, step: int, outputs: Mapping[int, Tensor], ran: Mapping[int, Tensor], level: Level
    ) -> None:
        """Note each row's part, and how far personalised weights lead without a prompt.

        Args:
            outputs: as the sum has them. ran: those that a diagnosis ran in place of what was
                extrapolated.
        """
        scale = abs(float(parameterisation.noise_scale(*level, self.prediction)))
        terms = {row: term.at(step) for row, term in self.plan.terms.items() if term.acts(step)}
        vectors = {
            row: one.weight * self._unit(one, outputs)
            for row, one in terms.items()
            if step not in self.plan.terms[row].missing and one.unit.keys() <= outputs.keys()
        }
        self.sizes.append(guidance.term_sizes(vectors, scale))
        null = {
            item.weights: ran[index]
            for index, item in enumerate(self.plan.passes)
            if index in ran and item.condition.is_null and not item.condition.blank
        }
        prior = null.pop(Weights(self.plan.base_at(step)), None)
        self.drifts.append(
            {}
            if prior is None
            else {
                weights: scale * float((output.float() - prior.float()).square().mean().sqrt())
                for weights, output in null.items()
            }
        )


def row_shares(assembly: Assembly) -> tuple[RowShare, ...]:
    """Each row's part over the steps so far."""
    steps = assembly.sizes

    def share(row: int, term: Term) -> RowShare:
        norm, cosine = (
            tuple(sizes[row][which] if row in sizes else None for sizes in steps)
            for which in (0, 1)
        )
        missing = (n for n, sizes in enumerate(steps) if term.acts(n) and row not in sizes)
        return RowShare(row, norm, cosine, tuple(missing))

    return tuple(share(row, term) for row, term in sorted(assembly.plan.terms.items()))


def drifts(assembly: Assembly) -> tuple[Drift, ...]:
    """The unconditional drift of each personalised network over the steps so far."""
    found = dict.fromkeys(weights for step in assembly.drifts for weights in step)
    return tuple(
        Drift(str(weights), tuple(step.get(weights) for step in assembly.drifts))
        for weights in found
    )


def _wide(tensor: Tensor) -> Tensor:
    """At least float32; float64 stays."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))
