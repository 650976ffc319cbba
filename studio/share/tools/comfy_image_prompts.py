"""ComfyUI's IP-Adapter nodes (ComfyUI_IPAdapter_plus), which change the model on its way to the sampler."""

from __future__ import annotations

from studio.share.tools.comfy_graph import Graph, Node
from studio.share.tools.comfy_nodes import part_of, picture_of
from studio.share.tools.table import ControlUse

APPLIES = ("IPAdapter", "IPAdapterAdvanced", "IPAdapterApply")
LOADS = ("IPAdapterUnifiedLoader",)  # gives the model on, and an adapter by a name of its own
# The files that the unified loader takes by the name of its choice, for 1.x and XL.
_PRESETS = {
    "LIGHT": ("ip-adapter_sd15_light_v11", "ip-adapter_sd15_light"),
    "STANDARD": ("ip-adapter_sd15", "ip-adapter_sdxl_vit-h"),
    "VIT-G": ("ip-adapter_sdxl", "ip-adapter_sd15_vit-G"),
    "PLUS FACE": ("ip-adapter-plus-face_sd15", "ip-adapter-plus-face_sdxl_vit-h"),
    "PLUS": ("ip-adapter-plus_sd15", "ip-adapter-plus_sdxl_vit-h"),
}


def image_prompt(graph: Graph, node: Node) -> ControlUse:
    """What a node shows the network; a model of several names has ``|`` between them."""
    weight = graph.number(node, "weight")
    start, end = (graph.number(node, name) for name in ("start_at", "end_at"))
    loader = graph.node(node.link("ipadapter"))
    image, _ = picture_of(graph, graph.node(node.link("image")))
    for name in ("attn_mask", "image_negative"):
        other = graph.node(node.link(name))
        if other is not None:
            graph.note(f"{node.kind[:80]}: its {name} ({other.kind[:60]}) is not carried over")
    encoder = graph.node(node.link("clip_vision"))  # which belongs to the adapter
    del encoder
    return ControlUse(
        _name(loader),
        "",
        1.0 if weight is None else float(weight),
        (part_of(start, 0.0), part_of(end, 1.0)),
        image,
    )


def _name(loader: Node | None) -> str:
    """The adapter's file, as its loader calls it."""
    file = loader.inputs.get("ipadapter_file") if loader else None
    if isinstance(file, str):
        return file[:200].replace("|", " ")
    chosen = loader.inputs.get("preset") if loader else None
    if not isinstance(chosen, str):
        return "IP-Adapter"
    plain = chosen.upper()
    known = next((names for start, names in _PRESETS.items() if plain.startswith(start)), ())
    return "|".join((chosen[:80].replace("|", " "), *known))
