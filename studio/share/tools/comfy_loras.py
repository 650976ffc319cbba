"""ComfyUI's LoRAs: on a model's way to the sampler, on a text encoder's way to a prompt, or on both.

A loader changes the two networks by strengths of their own, and each is changed only where its
links pass the loader.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from studio.share.tools.comfy_graph import MAX_DEPTH, Graph, Node
from studio.share.tools.prompts import Lora, number

Place = tuple[str, int]  # a loader, and which of its LoRAs
MAX_OF_A_NODE = 50
_STRENGTHS = ("strength_model", "strength", "lora_model_strength", "model_strength", "lora_wt")
_OF_TEXT = ("strength_clip", "lora_clip_strength", "clip_strength")
_NUMBERED = (("model_weight", "clip_weight"), ("model_str", "clip_str"), ("lora_wt", ""))


def loras_of(graph: Graph, node: Node) -> dict[Place, Lora]:
    """The LoRAs of a loader, its own and those of its stack."""
    found = [*_own(graph, node)]
    seen = {node.id}
    stack = graph.node(node.link("lora_stack"))
    while stack is not None and stack.id not in seen and len(seen) < MAX_DEPTH:
        seen.add(stack.id)
        found = [*_own(graph, stack), *found]
        stack = graph.node(stack.link("lora_stack"))
    return {(node.id, index): lora for index, lora in enumerate(found)}


def on_both(
    graph: Graph, of_model: Mapping[Place, Lora], of_clips: Sequence[Mapping[Place, Lora]]
) -> list[Lora]:
    """The LoRAs with their strengths on the network and on the text.

    Args:
        of_model: on the model's way; of_clips: on each text encoder's, the positive prompt's first.
            Without one, nothing is known of it, and each loader's strengths are taken as they are.
    """
    if not of_clips:
        return list(of_model.values())
    first = of_clips[0]
    if any(dict(other) != dict(first) for other in of_clips[1:]):
        graph.note(
            "its prompts have text encoders with different LoRAs; those of the first are read for all"
        )
    found = []
    for place in dict.fromkeys([*of_model, *first]):
        lora = of_model.get(place) or replace(first[place], strength=0.0)
        there = first.get(place)
        text = 0.0 if there is None else there.strength if there.text is None else there.text
        found.append(replace(lora, text=None if text == lora.strength else text))
    return found


def _own(graph: Graph, node: Node) -> Iterator[Lora]:
    """One LoRA, several as objects, or several as numbered inputs."""
    inputs = node.inputs
    if isinstance(inputs.get("lora_name"), str) and inputs["lora_name"] != "None":
        weight = graph.number(node, *(name for name in _STRENGTHS if name in inputs))
        of_text = graph.number(node, *(name for name in _OF_TEXT if name in inputs))
        yield _lora(inputs["lora_name"], weight, of_text)
    for value in inputs.values():
        if isinstance(value, Mapping) and isinstance(value.get("lora"), str) and value.get("on"):
            yield _lora(value["lora"], value.get("strength"), value.get("strengthTwo"))
    count = number(inputs.get("lora_count"))
    for index in range(1, 1 + (MAX_OF_A_NODE if count is None else int(min(MAX_OF_A_NODE, count)))):
        name = inputs.get(f"lora_name_{index}", inputs.get(f"lora_{index}"))
        switch = inputs.get(f"switch_{index}", inputs.get(f"lora_{index}_on", "On"))
        if isinstance(name, str) and name != "None" and switch not in ("Off", False):
            yield _lora(name, *_strengths(inputs, index))


def _strengths(inputs: Mapping[str, Any], index: int) -> tuple[Any, Any]:
    """Of a numbered LoRA, on network and text; stackers have a plain one and two apart."""
    plain = inputs.get("input_mode") == "simple"
    for model, text in reversed(_NUMBERED) if plain else _NUMBERED:
        if f"{model}_{index}" in inputs:
            return inputs[f"{model}_{index}"], inputs.get(f"{text}_{index}")
    return inputs.get(f"lora_wt_{index}", 1.0), None


def _lora(name: str, strength: Any, of_text: Any) -> Lora:
    weight, text = number(strength), number(of_text)
    return Lora(
        name[:200],
        1.0 if weight is None else float(weight),
        None if text is None else float(text),
    )
