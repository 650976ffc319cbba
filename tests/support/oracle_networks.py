"""What the oracle runs: diffusers' own networks and text towers on merged weights, one at a time."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from diffusers import SanaPipeline
from torch import Tensor, nn

ROOM = 22  # tokens of a window, without marks
TEXT = " on the text"  # after a model's id: its Δ in the text towers
Weights = Mapping[str, float]  # model, or model + TEXT → how much of its Δ is added
Words = Mapping[str, Mapping[str, Tensor]]  # learned word → tower → vectors
EMBEDDINGS = "embeddings.token_embedding.weight"


@dataclass
class World:
    """What there is around one base: θ, the Δ of every other model by id, and pixels.

    ``predicts``: of full networks. ``deltas``: of ``model``, or ``model on network`` where Δ
    depends on the weights that it is added to. ``texts``: the same, tower → parameter → Δ.
    """

    theta: Any
    towers: Mapping[str, Any]
    tokenizer: Any
    predicts: Mapping[str, str]
    deltas: Mapping[str, Mapping[str, Tensor]]
    pixels: Mapping[str, Tensor]  # masks (16, 16) in [0, 1], the control map (1, 3, 16, 16)
    texts: Mapping[str, Mapping[str, Mapping[str, Tensor]]] = field(default_factory=dict)
    concepts: Mapping[str, Any] = field(default_factory=dict)
    controlnet: Any = None
    words: Mapping[str, Words] = field(default_factory=dict)  # by the model that holds them
    known: dict[Any, Any] = field(default_factory=dict)
    sums: dict[Any, dict[str, Tensor]] = field(default_factory=dict)  # of the last few scales

    # -- text ---------------------------------------------------------------------------------

    def tokens(self, text: str, words: Words) -> list[int]:
        first, ids = len(self.tokenizer), {}
        for word, vectors in words.items():
            count = len(next(iter(vectors.values())))
            ids[word], first = list(range(first, first + count)), first + count
        pieces = re.split("(" + "|".join(map(re.escape, ids)) + ")" if ids else "(?!)", text)
        read = lambda piece: self.tokenizer(piece.strip(), add_special_tokens=False).input_ids  # noqa: E731
        return [
            token for piece in pieces for token in (ids[piece] if piece in ids else read(piece))
        ]

    def windows(self, text: str, words: Words) -> int:
        return max(1, math.ceil(len(self.tokens(text, words)) / ROOM))

    def states(self, text: str, windows: int, scales: Weights, words: Words) -> dict[str, Any]:
        """What a network takes of a text, (1, …); ``scales``: of the models that change towers."""
        scales = {k: s for k, s in scales.items() if k in self.texts and s}
        key = (text, windows, *sorted(scales.items()), *words)
        if key not in self.known:
            with torch.no_grad():
                self.known[key] = self._read(text, windows, scales, words)
        return self.known[key]

    def _read(self, text: str, windows: int, scales: Weights, words: Words) -> dict[str, Any]:
        ids, marks = self.tokens(text, words), self.tokenizer
        parts = [ids[k * ROOM : (k + 1) * ROOM] for k in range(windows)]
        padded = torch.tensor(
            [[marks.bos_token_id, *p, *[marks.eos_token_id] * (ROOM + 1 - len(p))] for p in parts]
        )
        return self._of_towers(
            text, [(name, self._tower(name, padded, scales, words)) for name in self.towers]
        )

    def _of_towers(self, text: str, found: list[tuple[str, Any]]) -> dict[str, Any]:
        ((_, output),) = found
        return {"encoder_hidden_states": torch.cat(list(output[0]))[None]}

    def _tower(self, name: str, ids: Tensor, scales: Weights, words: Words) -> Any:
        """One tower's output for windows of ids, on its weights with every Δ added."""
        tower = self.towers[name]
        state = merged(tower, {k: self.texts[k].get(name, {}) for k in scales}, scales)
        if words:  # further rows of the table
            (table,) = (key for key, _ in tower.named_parameters() if key.endswith(EMBEDDINGS))
            rows = [state.get(table, tower.get_parameter(table).detach())]
            state[table] = torch.cat(
                [*rows, *(vectors[name].double() for vectors in words.values())]
            )
        return torch.func.functional_call(
            tower, state, (ids,), {"output_hidden_states": True}, tie_weights=False
        )

    # -- networks -----------------------------------------------------------------------------

    def forward(
        self, z: Tensor, t: Tensor, scales: Weights, states: Mapping[str, Any], control: Any
    ) -> Tensor:
        """θ with every Δ at its scale."""
        state = self._theta(scales)
        more = {**self._for(z, states)}
        if control:
            down, mid = self.controlnet(
                z,
                t,
                controlnet_cond=self.pixels[control["image"]].repeat(len(z), 1, 1, 1),
                conditioning_scale=control.get("strength", 1.0),
                return_dict=False,
                **more,
            )
            more["down_block_additional_residuals"] = tuple(down)
            more["mid_block_additional_residual"] = mid
        call = torch.func.functional_call
        return call(self.theta, state, (z,), {**self._at(t, z), **more}, tie_weights=False).sample

    def _theta(self, scales: Weights) -> dict[str, Tensor]:
        """Every step of a stack asks for the same sums."""
        key = tuple(sorted((k, scale) for k, scale in scales.items() if k in self.deltas))
        if key not in self.sums:
            if len(self.sums) == 8:
                self.sums.pop(next(iter(self.sums)))
            self.sums[key] = merged(self.theta, {k: self.deltas[k] for k, _ in key}, scales)
        return self.sums[key]

    def _at(self, t: Tensor, z: Tensor) -> dict[str, Any]:
        return {"timestep": t}

    def _for(self, z: Tensor, states: Mapping[str, Any]) -> dict[str, Any]:
        return {k: v.repeat(len(z), *[1] * (v.ndim - 1)) for k, v in states.items()}


class XLWorld(World):
    """Two towers, the pooled text and the size of the picture (8 pixels an edge for 4 latents)."""

    def _of_towers(self, text: str, found: list[tuple[str, Any]]) -> dict[str, Any]:
        states = torch.cat([torch.cat(list(o.hidden_states[-2])) for _, o in found], dim=-1)[None]
        pooled = found[1][1].text_embeds[:1]
        kept = float(text != "")  # the empty prompt is zeros
        return {"encoder_hidden_states": states * kept, "text_embeds": pooled * kept}

    def _for(self, z: Tensor, states: Mapping[str, Any]) -> dict[str, Any]:
        found = super()._for(z, states)
        ids = torch.tensor([[8, 8, 0, 0, 8, 8]]).double().repeat(len(z), 1)
        added = {"text_embeds": found.pop("text_embeds"), "time_ids": ids}
        return {**found, "added_cond_kwargs": added}


class SanaWorld(World):
    """SANA's transformer; its prompts are read by diffusers' own pipeline."""

    def windows(self, text: str, words: Words) -> int:
        return 1

    def _read(self, text: str, windows: int, scales: Weights, words: Words) -> dict[str, Any]:
        call = inspect.signature(SanaPipeline.__call__).parameters
        told = call["complex_human_instruction"].default if text else None
        states, mask, *_ = self.towers["pipeline"].encode_prompt(
            text, False, device="cpu", complex_human_instruction=told
        )
        return {"encoder_hidden_states": states.double(), "encoder_attention_mask": mask}

    def _at(self, t: Tensor, z: Tensor) -> dict[str, Any]:
        return {"timestep": t.expand(len(z))}


def merged(
    module: nn.Module, deltas: Mapping[str, Mapping[str, Tensor]], scales: Weights
) -> dict[str, Tensor]:
    """The parameters of ``module`` that ``Σ scale·Δ`` changes."""
    state: dict[str, Tensor] = {}
    for model, changes in deltas.items():
        for name, change in changes.items():
            state[name] = state.get(name, module.get_parameter(name)) + scales[model] * change
    return state
