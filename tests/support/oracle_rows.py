"""The rows of a stack as the guidance contract reads them: which are active, at what weight, under
which conditions, on which networks. A plain reading for the oracle, without the studio's own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from torch import Tensor

from tests.support.oracle_networks import TEXT, Words, World

EDGE = 6e-4  # whole time steps lie up to half a thousandth before the progress that they stand for


def parts_of(prompt: str) -> list[tuple[str, float]]:
    """``a AND b:1.2`` as parts and weights; a prompt without AND is one part, colon and all."""
    if " AND " not in prompt:
        return [(prompt, 1.0)]
    pieces = [piece.partition(":") for piece in prompt.split(" AND ")]
    return [(text, float(weight or 1)) for text, _, weight in pieces]


class Rows:
    """The rows of one preset (as JSON)."""

    def __init__(self, world: World, preset: Mapping[str, Any], progress: Sequence[float]) -> None:
        self.world, self.preset = world, preset
        self.base_kind = world.predicts[preset["base"]]
        self.rows = [(i, {"weight": 5.0, **row}) for i, row in enumerate(preset["rows"])]
        solo = any(row.get("solo") and row.get("enabled", True) for _, row in self.rows)
        self.rows = [
            (i, row)
            for i, row in self.rows
            if row.get("enabled", True) and (row.get("solo") or not solo)
        ]
        self.averages: dict[int, Tensor] = {}
        texts: list[tuple[str, Words]] = [("", {})]
        for now in progress:
            for _, row, _ in self.active(now):
                for one, _ in self.conditions(row):
                    texts += [(text, self.words(row, text)) for text in self.texts(row, one)]
        # All prompts of one sum are as long as the longest.
        self.windows = max(world.windows(*one) for one in texts)

    def active(self, now: float) -> list[tuple[int, dict[str, Any], float]]:
        found = []
        for index, row in self.rows:
            start, end = row.get("range", (0.0, 1.0))
            if start - EDGE <= now and (now < end - EDGE or end == 1.0):
                at = min(1.0, max(0.0, (now - start) / (end - start)))
                weight = row["weight"] * self.curve(row.get("curve", "constant"), now, at)
                if weight:
                    found.append((index, row, weight))
        return found

    @staticmethod
    def curve(curve: Any, now: float, u: float) -> float:
        if curve == "constant":
            return 1.0
        if isinstance(curve, str):
            u = u if curve.endswith("up") else 1 - u
            return u if curve.startswith("linear") else math.sin(math.pi / 2 * u) ** 2
        if now <= curve[0][0]:
            return curve[0][1]
        for (left, low), (right, high) in pairwise(curve):
            if now <= right:
                return low + (high - low) * (now - left) / (right - left)
        return curve[-1][1]

    def conditions(self, row: Mapping[str, Any]) -> list[tuple[str | None, float]]:
        """GCFG, Sec. 4.4: the joint condition at 1 − δ, the parts at δ·s_k."""
        if self.concept(row):
            return [(None, 1.0)]
        parts, delta = parts_of(row.get("prompt", "")), self.preset["decoupling"]
        if len(parts) == 1:
            return [(text, 1.0) for text, _ in parts]
        joint = " ".join(text for text, _ in parts)
        found = [(joint, 1 - delta), *((text, delta * s) for text, s in parts)]
        return [(text, share) for text, share in found if share]

    def texts(self, row: Mapping[str, Any], text: str | None) -> list[str]:
        """The prompts of one condition and its reference; none where they are one and cancel."""
        against: str | None = ""
        if isinstance(row.get("reference"), Mapping):
            against = row["reference"]["prompt"]
        elif row.get("reference") == "autoguidance" and not self.delta(row):
            against = text
        return [] if against == text else [one for one in (text, against) if one is not None]

    def concept(self, row: Mapping[str, Any]) -> str:
        """The row's null-text network; "" for a row with text."""
        model = row.get("model")
        return model if isinstance(model, str) and model in self.world.concepts else ""

    def ref(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        """The row's model in the long form."""
        model = row.get("model")
        if model is None or isinstance(model, Mapping):
            return model or {}
        return {"model" if model in self.world.predicts else "lora": model}

    def delta(self, row: Mapping[str, Any]) -> dict[str, float]:
        """Δ_i of a row's model: its fine-tune and its adapters at their strengths, in the network
        and in the text towers."""
        ref, found = self.ref(row), {}
        tuned = ref.get("model", "")
        if self.concept(row) or ref == {"model": self.preset["base"]}:
            return {}
        if tuned:
            found = {tuned: 1.0, tuned + TEXT: 1.0}
        for one in [ref, *ref.get("loras", [])]:
            if "lora" in one:
                name, strength = f"{one['lora']} on {tuned}", one.get("strength", 1.0)
                name = name if name in self.world.deltas else one["lora"]
                text = one.get("text_strength", strength)
                found[name] = found.get(name, 0.0) + strength
                found[name + TEXT] = found.get(name + TEXT, 0.0) + text
        there = {*self.world.deltas, *self.world.texts}
        return {k: scale for k, scale in found.items() if k.removesuffix(TEXT) in there and scale}

    def words(self, row: Mapping[str, Any], text: str | None) -> Words:
        """The learned words of a row's models that a text holds."""
        ref, found = self.ref(row), {}
        adapters = [one.get("lora") for one in [ref, *ref.get("loras", [])]]
        for name in [*ref.get("embeddings", []), *adapters]:
            for word, vectors in self.world.words.get(name, {}).items():
                if word in (text or ""):
                    found.setdefault(word, vectors)
        return found
