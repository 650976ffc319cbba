"""A library of tiny random models of several families, and the oracle's world around each base."""

from __future__ import annotations

import copy
import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import ControlNetModel, SanaPipeline
from safetensors.torch import save_file
from tokenizers.processors import TemplateProcessing
from torch import Tensor, nn

from studio.engine.networks.null_text import null_text_unet
from tests.support import adapter_kinds, tiny, tiny_sana, tiny_sdxl
from tests.support.fuzz_pictures import pixels_of
from tests.support.oracle_networks import SanaWorld, World, XLWorld

SMALL = {
    "block_out_channels": (8,),
    "down_block_types": ("CrossAttnDownBlock2D",),
    "up_block_types": ("CrossAttnUpBlock2D",),
}


KINDS = {k: f for k, f in adapter_kinds.EXAMPLES.items() if k != "lora"} | {
    "dora": adapter_kinds.dora
}


OF_WEIGHTS = ("glora", "ia3", "oft", "replaced", "dora", "dog")  # whose Δ depends on the network


def build(folder: Path) -> dict[str, World]:
    """Write the models; base → its world."""
    pixels = pixels_of(folder)
    return {**_sd(folder, pixels), "xl": _xl(folder, pixels), "sana": _sana(folder, pixels)}


def _sd(folder: Path, pixels: Mapping[str, Tensor]) -> dict[str, World]:
    """Two bases of one network, which predict ε and v; a fine-tune of each with its own tower."""
    pipe = tiny.pipeline(folder / "base", **SMALL)
    tiny.pipeline(folder / "vbase", prediction="v_prediction", **SMALL)
    tuned = tiny.pipeline(folder / "tuned", seed=1, **SMALL)
    velocity = tiny.pipeline(folder / "velocity", seed=2, prediction="v_prediction", **SMALL)
    _jitter(tuned.text_encoder, 0.02)
    tuned.text_encoder.save_pretrained(folder / "tuned/text_encoder")
    concept = _concept(pipe, folder / "base/concept", tiny.encode(pipe, "")[0])
    guide = _controlnet(pipe.unet, folder / "base/guide", "base")
    deltas: dict[str, Mapping[str, Tensor]] = {
        f"base/{name}": _double(tiny.lora(folder / "base" / name, pipe.unet, seed=3 + k))
        for k, name in enumerate(("style", "other"))
    }
    texts: dict[str, Any] = {}
    parts = {"unet": pipe.unet, "text_encoder": pipe.text_encoder}
    ends = {"unet": ("attn2.to_k", "attn1.to_q"), "text_encoder": ("q_proj", "fc1")}
    deltas["thin"], texts["thin"] = _lora(folder / "thin.safetensors", parts, ends)
    deltas["whole"], texts["whole"] = _loha(folder / "whole.safetensors", parts)
    words = {
        "cat-word": {"<cat>": {"text_encoder": torch.randn(2, tiny.WIDTH)}},
        "dog": {"<new1>": {"text_encoder": torch.randn(1, tiny.WIDTH)}},
    }
    save_file(
        {"<cat>": words["cat-word"]["<cat>"]["text_encoder"]}, folder / "cat-word.safetensors"
    )
    networks = {
        "": pipe.unet.double(),
        "tuned": tuned.unet.double(),
        "velocity": velocity.unet.double(),
    }
    readings: dict[str, Callable[[Mapping[str, Tensor]], Any]] = {**KINDS, "dog": _custom_diffusion}
    for seed, (kind, reading) in enumerate(readings.items()):
        for on, network in networks.items():
            torch.manual_seed(seed)  # the same file on every network
            with _in_double():
                state, found = reading(network.state_dict())
            if not on or kind in OF_WEIGHTS:
                deltas[f"{kind} on {on}" if on else kind] = _double(found)
            if not on and kind != "dog":
                save_file(state, folder / f"{kind}.safetensors")
            elif not on:
                (folder / "dog").mkdir()
                save_file(state, folder / "dog/pytorch_custom_diffusion_weights.safetensors")
    save_file({"<new1>": words["dog"]["<new1>"]["text_encoder"]}, folder / "dog/<new1>.safetensors")
    tower = pipe.text_encoder.double().eval()
    for name, other in (("tuned", tuned), ("velocity", velocity)):
        deltas[name] = _difference(networks[name], networks[""])
        changed = _difference(other.text_encoder.double(), tower)
        texts[name] = {"text_encoder": {k: v for k, v in changed.items() if v.any()}}
    predicts = {
        **dict.fromkeys(("base", "tuned", "base/concept"), "epsilon"),
        **dict.fromkeys(("velocity", "vbase"), "v_prediction"),
    }
    world = World(
        networks[""].eval(),
        {"text_encoder": tower},
        pipe.tokenizer,
        predicts,
        deltas,
        pixels,
        texts,
        {"base/concept": concept},
        guide,
        words,
    )
    return {"base": world, "vbase": world}


def _xl(folder: Path, pixels: Mapping[str, Tensor]) -> World:
    """Two towers; a fine-tune of all three networks, and a LoRA and a word for all of them."""
    pipe = tiny_sdxl.pipeline(folder / "xl")
    parts = {
        "unet": pipe.unet,
        "text_encoder": pipe.text_encoder,
        "text_encoder_2": pipe.text_encoder_2,
    }
    before = {name: copy.deepcopy(part).double().eval() for name, part in parts.items()}
    ends = dict.fromkeys(parts, ("attn2.to_k", "q_proj", "fc1"))
    deltas, texts = _lora(folder / "xl-style.safetensors", parts, ends)
    _, null, _, null_pooled = pipe.encode_prompt("", device="cpu")
    concept = _concept(pipe, folder / "xl/concept", null, null_pooled=null_pooled, factor=2)
    guide = _controlnet(pipe.unet, folder / "xl/guide", "xl")
    word = {
        name: torch.randn(2, width)
        for name, width in zip(("text_encoder", "text_encoder_2"), tiny_sdxl.WIDTHS, strict=True)
    }
    save_file(
        {"clip_l": word["text_encoder"], "clip_g": word["text_encoder_2"]},
        folder / "hero.safetensors",
    )
    for part in parts.values():
        _jitter(part, 0.02)
    pipe.save_pretrained(folder / "xl-tuned")
    changed = {name: _difference(part.double(), before[name]) for name, part in parts.items()}
    return XLWorld(
        before["unet"],
        {name: part for name, part in before.items() if name != "unet"},
        pipe.tokenizer,
        dict.fromkeys(("xl", "xl-tuned", "xl/concept"), "epsilon"),
        {"xl-style": deltas, "xl-tuned": changed.pop("unet")},
        pixels,
        {"xl-style": texts, "xl-tuned": changed},
        {"xl/concept": concept},
        guide,
        {"hero": {"hero": word}},
    )


def _sana(folder: Path, pixels: Mapping[str, Tensor]) -> World:
    """A flow along a transformer, a fine-tune and a LoRA of it."""
    pipe = tiny_sana.pipeline(folder / "sana")
    mark = pipe.tokenizer.bos_token  # as Gemma's: without it the empty prompt would be nothing
    pipe.tokenizer._tokenizer.post_processor = TemplateProcessing(
        single=f"{mark} $A", special_tokens=[(mark, pipe.tokenizer.bos_token_id)]
    )
    # A line of the instruction is a token, not a token a letter: the prompts after it stay letters.
    told = inspect.signature(SanaPipeline.__call__).parameters["complex_human_instruction"].default
    pipe.tokenizer.add_tokens([line.strip() for line in told])
    pipe.text_encoder.resize_token_embeddings(len(pipe.tokenizer), mean_resizing=False)
    pipe.text_encoder.save_pretrained(folder / "sana/text_encoder")
    pipe.tokenizer.save_pretrained(folder / "sana/tokenizer")
    parts = {"transformer": pipe.transformer}
    deltas, _ = _lora(folder / "sana-style.safetensors", parts, {"transformer": ("to_q", "to_v")})
    before = copy.deepcopy(pipe.transformer).double().eval()
    _jitter(pipe.transformer, 0.02)
    pipe.save_pretrained(folder / "sana-tuned")
    pipe.text_encoder.double().eval()
    return SanaWorld(
        before,
        {"pipeline": pipe},
        pipe.tokenizer,
        dict.fromkeys(("sana", "sana-tuned"), "flow_prediction"),
        {"sana-style": deltas, "sana-tuned": _difference(pipe.transformer.double(), before)},
        pixels,
    )


def _jitter(network: nn.Module, size: float) -> None:
    torch.manual_seed(17)
    for parameter in network.parameters():
        parameter.data.add_(torch.randn_like(parameter) * size)


def _concept(pipe: Any, folder: Path, null: Tensor, **more: Any) -> nn.Module:
    network = null_text_unet(pipe.unet, null, **more)
    _jitter(network, 0.05)
    network.save_pretrained(folder)
    return network.double().eval()


def _controlnet(unet: Any, folder: Path, base: str) -> nn.Module:
    torch.manual_seed(5)
    guide = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(4, 4, 8))
    _jitter(guide, 0.05)
    guide.save_pretrained(folder)
    (folder / "card.json").write_text(json.dumps({"base": base}))
    return guide.double().eval()


def _lora(
    path: Path, parts: Mapping[str, nn.Module], ends: Mapping[str, tuple[str, ...]]
) -> tuple[dict[str, Tensor], dict[str, dict[str, Tensor]]]:
    """A LoRA in peft's names on some layers of every part; Δ of the network and of the towers."""
    torch.manual_seed(11)
    state, deltas = {}, {}
    for part, module in parts.items():
        deltas[part] = {}
        for name, layer in module.named_modules():
            if name.endswith(ends[part]):
                out, inner = _shape(layer)
                a, b = torch.randn(2, inner) * 0.4, torch.randn(out, 2) * 0.4
                state |= {f"{part}.{name}.lora_A.weight": a, f"{part}.{name}.lora_B.weight": b}
                deltas[part][f"{name}.weight"] = b.double() @ a.double()
    save_file(state, path)
    network = deltas.pop(next(iter(parts)))
    return network, deltas


def _loha(
    path: Path, parts: Mapping[str, nn.Module]
) -> tuple[dict[str, Tensor], dict[str, dict[str, Tensor]]]:
    """Full differences on the text tower and on one layer of the network, in kohya's names."""
    torch.manual_seed(12)
    state, deltas = {}, {}
    places = {"unet": ("lora_unet_", "attn2.to_v"), "text_encoder": ("lora_te_", "v_proj")}
    for part, (prefix, end) in places.items():
        deltas[part] = {}
        for name, layer in parts[part].named_modules():
            if name.endswith(end):
                out, inner = _shape(layer)
                a, b, c, d = (torch.randn(*s) * 0.5 for s in ((out, 2), (2, inner)) * 2)
                key = prefix + name.replace(".", "_")
                roles = zip(("w1_a", "w1_b", "w2_a", "w2_b"), (a, b, c, d), strict=True)
                state |= {f"{key}.hada_{role}": value for role, value in roles}
                a, b, c, d = (x.double() for x in (a, b, c, d))
                deltas[part][f"{name}.weight"] = (a @ b) * (c @ d)
    save_file(state, path)
    return deltas.pop("unet"), deltas


def _custom_diffusion(weights: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Cross-attention keys and values in place of the network's own."""
    state, deltas = {}, {}
    for name, value in weights.items():
        if name.endswith(("attn2.to_k.weight", "attn2.to_v.weight")):
            where, layer = name.removesuffix(".weight").rsplit(".", 1)
            trained = torch.randn(value.shape) * 0.4
            state[f"{where}.processor.{layer}_custom_diffusion.weight"] = trained
            deltas[name] = trained - value
    return state, deltas


def _shape(layer: nn.Module) -> tuple[int, int]:
    assert isinstance(layer, nn.Linear)
    return layer.out_features, layer.in_features


@contextmanager
def all_in_double() -> Iterator[None]:
    """Gemma's norms and attention count in float32 whatever they are given; here in float64."""
    narrow, softmax = Tensor.float, nn.functional.softmax

    def wide(values: Tensor, *args: Any, dtype: Any = None, **options: Any) -> Tensor:
        kept = torch.float64 if values.dtype is torch.float64 else dtype
        return softmax(values, *args, dtype=kept, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Tensor, "float", lambda x: x if x.dtype is torch.float64 else narrow(x))
        patch.setattr(nn.functional, "softmax", wide)
        yield


@contextmanager
def _in_double() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


def _difference(network: nn.Module, prior: nn.Module) -> dict[str, Tensor]:
    theta = dict(prior.named_parameters())
    return {name: (p - theta[name]).detach() for name, p in network.named_parameters()}


def _double(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.double() for name, value in state.items()}
