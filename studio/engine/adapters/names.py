"""Which layer a tensor of an adapter belongs to, whatever tool named it.

Trainers write the same layer as ``lora_unet_down_blocks_0_…_to_k`` (kohya, in diffusers' words or
in the original code's), ``unet.down_blocks.0.….to_k`` (diffusers, peft), ``lycoris_…``,
``diffusion_model.input_blocks.1.…`` (ComfyUI, OneTrainer) and so on. All dots become underscores,
a prefix says which network, and what remains is looked up among the names of that network's layers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from torch import nn

from studio.engine.adapters.fused import original_names

# Prefixes by network, with dots as underscores; a longer one is tried first.
_PREFIXES = (
    *((prefix, "unet") for prefix in ("lora_unet_", "oft_unet_", "lycoris_unet_", "lycoris_")),
    *((prefix, "unet") for prefix in ("unet_", "transformer_", "diffusion_model_")),
    ("model_diffusion_model_", "unet"),
    *((f"{tool}_te_", "text_encoder") for tool in ("lora", "oft", "lycoris")),
    *((f"{tool}_te1_", "text_encoder") for tool in ("lora", "oft", "lycoris")),
    *((f"{tool}_te2_", "text_encoder_2") for tool in ("lora", "oft", "lycoris")),
    ("lycoris_", "text_encoder"),
    ("text_encoder_", "text_encoder"),
    ("text_encoder_2_", "text_encoder_2"),
    ("clip_l_", "text_encoder"),
    ("clip_h_", "text_encoder"),
    ("clip_g_", "text_encoder_2"),
    ("", "unet"),
)
_ORDER = sorted(_PREFIXES, key=lambda pair: len(pair[0]), reverse=True)
_WRAPPERS = ("base_model_model_", "text_encoders_")  # around a network, to be taken off
_OLD_TEXT = {"q_proj": "to_q", "k_proj": "to_k", "v_proj": "to_v", "out_proj": "to_out"}
_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_ENDS = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}


class Names:
    """The layers of a base's networks by all their names.

    Args:
        modules: ``unet`` and the text encoders, by their names in a pipeline.
    """

    def __init__(self, modules: Mapping[str, nn.Module]) -> None:
        self._known = {part: _names(part, network) for part, network in modules.items()}

    def find(self, name: str) -> tuple[str, str] | None:
        """Network and layer called ``name`` in any dialect; ``None`` for no layer of them.

        Of several layers that the name means together (:mod:`studio.engine.adapters.fused`), all.
        """
        flat = _flat(name)
        for prefix, part in _ORDER:
            if flat.startswith(prefix) and part in self._known:
                layer = self._known[part].get(_bare(flat[len(prefix) :]))
                if layer is not None:
                    return part, layer
        return None


def _flat(name: str) -> str:
    flat = name.replace(".", "_")
    for wrapper in _WRAPPERS:
        flat = flat.removeprefix(wrapper)
    return flat


def _bare(flat: str) -> str:
    """Without what stands around layers: peft's second wrapper, diffusers' processors."""
    return flat.removeprefix("base_model_model_").replace("_processor_", "_")


def _names(part: str, network: nn.Module) -> dict[str, str]:
    """Flat name → layer, for every layer with weights of its own."""
    found: dict[str, str] = {}
    for layer, module in network.named_modules():
        if layer and getattr(module, "weight", None) is not None:
            for name in _aliases(part, layer):
                found.setdefault(name.replace(".", "_"), layer)
    for layer, name in (*_original(network), *original_names(network)):
        found.setdefault(name.replace(".", "_"), layer)
    return found


def _aliases(part: str, layer: str) -> Iterator[str]:
    """A layer's names in diffusers' and transformers' words, now and before."""
    yield layer
    if part == "unet":
        if layer.endswith(".to_out.0"):
            yield layer.removesuffix(".0")
        return
    inner = layer.removeprefix("text_model.")
    head, _, last = inner.rpartition(".")
    for ending in {last, _OLD_TEXT.get(last, last)}:
        name = f"{head}.{ending}" if head else ending
        yield from (name, f"text_model.{name}", f"transformer.text_model.{name}")


def _original(network: nn.Module) -> Iterator[tuple[str, str]]:
    """(layer, its name in the original code) of a U-Net, from how its blocks follow one another."""
    if not isinstance(getattr(network, "down_blocks", None), nn.ModuleList):
        return
    layers = [name for name, m in network.named_modules() if getattr(m, "weight", None) is not None]
    places = dict(_blocks(network))
    for layer in layers:
        if layer in _ENDS:
            yield layer, _ENDS[layer]
        for place, original in places.items():
            if layer.startswith(f"{place}."):
                inner = layer[len(place) + 1 :]
                if ".resnets." in place:
                    inner = _RESNET.get(inner, inner)
                elif ".downsamplers." in place:
                    inner = "op"
                yield layer, f"{original}.{inner}"


def _blocks(network: nn.Module) -> Iterator[tuple[str, str]]:
    """(block, its name in the original code): residual blocks, transformers, samplers."""
    number = 1
    for level, block in enumerate(network.get_submodule("down_blocks").children()):
        where = f"down_blocks.{level}"
        for index in range(len(_list(block, "resnets"))):
            yield f"{where}.resnets.{index}", f"input_blocks.{number}.0"
            yield f"{where}.attentions.{index}", f"input_blocks.{number}.1"
            number += 1
        if _list(block, "downsamplers"):
            yield f"{where}.downsamplers.0", f"input_blocks.{number}.0"
            number += 1
    for index in (0, 1):
        yield f"mid_block.resnets.{index}", f"middle_block.{2 * index}"
    yield "mid_block.attentions.0", "middle_block.1"
    number = 0
    for level, block in enumerate(network.get_submodule("up_blocks").children()):
        where = f"up_blocks.{level}"
        count, attends = len(_list(block, "resnets")), bool(_list(block, "attentions"))
        for index in range(count):
            yield f"{where}.resnets.{index}", f"output_blocks.{number}.0"
            yield f"{where}.attentions.{index}", f"output_blocks.{number}.1"
            if index == count - 1:
                yield f"{where}.upsamplers.0", f"output_blocks.{number}.{1 + attends}"
            number += 1


def _list(block: nn.Module, name: str) -> list[nn.Module]:
    """The modules of a list that a block may lack."""
    found = getattr(block, name, None)
    return list(found) if isinstance(found, nn.ModuleList) else []
