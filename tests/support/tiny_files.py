"""Files as people own them, written from tiny models: whole models in one file, kohya's adapters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "time_emb_proj": "emb_layers.1",
    "conv_shortcut": "skip_connection",
}
_UNET = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
}
_VAE = {
    "conv_shortcut": "nin_shortcut",
    "group_norm": "norm",
    "to_q": "q",
    "to_k": "k",
    "to_v": "v",
    "to_out.0": "proj_out",
    "conv_norm_out": "norm_out",
}
_OPEN_CLIP = {
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
}


def unet_name(module: str, levels: int) -> str:
    """A module of ``UNet2DConditionModel`` (two layers per block) in the original code's words."""
    if module in _UNET:
        return _UNET[module]
    match = re.match(r"(down_blocks|up_blocks)\.(\d+)\.(\w+)\.(\d+)\.?(.*)", module)
    if match:
        side, level, kind, number, rest = match[1], int(match[2]), match[3], int(match[4]), match[5]
        if kind == "downsamplers":
            return f"input_blocks.{3 * (level + 1)}.0.op"
        place = 3 * level + number + (1 if side == "down_blocks" else 0)
        where = f"{'input' if side == 'down_blocks' else 'output'}_blocks.{place}"
        if kind == "upsamplers":
            has_attention = "A" in UP_ATTENTION[levels][level]
            return f"output_blocks.{3 * level + 2}.{2 if has_attention else 1}.{rest}"
        inner = _RESNET.get(rest, rest) if kind == "resnets" else rest
        return f"{where}.{0 if kind == 'resnets' else 1}.{inner}"
    kind, number, rest = re.match(r"mid_block\.(\w+)\.(\d+)\.(.*)", module).groups()
    if kind == "attentions":
        return f"middle_block.1.{rest}"
    return f"middle_block.{2 * int(number)}.{_RESNET.get(rest, rest)}"


# Which of the up blocks attend ("A"), by number of levels: SD 1.x/2.x have four, XL three.
UP_ATTENTION = {4: ("", "A", "A", "A"), 3: ("A", "A", "")}


def _unet_state(unet: nn.Module) -> dict[str, Tensor]:
    levels = len(unet.config.block_out_channels)
    state = {}
    for key, value in unet.state_dict().items():
        module, _, kind = key.rpartition(".")
        state[f"model.diffusion_model.{unet_name(module, levels)}.{kind}"] = value.clone()
    return state


def _vae_state(vae: nn.Module) -> dict[str, Tensor]:
    levels = len(vae.config.block_out_channels)
    state = {}
    for key, value in vae.state_dict().items():
        name = re.sub(r"encoder\.down_blocks\.(\d+)\.resnets", r"encoder.down.\1.block", key)
        name = re.sub(
            r"encoder\.down_blocks\.(\d+)\.downsamplers\.0", r"encoder.down.\1.downsample", name
        )
        for part, new in (("resnets", "block"), ("upsamplers.0", "upsample")):
            name = re.sub(
                rf"decoder\.up_blocks\.(\d+)\.{re.escape(part)}",
                lambda m, new=new: f"decoder.up.{levels - 1 - int(m[1])}.{new}",
                name,
            )
        name = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", name)
        attention = "mid_block.attentions.0" in name
        name = name.replace("mid_block.attentions.0", "mid.attn_1")
        for old, new in _VAE.items():
            name = name.replace(f".{old}.", f".{new}.")
        if attention and value.ndim == 2:
            value = value[:, :, None, None]  # it was a convolution there
        state[f"first_stage_model.{name}"] = value.clone()
    return state


def _clip_state(tower: nn.Module, prefix: str) -> dict[str, Tensor]:
    return {
        f"{prefix}transformer.text_model.{key.removeprefix('text_model.')}": value.clone()
        for key, value in tower.state_dict().items()
    }


def _open_clip_state(tower: nn.Module, prefix: str) -> dict[str, Tensor]:
    source = {key.removeprefix("text_model."): value for key, value in tower.state_dict().items()}
    state = {
        f"{prefix}token_embedding.weight": source["embeddings.token_embedding.weight"],
        f"{prefix}positional_embedding": source["embeddings.position_embedding.weight"],
        f"{prefix}ln_final.weight": source["final_layer_norm.weight"],
        f"{prefix}ln_final.bias": source["final_layer_norm.bias"],
    }
    if "text_projection.weight" in source:
        state[f"{prefix}text_projection"] = source["text_projection.weight"].T
    for key, value in source.items():
        match = re.match(r"encoder\.layers\.(\d+)\.(.*)\.(weight|bias)", key)
        if match is None or match[2] in ("self_attn.k_proj", "self_attn.v_proj"):
            continue
        block, inner, kind = f"{prefix}transformer.resblocks.{match[1]}.", match[2], match[3]
        if inner == "self_attn.q_proj":
            parts = [source[key.replace("q_proj", f"{letter}_proj")] for letter in "qkv"]
            state[f"{block}attn.in_proj_{kind}"] = torch.cat(parts)
        else:
            state[f"{block}{_OPEN_CLIP[inner]}.{kind}"] = value
    return {key: value.clone().contiguous() for key, value in state.items()}


def save_whole_model(
    path: Path, family: str, parts: Mapping[str, nn.Module], **metadata: str
) -> None:
    """``parts`` (unet, vae, text_encoder, text_encoder_2) as one checkpoint of ``family``."""
    state = _unet_state(parts["unet"]) | _vae_state(parts["vae"])
    if family == "sd1":
        state |= _clip_state(parts["text_encoder"], "cond_stage_model.")
    elif family == "sd2":
        state |= _open_clip_state(parts["text_encoder"], "cond_stage_model.model.")
        # The layer that the networks were not trained on lies in the file too.
        last = [key for key in state if ".resblocks.0." in key]
        count = 1 + max(
            int(re.search(r"resblocks\.(\d+)", k)[1]) for k in state if "resblocks" in k
        )
        state |= {
            key.replace(".resblocks.0.", f".resblocks.{count}."): state[key].clone() for key in last
        }
    else:
        state |= _clip_state(parts["text_encoder"], "conditioner.embedders.0.")
        state |= _open_clip_state(parts["text_encoder_2"], "conditioner.embedders.1.model.")
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(state, path, metadata=metadata or None)


def kohya_names(state: Mapping[str, Tensor], alpha: float | None = None) -> dict[str, Tensor]:
    """peft's LoRA factors (``unet.…lora_A.weight``) under the names that kohya's trainer writes."""
    prefixes = {"unet": "lora_unet_", "text_encoder": "lora_te_"}
    result: dict[str, Tensor] = {}
    for key, value in state.items():
        part, _, rest = key.partition(".")
        module = re.sub(r"\.lora_[AB]\.weight$", "", rest)
        if part == "text_encoder":
            module = f"text_model.{module}"
        name = prefixes[part] + module.replace(".", "_")
        role = "lora_down" if ".lora_A." in rest else "lora_up"
        result[f"{name}.{role}.weight"] = value.clone().contiguous()
        if alpha is not None:
            result[f"{name}.alpha"] = torch.tensor(alpha)
    return result
