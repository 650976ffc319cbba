"""Random image-prompt adapters (IP-Adapter, Plus, full face) as their files hold them, and runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

from studio.engine import Engine
from studio.events import Done
from studio.library import Library
from studio.preset import validate
from tests.support import tiny

TOKENS = 4
WEIGHT, STRENGTH = 4.0, 0.6


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


def full_state(unet: torch.nn.Module, seen: int, seed: int) -> dict[str, torch.Tensor]:
    """A random full-face adapter: each of CLIP's patches (``seen`` wide) becomes a token."""
    generator = torch.Generator().manual_seed(seed)
    context = unet.config.cross_attention_dim
    shapes = {
        "proj.0.weight": (seen, seen),
        "proj.0.bias": (seen,),
        "proj.2.weight": (context, seen),
        "proj.2.bias": (context,),
        "proj.3.weight": (context,),
        "proj.3.bias": (context,),
    }
    plain = adapter_state(unet, 10, seed)
    return {
        **{k: v for k, v in plain.items() if k.startswith("ip_adapter.")},
        **{f"image_proj.{k}": torch.randn(s, generator=generator) for k, s in shapes.items()},
    }


def library(folder: Path) -> Path:
    """A base, an image encoder with adapters beside it, one without, and two pictures."""
    pipe = tiny.pipeline(folder / "base")
    torch.manual_seed(3)
    CLIPVisionModelWithProjection(
        CLIPVisionConfig(
            hidden_size=12,
            intermediate_size=16,
            projection_dim=10,
            num_hidden_layers=2,
            num_attention_heads=2,
            image_size=16,
            patch_size=8,
        )
    ).save_pretrained(folder / "ip/image_encoder")
    save_file(adapter_state(pipe.unet, 10, 0), folder / "ip/light.safetensors")
    save_file(plus_state(pipe.unet, 12, 5), folder / "ip/plus.safetensors")
    save_file(full_state(pipe.unet, 12, 6), folder / "ip/full-face.safetensors")
    (folder / "alone").mkdir()
    save_file(adapter_state(pipe.unet, 10, 0), folder / "alone/light.safetensors")
    for name, seed in (("red", 1), ("blue", 2)):
        pixels = np.random.default_rng(seed).integers(0, 255, (20, 24, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{name}.png")
    return folder


def row(picture: str, **more: object) -> dict:
    """A row that sees a picture."""
    prompt = {"image": f"{picture}.png", "model": "ip/light", "strength": STRENGTH}
    return {"prompt": "a cat", "weight": WEIGHT, "image_prompt": prompt, **more}


def make(root: Path, exact: bool = True, **fields: object) -> list[np.ndarray]:
    """The engine's pictures of a preset with these fields."""
    engine = Engine(device="cpu", library=Library((root,)), image_roots=[root], exact=exact)
    fields.setdefault("sampler", {"steps": 3, "scheduler": "ddim", "seed": 3})
    preset = validate({"base": "base", **fields})
    return [np.asarray(e.image).astype(int) for e in engine.generate(preset) if isinstance(e, Done)]


def seeing(root: Path, strength: float, name: str = "light") -> StableDiffusionPipeline:
    """diffusers' pipeline with the IP-Adapter on its network."""
    pipe = StableDiffusionPipeline.from_pretrained(
        root / "base",
        safety_checker=None,
        image_encoder=CLIPVisionModelWithProjection.from_pretrained(root / "ip/image_encoder"),
        feature_extractor=CLIPImageProcessor(
            size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16}
        ),
    )
    state = load_file(root / f"ip/{name}.safetensors")
    parts = {
        part: {k.removeprefix(f"{part}."): v for k, v in state.items() if k.startswith(part)}
        for part in ("image_proj", "ip_adapter")
    }
    pipe.unet._load_ip_adapter_weights([parts], low_cpu_mem_usage=False)
    pipe.set_ip_adapter_scale(strength)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def theirs(root: Path, picture: str, negative: str = "", name: str = "light") -> np.ndarray:
    """diffusers' own run with ``ip_adapter_image`` at guidance scale ``WEIGHT``."""
    pipe = seeing(root, STRENGTH, name)
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
    image = pipe(
        "a cat",
        negative_prompt=negative,
        ip_adapter_image=Image.open(root / f"{picture}.png").convert("RGB"),
        guidance_scale=WEIGHT,
        num_inference_steps=3,
        latents=torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(3)),
        output_type="pil",
    ).images[0]
    return np.asarray(image).astype(int)
