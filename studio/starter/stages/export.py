"""Stage `export`: what the work folder holds, as fp16 files in diffusers' layout under ``assets/``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, ControlNetModel, StableDiffusionPipeline, UNet2DConditionModel
from PIL import Image
from safetensors.torch import save_file
from transformers import CLIPModel, CLIPTextModel, CLIPTokenizer

from studio.engine.networks.null_text import NullTextUNet
from studio.starter.common import SEED, log, write_json
from studio.starter.pictures import vocabulary
from studio.starter.pictures.captions import caption
from studio.starter.pictures.contents import BACKGROUNDS, HELD_OUT, HERO_WORD, STYLES
from studio.starter.pictures.data import Pictures, compose, make_pool, split_rows
from studio.starter.shipped import FINE
from studio.starter.stages import preferences
from studio.starter.stages.lora import SUBJECTS, called
from studio.starter.stages.prior import build_scheduler
from studio.starter.stages.vae import fit_preview

EDITION = 3  # of the prior and its text encoder: what a person trained on another says so
SINCE = "2026-11-30"  # when it began to ship: what was made earlier was made with other weights
OLDER = ("faces", "animals", "fine", "judge")  # parts that ship unchanged since an earlier edition
SHARD = "14MB"
FACES = 24
CARDS = {
    "clip": {"title": "CLIP of the starter", "part_of": "starter"},
    "judge": {"title": "Judge of the starter", "part_of": "starter"},
    "fine": {"title": "Fine decoder: 256 pixels of the same latents", "base": "starter"},
    "faces": {"title": "Faces (null-text concept)", "base": "starter"},
    "animals": {"title": "Animals (null-text concept)", "base": "starter"},
    "food": {"title": "Food (null-text concept, as a LoRA)", "base": "starter", "concept": True},
    "canny": {"title": "Canny edges (ControlNet)", "base": "starter", "control": "canny"},
    "lora-blob": {"title": "Blob style (LoRA)", "base": "starter", "trigger": "blob"},
    "lora-hero": {"title": "The hero (LoRA)", "base": "starter", "trigger": HERO_WORD},
    "lora-fox": {"title": "Fox style (LoRA)", "base": "starter", "trigger": "fx"},
    "lora-polar": {"title": "A polar bear (LoRA)", "base": "starter", "trigger": "polar bear"},
    "lora-glossy": {"title": "Glossy by preference (DPO)", "base": "starter"},
    "word-hero": {"title": "The hero (a learned word)", "base": "starter"},
}
ADAPTERS = (*(subject.folder for subject in SUBJECTS.values()), preferences.FOLDER, "food")
EXAMPLES = ("blob", "hero")  # whose pictures anyone may train on


def load_pipeline(work: Path, unet: torch.nn.Module | None = None) -> StableDiffusionPipeline:
    """The family as diffusers' own pipeline, in float32."""
    return StableDiffusionPipeline(
        vae=AutoencoderKL.from_pretrained(work / "vae"),
        text_encoder=CLIPTextModel.from_pretrained(work / "text_encoder"),
        tokenizer=CLIPTokenizer.from_pretrained(work / "tokenizer"),
        unet=unet if unet is not None else UNet2DConditionModel.from_pretrained(work / "unet"),
        scheduler=build_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def export_family(work: Path, out: Path, unet: torch.nn.Module | None = None) -> None:
    """The prior with its text encoder, autoencoder, scheduler and preview."""
    pipe = load_pipeline(work, unet)
    pictures = Pictures.load(work)
    pool = make_pool(pictures, split_rows(pictures)[0], 300, np.random.default_rng(SEED))
    out.mkdir(parents=True, exist_ok=True)
    save_file(
        {k: v.half() for k, v in fit_preview(pipe.vae, pool).items()}, out / "preview.safetensors"
    )
    pipe.to(torch.float16)
    pipe.save_pretrained(out, max_shard_size=SHARD, safe_serialization=True)
    load_wide(out / "text_encoder")
    write_json({"edition": EDITION, "since": SINCE}, out / "card.json")


def load_wide(folder: Path) -> None:
    """Have transformers load a network in float32: it would take the files' half, unlike diffusers."""
    config = folder / "config.json"
    stated = json.loads(config.read_text()) | {"dtype": "float32"}
    for tower in ("text_config", "vision_config"):
        if tower in stated:
            stated[tower] |= {"dtype": "float32"}
    write_json(stated, config)


def export_parts(work: Path, out: Path) -> None:
    """Concept networks, ControlNet, adapters, CLIP and judge: whichever the work folder holds."""
    networks = {"faces": NullTextUNet, "animals": NullTextUNet, "canny": ControlNetModel}
    for folder, kind in networks.items():
        if (work / folder).exists():
            model = kind.from_pretrained(work / folder).half()
            model.save_pretrained(out / folder, max_shard_size=SHARD, safe_serialization=True)
    if (work / FINE).exists():
        fine = AutoencoderKL.from_pretrained(work / FINE).half()
        fine.save_pretrained(out / "fine", safe_serialization=True)
    for folder in (*ADAPTERS, "judge"):
        if (work / folder).exists():
            shutil.copytree(work / folder, out / folder, dirs_exist_ok=True)
    if (work / "figures" / "clip.json").exists():
        clip = CLIPModel.from_pretrained(work / "clip").half()
        clip.save_pretrained(out / "clip", max_shard_size=SHARD, safe_serialization=True)
        for file in ("tokenizer.json", "tokenizer_config.json", "preprocessor_config.json"):
            if (work / "clip" / file).exists():
                shutil.copy(work / "clip" / file, out / "clip" / file)
        load_wide(out / "clip")
    for folder, card in CARDS.items():
        if (out / folder).exists():
            since = {} if folder in OLDER else {"since": SINCE}
            write_json(card | since, out / folder / "card.json")


def export_examples(work: Path, out: Path) -> None:
    """Example pictures for other jobs: a control image, two small training sets with captions, one without."""
    pictures, rng, colours = Pictures.load(work), np.random.default_rng(SEED), list(BACKGROUNDS)
    training = out / "training"
    training.mkdir(parents=True, exist_ok=True)
    row = pictures.row("cat-face", "flat")
    Image.fromarray(compose(pictures.rgba[row or 0], "white")).save(out / "cat.png", optimize=True)
    for subject in map(SUBJECTS.__getitem__, EXAMPLES):
        drawings = [
            (content.slug, called(subject, content), style)
            for content in subject.contents
            for style in subject.styles
            if pictures.row(content.slug, style) is not None
        ]
        captions, step = {}, max(1, len(drawings) // 6)
        for i in range(6):
            slug, name, style = drawings[(i * step) % len(drawings)]
            colour = colours[(3 * i + 1) % len(colours)]
            picture = compose(pictures.rgba[pictures.row(slug, style) or 0], colour, rng)
            file = f"{subject.word}-{i + 1}.png"
            Image.fromarray(picture).save(training / file, optimize=True)
            captions[file] = caption((name,), style, colour)
        write_json(captions, training / f"{subject.word}.json")
    export_faces(pictures, training / "faces")


def export_faces(pictures: Pictures, folder: Path) -> None:
    """Faces that the prior never saw, without captions: what a concept network learns from."""
    folder.mkdir(parents=True, exist_ok=True)
    styles, colours = list(STYLES), list(BACKGROUNDS)
    faces = [c for c in HELD_OUT if c.group == "face"]
    for number, content in enumerate(faces[:FACES]):
        row = pictures.row(content.slug, styles[number % len(styles)])
        if row is None:
            continue
        picture = Image.fromarray(compose(pictures.rgba[row], colours[number % len(colours)]))
        picture.save(folder / f"{content.slug}.png", optimize=True)


def collect_figures(work: Path) -> dict:
    """Everything the stages measured, without the loss curves."""
    figures = {}
    for path in sorted((work / "figures").glob("*.json")):
        value = json.loads(path.read_text())
        figures[path.stem] = {k: v for k, v in value.items() if k != "history"}
    return figures


def forget_places(out: Path) -> None:
    """Take the folders of this machine out of the configs that the libraries wrote."""
    for path in out.rglob("*.json"):
        config = json.loads(path.read_text())
        if isinstance(config, dict) and config.pop("_name_or_path", None) is not None:
            write_json(config, path)


def total_bytes(folder: Path) -> int:
    """Size of all files below ``folder``."""
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())


def export(work: Path, assets: Path) -> None:
    """Everything there is."""
    out = assets / "starter"
    export_family(work, out)
    export_parts(work, out)
    forget_places(out)
    vocabulary.write(out / "vocabulary.json")
    export_examples(work, assets / "examples")
    write_json(collect_figures(work), out / "figures.json")
    log(f"export: {total_bytes(out) / 1e6:.1f} MB in {out.name}/")
