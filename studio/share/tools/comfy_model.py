"""ComfyUI's model: from a sampler along its links to the checkpoint, with what changes it between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from studio.preset.freeu import NAMES
from studio.share.tools.clip_layers import as_layer
from studio.share.tools.comfy_conditions import not_carried, not_read, note_files, summary
from studio.share.tools.comfy_graph import MAX_DEPTH, Graph, Link
from studio.share.tools.comfy_graph import Node as GraphNode
from studio.share.tools.comfy_image_prompts import APPLIES, LOADS, image_prompt
from studio.share.tools.comfy_loras import Place, loras_of
from studio.share.tools.freeu import freeu_of
from studio.share.tools.prompts import Lora
from studio.share.tools.soft_inpainting import LEFT_ON
from studio.share.tools.table import ControlUse

FREES = {"FreeU": 1, "FreeU_V2": 2}  # and their versions
_ONWARD = ("model", "model1", "MODEL", "basic_pipe", "pipe")
_STOPS = "CLIPSetLastLayer"
_LOADED = ("ckpt_name", "unet_name", "model_name", "base_ckpt_name", "ckpt", "model_path")


@dataclass
class Model:
    """What the sampler's model is: its checkpoint, LoRAs, rescale, FreeU; ``perp``: a PerpNeg node."""

    name: str = ""
    loras: dict[Place, Lora] = field(default_factory=dict)
    rescale: float | None = None
    perp: GraphNode | None = None
    freeu: dict[str, Any] = field(default_factory=dict)
    image_prompts: list[ControlUse] = field(default_factory=list)


def follow(graph: Graph, link: Link | None) -> Model:
    """Along the links by which a sampler gets its model; what is not carried over is noted."""
    model = Model()
    seen: set[str] = set()
    node = graph.node(link)
    while node is not None and node.id not in seen and len(seen) < MAX_DEPTH:
        seen.add(node.id)
        loras = loras_of(graph, node)
        name = next((v for k in _LOADED if isinstance(v := node.inputs.get(k), str)), "")
        if loras:
            model.loras |= loras
            if name:  # a loader that has LoRAs of its own
                model.name = name
        elif name and not node.link("model"):
            model.name = name
            _note_loader(graph, node)
        elif node.kind == "RescaleCFG":
            multiplier = graph.number(node, "multiplier")
            model.rescale = 0.7 if multiplier is None else float(multiplier)
            graph.note("RescaleCFG works on the velocity there; here on the prediction itself")
        elif node.kind in APPLIES:
            model.image_prompts.append(image_prompt(graph, node))
        elif node.kind in FREES and not model.freeu:
            _free(graph, node, model)
        elif node.kind == "PerpNeg":
            model.perp = node
        elif node.kind.strip() == "DifferentialDiffusion":
            _note_soft(graph, node)
        elif node.kind not in ("LoraLoader", "LoraLoaderModelOnly", *LOADS):
            _note_patch(graph, node)
        node = graph.node(node.link(*_ONWARD))
    return model


def _free(graph: Graph, node: GraphNode, model: Model) -> None:
    """FreeU's nodes; factors that the studio has not are named."""
    notes: list[str] = []
    values = [node.inputs.get(name) for name in NAMES]
    model.freeu = freeu_of(values, FREES[node.kind], notes)
    for note in notes:
        graph.note(f"{note} ({node.kind}: {summary(node.literals())})")
    if not model.freeu:
        _note_patch(graph, node)


def _note_loader(graph: Graph, node: GraphNode) -> None:
    extra = {
        k: v
        for k, v in node.literals().items()
        if k not in _LOADED and v not in (None, "", "default", "None")
    }
    if extra and node.kind != "CheckpointLoaderSimple":
        graph.note(not_read(node.kind, extra))


def _note_patch(graph: Graph, node: GraphNode) -> None:
    plain = node.inputs.get("sampling") == "eps" and not node.inputs.get("zsnr")
    if node.kind == "ModelSamplingDiscrete" and plain:
        return  # what a model is without it
    shown = summary(node.literals())
    graph.note(not_carried(node.kind, shown))
    note_files(graph, node)
    for _, link in node.links():  # what it needs besides the model is named with it
        graph.node(link)


def _note_soft(graph: Graph, node: GraphNode) -> None:
    """Differential diffusion; below its strength of 1 the mask is mixed in as it is."""
    graph.note(LEFT_ON)
    strength = graph.number(node, "strength")
    if strength is not None and strength != 1:
        graph.note(f"DifferentialDiffusion: strength {strength:g} is 1 here")


def of_clips(graph: Graph, clips: list[Link]) -> list[dict[Place, Lora]]:
    """The LoRAs on the way of each text encoder to its prompts; what else changes it is noted."""
    found = []
    for link in dict.fromkeys(clips):
        loras: dict[Place, Lora] = {}
        for node in _on_the_way(graph, link):
            own = loras_of(graph, node)
            loras |= own
            if isinstance(node.inputs.get("clip_name"), str):
                graph.note(not_read(node.kind, node.literals()))
            elif node.link("clip") and not own and node.kind != _STOPS:
                graph.note(f"{node.kind[:80]} is not carried over ({summary(node.literals())})")
        found.append(loras)
    return found


def layer_of(graph: Graph, clips: list[Link]) -> int | None:
    """The layer at which every text encoder stops, counted from its end; ``None`` for its own.

    Where prompts are read at several layers, or at one that is none, that is noted.
    """
    asked = {_stop(graph, link) for link in dict.fromkeys(clips)}
    (layer,) = asked if len(asked) == 1 else (None,)
    found = as_layer(None if layer is None else -layer)
    for other in sorted(one for one in asked if one is not None and found is None):
        graph.note(f"Clip skip {abs(other)} (CLIPSetLastLayer) is not carried over")
    return found


def _stop(graph: Graph, link: Link) -> int | None:
    """What the node nearest to the prompts says, on the way of one text encoder."""
    stops = (node for node in _on_the_way(graph, link) if node.kind == _STOPS)
    nearest = next(stops, None)
    layer = None if nearest is None else graph.number(nearest, "stop_at_clip_layer")
    return None if layer is None else int(layer)


def _on_the_way(graph: Graph, link: Link) -> Iterator[GraphNode]:
    """The nodes that a text encoder passes, from its prompts back to its file."""
    seen: set[str] = set()
    node = graph.node(link)
    while node is not None and node.id not in seen and len(seen) < MAX_DEPTH:
        seen.add(node.id)
        yield node
        node = graph.node(node.link("clip"))
