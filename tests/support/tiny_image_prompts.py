"""Random image-prompt adapters (IP-Adapter and Plus) as their files hold them."""

from __future__ import annotations

import torch

TOKENS = 4


def adapter_state(unet: torch.nn.Module, width: int, seed: int) -> dict[str, torch.Tensor]:
    """A random IP-Adapter in its authors' format."""
    generator = torch.Generator().manual_seed(seed)

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator) * 0.4

    context = unet.config.cross_attention_dim
    state = {
        "image_proj.proj.weight": random(TOKENS * context, width),
        "image_proj.proj.bias": random(TOKENS * context),
        "image_proj.norm.weight": torch.ones(context),
        "image_proj.norm.bias": random(context),
    }
    for number, name in enumerate(n for n in unet.attn_processors if ".attn2." in n):
        inner = unet.get_submodule(name.removesuffix(".processor")).inner_dim
        for letter in "kv":
            state[f"ip_adapter.{2 * number + 1}.to_{letter}_ip.weight"] = random(inner, context)
    return state


def plus_state(unet: torch.nn.Module, seen: int, seed: int) -> dict[str, torch.Tensor]:
    """A random IP-Adapter Plus, whose tokens are drawn from all patches (``seen`` wide)."""
    generator = torch.Generator().manual_seed(seed)
    width, inner, context = 8, 64, unet.config.cross_attention_dim
    shapes = {
        "latents": (1, TOKENS, width),
        "proj_in.weight": (width, seen),
        "proj_in.bias": (width,),
        "proj_out.weight": (context, width),
        "proj_out.bias": (context,),
        "norm_out.weight": (context,),
        "norm_out.bias": (context,),
    }
    layer = {
        "0.norm1.weight": (width,),
        "0.norm1.bias": (width,),
        "0.norm2.weight": (width,),
        "0.norm2.bias": (width,),
        "0.to_q.weight": (inner, width),
        "0.to_kv.weight": (2 * inner, width),
        "0.to_out.weight": (width, inner),
        "1.0.weight": (width,),
        "1.0.bias": (width,),
        "1.1.weight": (4 * width, width),
        "1.3.weight": (width, 4 * width),
    }
    shapes |= {f"layers.{n}.{k}": shape for n in range(4) for k, shape in layer.items()}
    plain = adapter_state(unet, 10, seed)
    return {
        **{k: v for k, v in plain.items() if k.startswith("ip_adapter.")},
        **{f"image_proj.{k}": torch.randn(s, generator=generator) for k, s in shapes.items()},
    }
