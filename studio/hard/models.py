"""Model files and folders of every kind, mutated; and files with code in them, which never runs."""

from __future__ import annotations

import json
import os
import pickle
import zipfile
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

from studio.hard.attack import ATTACKS, Attack, Fell
from studio.hard.mutation import (
    bytes_mutated,
    json_mutated,
    json_text,
    safetensors_file,
    safetensors_mutated,
)
from studio.home import ASSETS, models_folder
from studio.library import Library
from studio.preset import validate

NETWORK = {"_class_name": "UNet2DConditionModel", "in_channels": 4, "cross_attention_dim": 768}
PIPELINE = {
    "_class_name": "StableDiffusionPipeline",
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}
GOOD = {"x.lora_A.weight": {"dtype": "F32", "shape": [1, 16], "data_offsets": [0, 64]}}


def header(*names: str, **metadata: str) -> bytes:
    """A safetensors file whose header names these tensors, of four numbers each."""
    parts: dict[str, Any] = {
        name: {"dtype": "F32", "shape": [2, 2], "data_offsets": [n * 16, (n + 1) * 16]}
        for n, name in enumerate(names)
    }
    if metadata:
        parts["__metadata__"] = metadata
    return safetensors_file(json_text(parts), b"\0" * 16 * len(names))


_TO_K = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k"
KINDS: dict[str, dict[str, bytes]] = {
    "whole model": {
        "checkpoints/a.safetensors": header(
            "model.diffusion_model.input_blocks.0.0.weight",
            "model.diffusion_model.out.2.weight",
            "first_stage_model.encoder.down.0.x",
            "first_stage_model.post_quant_conv.weight",
        )
    },
    "lora": {
        "loras/a.safetensors": header(
            f"{_TO_K}.lora_down.weight",
            f"{_TO_K}.alpha",
            ss_tag_frequency='{"a": {"dog": 3}}',
            ss_base_model_version="sd_1.5",
        )
    },
    "words": {"embeddings/a.safetensors": header("emb_params")},
    "image prompt": {
        "ip/a.safetensors": header("ip_adapter.1.to_k_ip.weight", "image_proj.proj.weight")
    },
    "pipeline": {
        "p/model_index.json": json_text(PIPELINE),
        "p/unet/config.json": json_text({**NETWORK, "sample_size": 64}),
        "p/vae/config.json": json_text(
            {"block_out_channels": [1, 2, 3, 4], "scaling_factor": 0.18}
        ),
        "p/unet/diffusion_pytorch_model.safetensors": header("conv_in.weight"),
    },
    "network": {"n/config.json": json_text(NETWORK), "n/card.json": json_text({"base": "starter"})},
    "concept": {"c/config.json": json_text({"null_text": True, "unet": NETWORK, "factor": 8})},
    "controlnet": {"control/canny/config.json": json_text({"_class_name": "ControlNetModel"})},
    "peft": {
        "l/adapter_config.json": json_text({"r": 4, "lora_alpha": 4, "target_modules": ["to_q"]}),
        "l/adapter_model.safetensors": header("base_model.model.x.lora_A.weight"),
    },
    "notes": {
        "loras/a.safetensors": header("x.lora_A.weight"),
        "loras/a.json": b'{"trainedWords": ["a"]}',
    },
}


def mutated(random: Random, kind: str) -> dict[str, bytes]:
    """The files of a kind, most of them changed."""
    changed = {}
    for name, data in KINDS[kind].items():
        if random.random() < 0.25:
            changed[name] = data
        elif name.endswith(".safetensors"):
            changed[name] = safetensors_mutated(random, data)
        elif random.random() < 0.2:
            changed[name] = bytes_mutated(random, data)
        else:
            changed[name] = json_text(json_mutated(random, json.loads(data)))
    return changed


def write(root: Path, files: dict[str, bytes]) -> None:
    """Write files below a folder."""
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def library(random: Random, folder: Path) -> None:
    """One to three mutated models beside a good one, and once in a while a spoilt index."""
    root = models_folder()
    write(root, {"good.safetensors": safetensors_file(json_text(GOOD))})
    for kind in random.sample(sorted(KINDS), random.randint(1, 3)):
        write(root, mutated(random, kind))
    if random.random() < 0.1:
        os.mkfifo(root / random.choice(("pipe.safetensors", "pipe.json")))
    for _ in range(2 if random.random() < 0.3 else 1):  # the second time from the index
        found = Library((root,))
        if "good" not in [entry.id for entry in found.entries()]:
            raise Fell("the good model is gone")
        json.dumps([e.__dict__ for e in [*found.entries(), *found.refused()]]).encode()
    index = folder / "home/cache/library.json"
    if random.random() < 0.2 and index.is_file():
        index.write_bytes(bytes_mutated(random, index.read_bytes()))
        if "good" not in [entry.id for entry in Library((root,)).entries()]:
            raise Fell("the good model is gone with the index")


class _Marker:
    """Pickled, it makes a file when it is read by an unpickler that runs code."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (os.mkdir, (str(self.path),))


def pickles(random: Random, folder: Path) -> None:
    """Weights as pickles, and configs that name code, in every place where a model may lie."""
    from studio.engine import Engine

    marker, root = folder / "it-ran", models_folder()
    data = pickle.dumps({"x": _Marker(marker)})
    if random.random() < 0.5:  # as torch.save writes it
        archive = folder / "archive"
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("archive/data.pkl", data)
        data = archive.read_bytes()
    name, files = random.choice(
        _with_code(data, f"import os; os.mkdir({str(marker)!r})\n".encode())
    )
    write(root, files)
    model = random.choice(
        [
            {"base": name},
            {"rows": [{"prompt": "a", "model": name}]},
            {"rows": [{"prompt": "a", "model": {"lora": name}}]},
            {"rows": [{"prompt": "a", "model": {"embeddings": [name]}}]},
        ]
    )
    found = Library()
    found.refused()
    try:
        document = validate(
            {"sampler": {"steps": 1, "width": 16, "height": 16}, "rows": [{"prompt": "a"}], **model}
        )
        for _ in Engine(device="cpu", library=found).generate(document):
            pass
    finally:
        if marker.exists():
            raise Fell(f"code of {name} ran")


def _with_code(data: bytes, code: bytes) -> list[tuple[str, dict[str, bytes]]]:
    lone = [
        (f"a{n}", {f"a{n}{suffix}": data})
        for n, suffix in enumerate((".ckpt", ".pt", ".pth", ".bin"))
    ]
    named = {
        "_class_name": "Mine",
        "custom_pipeline": "mine",
        "unet": ["mine", "Mine"],
        "trust_remote_code": True,
    }
    return [
        *lone,
        ("renamed", {"renamed.safetensors": data}),
        (
            "folder",
            {
                "folder/model_index.json": json_text(PIPELINE),
                "folder/unet/config.json": json_text(NETWORK),
                "folder/unet/diffusion_pytorch_model.bin": data,
                "folder/vae/diffusion_pytorch_model.bin": data,
            },
        ),
        (
            "custom",
            {
                "custom/model_index.json": json_text(named),
                "custom/mine.py": code,
                "custom/pipeline.py": code,
                "custom/unet/mine.py": code,
            },
        ),
        (
            "peft",
            {
                "peft/adapter_config.json": json_text(
                    {
                        "r": 4,
                        "lora_alpha": 4,
                        "target_modules": ["to_q"],
                        "peft_type": "LORA",
                        "auto_mapping": {"base_model_class": "Mine", "parent_library": "mine"},
                    }
                ),
                "peft/adapter_model.bin": data,
                "peft/mine.py": code,
            },
        ),
        (
            "words",
            {"words/learned_embeds.bin": data, "words/learned_embeds.safetensors": header("<x>")},
        ),
        (
            "tokenizer",
            {
                "tokenizer/model_index.json": json_text(
                    {**PIPELINE, "tokenizer": ["transformers", "AutoTokenizer"]}
                ),
                "tokenizer/tokenizer/tokenizer_config.json": json_text(
                    {"auto_map": {"AutoTokenizer": ["mine.Mine", None]}, "tokenizer_class": "Mine"}
                ),
                "tokenizer/tokenizer/mine.py": code,
                "tokenizer/unet/config.json": json_text(NETWORK),
            },
        ),
    ]


@lru_cache(maxsize=1)
def _shipped() -> tuple[Any, bytes]:
    """An engine with the starter model, kept over the cases, and an adapter that fits it."""
    from studio.engine import Engine

    file = next((ASSETS / "starter").glob("lora-*/pytorch_lora_weights.safetensors"))
    return Engine(device="cpu"), file.read_bytes()


def adapters(random: Random, folder: Path) -> None:
    """A mutated adapter on the starter model: drawn with, or refused."""
    engine, data = _shipped()
    name = f"a{random.randrange(10**9)}"
    write(models_folder(), {f"{name}.safetensors": safetensors_mutated(random, data)})
    engine.look_in(Library())
    row = {"prompt": "a", "model": {"lora": name}}
    sampler = {"steps": 1, "width": 32, "height": 32}
    for _ in engine.generate(validate({"base": "starter", "rows": [row], "sampler": sampler})):
        pass


ATTACKS.register(
    "models", Attack("model files and folders of ten kinds, and the index", library, seconds=2.0)
)
ATTACKS.register(
    "pickles and code",
    Attack(
        "pickled weights and configs that name code, loaded by the engine",
        pickles,
        cases=400,
        seconds=20.0,
        short=4,
        growth=2**31,
    ),
)
ATTACKS.register(
    "adapters",
    Attack(
        "mutated LoRAs, drawn with on the starter model", adapters, 10_000, 20.0, 5, growth=2**31
    ),
)
