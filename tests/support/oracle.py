"""Stacks of rows as the papers and the guidance contract write them: every row alone, a plain loop.

Nothing of the studio's planning, batching, adapters or text reading is used here: diffusers' own
networks run on merged weights, one condition at a time, in float64.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise, product
from typing import Any

import torch
from torch import Tensor

Weights = Mapping[str, float]  # model or adapter → how much of its Δ is added to θ
ROOM = 22  # tokens of a window, without marks


@dataclass
class World:
    """What there is: θ, the Δ of every other model by id, concept networks, and pixels."""

    theta: Any
    deltas: Mapping[str, Mapping[str, Tensor]]
    predicts: Mapping[str, str]  # of models that predict otherwise than the base
    concepts: Mapping[str, Any]
    controlnet: Any
    tower: Any
    tokenizer: Any
    pixels: Mapping[str, Tensor]  # masks (16, 16) in [0, 1], the control map (1, 3, 16, 16)
    known: dict[Any, Any] = field(default_factory=dict)


def parts_of(prompt: str) -> list[tuple[str, float]]:
    """``a AND b:1.2`` as parts and weights; a prompt without AND is one part, colon and all."""
    if " AND " not in prompt:
        return [(prompt, 1.0)]
    pieces = [piece.partition(":") for piece in prompt.split(" AND ")]
    return [(text, float(weight or 1)) for text, _, weight in pieces]


class Oracle:
    """One preset (as JSON) over the steps of a run."""

    def __init__(self, world: World, preset: Mapping[str, Any], progress: list[float]) -> None:
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
        texts = [""]  # all prompts of one sum are as long as the longest
        for now in progress:
            for _, row, _ in self.active(now):
                texts += [text for one, _ in self.conditions(row) for text in self.texts(row, one)]
        count = max(len(self.tokens(text)) for text in texts)
        self.windows = max(1, math.ceil(count / ROOM))

    # -- rows -----------------------------------------------------------------------------

    def active(self, now: float) -> list[tuple[int, dict[str, Any], float]]:
        found = []
        for index, row in self.rows:
            start, end = row.get("range", (0.0, 1.0))
            if start <= now and (now < end or end == 1.0):
                weight = row["weight"] * self.curve(row.get("curve", "constant"), now, start, end)
                if weight:
                    found.append((index, row, weight))
        return found

    @staticmethod
    def curve(curve: Any, now: float, start: float, end: float) -> float:
        if curve == "constant":
            return 1.0
        if isinstance(curve, str):
            u = (now - start) / (end - start)
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

    def delta(self, row: Mapping[str, Any]) -> dict[str, float]:
        """Δ_i of a row's model: its fine-tune and its adapters at their strengths."""
        model = row.get("model")
        if model is None or model == self.preset["base"] or self.concept(row):
            return {}
        if isinstance(model, str):
            return {model: 1.0}
        found = {model["model"]: 1.0} if "model" in model else {}
        for one in [model, *model.get("loras", [])]:
            if "lora" in one:
                found[one["lora"]] = found.get(one["lora"], 0.0) + one.get("strength", 1.0)
        return found

    # -- predictions ----------------------------------------------------------------------

    def tokens(self, text: str) -> list[int]:
        return self.world.tokenizer(text.strip(), add_special_tokens=False).input_ids

    def states(self, text: str) -> Tensor:
        key = ("states", text, self.windows)
        if key not in self.world.known:
            ids, marks = self.tokens(text), self.world.tokenizer
            windows = [ids[k * ROOM : (k + 1) * ROOM] for k in range(self.windows)]
            padded = [
                [marks.bos_token_id, *w, *[marks.eos_token_id] * (ROOM + 1 - len(w))]
                for w in windows
            ]
            with torch.no_grad():
                found = [self.world.tower(torch.tensor([w]))[0] for w in padded]
            self.world.known[key] = torch.cat(found, dim=1)
        return self.world.known[key]

    def predict(
        self, weights: Weights, text: str | None, control: Any, concept: str = ""
    ) -> Tensor:
        """One forward of one network under one condition, as the base predicts."""
        key = (*sorted(weights.items()), text, str(control), concept)
        if key in self.now:
            return self.now[key]
        kind, network, state = self.base_kind, self.world.theta, {}
        for name, scale in weights.items():
            kind = self.world.predicts.get(name, kind)
            for layer, change in self.world.deltas[name].items():
                state[layer] = state.get(layer, network.get_parameter(layer)) + scale * change
        with torch.no_grad():
            if concept:
                kind = self.world.predicts[concept]
                output = self.world.concepts[concept](self.z, self.t).sample
            else:
                output = self.forward(state, text or "", control)
        self.now[key] = self.converted(output, kind)
        return self.now[key]

    def forward(self, state: Any, text: str, control: Any) -> Tensor:
        network, z = self.world.theta, self.z
        more: dict[str, Any] = {"encoder_hidden_states": self.states(text).repeat(len(z), 1, 1)}
        if control:
            down, mid = self.world.controlnet(
                z,
                self.t,
                more["encoder_hidden_states"],
                self.world.pixels[control["image"]].repeat(len(z), 1, 1, 1),
                conditioning_scale=control.get("strength", 1.0),
                return_dict=False,
            )
            more["down_block_additional_residuals"] = tuple(down)
            more["mid_block_additional_residual"] = mid
        if not state:
            return network(z, self.t, **more).sample
        call = torch.func.functional_call
        return call(network, state, (z, self.t), more, tie_weights=False).sample

    def converted(self, output: Tensor, kind: str) -> Tensor:
        if kind == self.base_kind:
            return output
        if kind == "v_prediction":  # ε = σz + αv
            return self.sigma * self.z + self.alpha * output
        return (output - self.sigma * self.z) / self.alpha

    # -- one step -------------------------------------------------------------------------

    def mask(self, name: str) -> Tensor:
        return self.pooled(self.world.pixels[name]) if name else torch.ones(1, 1, 4, 4).double()

    @staticmethod
    def pooled(pixels: Tensor) -> Tensor:
        return torch.nn.functional.avg_pool2d(pixels[None, None], 4)

    def base_term(self, active: list[tuple[int, dict[str, Any], float]]) -> Tensor:
        """Σ_S m_S ⊙ ε_{θ_ω(S)}(z, φ) over all sets of the masks of personalised rows."""
        personal = [row for _, row, _ in active if self.delta(row) and row["weight"] > 0]
        masks = sorted({row["mask"] for row in personal if row.get("mask")})
        base = torch.zeros_like(self.z)
        for chosen in product([False, True], repeat=len(masks)):
            where = torch.ones(16, 16, dtype=torch.float64)
            for name, inside in zip(masks, chosen, strict=True):
                where = where * (self.world.pixels[name] if inside else 1 - self.world.pixels[name])
            if not where.any():
                continue
            inside = {name for name, is_in in zip(masks, chosen, strict=True) if is_in}
            there = [row for row in personal if not row.get("mask") or row["mask"] in inside]
            total, omega = sum(row["weight"] for row in there), self.preset["omega"]
            weights: dict[str, float] = {}
            for row in there:
                for name, scale in self.delta(row).items():
                    p = row["weight"] / total
                    weights[name] = weights.get(name, 0.0) + omega * p * scale
            weights = {name: scale for name, scale in weights.items() if scale}
            base = base + self.pooled(where) * self.predict(weights, "", None)
        return base

    def direction(self, row: Mapping[str, Any], base: Tensor) -> Tensor:
        """``(1−δ)(ε(joint) − r) + δ·Σ s_k(ε(part_k) − r)`` of one row."""
        delta, control = self.delta(row), row.get("control")
        weak = {name: self.preset["omega"] * scale for name, scale in delta.items()}
        total = torch.zeros_like(base)
        for text, share in self.conditions(row):
            told = self.predict(delta, text, control, self.concept(row))
            match row.get("reference", "unconditional"):
                case "unconditional":
                    reference = base
                case "autoguidance":
                    reference = self.predict({}, text, control)
                case "own":
                    kept = {name: scale for name, scale in weak.items() if scale}
                    reference = self.predict(kept, "", None)
                case other:
                    reference = self.predict(delta, other["prompt"], control)
            total = total + share * (told - reference)
        return total

    def step(self, now: float, z: Tensor, t: Tensor, alpha: Tensor, sigma: Tensor) -> Any:
        """The guided prediction, and the one whose noise is put back (``None`` without CFG++)."""
        self.z, self.t, self.alpha, self.sigma = z, t, alpha, sigma
        self.now: dict[Any, Tensor] = {}
        active = self.active(now)
        base = self.base_term(active)
        terms = [  # [rows, weight, direction, mask]
            [
                [i],
                w,
                self.mask(row.get("mask", "")) * self.direction(row, base),
                row.get("mask", ""),
            ]
            for i, row, w in active
        ]
        merged: list[list[Any]] = []
        for term in terms:  # equal directions are one
            near = 1e-9 * (1e-3 + float(term[2].abs().max()))
            same = [m for m in merged if m[3] == term[3] and (m[2] - term[2]).abs().max() < near]
            if same:
                same[0][0] += term[0]
                same[0][1] += term[1]
            else:
                merged.append(term)
        merged = [term for term in merged if abs(term[1]) > 1e-9 and bool(term[2].any())]
        guided = base + sum((w * d for _, w, d, _ in merged), torch.zeros_like(base))
        reference = base + sum((d for _, w, d, _ in merged if w > 0), torch.zeros_like(base))
        guided = self.projected(guided, reference, merged)
        if phi := self.preset.get("guidance_rescale", 0.0):
            ratio = [r.std() / g.std() for r, g in zip(reference, guided, strict=True)]
            guided = guided * (phi * torch.stack(ratio)[:, None, None, None] + 1 - phi)
        return guided, base if self.preset.get("cfgpp") else None

    def clean(self, output: Tensor) -> Tensor:
        if self.base_kind == "v_prediction":
            return self.alpha * self.z - self.sigma * output
        return (self.z - self.sigma * output) / self.alpha

    def projected(self, guided: Tensor, reference: Tensor, merged: list[list[Any]]) -> Tensor:
        """R + Σ_{w>0} (w−1)·N(Δ) + Σ_{w<0} w·N(Δ), in x₀ (Sadat et al. 2024, Algorithm 1)."""
        apg = {"eta": 1.0, "norm_threshold": 0.0, "momentum": 0.0, **self.preset.get("apg", {})}
        if apg == {"eta": 1.0, "norm_threshold": 0.0, "momentum": 0.0}:
            return guided
        result, along = self.clean(reference), self.clean(reference)
        for rows, weight, direction, mask in merged:
            change = self.clean(reference + direction) - self.clean(reference)
            past = [self.averages[row] for row in rows if row in self.averages]
            if apg["momentum"] and past:
                change = change + apg["momentum"] * past[0]
            self.averages |= dict.fromkeys(rows, change)
            inside = self.mask(mask) * along
            for k, (part, axis) in enumerate(zip(change, inside, strict=True)):
                if apg["norm_threshold"]:
                    part = part * min(1.0, float(apg["norm_threshold"] / part.norm()))
                parallel = (part * axis).sum() / (axis * axis).sum() * axis
                share = weight - 1 if weight > 0 else weight
                result[k] = result[k] + share * (part - parallel + apg["eta"] * parallel)
        if self.base_kind == "v_prediction":
            return (self.alpha * self.z - result) / self.sigma
        return (self.z - self.alpha * result) / self.sigma
