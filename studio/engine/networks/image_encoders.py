"""Reading the image encoder (CLIP) that an IP-Adapter sees with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from studio.engine.families.pretrained import (
    check_complete,
    check_config,
    from_folder,
    guarded,
)
from studio.library.image_encoders import config_of


def load_image_encoder(path: Path, name: str) -> Any:
    """A ``CLIPVisionModelWithProjection``, from a folder in transformers' layout or one file.

    Raises:
        MissingModel: absent, damaged, or a tensor missing; names ``name``.
    """
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    kind: Any = CLIPVisionModelWithProjection
    if path.is_dir():
        return from_folder(kind, str(path), name)
    config = config_of(path)
    check_config(config, f"{name!r}: {path.name}")

    def load() -> Any:
        from safetensors.torch import load_file

        return kind.from_pretrained(
            None,
            config=CLIPVisionConfig(**config),
            state_dict=load_file(path),
            output_loading_info=True,
            attn_implementation="sdpa",
        )

    network, info = guarded(load, name)
    check_complete(network, info["missing_keys"], name, "")
    return network
