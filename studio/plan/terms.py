"""One row's term as network passes: which weights, under which conditions, against what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import fsum

from studio.errors import BadPreset
from studio.library import ModelEntry
from studio.plan.curves import factor
from studio.plan.moments import in_range, row_at, texts_of
from studio.plan.passes import Area, Condition, Direction, Scaled, Weights
from studio.plan.places import Meeting, every_set
from studio.plan.row_models import EDITING_CHANNELS, check_base, resolve
from studio.plan.scales import differing, summed, with_texts
from studio.plan.upscalers import check_upscalers
from studio.preset import Preset, PromptReference, Row
from studio.preset.prompts import mentions, split_prompt

Key = tuple[Weights, Condition]


@dataclass(frozen=True)
class Mixed:
    """A base term of several passes: ``ε_ground + Σ m_S ⊙ (ε_S − ε_ground)``.

    ``parts``: pairs (area of S, pass of S). ``owners``: pairs (pass, row whose Δ is in it).
    """

    ground: Key
    parts: tuple[tuple[Area, Key], ...]
    owners: tuple[tuple[Key, int], ...]

    def passes(self) -> set[Key]:
        """Everything that it is made of."""
        return {self.ground, *(key for _, key in self.parts)}


Node = Key | Mixed  # what has a coefficient

MAX_PLACES = 6  # distinct masks of personalised rows: up to 2^n base passes where they overlap
ROUNDING = 1e-9  # of shares that cancel
NATIVE = 512  # edge of the pictures of a model that does not say


class Terms:
    """The rows' terms as (pass, coefficient) pairs; all models looked up and checked once.

    Raises:
        MissingModel: an unknown id; names ``base`` or ``rows.N.model``.
        IncompatibleModels: rows of another latent space, or an id of a kind that is no row model.
    """

    def __init__(
        self, preset: Preset, catalogue: Mapping[str, ModelEntry], meeting: Meeting = every_set
    ) -> None:
        self.preset = preset
        self.meeting = meeting
        self.base_model = check_base(catalogue, preset.base, preset.vae)
        check_upscalers(preset, catalogue)
        self.models = {
            index: resolve(row, self.base_model, catalogue, f"rows.{index}.model")
            for index, row in enumerate(preset.rows)
        }
        self._units: dict[tuple[int, tuple[str, ...], Node], dict[Node, float]] = {}
        self._bases: dict[tuple[int, ...], Node] = {}

    def active(self, now: float, step: int = 0) -> list[tuple[int, Row, float]]:
        """Index, row and weight (its curve applied) of the rows that act at progress ``now``.

        Args:
            step: counted from 0 along the whole denoising; the rows have their texts at that step.
        """
        found = [
            (index, row, row.weight * factor(row.curve, now, row.range))
            for index, row in self.preset.active_rows()
            if in_range(row, now)
        ]
        steps = self.preset.sampler.steps
        return [(i, row_at(row, step, steps), weight) for i, row, weight in found if weight != 0]

    def base(self, active: Iterable[tuple[int, Row]]) -> Node:
        """The base term: at each place the null prompt under the weights of the rows there.

            ε_base(z) = Σ_S m_S ⊙ ε_{θ_ω(S)}(z, φ),      m_S = Π_{i∈S} M_i · Π_{i∉S} (1 − M_i)
            θ_ω(S) = θ + ω Σ_{i∈S} p_i Δ_i,              p_i = w_i / Σ_{k∈S} w_k

        over the sets ``S`` of personalised rows of positive weight that act together somewhere;
        ``θ_ω(∅) = θ``. ``φ`` sees what the image prompts of ``S`` show with no picture in them.
        With unmasked rows alone it is Steering Guidance, Eq. 8. Rows of one mask act together:
        black and white, ``M·M`` is ``M``. The shares ``p_i`` are of the weights without their
        curves, so that ``θ_ω`` changes only where rows come and go.

        Args:
            active: index and row of those that act at this step.

        Raises:
            BadPreset: personalised rows of too many different masks; names the last one's.
        """
        personal = [(i, r) for i, r in active if r.weight > 0 and self._leads(i, r)]
        indices = tuple(index for index, _ in personal)
        if indices not in self._bases:
            self._bases[indices] = self._base(personal)
        return self._bases[indices]

    def _leads(self, index: int, row: Row) -> bool:
        """Whether the base term differs where the row acts: by its Δ, or by its IP-Adapter."""
        personal = self.models[index].personal and self.preset.omega != 0
        return personal or self._is_shown(index, row)

    def _is_shown(self, index: int, row: Row) -> bool:
        """Whether the row's network, the prior or its fine-tune, has an IP-Adapter on it."""
        return row.image_prompt is not None and self.models[index].kind in ("prior", "finetune")

    def _base(self, personal: Sequence[tuple[int, Row]]) -> Node:
        masks = tuple(sorted({row.mask for _, row in personal if row.mask}))
        self._check_places(masks, personal)
        sets = self.meeting(masks, self._size()) if masks else [frozenset()]
        keys, owners = {}, set()
        for inside in sorted(sets, key=lambda names: (len(names), sorted(names))):
            there = [(i, row) for i, row in personal if not row.mask or row.mask in inside]
            keys[inside] = key = self._theta_omega(there)
            owners |= {(key, index) for index, _ in there}
        ground = next(iter(keys.values()))
        parts = tuple(
            (Area(tuple(sorted(inside)), tuple(m for m in masks if m not in inside)), key)
            for inside, key in keys.items()
            if key != ground
        )
        return Mixed(ground, parts, tuple(owners)) if parts else ground

    def _theta_omega(self, rows: Sequence[tuple[int, Row]]) -> Key:
        """``ε_{θ_ω(S)}(z, φ)`` of rows that act at one place.

        As Δ is in ``θ_ω``, so is an IP-Adapter in ``φ``: with features of zero in a picture's place
        (Ye et al. 2023, Sec. 3.2.3), at strength ``Σ p_i s_i`` over the rows with image prompts.
        One such row is diffusers' run with ``ip_adapter_image``.
        """
        personal = [(i, row) for i, row in rows if self.models[i].personal]
        shares = [(i, self.preset.omega * share) for i, share in _shares(personal)]
        shown = [(i, row) for i, row in rows if self._is_shown(i, row)]
        prompts = {index: row.image_prompt for index, row in shown}
        blank = [
            (prompt.model, share * prompt.strength)
            for index, share in _shares(shown)
            if (prompt := prompts[index]) is not None
        ]
        return self._weights(shares), Condition("", blank=summed(blank))

    def _check_places(self, masks: Sequence[str], personal: Sequence[tuple[int, Row]]) -> None:
        if len(masks) <= MAX_PLACES:
            return
        last = max(min(i for i, row in personal if row.mask == mask) for mask in masks)
        raise BadPreset(
            f"is the mask of one personalised row too many: {len(masks)} different masks, and ω "
            f"takes {MAX_PLACES} at one step; share masks between rows or set omega to 0",
            field=f"rows.{last}.mask",
        )

    def _size(self) -> tuple[int, int]:
        """Width and height of the picture."""
        sampler, native = self.preset.sampler, self.base_model.size or NATIVE
        return sampler.width or native, sampler.height or native

    def drifting(self, rows: Iterable[int]) -> list[Key]:
        """The null prompt on each personalised row's weights and on the prior, to compare them."""
        own = [self._row_weights(index) for index in rows if self.models[index].personal]
        prior = [Weights(self.preset.base)] if own else []
        return [(weights, Condition("")) for weights in dict.fromkeys(prior + own)]

    def direction(self, index: int, row: Row, weight: float, base: Node) -> Direction[Node]:
        """``w·[(1−δ)(ε(joint) − r) + δ·Σ_k s_k(ε(part_k) − r)]`` (GCFG, Sec. 4.4)."""
        key = (index, texts_of(row), base)
        known = self._units.get(key)
        if known is None:
            known = self._units[key] = self._unit(index, row, base)
        return Direction(row.mask, known, weight)

    def _unit(self, index: int, row: Row, base: Node) -> dict[Node, float]:
        unit: dict[Node, list[float]] = defaultdict(list)
        for text, share in self._parts(index, row):
            if share != 0:
                condition = self._condition(index, text, row)
                unit[self._row_weights(index), condition].append(share)
                unit[self._reference(index, row, condition, base)].append(-share)
        sums = {key: fsum(shares) for key, shares in unit.items()}
        return {key: a for key, a in sums.items() if a != 0}

    def own(self, index: int, row: Row, base: Node) -> dict[Node, float]:
        """The row alone at weight 1, compared with ``ε_0`` whatever its reference is, without its mask.

            ε_i = ε_0 + (1−δ)·(ε(joint) − ε_0) + δ·Σ_k s_k·(ε(part_k) − ε_0)

        That is GCFG, Eq. 3, with one row of weight 1; of one condition it is ``ε(c_i)`` itself. For
        rows of another reference it is the studio's own choice.

        Returns:
            shares of the predictions, which sum to 1.
        """
        parts = self._parts(index, row)
        shares: dict[Node, list[float]] = defaultdict(list)
        for text, share in parts:
            shares[self._row_weights(index), self._condition(index, text, row)].append(share)
        shares[base] += [1.0, *(-share for _, share in parts)]
        sums = {key: fsum(values) for key, values in shares.items()}
        return {key: a for key, a in sums.items() if abs(a) >= ROUNDING}

    def _parts(self, index: int, row: Row) -> list[tuple[str | None, float]]:
        """The conditions of a row's prompt with their shares."""
        if self.models[index].kind == "concept":
            return [(None, 1.0)]
        parts = split_prompt(row.prompt)
        if len(parts) == 1:
            return [(text, weight) for text, weight in parts]
        delta = self.preset.decoupling
        joint = " ".join(text for text, _ in parts)
        return [(joint, 1.0 - delta), *((text, delta * s) for text, s in parts)]

    def _reference(self, index: int, row: Row, condition: Condition, base: Node) -> Node:
        prior = Weights(self.preset.base)
        model = self.models[index]
        concept = model.kind == "concept"
        match row.reference:
            case "autoguidance":  # Steering Guidance, Eq. 6: the prior under the row's condition
                if self.base_model.channels != EDITING_CHANNELS and not model.eyes:
                    condition = replace(condition, image="")
                return prior, Condition("") if concept else condition
            case "own":
                prompt = row.image_prompt
                blank = summed([(prompt.model, prompt.strength)] if prompt else [])
                return self.weak(index), Condition("", blank=blank)
            case "perturbed":  # the same without attention in the middle (engine/perturbed.py)
                return self._row_weights(index), replace(condition, perturbed=True)
            case PromptReference(prompt=text):  # only the text is replaced, the control stays
                weights = prior if concept else self._row_weights(index)
                return weights, self._condition(index, text.strip(), row)
            case _:
                return base

    def weak(self, index: int) -> Weights:
        """A row's own weak model, ``θ + ω·Δ_i``; that of another kind of network is itself."""
        model = self.models[index]
        if model.personal:
            return self._weights([(index, self.preset.omega)])
        return self._row_weights(index) if model.kind == "other" else Weights(self.preset.base)

    def _condition(self, index: int, text: str | None, row: Row) -> Condition:
        """The condition of the row's network; learned words count where the text holds them."""
        words = {holder for holder, word in self.models[index].words if mentions(text or "", word)}
        held, prompt = tuple(sorted(words)), row.image_prompt
        shown = tuple(row.all_controls.values())
        eyes = self.models[index].eyes
        if eyes and not words.intersection(eyes):  # a part of the prompt that no picture speaks to
            row = row.model_copy(update={"image": ""})
        if prompt is not None and prompt.blank:
            blank = summed([(prompt.model, prompt.strength)])
            return Condition(text, shown, held, row.image, blank=blank)
        return Condition(text, shown, held, row.image, prompt)

    def _row_weights(self, index: int) -> Weights:
        model = self.models[index]
        if model.personal:
            return self._weights([(index, 1.0)])
        of_text = differing(model.texts, model.loras)
        return Weights(model.network, (), summed(model.loras), of_text)

    def _weights(self, shares: Iterable[tuple[int, float]]) -> Weights:
        """``θ + Σ f_i Δ_i`` in a form in which equal weights compare equal.

        A fine-tune with adapters on it is one ``Δ_i``: theirs are those that they make to it.
        """
        loras: dict[str, list[tuple[str, float]]] = defaultdict(list)  # by the network below
        texts: dict[str, list[tuple[str, float]]] = defaultdict(list)
        tuned: list[tuple[str, float]] = []
        for index, fraction in shares:
            model = self.models[index]
            loras[model.network] += [(name, fraction * s) for name, s in model.loras]
            texts[model.network] += [(name, fraction * s) for name, s in model.texts]
            if model.kind == "finetune":
                tuned.append((model.network, fraction))
        blend = summed(tuned)
        whole = len(blend) == 1 and blend[0][1] == 1.0
        ground, blend = (blend[0][0], ()) if whole else (self.preset.base, blend)
        own, of_text = loras[ground], texts[ground]
        above = [
            Scaled(name, network, scale, text)
            for network in sorted(loras.keys() - {ground})
            for name, scale, text in with_texts(loras[network], texts[network])
        ]
        return Weights(ground, blend, summed(own), differing(of_text, own), tuple(above))


def _shares(rows: Sequence[tuple[int, Row]]) -> list[tuple[int, float]]:
    """``p_i = w_i / Σ w`` of rows of positive weight."""
    total = fsum(row.weight for _, row in rows)
    return [(index, row.weight / total) for index, row in rows]
