"""The methods: what each one trains, and how it is saved in the formats of diffusers and peft."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from studio.engine.networks.null_text import null_text_unet
from studio.errors import StudioError
from studio.train.adaptation import (
    Adaptation,
    checkpointing,
    first_vectors,
    save_vectors,
    save_word,
    with_word,
)
from studio.train.base import Base, Projector
from studio.train.config import TrainConfig
from studio.train.trainee import Trainee

PROJECTION_FILE = "visual_projection.safetensors"
ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")
MLP = ("ff.net.0.proj", "ff.net.2")


def pipeline_of(base: Base) -> Any:
    """diffusers' pipeline of the base's family, whose file formats results are in."""
    import diffusers

    return getattr(diffusers, base.family.record.pipelines[0])


class Concept(Adaptation):
    """The null-text network, all of it (GCFG, Sec. 4.3)."""

    def __init__(
        self, config: TrainConfig, base: Base, samples: Iterable[tuple[Tensor, Tensor]]
    ) -> None:
        nothing = base.reader()([""], {})
        network: Any = null_text_unet(
            base.network,
            nothing.states.to(base.device),
            config.null_text,
            samples,
            None if nothing.pooled is None else nothing.pooled.to(base.device),
            nothing.factor,
        )
        network.requires_grad_(True).train()
        if config.gradient_checkpointing:
            network.body.enable_gradient_checkpointing()
        self.trainee = Trainee(network, base.family)

    def save(self, folder: Path) -> None:
        self.trainee.network.save_pretrained(folder)


class DreamBooth(Adaptation):
    """The whole U-Net; saved as a whole pipeline, as a fine-tune is."""

    def __init__(self, config: TrainConfig, base: Base) -> None:
        self.base = base
        base.network.requires_grad_(True).train()
        checkpointing(config, base.network)
        self.trainee = Trainee(base.network, base.family, base.reader())

    def save(self, folder: Path) -> None:
        import diffusers

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
        if base.entry.path and preview.is_file():  # the family's own latent preview
            (folder / preview.name).write_bytes(preview.read_bytes())


class LoRA(Adaptation):
    """Low-rank factors on the network's attention, with or without a learned word."""

    def __init__(self, config: TrainConfig, base: Base) -> None:
        from peft import LoraConfig

        self.base = base
        self.learns_word = config.method == "lora+ti"
        targets = [*ATTENTION, *(MLP if config.targets == "attention+mlp" else ())]
        base.network.add_adapter(
            LoraConfig(
                r=config.rank,
                lora_alpha=config.rank,
                init_lora_weights="gaussian",
                target_modules=targets,
            )
        )
        checkpointing(config, base.network)
        self.trainee = (
            with_word(config, base)
            if self.learns_word
            else Trainee(base.network, base.family, base.reader())
        )

    def save(self, folder: Path) -> None:
        from diffusers.training_utils import _collate_lora_metadata
        from diffusers.utils import convert_state_dict_to_diffusers
        from peft.utils import get_peft_model_state_dict

        network: Any = self.base.network
        state = get_peft_model_state_dict(network)
        part = self.base.family.record.part
        if part == "unet":
            state = convert_state_dict_to_diffusers(state)
        weights = {k: v.float().cpu().contiguous() for k, v in state.items()}
        pipeline_of(self.base).save_lora_weights(
            folder, **{f"{part}_lora_layers": weights}, **_collate_lora_metadata({part: network})
        )
        if self.learns_word:
            save_word(self.trainee, folder)


class Inversion(Adaptation):
    """Textual inversion: the word's vectors alone."""

    learns_word = True

    def __init__(self, config: TrainConfig, base: Base) -> None:
        checkpointing(config, base.network)
        self.trainee = with_word(config, base)

    def save(self, folder: Path) -> None:
        save_word(self.trainee, folder)


class CustomDiffusion(Adaptation):
    """Keys and values of every cross-attention, and the word."""

    learns_word = True

    def __init__(self, config: TrainConfig, base: Base) -> None:
        from diffusers.models.attention_processor import CustomDiffusionAttnProcessor2_0

        self.network: Any = base.network
        modules = dict(base.network.named_modules())
        processors: dict[str, Any] = {}
        for name in self.network.attn_processors:
            attention: Any = modules[name.removesuffix(".processor")]
            cross = attention.is_cross_attention
            processors[name] = CustomDiffusionAttnProcessor2_0(
                train_kv=cross,
                train_q_out=False,
                hidden_size=attention.inner_dim,
                cross_attention_dim=attention.cross_attention_dim if cross else None,
            )
            if cross:
                processors[name].to_k_custom_diffusion.load_state_dict(attention.to_k.state_dict())
                processors[name].to_v_custom_diffusion.load_state_dict(attention.to_v.state_dict())
                processors[name].to(base.device)
        self.network.set_attn_processor(processors)
        checkpointing(config, base.network)
        self.trainee = with_word(config, base)

    def save(self, folder: Path) -> None:
        self.network.save_attn_procs(folder, safe_serialization=True)
        save_word(self.trainee, folder)


class OFT(Adaptation):
    """Orthogonal fine-tuning of the attention projections, through peft."""

    def __init__(self, config: TrainConfig, base: Base) -> None:
        from peft import OFTConfig, get_peft_model

        widths = {
            module.in_features
            for name, module in base.network.named_modules()
            if isinstance(module, nn.Linear) and name.endswith(ATTENTION)
        }
        checkpointing(config, base.network)
        self.model: Any = get_peft_model(
            base.network,
            OFTConfig(  # type: ignore[arg-type]
                r=0, oft_block_size=min(32, math.gcd(*widths)), target_modules=list(ATTENTION)
            ),
        )
        self.model.peft_config["default"].base_model_name_or_path = config.base
        self.trainee = Trainee(self.model, base.family, base.reader())

    def save(self, folder: Path) -> None:
        self.model.save_pretrained(folder, safe_serialization=True)


class VisualEncoder(Adaptation):
    """A projection at the end of the CLIP image encoder reads the word from each picture (ACCORD, A.4).

    Saved twice: the projection itself, and the word that it reads from the training's own
    pictures on average, which loads as an embedding.
    """

    learns_word = True

    def __init__(self, config: TrainConfig, base: Base, projector: Projector | None) -> None:
        from diffusers.models.embeddings import ImageProjection

        if projector is None:
            raise StudioError("needs a CLIP with an image encoder", field="clip")
        start = first_vectors(config, base)
        projection = ImageProjection(
            image_embed_dim=projector.model.config.projection_dim,
            cross_attention_dim=start.shape[1],
            num_image_text_embeds=config.vectors,
        )
        with torch.no_grad():  # begin near the superclass, at the scale of the token table
            table = base.text.get_input_embeddings().weight
            projection.norm.weight.fill_(float(table.std()) / 4)
            projection.norm.bias.copy_(start[0])
        checkpointing(config, base.network)
        self.trainee = Trainee(
            base.network,
            base.family,
            base.reader(config.word, config.vectors),
            config.word,
            projection=projection.to(base.device),
        )

    @torch.no_grad()
    def save(self, folder: Path) -> None:
        projection = self.trainee.projection
        assert projection is not None and self.features is not None
        device = next(projection.parameters()).device
        vectors = projection(self.features.to(device)).mean(0)
        save_vectors(self.trainee.word, vectors, folder)
        save_file(
            {k: v.float().cpu().contiguous() for k, v in projection.state_dict().items()},
            folder / PROJECTION_FILE,
        )
