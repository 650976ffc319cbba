"""DreamBooth: the whole U-Net, with prior preservation where it is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.train.adaptation import Adaptation, pipeline_of, without_word
from studio.train.method import METHODS, Materials, Method

if TYPE_CHECKING:
    from studio.train.base import Base
    from studio.train.settings import TrainConfig


class DreamBooth(Adaptation):
    """The whole U-Net; saved as a whole pipeline, as a fine-tune is."""

    def __init__(self, config: TrainConfig, base: Base, materials: Materials) -> None:
        del materials
        self.base = base
        base.network.requires_grad_(True).train()
        self.trainee = without_word(config, base)

    def save(self, folder: Path) -> None:
        """A pipeline of diffusers, with the base's own latent preview where it has one."""
        import diffusers
        import torch

        base = self.base
        config = dict(base.family.scheduler_config(base.entry))
        scheduler = getattr(diffusers, str(config.get("_class_name", "DDIMScheduler")))
        parts: dict[str, Any] = {
            "unet": base.network,
            "vae": base.family.load_vae(base.entry, torch.device("cpu"), torch.float32),
            "scheduler": scheduler.from_config(config),
        }
        for name, tower in base.family.towers(base.text).items():
            parts |= {name: tower, name.replace("text_encoder", "tokenizer"): tower.tokenizer}
        parts |= base.family.settings(base.text)
        pipeline_of(base)(**parts).save_pretrained(folder, safe_serialization=True)
        preview = Path(base.entry.path, "preview.safetensors")
        if base.entry.path and preview.is_file():
            (folder / preview.name).write_bytes(preview.read_bytes())


METHODS.register(
    "dreambooth",
    Method(
        title="DreamBooth (the whole network)",
        trains="the whole U-Net; `--prior-weight 1` for prior preservation",
        files="a whole pipeline",
        kind="finetune",
        build=DreamBooth,
        defaults={"rate": 5e-6, "steps": 500},
        small={"rate": 2e-4, "batch": 8, "steps": 200},
        fits=lambda family: family.part == "unet",
        losses=frozenset({"ddloss", "prior_weight"}),
        whole=True,
        place=20,
    ),
)
