"""What a plan is made of: weights, conditions, passes and their shares in the sum. Values only."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from studio.preset import Control
from studio.preset.rows import ImagePrompt

EVERYWHERE = ""  # the layer of coefficients that no mask limits


@dataclass(frozen=True, order=True)
class Area:
    """The places where all masks of ``inside`` are white and all of ``outside`` black.

    As a map it is ``Π M_i · Π (1 − M_k)``.
    """

    inside: tuple[str, ...]
    outside: tuple[str, ...] = ()

    def in_words(self, names: Mapping[str, str]) -> str:
        """Such as ``M1·M2·(1−M3)``; ``names``: mask → what stands for it."""
        inside = [names[mask] for mask in self.inside]
        return "·".join(inside + [f"(1−{names[mask]})" for mask in self.outside]) or "1"


@dataclass(frozen=True, order=True)
class Scaled:
    """An adapter's Δ, made for the network ``on``, at its scales there and in the text encoders."""

    name: str
    on: str
    scale: float
    text: float

    def __str__(self) -> str:
        text = f" ({self.text:.3g} on the text)" if self.text != self.scale else ""
        return f"{self.scale:.3g}·Δ[{self.name} on {self.on}]{text}"


@dataclass(frozen=True, order=True)
class Weights:
    """Which network weights a pass runs on.

    ``model``: id of a full network. ``blend``: pairs (id, fraction) of full fine-tunes θ′ whose
    difference is added, ``θ + Σ f·(θ′ − θ)``. ``loras``: pairs (id, scale) of adapters on top;
    ``texts``: pairs (id, scale) of those that have another scale in the text encoders.
    ``on_tuned``: adapters whose Δ is the one that they make to a fine-tune of ``blend``, since
    some depend on the weights below (DoRA, (IA)³, GLoRA, OFT).
    """

    model: str
    blend: tuple[tuple[str, float], ...] = ()
    loras: tuple[tuple[str, float], ...] = ()
    texts: tuple[tuple[str, float], ...] = ()
    on_tuned: tuple[Scaled, ...] = ()

    def names(self) -> set[str]:
        """Every model in it."""
        blended = {name for name, _ in self.blend}
        return {self.model, *blended, *(one.name for one in self.adapters())}

    def adapters(self) -> list[Scaled]:
        """Every adapter with its scales."""
        scales, texts = dict(self.loras), dict(self.texts)
        own = [
            Scaled(name, self.model, scales.get(name, 0.0), texts.get(name, scales.get(name, 0.0)))
            for name in dict.fromkeys([*scales, *texts])
        ]
        return [*own, *self.on_tuned]

    def __str__(self) -> str:
        deltas = "".join(f" + {scale:.3g}·Δ[{name}]" for name, scale in self.blend + self.loras)
        deltas += "".join(f" + {scale:.3g}·Δ[{name}] on the text" for name, scale in self.texts)
        deltas += "".join(f" + {one}" for one in self.on_tuned)
        return f"({self.model}{deltas})" if deltas else self.model


@dataclass(frozen=True)
class Condition:
    """What a pass is conditioned on: a prompt (``None`` for null-text networks), control images.

    ``words``: ids of the models whose learned words the prompt holds. ``image``: the picture that
    an editing model changes. ``image_prompt``: one that an IP-Adapter shows. ``blank``: pairs
    (IP-Adapter, strength) of those that show no picture: features of zero. ``perturbed``: the middle
    of the network does not attend to anything.
    """

    prompt: str | None
    controls: tuple[Control, ...] = ()
    words: tuple[str, ...] = ()
    image: str = ""
    image_prompt: ImagePrompt | None = None
    blank: tuple[tuple[str, float], ...] = ()
    perturbed: bool = False

    def __str__(self) -> str:
        if self.prompt is None:
            text = "no text"
        else:
            text = f'"{self.prompt}"' if self.prompt else "∅"
        text = f"{text}, picture" if self.image or self.image_prompt else text
        text = f"{text}, no picture" if self.blank else text
        text = ", ".join([text, *(control.type for control in self.controls)])
        return f"{text}, perturbed" if self.perturbed else text

    @property
    def is_null(self) -> bool:
        """Whether it is ``φ``: the empty prompt and no picture."""
        shown = self.controls or self.image or self.image_prompt
        return self.prompt == "" and not shown and not self.perturbed

    def sort_key(self) -> tuple[str, str, tuple[str, ...], str]:
        prompt = "" if self.prompt is None else self.prompt
        shown = self.image + repr(self.image_prompt) + repr(self.blank) + "~" * self.perturbed
        # Of one, and of none, as it was before there were several: the order decides how a sum rounds.
        controls = "~".join(map(repr, self.controls)) or repr(None)
        return prompt, controls, self.words, shown


@dataclass(frozen=True, kw_only=True)
class Share:
    """What one prediction counts in the sum, step by step.

    ``coefficients`` holds ``a_j`` for each step; ``masked[mask]`` what is added to it where that
    mask is white. ``reference`` holds, by mask, its coefficients in the refinements' reference
    ``ε_0 + Σ (ε_i − r_i)``. ``wanted``: steps at which a refinement needs it in any case.
    """

    coefficients: tuple[float, ...]
    masked: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    reference: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    wanted: frozenset[int] = frozenset()

    def layers(self) -> dict[str, tuple[float, ...]]:
        """All coefficients of the sum by mask, :data:`EVERYWHERE` first."""
        return {EVERYWHERE: self.coefficients, **self.masked}

    def size(self, step: int) -> float:
        """The largest that its coefficient, or that in the reference, can be anywhere."""
        return max(
            sum(abs(layer[step]) for layer in layers.values())
            for layers in (self.layers(), self.reference)
        )

    def counts(self, step: int) -> bool:
        """Whether it is part of the sum at ``step``."""
        return any(layer[step] != 0 for layer in self.layers().values())

    def runs(self, step: int) -> bool:
        """Whether it has to be known at ``step``."""
        return step in self.wanted or self.counts(step)


@dataclass(frozen=True)
class Pass(Share):
    """One distinct (weights, condition) pair. ``rows``: those that it serves; ``own``: those of them
    whose own model is in the weights.

    ``mixed``: steps at which a :class:`Mixture` needs it in any case. ``measured``: steps at which
    it runs for a diagnosis alone.
    """

    weights: Weights
    condition: Condition
    rows: tuple[int, ...] = ()
    own: tuple[int, ...] = ()
    mixed: frozenset[int] = frozenset()
    measured: frozenset[int] = frozenset()

    def __str__(self) -> str:
        return f"{self.weights}({self.condition})"

    def guides(self, step: int) -> bool:
        """Whether the guided prediction needs it at ``step``."""
        return step in self.mixed or super().runs(step)

    def runs(self, step: int) -> bool:
        """Whether the network has to run for it at ``step``."""
        return step in self.measured or self.guides(step)


@dataclass(frozen=True)
class Mixture(Share):
    """The base term of a step at which personalised rows act in different places.

        ε_base = ε_ground + Σ_S m_S ⊙ (ε_S − ε_ground)

    That is ``Σ_S m_S ⊙ ε_{θ_ω(S)}(z, φ)``, as the ``m_S`` of all sets sum to 1 everywhere.
    ``ground``: the pass of the smallest set that occurs; ``parts``: the areas and passes of the
    others.
    """

    ground: int
    parts: tuple[tuple[Area, int], ...]

    def made_of(self) -> frozenset[int]:
        """The passes in it."""
        return frozenset((self.ground, *(index for _, index in self.parts)))

    def layers_of_passes(self) -> dict[Hashable, dict[int, float]]:
        """Map (:data:`EVERYWHERE` or an area) → pass → coefficient."""
        ground: dict[Hashable, dict[int, float]] = {EVERYWHERE: {self.ground: 1.0}}
        return ground | {area: {index: 1.0, self.ground: -1.0} for area, index in self.parts}


Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Direction(Generic[Key]):
    """``weight · mask ⊙ Σ unit[pass]·ε_pass``; the unit is ``ε_row − r`` and sums to zero.

    ``rows``: the rows that it is of, where that is known.
    """

    mask: str
    unit: Mapping[Key, float]
    weight: float
    rows: tuple[int, ...] = ()


def merged(directions: Iterable[Direction[Key]]) -> list[Direction[Key]]:
    """Equal directions as one, their weights added: a row split in two stays one direction."""
    found: dict[Hashable, Direction[Key]] = {}
    for one in directions:
        key = (one.mask, frozenset(one.unit.items()))
        if key in found:
            same = found[key]
            one = replace(one, weight=same.weight + one.weight, rows=same.rows + one.rows)
        found[key] = one
    return [one for one in found.values() if one.weight != 0]


@dataclass(frozen=True)
class Look:
    """What is looked at of one step where somebody wants to know what the rows pulled towards.

    ``base``: the index of ``ε_0``, ``None`` where it never runs. ``own``: row → the shares of the
    predictions in its own, ``ε_i``, which sum to 1 (:meth:`studio.plan.terms.Terms.own`); a row
    that takes no part, or whose passes cancel, is not in it.
    """

    step: int
    base: int | None
    own: Mapping[int, Mapping[int, float]]


@dataclass(frozen=True)
class Term:
    """One row's part of the sum: ``weights[s] · mask ⊙ Σ_j parts[j][s]·ε_j``.

    ``parts``: pass index → coefficient in ``ε_row − r`` per step; ``weights``: the row's weight
    times its curve per step, 0 where it takes no part. ``missing``: steps at which the unit holds a
    pass that is not in the plan, since what it adds is cancelled by other rows.
    """

    mask: str
    weights: tuple[float, ...]
    parts: Mapping[int, tuple[float, ...]]
    missing: frozenset[int] = frozenset()

    def acts(self, step: int) -> bool:
        """Whether neither the row's weight nor its direction is 0 at a step."""
        some = any(values[step] != 0 for values in self.parts.values())
        return self.weights[step] != 0 and (some or step in self.missing)

    def at(self, step: int) -> Direction[int]:
        """The term at one step."""
        unit = {index: values[step] for index, values in self.parts.items() if values[step] != 0}
        return Direction(self.mask, unit, self.weights[step])
