"""ComfyUI's model: from a sampler along its links to the checkpoint, with what changes it between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from studio.share.tools.comfy_conditions import summary
from studio.share.tools.comfy_graph import MAX_DEPTH, Graph, Link
from studio.share.tools.comfy_graph import Node as GraphNode
from studio.share.tools.comfy_image_prompts import APPLIES, LOADS, image_prompt
from studio.share.tools.prompts import Lora, number
from studio.share.tools.table import ControlUse

_LOADED = ("ckpt_name", "unet_name", "model_name", "base_ckpt_name", "ckpt", "model_path")
_STRENGTHS = ("strength_model", "strength", "lora_model_strength", "model_strength", "lora_wt")
_OF_TEXT = ("strength_clip", "lora_clip_strength", "clip_strength")


@dataclass
class Model:
    """What the sampler's model is: its checkpoint, LoRAs, rescale; ``perp``: a PerpNeg node."""

    name: str = ""
    loras: list[Lora] = field(default_factory=list)
    rescale: float | None = None
    perp: GraphNode | None = None
    image_prompts: list[ControlUse] = field(default_factory=list)


def follow(graph: Graph, link: Link | None) -> Model:
    """Along the links by which a sampler gets its model; what is not carried over is noted."""
    model = Model()
    seen: set[str] = set()
    node = graph.node(link)
    while node is not None and node.id not in seen and len(seen) < MAX_DEPTH:
        seen.add(node.id)
        loras = list(_loras(graph, node))
        name = next((v for k in _LOADED if isinstance(v := node.inputs.get(k), str)), "")
        if loras:
            model.loras += loras
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
        elif node.kind == "PerpNeg":
            model.perp = node
        elif node.kind not in ("LoraLoader", "LoraLoaderModelOnly", *LOADS):
            _note_patch(graph, node)
        node = graph.node(node.link("model", "model1", "MODEL", "basic_pipe", "pipe"))
    return model


def _note_loader(graph: Graph, node: GraphNode) -> None:
    extra = {
        k: v
        for k, v in node.literals().items()
        if k not in _LOADED and v not in (None, "", "default", "None")
    }
    if extra and node.kind != "CheckpointLoaderSimple":
        graph.note(f"{node.kind[:80]}: {summary(extra)} are not carried over")


def _note_patch(graph: Graph, node: GraphNode) -> None:
    plain = node.inputs.get("sampling") == "eps" and not node.inputs.get("zsnr")
    if node.kind == "ModelSamplingDiscrete" and plain:
        return  # what a model is without it
    shown = summary(node.literals())
    graph.note(f"{node.kind[:80]} is not carried over" + (f" ({shown})" if shown else ""))
    for _, link in node.links():  # what it needs besides the model is named with it
        graph.node(link)


def _loras(graph: Graph, node: GraphNode) -> Iterator[Lora]:
    """The LoRAs of a loader: one, several as objects, or several as numbered inputs."""
    inputs = node.inputs
    if isinstance(inputs.get("lora_name"), str) and inputs["lora_name"] != "None":
        weight = graph.number(node, *(name for name in _STRENGTHS if name in inputs))
        of_text = graph.number(node, *(name for name in _OF_TEXT if name in inputs))
        yield _lora(inputs["lora_name"], weight, of_text)
    for value in inputs.values():
        if isinstance(value, Mapping) and isinstance(value.get("lora"), str) and value.get("on"):
            yield _lora(value["lora"], value.get("strength"), value.get("strengthTwo"))
    for index in range(1, 21):
        name = inputs.get(f"lora_name_{index}", inputs.get(f"lora_{index}"))
        switch = inputs.get(f"switch_{index}", inputs.get(f"lora_{index}_on", "On"))
        if isinstance(name, str) and name != "None" and switch not in ("Off", False):
            weight = inputs.get(f"model_weight_{index}", inputs.get(f"lora_wt_{index}", 1.0))
            yield _lora(name, weight, inputs.get(f"clip_weight_{index}"))


def _lora(name: str, strength: Any, of_text: Any) -> Lora:
    weight, text = number(strength), number(of_text)
    return Lora(
        name[:200],
        1.0 if weight is None else float(weight),
        None if text is None else float(text),
    )


def note_clips(graph: Graph, clips: list[Link]) -> None:
    """What changes the text encoder on its way to the prompts: skipped layers, and nodes unknown."""
    for link in dict.fromkeys(clips):
        seen: set[str] = set()
        node = graph.node(link)
        while node is not None and node.id not in seen and len(seen) < MAX_DEPTH:
            seen.add(node.id)
            if node.kind == "CLIPSetLastLayer":
                layer = graph.number(node, "stop_at_clip_layer")
                if layer is not None and layer != -1:
                    graph.note(
                        f"Clip skip {abs(int(layer))} (CLIPSetLastLayer) is not carried over"
                    )
            elif isinstance(node.inputs.get("clip_name"), str):
                graph.note(f"{node.kind[:80]}: {summary(node.literals())} are not carried over")
            elif node.link("clip") and not list(_loras(graph, node)):
                graph.note(f"{node.kind[:80]} is not carried over ({summary(node.literals())})")
            node = graph.node(node.link("clip"))
