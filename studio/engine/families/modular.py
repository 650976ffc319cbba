"""A family whose text goes through the block of diffusers' modular pipelines that reads it there.

What such a family is stands in its record; a class adds how its network is called.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from studio.engine.families.base import Family, Text
from studio.engine.families.components import (
    load_component,
    load_config,
    load_model_index,
    load_tokenizer,
)
from studio.engine.inputs.tokens import NO_WORDS, Words
from studio.errors import IncompatibleModels, StudioError, shorten
from studio.extensions import placed
from studio.library import ModelEntry
from studio.library.noise import with_flow
from studio.preset.prompts import BREAK, has_weights


class Towers(nn.Module):
    """Text encoders under their names in the pipeline, ``None`` for one that it leaves out.

    ``tokenizers``: by their names there; ``reads``: the block that they belong to.
    """

    def __init__(
        self, towers: Mapping[str, nn.Module | None], tokenizers: dict[str, Any], reads: str
    ) -> None:
        super().__init__()
        self.reads = reads
        for name, tower in towers.items():
            self.add_module(name, tower)
        self.tokenizers = tokenizers

    def components(self) -> dict[str, Any]:
        """What the block expects."""
        return {**dict(self._modules), **self.tokenizers}


class Modular(Family):
    """Loads by the classes that the pipeline's blocks name, and encodes by its text block.

    ``reads``: the block, as ``module:Class``. ``gives``: a field of :class:`Text` → the block's
    output. ``longest``: the tokenizer that reads most of a prompt, the block's limit beside it;
    those of the pipelines that lack it follow. ``chat``: what its template is given besides a
    prompt, ``None`` where the prompt is read as it is. ``wide``: whether its parts, released in
    bfloat16, overflow in fp16.
    """

    reads: ClassVar[str]
    gives: ClassVar[Mapping[str, str]]
    longest: ClassVar[Mapping[str, int]]
    chat: ClassVar[Mapping[str, Any] | None] = None
    wide: ClassVar[bool] = False

    def load_network(
        self, entry: ModelEntry, device: torch.device, dtype: torch.dtype
    ) -> nn.Module:
        """The record's network, from its part of the pipeline."""
        import diffusers

        kind = getattr(diffusers, self.record.network)
        return load_component(kind, entry, self.record.part, device, self._held(dtype))

    def load_text(self, entry: ModelEntry, device: torch.device, dtype: torch.dtype) -> nn.Module:
        """All towers that the block expects and the pipeline has."""
        from transformers import AutoProcessor, AutoTokenizer

        index, towers, tokenizers = load_model_index(entry), {}, {}
        reads = self.block(index)
        for spec in placed(reads)().expected_components:
            there = (index.get(spec.name) or [None])[0] is not None
            if isinstance(spec.type_hint, type) and issubclass(spec.type_hint, nn.Module):
                kind = spec.type_hint
                held = self._held(dtype)
                one = load_component(kind, entry, spec.name, device, held) if there else None
                towers[spec.name] = one
            elif spec.name.startswith("tokenizer"):
                kind = AutoProcessor if spec.type_hint is AutoProcessor else AutoTokenizer
                found = load_tokenizer(kind, entry, spec.name) if there else None
                tokenizers[spec.name] = found
        return Towers(towers, tokenizers, reads)

    def block(self, index: Mapping[str, Any]) -> str:
        """What reads the text of a pipeline with this ``model_index.json``."""
        return self.reads

    def load_vae(self, entry: ModelEntry, device: torch.device, dtype: torch.dtype) -> nn.Module:
        """``AutoencoderKL``."""
        from diffusers import AutoencoderKL

        return load_component(AutoencoderKL, entry, "vae", device, self._held(dtype))

    def _held(self, dtype: torch.dtype) -> torch.dtype:
        return torch.bfloat16 if self.wide and dtype == torch.float16 else dtype

    def scheduler_config(self, entry: ModelEntry) -> Mapping[str, Any]:
        """Read from the pipeline's scheduler folder, with what the record knows of the flow."""
        return with_flow(load_config(entry, "scheduler"), entry, partial(load_model_index, entry))

    def towers(self, text: Any) -> Mapping[str, nn.Module]:
        """Those that the pipeline has."""
        return dict(text.named_children())

    def spans(self, text: Any, prompt: str, words: Words = NO_WORDS) -> int:
        """One window, which the prompt must fit into.

        Raises:
            StudioError: a prompt that is longer, or one with what this family does not read.
        """
        title = self.record.title
        if words.vectors:
            named = ", ".join(words.vectors)
            raise IncompatibleModels(
                f"{title}'s text encoders take no learned words, such as {named}"
            )
        if has_weights(prompt):
            raise StudioError(
                f"{title} reads no attention weights; write {shorten(prompt, 40)} without them",
                field="prompt",
            )
        name = next(one for one in self.longest if text.tokenizers.get(one) is not None)
        count, most = self._tokens(text.tokenizers[name], _whole(prompt)), self.longest[name]
        reader = text.tokenizers[name]
        alone: Any = getattr(reader, "tokenizer", reader)  # a processor reads pictures, too
        most = min(most, alone.model_max_length)
        if count > most:
            raise StudioError(
                f"the prompt has {count} tokens; {title} reads {most}", field="prompt"
            )
        return 1

    def _tokens(self, tokenizer: Any, prompt: str) -> int:
        """How many the block reads of a prompt, its template's own among them."""
        if self.chat is not None:
            said = [{"role": "user", "content": prompt}]
            prompt = tokenizer.apply_chat_template(
                said, tokenize=False, add_generation_prompt=True, **self.chat
            )
        return len(tokenizer(prompt).input_ids)

    @torch.no_grad()
    def encode(
        self, text: Any, prompts: Sequence[str], words: Words = NO_WORDS, spans: int = 1
    ) -> Text:
        """What the block makes of each prompt; texts of several lengths are filled up and masked."""
        for prompt in prompts:
            self.spans(text, prompt, words)
        block = placed(text.reads)().init_pipeline()
        block.update_components(**text.components())
        if "guider" in block.components:  # with it a block reads the empty prompt each time
            block.guider.disable()
        found = block(prompt=[_whole(p) for p in prompts], output=list(self.gives.values()))
        given = {field: found[output] for field, output in self.gives.items()}
        if isinstance(given["states"], list):
            kept = [one.new_ones(len(one), dtype=torch.bool) for one in given["states"]]
            given["mask"] = pad_sequence(kept, True)
            given["states"] = pad_sequence(given["states"], True)
        return Text(**given)

    def text_width(self, network: Any) -> int:
        """What its joint attention reads."""
        return int(network.config.joint_attention_dim)

    @abstractmethod
    def call(self, network: Any, latents: Tensor, t: Tensor, text: Text) -> Tensor:
        """The network's output for ``latents`` (batch, channels, h, w) at time ``t``."""

    def predict(
        self,
        network: Any,
        latents: Tensor,
        t: Tensor,
        text: Text | None,
        pictures: Tensor | None = None,
        **residuals: Any,
    ) -> Tensor:
        """The flow ``ε − x₀``."""
        assert text is not None and pictures is None and not residuals
        return self.call(network, latents, t.to(latents.device), text)

    def preview(self, entry: ModelEntry, channels: int) -> tuple[Tensor, Tensor]:
        """Three of the channels as colours: no map is known for every autoencoder."""
        weight = torch.zeros(3, channels)
        weight[range(3), range(3)] = 0.5
        return weight, torch.zeros(3)


def _whole(prompt: str) -> str:
    return BREAK.sub(" ", prompt).strip()  # there is one window
