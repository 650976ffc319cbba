"""What a plan is made of: weights, conditions, passes with their coefficients. Values only."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from studio.plan.equation import in_words
from studio.preset import Control
from studio.preset.rows import ImagePrompt

EVERYWHERE = ""  # the layer of coefficients that no mask limits


@dataclass(frozen=True, order=True)
class Weights:
    """Which network weights a pass runs on.

    ``model``: id of a full network. ``blend``: pairs (id, fraction) of full fine-tunes θ′ whose
    difference is added, ``θ + Σ f·(θ′ − θ)``. ``loras``: pairs (id, scale) of adapters on top.
    """

    model: str
    blend: tuple[tuple[str, float], ...] = ()
    loras: tuple[tuple[str, float], ...] = ()

    def __str__(self) -> str:
        deltas = "".join(f" + {scale:.3g}·Δ[{name}]" for name, scale in self.blend + self.loras)
        return f"({self.model}{deltas})" if deltas else self.model


@dataclass(frozen=True)
class Condition:
    """What a pass is conditioned on: a prompt (``None`` for null-text networks), a control image.

    ``words``: ids of the models whose learned words the prompt holds. ``image``: the picture that
    an editing model changes. ``image_prompt``: one that an IP-Adapter tells of.
    """

    prompt: str | None
    control: Control | None = None
    words: tuple[str, ...] = ()
    image: str = ""
    image_prompt: ImagePrompt | None = None

    def __str__(self) -> str:
        if self.prompt is None:
            text = "no text"
        else:
            text = f'"{self.prompt}"' if self.prompt else "∅"
        text = f"{text}, picture" if self.image or self.image_prompt else text
        return f"{text}, {self.control.type}" if self.control else text

    @property
    def is_null(self) -> bool:
        """Whether it is ``φ``: the empty prompt and nothing else."""
        shown = self.control or self.image or self.image_prompt
        return self.prompt == "" and not shown

    def sort_key(self) -> tuple[str, str, tuple[str, ...], str]:
        prompt = "" if self.prompt is None else self.prompt
        return prompt, repr(self.control), self.words, self.image + repr(self.image_prompt)


@dataclass(frozen=True)
class Pass:
    """One distinct (weights, condition) pair.

    ``coefficients`` holds ``a_j`` for each step; ``masked[mask]`` what is added to it where that
    mask is white. ``reference`` holds, by mask, its coefficients in the refinements' reference
    ``ε_0 + Σ (ε_i − r_i)``. ``wanted``: steps at which a refinement needs it in any case.
    """

    weights: Weights
    condition: Condition
    coefficients: tuple[float, ...]
    rows: tuple[int, ...] = ()
    masked: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    reference: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    wanted: frozenset[int] = frozenset()

    def __str__(self) -> str:
        return f"{self.weights}({self.condition})"

    def layers(self) -> dict[str, tuple[float, ...]]:
        """All coefficients of the sum by mask, :data:`EVERYWHERE` first."""
        return {EVERYWHERE: self.coefficients, **self.masked}

    def counts(self, step: int) -> bool:
        """Whether it is part of the sum at ``step``."""
        return any(layer[step] != 0 for layer in self.layers().values())

    def runs(self, step: int) -> bool:
        """Whether the network has to run for it at ``step``."""
        return step in self.wanted or self.counts(step)


Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Direction(Generic[Key]):
    """``weight · mask ⊙ Σ unit[pass]·ε_pass``; the unit is ``ε_row − r`` and sums to zero."""

    mask: str
    unit: Mapping[Key, float]
    weight: float


def merged(directions: Iterable[Direction[Key]]) -> list[Direction[Key]]:
    """Equal directions as one, their weights added: a row split in two stays one direction."""
    found: dict[Hashable, Direction[Key]] = {}
    for one in directions:
        key = (one.mask, frozenset(one.unit.items()))
        weight = one.weight + (found[key].weight if key in found else 0.0)
        found[key] = Direction(one.mask, one.unit, weight)
    return [one for one in found.values() if one.weight != 0]


@dataclass(frozen=True)
class Term:
    """One row's part of the sum: ``weights[s] · mask ⊙ Σ_j parts[j][s]·ε_j``.

    ``parts``: pass index → coefficient in ``ε_row − r`` per step; ``weights``: the row's weight
    times its curve per step, 0 where it takes no part.
    """

    mask: str
    weights: tuple[float, ...]
    parts: Mapping[int, tuple[float, ...]]

    def at(self, step: int) -> Direction[int]:
        """The term at one step."""
        unit = {index: values[step] for index, values in self.parts.items() if values[step] != 0}
        return Direction(self.mask, unit, self.weights[step])


@dataclass(frozen=True)
class Refine:
    """What is applied to the combined prediction; the defaults change nothing.

    ``rescale``: guidance rescale φ. ``eta``, ``norm_threshold``, ``momentum``: adaptive projected
    guidance of each direction. ``cfgpp``: the noise put back is the unconditional pass's.
    """

    rescale: float = 0.0
    eta: float = 1.0
    norm_threshold: float = 0.0
    momentum: float = 0.0
    cfgpp: bool = False

    @property
    def projects(self) -> bool:
        """Whether directions are projected."""
        return (self.eta, self.norm_threshold, self.momentum) != (1.0, 0.0, 0.0)

    def words(self) -> list[str]:
        """What it does, for people."""
        found = []
        if self.projects:
            limit = f", norm ≤ {self.norm_threshold:g}" if self.norm_threshold else ""
            past = f", momentum {self.momentum:g}" if self.momentum else ""
            found.append(f"projected guidance (η {self.eta:g}{limit}{past})")
        if self.rescale:
            found.append(f"guidance rescale {self.rescale:g}")
        if self.cfgpp:
            found.append("CFG++")
        return found


@dataclass(frozen=True)
class Plan:
    """The passes of a preset, and each row's own term in them.

    ``prior``: id of the base θ. ``unconditional``: per step the index of the pass that is
    ``ε_0``, ``None`` where it never runs. ``masks``: mask image → the field that it was first
    given in. ``refine``: what is applied to the sum.
    """

    passes: tuple[Pass, ...]
    steps: int
    terms: Mapping[int, Term] = field(default_factory=dict)
    prior: str = ""
    unconditional: tuple[int | None, ...] = ()
    masks: Mapping[str, str] = field(default_factory=dict)
    refine: Refine = Refine()

    @property
    def forwards_per_step(self) -> tuple[int, ...]:
        """Network sample-evaluations per step and image."""
        return tuple(sum(p.runs(s) for p in self.passes) for s in range(self.steps))

    @property
    def forwards_total(self) -> int:
        """Network sample-evaluations of the whole run, per image."""
        return sum(self.forwards_per_step)

    def active(self, step: int) -> tuple[int, ...]:
        """Indices of the passes that run at ``step`` (from 0)."""
        return tuple(i for i, p in enumerate(self.passes) if p.runs(step))

    def directions(self, step: int) -> list[Direction[int]]:
        """What the rows add to ``ε_0`` at ``step``, equal directions as one."""
        return merged(one for term in self.terms.values() if (one := term.at(step)).weight != 0)

    def as_dict(self) -> dict[str, object]:
        """The command line's JSON."""
        refined = {"refinements": self.refine.words()} if self.refine != Refine() else {}
        return {
            "passes": [self._pass_as_dict(p) for p in self.passes],
            "forwards_per_step": list(self.forwards_per_step),
            "forwards_total": self.forwards_total,
            **refined,
        }

    def _pass_as_dict(self, item: Pass) -> dict[str, object]:
        told: dict[str, object] = {
            "model": item.weights.model,
            "weights": str(item.weights),
            "condition": str(item.condition),
            "coefficients": list(item.coefficients),
        }
        if item.masked:
            told["masks"] = {self.masks[mask]: list(a) for mask, a in item.masked.items()}
        if item.reference:
            told["reference"] = {
                self.masks.get(mask, "everywhere"): list(b) for mask, b in item.reference.items()
            }
        if item.wanted:
            told["runs"] = [item.runs(step) for step in range(self.steps)]
        return told

    def __str__(self) -> str:
        names = {mask: f"M{int(name.split('.')[1]) + 1}" for mask, name in self.masks.items()}
        lines = in_words([(str(p), p.layers()) for p in self.passes], self.steps, names)
        if self.refine != Refine():
            extra = [str(p) for p in self.passes if any(not p.counts(step) for step in p.wanted)]
            needs = f" (needs {', '.join(extra)} too)" if extra else ""
            lines.append(f"then {', '.join(self.refine.words())}{needs}")
        return "\n".join(lines)
