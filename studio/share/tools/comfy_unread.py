"""What of ComfyUI's followed nodes nobody has read: inputs that no reader knows, by name."""

from __future__ import annotations

import re
from collections.abc import Mapping

from studio.share.tools.comfy_conditions import not_read
from studio.share.tools.comfy_graph import Graph, Node
from studio.share.tools.comfy_image_prompts import APPLIES, LOADS

_CONTROL = ("strength", "start_percent", "end_percent")
_EDGES = ("low_threshold", "high_threshold")
_LORA = ("lora_name", "strength_model", "strength_clip", "strength")
OWN: dict[str, tuple[str, ...]] = {  # the inputs that are read elsewhere, by class
    "CheckpointLoaderSimple": ("ckpt_name",),
    "EmptyLatentImage": ("width", "height"),
    "EmptySD3LatentImage": ("width", "height"),
    "LoraLoader": _LORA,
    "LoraLoaderModelOnly": _LORA,
    "LoRA Stacker": ("lora_count", "input_mode"),
    "RescaleCFG": ("multiplier",),
    **dict.fromkeys(("FreeU", "FreeU_V2"), ("b1", "b2", "s1", "s2")),
    "ModelSamplingDiscrete": ("sampling", "zsnr"),
    "PerpNeg": ("neg_scale",),
    "DifferentialDiffusion": ("strength",),
    "CFGGuider": ("cfg",),
    "DualCFGGuider": ("cfg_conds", "cfg_cond2_negative", "style"),
    "PerpNegGuider": ("cfg", "neg_scale"),
    "RandomNoise": ("noise_seed", "control_after_generate"),
    "KSamplerSelect": ("sampler_name",),
    "BasicScheduler": ("scheduler", "steps", "denoise"),
    "CLIPSetLastLayer": ("stop_at_clip_layer",),
    "VAELoader": ("vae_name",),
    "LoadImage": ("image", "upload", "choose file to upload"),
    "ControlNetLoader": ("control_net_name",),
    "SetUnionControlNetType": ("type",),
    "Canny": _EDGES,
    "CannyEdgePreprocessor": _EDGES,
    "ControlNetApply": _CONTROL,
    "ControlNetApplyAdvanced": _CONTROL,
    "ControlNetApplySD3": _CONTROL,
    "ConditioningSetArea": ("x", "y", "width", "height", "strength"),
    "ConditioningSetAreaPercentage": ("x", "y", "width", "height", "strength"),
    "ConditioningSetAreaStrength": ("strength",),
    "ConditioningSetMask": ("strength",),
    "ConditioningSetTimestepRange": ("start", "end"),
    "ConditioningAverage": ("conditioning_to_strength",),
    "CLIPTextEncode": ("text",),
    **dict.fromkeys(APPLIES, ("weight", "start_at", "end_at")),
    **dict.fromkeys(LOADS, ("preset",)),
    "IPAdapterModelLoader": ("ipadapter_file",),
    "CLIPVisionLoader": ("clip_name",),
}
_NUMBERED = re.compile(
    r"(?:lora_name|lora|lora_wt|model_weight|clip_weight|model_str|clip_str|switch)_\d{1,2}(?:_on)?"
)
_PLAIN = {
    "batch_size": (1,),
    "set_cond_area": ("default",),
    "weight_type": ("linear", "standard", "original"),
    "combine_embeds": ("concat",),  # of several pictures
    "embeds_scaling": ("V only",),
}


def note_unread(graph: Graph, main: Node) -> None:
    """A note for each node whose own inputs nobody read; the main sampler's are noted apart."""
    for node in graph.nodes.values():
        if node.id not in graph.seen or node.id in graph.sources or node is main:
            continue
        left = {
            name: value
            for name, value in node.literals().items()
            if name not in OWN.get(node.kind.strip(), ())
            and value not in (None, "", *_PLAIN.get(name, ()))
            and not _is_lora(name, value)
            and not _is_noted(graph, node, name)
        }
        if left:
            graph.note(not_read(node.kind, left))


def _is_lora(name: str, value: object) -> bool:
    """Whether it is one of a loader's several LoRAs, as an object or by numbered inputs."""
    listed = isinstance(value, Mapping) and isinstance(value.get("lora"), str)
    return listed or _NUMBERED.fullmatch(name) is not None


def _is_noted(graph: Graph, node: Node, name: str) -> bool:
    start, shown = node.kind[:80], f"{name[:40]} "
    return any(note.startswith(start) and shown in note for note in graph.notes)
