"""From a preset's rows to the fewest distinct network passes and their coefficients.

Every guidance is a linear combination of distinct predictions, found before the first step:

    ε̂(z, t) = Σ_j a_j(t) · ε_j(z),      Σ_j a_j(t) = 1

A row adds ``w·(ε_row − r)`` to the base term ``ε_0`` (GCFG, Eq. 3 and Algorithm 1). The base term
is the unconditional prediction under interpolated weights ``θ_ω`` (Steering Guidance, Eq. 7-9).
Compiling is pure: no tensor and no network is needed to do it, print it or test it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import fsum

from studio.library import ModelEntry
from studio.plan.passes import (
    EVERYWHERE,
    Direction,
    Pass,
    Plan,
    Refine,
    Term,
    Weights,
    merged,
)
from studio.plan.terms import Key, Terms
from studio.preset import Preset

# Coefficients that cancel leave rounding behind: 1 − .1 − .2 − .7 is not 0 even under fsum.
CANCELLED = 1e-6

_Layers = dict[str, dict[Key, float]]  # mask → pass → coefficient


def compile_plan(
    preset: Preset,
    catalogue: Mapping[str, ModelEntry],
    progress: Sequence[float] | None = None,
) -> Plan:
    """Find the passes of ``preset`` and their coefficients per step.

    Args:
        preset: the rows, ω, decoupling and refinements.
        catalogue: id → entry, for each model's kind and latent space.
        progress: for each step, how much of the noise level is behind it, in [0, 1); by default
            that of a uniform schedule from the preset's first step on.

    Raises:
        MissingModel: an unknown id; names ``base`` or ``rows.N.model``.
        IncompatibleModels: rows of another latent space, or an id of a kind that is no row model.
    """
    if progress is None:
        total = preset.sampler.steps
        progress = [step / total for step in range(preset.first_step, total)]
    terms = Terms(preset, catalogue)
    refine = _refine(preset)
    steps = [_step(refine, terms, now) for now in progress]
    keys = sorted(
        {key for step in steps for key in step.passes()},
        key=lambda k: (k[0] != Weights(preset.base), k[0], k[1].sort_key()),
    )
    place = {key: number for number, key in enumerate(keys)}
    owners = _owners(steps)
    return Plan(
        passes=tuple(_pass(key, owners[key], steps) for key in keys),
        steps=len(progress),
        terms=_terms(steps, place),
        prior=preset.base,
        unconditional=tuple(place.get(step.unconditional) for step in steps),
        masks=_masks(preset),
        refine=refine,
    )


@dataclass
class _Step:
    """One step: ``ε_0``, what each row adds, the sum, the refinements' reference and needs."""

    unconditional: Key
    rows: dict[int, Direction[Key]]
    sums: _Layers
    reference: _Layers = field(default_factory=dict)
    wanted: set[Key] = field(default_factory=set)

    def passes(self) -> set[Key]:
        return self.wanted.union(*self.sums.values())


def _step(refine: Refine, terms: Terms, now: float) -> _Step:
    active = terms.active(now)
    unconditional = terms.unconditional((i, row) for i, row, _ in active)
    rows = {i: terms.direction(i, row, w, unconditional) for i, row, w in active}
    step = _Step(unconditional, rows, _sum(unconditional, rows.values()))
    distinct = merged(rows.values())
    if refine.rescale or refine.projects:
        positive = [Direction(d.mask, d.unit, 1.0) for d in distinct if d.weight > 0]
        step.reference = _sum(unconditional, positive)
        step.wanted.update(*step.reference.values())
    if refine.projects:  # every direction is projected for itself
        step.wanted.update(*(d.unit for d in distinct))
    if refine.projects or refine.cfgpp:
        step.wanted.add(unconditional)
    return step


def _sum(unconditional: Key, directions: Iterable[Direction[Key]]) -> _Layers:
    """``ε_0 + Σ w·mask⊙(ε_row − r)``, without what cancels."""
    sums: dict[str, dict[Key, list[float]]] = defaultdict(lambda: defaultdict(list))
    sums[EVERYWHERE][unconditional].append(1.0)
    for direction in directions:
        for key, share in direction.unit.items():
            sums[direction.mask][key].append(direction.weight * share)
    return {mask: _without_cancelled(layer) for mask, layer in sums.items()}


def _without_cancelled(sums: Mapping[Key, list[float]]) -> dict[Key, float]:
    exact = {key: fsum(values) for key, values in sums.items()}
    threshold = CANCELLED * max(1.0, fsum(abs(value) for value in exact.values()))
    return {key: value for key, value in exact.items() if abs(value) >= threshold}


def _owners(steps: Sequence[_Step]) -> dict[Key, set[int]]:
    """The rows that each pass serves, as prediction or as reference."""
    owners: dict[Key, set[int]] = defaultdict(set)
    for index, unit in {
        (i, id(d.unit)): (i, d.unit) for s in steps for i, d in s.rows.items()
    }.values():
        for key in unit:
            owners[key].add(index)
    return owners


def _masks(preset: Preset) -> dict[str, str]:
    """Each mask in use, and the field that it is first given in."""
    masks: dict[str, str] = {}
    for index, row in preset.active_rows():
        if row.mask:
            masks.setdefault(row.mask, f"rows.{index}.mask")
    return masks


def _pass(key: Key, rows: Iterable[int], steps: Sequence[_Step]) -> Pass:
    layers = _over_steps(key, [step.sums for step in steps])
    return Pass(
        *key,
        coefficients=layers.pop(EVERYWHERE, (0.0,) * len(steps)),
        rows=tuple(sorted(rows)),
        masked=layers,
        reference=_over_steps(key, [step.reference for step in steps]),
        wanted=frozenset(number for number, step in enumerate(steps) if key in step.wanted),
    )


def _over_steps(key: Key, steps: Sequence[_Layers]) -> dict[str, tuple[float, ...]]:
    """The coefficients of one pass by mask; masks under which it never counts are left out."""
    masks = sorted({mask for layers in steps for mask, layer in layers.items() if key in layer})
    return {mask: tuple(layers.get(mask, {}).get(key, 0.0) for layers in steps) for mask in masks}


def _terms(steps: Sequence[_Step], place: Mapping[Key, int]) -> dict[int, Term]:
    """Each row's term. One whose pass was cancelled cannot be measured, and is left out whole."""
    found = {}
    for index in sorted({index for step in steps for index in step.rows}):
        own = [step.rows.get(index) for step in steps]
        keys = dict.fromkeys(key for d in own if d for key in d.unit)
        if all(key in place for key in keys):
            found[index] = Term(
                mask=next(d.mask for d in own if d),
                weights=tuple(d.weight if d else 0.0 for d in own),
                parts={
                    place[key]: tuple(d.unit.get(key, 0.0) if d else 0.0 for d in own)
                    for key in keys
                },
            )
    return found


def _refine(preset: Preset) -> Refine:
    apg = preset.apg
    return Refine(preset.guidance_rescale, apg.eta, apg.norm_threshold, apg.momentum, preset.cfgpp)
