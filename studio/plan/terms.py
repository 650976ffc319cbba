"""One row's term as network passes: which weights, under which conditions, against what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import fsum

from studio.library import ModelEntry
from studio.plan.curves import factor
from studio.plan.passes import Condition, Direction, Weights
from studio.plan.row_models import EDITING_CHANNELS, check_base, resolve
from studio.preset import Preset, PromptReference, Row
from studio.preset.prompts import mentions, split_prompt

Key = tuple[Weights, Condition]

# A trailing schedule rounds its time steps to integers, half a thousandth of the way.
RANGE_TOLERANCE = 6e-4


class Terms:
    """The rows' terms as (pass, coefficient) pairs; all models looked up and checked once.

    Raises:
        MissingModel: an unknown id; names ``base`` or ``rows.N.model``.
        IncompatibleModels: rows of another latent space, or an id of a kind that is no row model.
    """

    def __init__(self, preset: Preset, catalogue: Mapping[str, ModelEntry]) -> None:
        self.preset = preset
        self.base = check_base(catalogue, preset.base)
        self.models = {
            index: resolve(row, self.base, catalogue, f"rows.{index}.model")
            for index, row in enumerate(preset.rows)
        }
        self._units: dict[tuple[int, Key], dict[Key, float]] = {}

    def active(self, now: float) -> list[tuple[int, Row, float]]:
        """Index, row and weight (its curve applied) of the rows that act at progress ``now``."""
        found = [
            (index, row, row.weight * factor(row.curve, now, row.range))
            for index, row in self.preset.active_rows()
            if _in_range(row, now)
        ]
        return [(index, row, weight) for index, row, weight in found if weight != 0]

    def unconditional(self, rows: Iterable[tuple[int, Row]]) -> Key:
        """The base term ``ε_{θ_ω}(z, φ)``, ``θ_ω = θ + ω Σ p_i Δ_i`` (Steering Guidance, Eq. 8).

        The shares ``p_i`` are of the rows' weights without their curves, so that ``θ_ω`` changes
        only where rows come and go.
        """
        personalised = [(i, r) for i, r in rows if self.models[i].personal and r.weight > 0]
        total = fsum(row.weight for _, row in personalised)
        shares = [(i, self.preset.omega * row.weight / total) for i, row in personalised]
        return self._weights(shares), Condition("")

    def direction(self, index: int, row: Row, weight: float, unconditional: Key) -> Direction[Key]:
        """``w·[(1−δ)(ε(joint) − r) + δ·Σ_k s_k(ε(part_k) − r)]`` (GCFG, Sec. 4.4)."""
        known = self._units.get((index, unconditional))
        if known is None:
            known = self._units[index, unconditional] = self._unit(index, row, unconditional)
        return Direction(row.mask, known, weight)

    def _unit(self, index: int, row: Row, unconditional: Key) -> dict[Key, float]:
        unit: dict[Key, list[float]] = defaultdict(list)
        for text, share in self._parts(index, row):
            if share != 0:
                condition = self._condition(index, text, row)
                unit[self._row_weights(index), condition].append(share)
                unit[self._reference(index, row, condition, unconditional)].append(-share)
        sums = {key: fsum(shares) for key, shares in unit.items()}
        return {key: a for key, a in sums.items() if a != 0}

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

    def _reference(self, index: int, row: Row, condition: Condition, unconditional: Key) -> Key:
        prior = Weights(self.preset.base)
        model = self.models[index]
        concept = model.kind == "concept"
        match row.reference:
            case "autoguidance":  # Steering Guidance, Eq. 6: the prior under the row's condition
                told = (
                    condition
                    if self.base.channels == EDITING_CHANNELS
                    else replace(condition, image="")
                )
                return prior, Condition("") if concept else told
            case "own":  # the row's own weak model, θ + ω·Δ_i, under the null prompt
                return (
                    self._weights([(index, self.preset.omega)])
                    if model.personal
                    else self._row_weights(index)
                    if model.kind == "other"
                    else prior,
                    Condition(""),
                )
            case PromptReference(prompt=text):  # only the text is replaced, the control stays
                weights = prior if concept else self._row_weights(index)
                return weights, self._condition(index, text.strip(), row)
            case _:
                return unconditional

    def _condition(self, index: int, text: str | None, row: Row) -> Condition:
        """What the row's network is told; learned words count where the text holds them."""
        words = {holder for holder, word in self.models[index].words if mentions(text or "", word)}
        return Condition(text, row.control, tuple(sorted(words)), row.image, row.image_prompt)

    def _row_weights(self, index: int) -> Weights:
        model = self.models[index]
        if model.personal:
            return self._weights([(index, 1.0)])
        return Weights(model.network, (), _summed(model.loras))

    def _weights(self, shares: Iterable[tuple[int, float]]) -> Weights:
        """``θ + Σ f_i Δ_i`` in a form in which equal weights compare equal."""
        loras: list[tuple[str, float]] = []
        tuned: list[tuple[str, float]] = []
        for index, fraction in shares:
            model = self.models[index]
            loras += [(name, fraction * strength) for name, strength in model.loras]
            if model.kind == "finetune":
                tuned.append((model.network, fraction))
        blend = _summed(tuned)
        if len(blend) == 1 and blend[0][1] == 1.0:
            return Weights(blend[0][0], (), _summed(loras))
        return Weights(self.preset.base, blend, _summed(loras))


def _summed(parts: Iterable[tuple[str, float]]) -> tuple[tuple[str, float], ...]:
    """Scales of the same model add; what comes to nothing is left out."""
    scales: dict[str, list[float]] = defaultdict(list)
    for name, scale in parts:
        scales[name].append(scale)
    sums = ((name, round(fsum(values), 6)) for name, values in scales.items())
    return tuple(sorted((name, total) for name, total in sums if total != 0))


def _in_range(row: Row, now: float) -> bool:
    start, end = row.range
    return start - RANGE_TOLERANCE <= now and (end == 1.0 or now < end - RANGE_TOLERANCE)
