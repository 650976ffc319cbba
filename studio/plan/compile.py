"""From a preset's rows to the fewest distinct network passes and their coefficients.

Every guidance is a linear combination of distinct predictions, found before the first step:

    ε̂(z, t) = Σ_j a_j(t) · ε_j(z),      Σ_j a_j(t) = 1

A row adds ``w·(ε_row − r)`` to the base term ``ε_0`` (GCFG, Eq. 3 and Algorithm 1). The base term
is the unconditional prediction under interpolated weights ``θ_ω`` (Steering Guidance, Eq. 7-9),
place by place where personalised rows have masks (:meth:`studio.plan.terms.Terms.base`).
Compiling is pure: no tensor and no network is needed to do it, print it or test it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import fsum
from typing import Any

from studio.library import ModelEntry
from studio.plan.limits import check_size
from studio.plan.looks import looked_at, looks
from studio.plan.moments import step_numbers, texts_of
from studio.plan.passes import EVERYWHERE, Direction, Mixture, Pass, Term, Weights, merged
from studio.plan.places import Meeting, every_set
from studio.plan.plan import Plan
from studio.plan.quantised import check_blends
from studio.plan.terms import Key, Mixed, Node, Terms
from studio.plan.turns import Turns
from studio.preset import Preset, Row
from studio.preset.effort import notes_of
from studio.preset.refinements import Refine

# Coefficients that cancel leave rounding behind: 1 − .1 − .2 − .7 is not 0 even under fsum.
CANCELLED = 1e-9

_Layers = dict[str, dict[Node, float]]  # mask → prediction → coefficient


def compile_plan(
    preset: Preset,
    catalogue: Mapping[str, ModelEntry],
    progress: Sequence[float] | None = None,
    meeting: Meeting = every_set,
    drift_every: int = 0,
    explain: bool = False,
) -> Plan:
    """Find the passes of ``preset`` and their coefficients per step.

    Args:
        preset: the rows, ω, decoupling and refinements.
        catalogue: id → entry, for each model's kind and latent space.
        progress: for each step, how much of the noise level is behind it, in [0, 1); by default
            that of a uniform schedule from the preset's first step on.
        meeting: which sets of masks meet somewhere; asked where personalised rows have masks
            (:func:`studio.plan.places.meeting_in` looks; by default all may).
        drift_every: at every so many steps run the null prompt on each personalised row's weights
            and on the prior, so that their drift (what GCFG, Fig. 2 shows) is measured; 0 for never.
        explain: look at a few steps at what the rows pull towards, and at the drift; the passes
            that only this needs are the null prompt's, and the sum has no part of them.

    Raises:
        BadPreset: personalised rows of too many different masks, or a plan that is too large.
        MissingModel: an unknown id; names ``base`` or ``rows.N.model``.
        IncompatibleModels: rows of another latent space, or an id of a kind that is no row model.
    """
    total = preset.sampler.steps
    if progress is None:
        progress = [step / total for step in range(preset.first_step, total)]
    check_size(preset, len(progress))
    turns = Turns(preset, catalogue, meeting)
    refine = preset.refine
    steps = _steps(refine, turns, progress)
    looked = looked_at(len(steps)) if explain else ()
    drifts = range(0, len(steps), drift_every) if drift_every > 0 else ()
    measured = _measured(steps, {*looked, *drifts}, looked)
    mixed = list(dict.fromkeys(node for step in _distinct(steps) for node in step.mixed))
    keys = sorted(
        {key for step in _distinct(steps) for key in step.passes()}.union(measured),
        key=lambda k: (k[0] != Weights(preset.base), k[0], k[1].sort_key()),
    )
    check_blends(catalogue, (key[0] for key in keys))
    place: dict[Node, int] = {node: number for number, node in enumerate([*keys, *mixed])}
    owners = _owners(steps)
    return Plan(
        passes=tuple(
            _pass(key, owners[key], turns.first, steps, measured.get(key, frozenset()))
            for key in keys
        ),
        steps=len(progress),
        unit="step" if len(progress) == total - preset.first_step else "evaluation",
        terms=_terms(steps, place),
        prior=preset.base,
        priors=tuple(step.terms.preset.base for step in steps),
        unconditional=tuple(place.get(step.unconditional) for step in steps),
        masks=_masks(preset),
        refine=refine,
        mixtures=tuple(_mixture(node, place, steps) for node in mixed),
        notes=(
            *refine.notes(_most_weight(steps)),
            *turns.notes([s.terms for s in steps], {i for s in steps for i in s.rows}),
            *notes_of(preset.sampler.effort),
        ),
        looks=tuple(
            looks(turns, [s.unconditional for s in steps], progress, place) if looked else ()
        ),
    )


@dataclass
class _Step:
    """One step: whose terms, ``ε_0``, what each row adds, the sum, the refinements' reference and needs."""

    terms: Terms
    unconditional: Node
    rows: dict[int, Direction[Node]]
    sums: _Layers
    reference: _Layers = field(default_factory=dict)
    wanted: set[Node] = field(default_factory=set)

    @cached_property
    def nodes(self) -> set[Node]:
        """Every prediction that this step needs; asked once the step is complete."""
        return self.wanted.union(*self.sums.values())

    @cached_property
    def mixed(self) -> list[Mixed]:
        return [node for node in self.nodes if isinstance(node, Mixed)]

    @cached_property
    def parts(self) -> set[Key]:
        """The passes that mixtures need."""
        return {key for node in self.mixed for key in node.passes()}

    def passes(self) -> set[Key]:
        """Every pass that this step needs."""
        return self.parts.union(n for n in self.nodes if not isinstance(n, Mixed))


def _steps(refine: Refine, turns: Turns, progress: Sequence[float]) -> list[_Step]:
    """One for each step; those at which the same rows act with the same texts and weights are one."""
    known: dict[tuple[Any, ...], _Step] = {}
    found = []
    numbers = step_numbers(turns.first.preset, len(progress))
    for now, number in zip(progress, numbers, strict=True):
        terms = turns.at(now)
        active = terms.active(now, number)
        key = (terms, *((index, texts_of(row), weight) for index, row, weight in active))
        if key not in known:
            known[key] = _step(refine, terms, active)
        found.append(known[key])
    return found


def _measured(
    steps: Sequence[_Step], drifts: Collection[int], looked: Collection[int]
) -> dict[Key, frozenset[int]]:
    """The null passes of a diagnosis, and the steps at which they run for it.

    Args:
        drifts: steps at which drift is measured. looked: those at which ``ε_0`` is looked at; one
            that is made of several passes is seen where it runs anyway.
    """
    found: dict[Key, set[int]] = defaultdict(set)
    for number in drifts:
        for key in steps[number].terms.drifting(steps[number].rows):
            found[key].add(number)
    for number in looked:
        base = steps[number].unconditional
        if not isinstance(base, Mixed):
            found[base].add(number)
    return {key: frozenset(numbers) for key, numbers in found.items()}


def _distinct(steps: Sequence[_Step]) -> list[_Step]:
    return list({id(step): step for step in steps}.values())


def _step(refine: Refine, terms: Terms, active: Sequence[tuple[int, Row, float]]) -> _Step:
    base = terms.base((i, row) for i, row, _ in active)
    rows = {i: terms.direction(i, row, w, base) for i, row, w in active}
    step = _Step(terms, base, rows, _sum(base, rows.values()))
    judged = refine.needs("reference") or refine.needs("directions")
    distinct = merged(rows.values()) if judged else []
    if refine.needs("reference"):
        positive = [Direction(d.mask, d.unit, 1.0) for d in distinct if d.weight > 0]
        step.reference = _sum(base, positive)
        step.wanted.update(*step.reference.values())
    if refine.needs("directions"):
        step.wanted.update(*(d.unit for d in distinct))
    if refine.needs("base"):
        step.wanted.add(base)
    return step


def _most_weight(steps: Sequence[_Step]) -> float:
    """The largest sum of positive weights at one step."""
    sums = (fsum(d.weight for d in step.rows.values() if d.weight > 0) for step in steps)
    return max(sums, default=0.0)


def _sum(base: Node, directions: Iterable[Direction[Node]]) -> _Layers:
    """``ε_0 + Σ w·mask⊙(ε_row − r)``, without what cancels."""
    sums: dict[str, dict[Node, list[float]]] = defaultdict(lambda: defaultdict(list))
    sums[EVERYWHERE][base].append(1.0)
    for direction in directions:
        for key, share in direction.unit.items():
            sums[direction.mask][key].append(direction.weight * share)
    return {mask: _without_cancelled(layer) for mask, layer in sums.items()}


def _without_cancelled(sums: Mapping[Node, list[float]]) -> dict[Node, float]:
    exact = {key: fsum(values) for key, values in sums.items()}
    threshold = CANCELLED * max(1.0, fsum(abs(value) for value in exact.values()))
    return {key: value for key, value in exact.items() if abs(value) >= threshold}


def _owners(steps: Sequence[_Step]) -> dict[Key, set[int]]:
    """The rows that each pass serves, as prediction or as reference."""
    owners: dict[Key, set[int]] = defaultdict(set)
    for index, unit in {
        (i, id(d.unit)): (i, d.unit) for s in _distinct(steps) for i, d in s.rows.items()
    }.values():
        for key in unit:
            if not isinstance(key, Mixed):
                owners[key].add(index)
    for key, index in {
        pair for step in _distinct(steps) for node in step.mixed for pair in node.owners
    }:
        owners[key].add(index)
    return owners


def _masks(preset: Preset) -> dict[str, str]:
    """Each mask in use, and the field that it is first given in."""
    masks: dict[str, str] = {}
    for index, row in preset.active_rows():
        if row.mask:
            masks.setdefault(row.mask, f"rows.{index}.mask")
    return masks


def _pass(
    key: Key,
    rows: Iterable[int],
    terms: Terms,
    steps: Sequence[_Step],
    measured: frozenset[int],
) -> Pass:
    served, names = tuple(sorted(rows)), key[0].names()
    own = tuple(row for row in served if terms.models[row].names & names)
    mixed = frozenset(number for number, step in enumerate(steps) if key in step.parts)
    return Pass(*key, rows=served, own=own, mixed=mixed, measured=measured, **_share(key, steps))


def _mixture(node: Mixed, place: Mapping[Node, int], steps: Sequence[_Step]) -> Mixture:
    parts = tuple((area, place[key]) for area, key in node.parts)
    return Mixture(place[node.ground], parts, **_share(node, steps))


def _share(key: Node, steps: Sequence[_Step]) -> dict[str, Any]:
    """What a prediction counts, as :class:`~studio.plan.passes.Share` holds it."""
    layers = _over_steps(key, [step.sums for step in steps])
    return {
        "coefficients": layers.pop(EVERYWHERE, (0.0,) * len(steps)),
        "masked": layers,
        "reference": _over_steps(key, [step.reference for step in steps]),
        "wanted": frozenset(number for number, step in enumerate(steps) if key in step.wanted),
    }


def _over_steps(key: Node, steps: Sequence[_Layers]) -> dict[str, tuple[float, ...]]:
    """The coefficients of one pass by mask; masks under which it never counts are left out."""
    distinct = {id(layers): layers for layers in steps}.values()
    masks = sorted({mask for layers in distinct for mask, layer in layers.items() if key in layer})
    return {mask: tuple(layers.get(mask, {}).get(key, 0.0) for layers in steps) for mask in masks}


def _terms(steps: Sequence[_Step], place: Mapping[Node, int]) -> dict[int, Term]:
    """Each row's term; at a step at which a pass of it was cancelled it cannot be measured."""
    found = {}
    for index in sorted({index for step in steps for index in step.rows}):
        own = [step.rows.get(index) for step in steps]
        keys = dict.fromkeys(key for d in own if d for key in d.unit)
        found[index] = Term(
            mask=next(d.mask for d in own if d),
            weights=tuple(d.weight if d else 0.0 for d in own),
            parts={
                place[key]: tuple(d.unit.get(key, 0.0) if d else 0.0 for d in own)
                for key in keys
                if key in place
            },
            missing=frozenset(
                n for n, d in enumerate(own) if d and not d.unit.keys() <= place.keys()
            ),
        )
    return found
