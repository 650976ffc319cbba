"""Stacks of rows as the papers and the guidance contract write them: every row alone, a plain loop.

Nothing of the studio's planning, batching, adapters or text reading is used here: diffusers' own
networks run on merged weights, one condition at a time, in float64.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import torch
from torch import Tensor

from tests.support.oracle_networks import TEXT, Weights, Words
from tests.support.oracle_rows import Rows

NEUTRAL_APG = {"eta": 1.0, "norm_threshold": 0.0, "momentum": 0.0}


def alike(one: Mapping[int, float], other: Mapping[int, float]) -> bool:
    """Whether two directions have the same shares of the same predictions."""
    return one.keys() == other.keys() and all(abs(one[k] - other[k]) < 1e-9 for k in one)


class Oracle(Rows):
    """One preset (as JSON) over the steps of a run."""

    # -- predictions ----------------------------------------------------------------------

    def predict(
        self,
        weights: Weights,
        text: str | None,
        control: Any = None,
        concept: str = "",
        words: Words | None = None,
    ) -> Tensor:
        """One forward of one network under one condition, as the base predicts."""
        text = text or ""
        key = (*sorted(weights.items()), text, str(control), concept, *(words or ()))
        if key not in self.now:
            kind = self.base_kind
            for name in weights:
                kind = self.world.predicts.get(name, kind)
            with torch.no_grad():
                if concept:
                    kind = self.world.predicts[concept]
                    output = self.world.concepts[concept](self.z, self.t).sample
                else:
                    scales = {k.removesuffix(TEXT): v for k, v in weights.items() if TEXT in k}
                    states = self.world.states(text, self.windows, scales, words or {})
                    output = self.world.forward(self.z, self.t, weights, states, control)
            self.now[key] = self.converted(output, kind)
        return self.now[key]

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
        places = []
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
            places.append((self.pooled(where), self.predict(weights, "")))
        if len({id(output) for _, output in places}) == 1:
            return places[0][1]  # everywhere
        return sum((where * output for where, output in places), torch.zeros_like(self.z))

    def direction(self, row: Mapping[str, Any], base: Tensor) -> tuple[Tensor, dict[int, float]]:
        """``(1−δ)(ε(joint) − r) + δ·Σ s_k(ε(part_k) − r)`` of one row, and the share in it of each
        prediction, by which one direction is the same as another."""
        shares: Counter[int] = Counter()
        delta, control = self.delta(row), row.get("control")
        weak = {name: self.preset["omega"] * scale for name, scale in delta.items()}
        total = torch.zeros_like(base)
        for text, share in self.conditions(row):
            words = self.words(row, text)
            own = self.predict(delta, text, control, self.concept(row), words)
            match row.get("reference", "unconditional"):
                case "unconditional":
                    reference = base
                case "autoguidance":
                    reference = self.predict({}, text, control, words=words)
                case "own":
                    kept = {name: scale for name, scale in weak.items() if scale}
                    reference = self.predict(kept, "")
                case other:
                    text = other["prompt"]
                    words = self.words(row, text)
                    reference = self.predict(delta, text, control, words=words)
            total = total + share * (own - reference)
            shares[id(own)] += share
            shares[id(reference)] -= share
        return total, {which: share for which, share in shares.items() if abs(share) > 1e-12}

    def step(self, now: float, z: Tensor, t: Tensor, alpha: Tensor, sigma: Tensor) -> Any:
        """The guided prediction, and the one whose noise is put back (``None`` without CFG++)."""
        self.z, self.t, self.alpha, self.sigma = z, t, alpha, sigma
        self.now: dict[Any, Tensor] = {}
        active = self.active(now)
        base = self.base_term(active)
        terms: list[list[Any]] = []  # [rows, weight, direction, mask, shares]
        for i, row, w in active:
            direction, shares = self.direction(row, base)
            mask = row.get("mask", "")
            terms.append([[i], w, self.mask(mask) * direction, mask, shares])
        merged: list[list[Any]] = []
        for term in terms:  # equal directions are one
            same = [m for m in merged if m[3] == term[3] and alike(m[4], term[4])]
            if same:
                same[0][0] += term[0]
                same[0][1] += term[1]
            else:
                merged.append(term)
        # A direction of zero is none, but for the running average that it continues.
        runs = bool(self.preset.get("apg", {}).get("momentum"))
        merged = [t for t in merged if abs(t[1]) > 1e-9 and (runs or bool(t[2].any()))]
        guided = base + sum((w * d for _, w, d, *_ in merged), torch.zeros_like(base))
        reference = base + sum((d for _, w, d, *_ in merged if w > 0), torch.zeros_like(base))
        guided = self.projected(guided, reference, merged)
        if phi := self.preset.get("guidance_rescale", 0.0):
            ratio = [r.std() / g.std() for r, g in zip(reference, guided, strict=True)]
            guided = guided * (phi * torch.stack(ratio)[:, None, None, None] + 1 - phi)
        return guided, base if self.preset.get("cfgpp") else None

    def clean(self, output: Tensor) -> Tensor:
        """x₀ of a prediction."""
        match self.base_kind:
            case "flow_prediction":
                return self.z - self.sigma * output
            case "v_prediction":
                return self.alpha * self.z - self.sigma * output
        return (self.z - self.sigma * output) / self.alpha

    def noise(self, output: Tensor) -> Tensor:
        """ε of a prediction."""
        return (self.z - self.alpha * self.clean(output)) / self.sigma

    def answer(self, clean: Tensor) -> Tensor:
        """The prediction that means this x₀."""
        match self.base_kind:
            case "flow_prediction":
                return (self.z - clean) / self.sigma
            case "v_prediction":
                return (self.alpha * self.z - clean) / self.sigma
        return (self.z - self.alpha * clean) / self.sigma

    def projected(self, guided: Tensor, reference: Tensor, merged: list[list[Any]]) -> Tensor:
        """R + Σ_{w>0} (w−1)·N(Δ) + Σ_{w<0} w·N(Δ), in x₀ (Sadat et al. 2024, Algorithm 1)."""
        apg = {**NEUTRAL_APG, **self.preset.get("apg", {})}
        if apg == NEUTRAL_APG:
            return guided
        result, along = self.clean(reference), self.clean(reference)
        for rows, weight, direction, mask, _ in merged:
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
        return self.answer(result)

    # -- a whole run ----------------------------------------------------------------------

    def run(
        self,
        scheduler: Any,
        latent: Tensor,
        generators: list[torch.Generator] | None,
        latents: Sequence[Tensor],
    ) -> Iterator[tuple[Tensor, Tensor | None, Tensor]]:
        """Each evaluation's prediction and noise put back, and the latent after it.

        Args:
            scheduler: diffusers' own, its time steps set. latent: unit noise.
            generators: of a scheduler that draws noise. latents: those after each evaluation that
                the next is to start from: some schedulers round theirs to float32.
        """
        more = {"generator": generators} if generators else {}
        total = scheduler.config.num_train_timesteps
        latent = latent * getattr(scheduler, "init_noise_sigma", 1.0)
        for place, t in enumerate(scheduler.timesteps):
            scaled = getattr(scheduler, "scale_model_input", lambda x, t: x)(latent, t)
            alpha, sigma = self.level(scheduler, place, t)
            now = min(1.0, max(0.0, 1.0 - (float(t) + 1.0) / total))
            guided, renoise = self.step(now, scaled, t, alpha, sigma)
            latent = scheduler.step(guided, t, latent, **more).prev_sample
            if renoise is not None:  # CFG++: x₀ of the guided prediction, noise of the base's
                clean, noise = self.clean(guided), self.noise(renoise)
                if hasattr(scheduler, "sigmas"):
                    then = scheduler.sigmas[place + 1].double()
                    alpha = 1 - then if self.base_kind == "flow_prediction" else 1.0
                else:
                    before = int(t) - total // scheduler.num_inference_steps
                    levels = scheduler.alphas_cumprod
                    level = levels[before] if before >= 0 else scheduler.final_alpha_cumprod
                    alpha, then = level.double().sqrt(), (1 - level.double()).sqrt()
                latent = alpha * clean + then * noise
            yield guided, renoise, latent
            latent = latents[place]

    def level(self, scheduler: Any, place: int, t: Tensor) -> tuple[Tensor, Tensor]:
        """α and σ of the latent that a network sees, in float32 as they are kept."""
        if self.base_kind == "flow_prediction":
            sigma = scheduler.sigmas[place].double()
            return 1 - sigma, sigma
        if hasattr(scheduler, "sigmas"):
            ratio = scheduler.sigmas[place].double()
        else:
            level = scheduler.alphas_cumprod[int(t)].double()
            ratio = ((1 - level) / level).sqrt()
        alpha = (1 + ratio**2).rsqrt()
        return alpha, ratio * alpha
