"""What other tools write into their pictures, as their own sources have it: one plain example of each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.other_tools import photo, png

UNICODE = b"UNICODE\0"


def written(folder: Path, data: dict[str, Any], how: str, key: str = "parameters") -> Path:
    """One JSON object as a chunk of a PNG or as the comment of a JPEG or WebP."""
    text = json.dumps(data)
    if how == "png":
        return png(folder, {key: text})
    return photo(folder, UNICODE + text.encode("utf-16-be"), how)


NOVELAI = {
    "prompt": "a cat",
    "uc": "bad",
    "steps": 28,
    "scale": 7.0,
    "seed": 42,
    "sampler": "k_euler_ancestral",
    "width": 64,
    "height": 96,
    "cfg_rescale": 0.4,
    "noise_schedule": "karras",
    "uncond_scale": 1.0,
}


INVOKE: dict[str, Any] = {
    "app_version": "5.0.0",
    "generation_mode": "txt2img",
    "positive_prompt": "a cat",
    "negative_prompt": "bad",
    "width": 64,
    "height": 96,
    "seed": 42,
    "rand_device": "cpu",
    "cfg_scale": 7.0,
    "cfg_rescale_multiplier": 0.5,
    "steps": 20,
    "scheduler": "euler",
    "clip_skip": 0,
    "seamless_x": False,
    "seamless_y": False,
    "model": {"key": "k", "hash": "blake3:1", "name": "mymodel", "base": "sd-1", "type": "main"},
    "strength": 1.0,
    "loras": [],
    "controlnets": [],
}


FOOOCUS: dict[str, Any] = {
    "prompt": "a cat",
    "negative_prompt": "bad",
    "base_model": "mymodel",
    "base_model_hash": "abc",
    "guidance_scale": 7.0,
    "sampler": "euler",
    "scheduler": "normal",
    "seed": "42",
    "steps": 20,
    "resolution": "(64, 96)",
    "metadata_scheme": "fooocus",
    "version": "Fooocus v2.5.5",
}


SWARM: dict[str, Any] = {
    "prompt": "a cat",
    "negativeprompt": "bad",
    "model": "mymodel",
    "seed": 42,
    "steps": 20,
    "cfgscale": 7.0,
    "width": 64,
    "height": 96,
    "sampler": "euler",
    "scheduler": "normal",
    "swarm_version": "0.9.6.2",
}


DRAW: dict[str, Any] = {
    "c": "a cat",
    "uc": "bad",
    "model": "mymodel.ckpt",
    "sampler": "Euler A",
    "scale": 7,
    "seed": 42,
    "seed_mode": "Scale Alike",
    "size": "64x96",
    "steps": 20,
    "strength": 1,
    "lora": [{"model": "ink_lora_f16.ckpt", "weight": 0.6}],
    "v2": {"width": 64, "guidanceScale": 7, "loras": [], "hiresFix": False, "sharpness": 0},
}


PACKET = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description rdf:about="">
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">a cat&#xA;-bad</rdf:li></rdf:Alt></dc:description>
<xmp:CreatorTool>Draw Things</xmp:CreatorTool>
<exif:UserComment><rdf:Alt><rdf:li xml:lang="x-default">{}</rdf:li></rdf:Alt></exif:UserComment>
</rdf:Description></rdf:RDF></x:xmpmeta>"""


EASY = {
    "prompt": "a cat",
    "negative_prompt": "bad",
    "seed": "42",
    "use_stable_diffusion_model": "C:\\models\\mymodel.safetensors",
    "sampler_name": "euler_a",
    "width": "64",
    "height": "96",
    "num_inference_steps": "20",
    "guidance_scale": "7.0",
    "use_lora_model": "['ink']",
    "lora_alpha": "[0.5]",
}


LABELS = {
    "Prompt": "a cat",
    "Negative Prompt": "bad",
    "Seed": "42",
    "Stable Diffusion model": "mymodel",
    "Sampler": "euler_a",
    "Width": "64",
    "Height": "96",
    "Steps": "20",
    "Guidance Scale": "7.0",
    "LoRA model": "ink",
    "LoRA Strength": "0.5",
}


MOCHI = (
    "Include in Image: a cat; with a hat: red; Exclude from Image: bad; Model: mymodel; "
    "Steps: 20; Guidance Scale: 7.0; Seed: 42; Size: 64x96; Upscaler: RealESRGAN; "
    "Scheduler: DPM-Solver++; ML Compute Unit: CPU & GPU; Generator: Mochi Diffusion 4.2"
)


MOCHI_2 = (
    "Metadata Version: 2\nInclude in Image: a cat; with\\na hat: red\nExclude from Image: bad\n"
    "Model: mymodel\nSteps: 20\nGuidance Scale: 7.0\nSeed: 42\nSize: 64x96\n"
    "Upscaler: RealESRGAN\nScheduler: DPM-Solver++\nGenerator: Mochi Diffusion 6.0"
)
