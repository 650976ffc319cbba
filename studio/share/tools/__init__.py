"""Pictures of other tools: a reader for each, in :data:`~studio.share.tools.table.READERS`.

Each module registers its own reader as it is imported; a package from outside registers one more.
"""

from studio.share.tools import (
    a1111,
    civitai,
    comfy_nodes,
    comfyui,
    drawthings,
    easydiffusion,
    fooocus,
    invokeai,
    mochi,
    novelai,
    sdnext,
    swarmui,
)

__all__ = [
    "a1111",
    "civitai",
    "comfy_nodes",
    "comfyui",
    "drawthings",
    "easydiffusion",
    "fooocus",
    "invokeai",
    "mochi",
    "novelai",
    "sdnext",
    "swarmui",
]
