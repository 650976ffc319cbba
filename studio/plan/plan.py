"""The plan: a preset's passes with their coefficients per step, what they cost, and both in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from studio.plan.equation import in_words
from studio.plan.passes import Area, Direction, Look, Mixture, Pass, Share, Term, merged
from studio.preset.refinements import Refine


@dataclass(frozen=True)
class Window:
    """A tile of the picture, in pixels."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class Plan:
    """The passes of a preset, and each row's own term in them.

    ``unit``: what ``steps`` counts, ``evaluation`` where the scheduler's steps take more than one.
    ``prior``: id of the base θ; ``priors``: of what stands in its place, per step.
    ``unconditional``: per step the index of the pass that is ``ε_0``, ``None`` where it never runs. ``masks``: mask image → the field that it was first
    given in. ``refine``: what is applied to the sum. ``mixtures``: base terms that are made of
    several passes; as predictions they are numbered after the passes, and cost nothing. ``notes``:
    what to know before it runs, a line each. ``looks``: the steps at which it is kept what the rows
    pull towards, where that was asked for. ``tiles``: in which every pass runs; none for the whole
    picture at once. ``second``: of the second pass, where the preset asks for one. ``detail``: of each
    part of the picture that is made again, which ``forwards_total`` leaves out: how many are found is
    seen only then. ``rounds``: how many times the picture goes through before either; ``steps`` and
    ``forwards_per_step`` are of one.
    """

    passes: tuple[Pass, ...]
    steps: int
    terms: Mapping[int, Term] = field(default_factory=dict)
    prior: str = ""
    priors: tuple[str, ...] = ()
    unconditional: tuple[int | None, ...] = ()
    masks: Mapping[str, str] = field(default_factory=dict)
    refine: Refine = field(default_factory=Refine)
    mixtures: tuple[Mixture, ...] = ()
    notes: tuple[str, ...] = ()
    unit: str = "step"
    looks: tuple[Look, ...] = ()
    tiles: tuple[Window, ...] = ()
    second: Plan | None = None
    detail: Plan | None = None
    rounds: int = 1

    @property
    def predictions(self) -> tuple[Pass | Mixture, ...]:
        """Everything that has a coefficient: the passes, then the mixtures."""
        return self.passes + self.mixtures

    @property
    def areas(self) -> tuple[Area, ...]:
        """The areas that the mixtures need maps of."""
        return tuple(dict.fromkeys(area for mixed in self.mixtures for area, _ in mixed.parts))

    @property
    def forwards_per_step(self) -> tuple[int, ...]:
        """Network sample-evaluations per step and image."""
        tiles = max(1, len(self.tiles))
        return tuple(tiles * sum(p.runs(s) for p in self.passes) for s in range(self.steps))

    @property
    def forwards_total(self) -> int:
        """Network sample-evaluations of the whole run, all rounds and the second pass, per image."""
        own = self.rounds * sum(self.forwards_per_step)
        return own + (self.second.forwards_total if self.second else 0)

    @property
    def forwards_expected(self) -> int:
        """The same with one part of the picture made again, where the preset asks for parts."""
        return self.forwards_total + (self.detail.forwards_total if self.detail else 0)

    def with_later(self) -> Iterator[Plan]:
        """This plan, that of the second pass and that of a part that is made again, as far as there are."""
        yield from filter(None, (self, self.second, self.detail))

    @property
    def others(self) -> set[str]:
        """Ids of what stands in the base's place at some step."""
        return set(self.priors) - {self.prior}

    def base_at(self, step: int) -> str:
        """Id of what is the base at ``step``."""
        return self.priors[step] if self.priors else self.prior

    def active(self, step: int) -> tuple[int, ...]:
        """Indices of the passes that the guided prediction needs at ``step`` (from 0)."""
        return tuple(i for i, p in enumerate(self.passes) if p.guides(step))

    def measured(self, step: int) -> tuple[int, ...]:
        """Indices of the passes that a diagnosis needs at ``step``, whatever else needs them."""
        return tuple(i for i, p in enumerate(self.passes) if step in p.measured)

    def counts(self, step: int) -> dict[int, float]:
        """The active passes of ``step``, each with the largest size of its coefficient anywhere.

        A pass that a mixture is made of counts what the mixture does; one that is needed and is no
        part of the sum counts 1.
        """
        found = {index: self.passes[index].size(step) for index in self.active(step)}
        for mixed in self.mixtures:
            for index in mixed.made_of() & found.keys():
                found[index] += mixed.size(step)
        return {index: size or 1.0 for index, size in found.items()}

    def kept(self, step: int) -> frozenset[int]:
        """The passes that are needed for themselves at ``step``, not as parts of the sum alone.

        It is ``ε_0`` where a refinement goes by it.
        """
        base = self.unconditional[step] if self.refine.needs("base") else None
        if base is None:
            return frozenset()
        own = base < len(self.passes)
        return frozenset((base,)) if own else self.mixtures[base - len(self.passes)].made_of()

    def directions(self, step: int) -> list[Direction[int]]:
        """What the rows add to ``ε_0`` at ``step``, equal directions as one."""
        own = ((row, t.at(step)) for row, t in self.terms.items() if step not in t.missing)
        return merged(replace(one, rows=(row,)) for row, one in own if one.weight != 0)

    def as_dict(self) -> dict[str, object]:
        """The command line's JSON."""
        refined = {"refinements": self.refine.words()} if self.refine.chosen else {}
        noted: dict[str, object] = {"notes": list(self.notes)} if self.notes else {}
        if self.tiles:
            noted["tiles"] = len(self.tiles)
        if self.rounds > 1:
            noted["rounds"] = self.rounds
        if self.second:
            noted["second_pass"] = self.second.as_dict()
        if self.detail:
            noted["detail"] = self.detail.as_dict()
        mixed = {"mixtures": [self._mixture_as_dict(m) for m in self.mixtures]}
        return {
            "passes": [self._pass_as_dict(p) for p in self.passes],
            **(mixed if self.mixtures else {}),
            "forwards_per_step": list(self.forwards_per_step),
            "forwards_total": self.forwards_total,
            **refined,
            **noted,
        }

    def _pass_as_dict(self, item: Pass) -> dict[str, object]:
        found: dict[str, object] = {
            "model": item.weights.model,
            "weights": str(item.weights),
            "condition": str(item.condition),
            **self._share_as_dict(item),
        }
        if item.wanted or item.mixed or item.measured:
            found["runs"] = [item.runs(step) for step in range(self.steps)]
        return found

    def _mixture_as_dict(self, item: Mixture) -> dict[str, object]:
        parts = [
            {
                "pass": index,
                "inside": [self.masks[mask] for mask in area.inside],
                "outside": [self.masks[mask] for mask in area.outside],
            }
            for area, index in item.parts
        ]
        return {"elsewhere": item.ground, "parts": parts, **self._share_as_dict(item)}

    def _share_as_dict(self, item: Share) -> dict[str, object]:
        found: dict[str, object] = {"coefficients": list(item.coefficients)}
        if item.masked:
            found["masks"] = {self.masks[mask]: list(a) for mask, a in item.masked.items()}
        if item.reference:
            found["reference"] = {
                self.masks.get(mask, "everywhere"): list(b) for mask, b in item.reference.items()
            }
        return found

    def in_rows_order(self) -> list[int]:
        """The predictions as a person reads them: ``ε_0``, passes as the rows stand, mixtures."""
        count = len(self.passes)
        order = sorted(
            range(count),
            key=lambda i: (
                i not in self.unconditional,
                not self.passes[i].rows,
                self.passes[i].rows,
            ),
        )
        return [*order, *range(count, len(self.predictions))]

    def __str__(self) -> str:
        names = {mask: f"M{int(name.split('.')[1]) + 1}" for mask, name in self.masks.items()}
        bases = [f"ε_0{'′' * number}" for number in range(len(self.mixtures))]
        terms = [*map(str, self.passes), *bases]
        layers = [(terms[i], self.predictions[i].layers()) for i in self.in_rows_order()]
        lines = in_words(layers, self.steps, names, self.unit)
        for base, mixed in zip(bases, self.mixtures, strict=True):
            parts = (f"{self.passes[i]} in {area.in_words(names)}" for area, i in mixed.parts)
            lines.append(f"with {base} = {'; '.join(parts)}; {self.passes[mixed.ground]} elsewhere")
        if self.refine.chosen:
            extra = [
                name
                for name, item in zip(terms, self.predictions, strict=True)
                if any(not item.counts(step) for step in item.wanted)
            ]
            needs = f" (needs {', '.join(extra)} too)" if extra else ""
            lines.append(f"then {', '.join(self.refine.words())}{needs}")
        return "\n".join(lines)
