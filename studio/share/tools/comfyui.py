"""ComfyUI (and Krita's plugin, SwarmUI's backend …): the graph that made the picture, walked.

The graph is the ``prompt`` text; ``workflow`` is only its drawing, and not needed. Of several
samplers the one that began the picture is read, and the others are named.
"""

from __future__ import annotations

from typing import Any

from studio.errors import shorten
from studio.share.texts import Texts
from studio.share.tools.comfy_conditions import Conditions, not_carried, not_read, summary
from studio.share.tools.comfy_graph import MAX_DEPTH, Graph, Link, Node
from studio.share.tools.comfy_guiders import terms_of
from studio.share.tools.comfy_loras import on_both
from studio.share.tools.comfy_model import follow, layer_of, of_clips
from studio.share.tools.comfy_unread import note_unread
from studio.share.tools.table import READERS, Fields, Found, Reader

NAME = "ComfyUI"
MAX_COMPARED = 40  # samplers of which the main one is chosen
_SEEDS = ("seed", "noise_seed")
_LATENTS = ("latent_image", "latent", "samples", "optional_latent", "image")
_SAMPLERS_OWN = {  # read one by one below, or how a widget counts up
    *_SEEDS,
    "steps",
    "cfg",
    "sampler_name",
    "scheduler",
    "denoise",
    "control_after_generate",
    "preview_method",
    "vae_decode",
}
_PLAIN = {
    "add_noise": ("enable", True),
    "start_at_step": (0,),
    "return_with_leftover_noise": ("disable", False),
}
_QUIET = (  # classes that start so show, save, name and group; they do not change the picture
    "SaveImage",
    "PreviewImage",
    "PreviewAny",
    "Image Comparer",
    "Note",
    "MarkdownNote",
    "LoadImage",
    "ShowText",
    "Display",
    "Reroute",
    "Primitive",
    "SetNode",
    "GetNode",
)
_SCHEDULES = {
    "KarrasScheduler": "karras",
    "ExponentialScheduler": "exponential",
    "PolyexponentialScheduler": "polyexponential",
    "BetaSamplingScheduler": "beta",
    "AlignYourStepsScheduler": "align_your_steps",
    "SDTurboScheduler": "sgm_uniform",
}


def read(texts: Texts) -> Found | None:
    """A graph with a sampler in it."""
    data = texts.json("prompt") or _inside(texts)
    if data is None:
        if texts.json("workflow") and not texts.parameters():
            texts.notes.append(
                "ComfyUI's workflow alone is a drawing: the graph that ran is missing"
            )
        return None
    notes: list[str] = []
    graph = Graph(data, notes)
    samplers = [node for node in graph.nodes.values() if _is_sampler(node)]
    if not samplers:
        return None
    return _Picture(graph, samplers).found()


def _inside(texts: Texts) -> dict[str, Any] | None:
    """A graph in a comment: as such, or under ``prompt``."""
    data = texts.json("UserComment", "parameters")
    if data is None:
        return None
    inner = data.get("prompt")
    return inner if isinstance(inner, dict) else data


def _is_sampler(node: Node) -> bool:
    inputs = node.inputs
    if node.link("guider") or (node.link("sampler") and node.link("sigmas")):
        return True
    return {"sampler_name", "steps", "cfg"} <= inputs.keys()


class _Picture:
    """One picture's main sampler and what leads to it."""

    def __init__(self, graph: Graph, samplers: list[Node]) -> None:
        self.graph = graph
        self.samplers = samplers
        self.node = max(
            samplers[:MAX_COMPARED], key=lambda one: (_words(graph, one), _begins(graph, one))
        )

    def found(self) -> Found:
        """What it was made with."""
        graph, node = self.graph, self.node
        graph.seen.clear()
        graph.seen.add(node.id)
        latent = _start(graph, node)
        size = _size(graph, latent)
        conditions = Conditions(graph, size)
        guider = graph.node(node.link("guider")) or node
        model = follow(graph, guider.link("model") or node.link("model", "basic_pipe", "pipe"))
        sampler, schedule, steps = self._sampling()
        noise = graph.node(node.link("noise"))
        seed = graph.number(node, *_SEEDS)
        if seed is None and noise is not None:
            seed = graph.number(noise, *_SEEDS)
        terms = terms_of(conditions, guider, model.perp)
        loras = on_both(graph, model.loras, of_clips(graph, conditions.clips))
        self._note_others()
        self._note_start(latent)
        vae = _autoencoder(graph, node, model.name)
        note_unread(graph, node)
        self._note_rest()
        return Found(
            NAME,
            Fields({}),
            terms=terms,
            grammar=NAME,
            bare_words=False,
            steps=steps,
            seed=seed,
            sampler=sampler,
            schedule=schedule,
            size=size,
            model=model.name,
            vae=vae,
            clip_skip=layer_of(graph, conditions.clips),
            rescale=model.rescale,
            freeu=model.freeu,
            loras=loras,
            image_prompts=model.image_prompts,
            notes=graph.notes,
        )

    def _sampling(self) -> tuple[str, str, float | int | None]:
        """Sampler, noise schedule and steps, each at the sampler or at nodes of their own."""
        graph, node = self.graph, self.node
        chosen = graph.node(node.link("sampler"))
        name = graph.text(node, "sampler_name") if "sampler_name" in node.inputs else ""
        if chosen is not None:
            own = chosen.inputs.get("sampler_name")
            name = own if isinstance(own, str) else chosen.kind.removeprefix("Sampler")
            extra = {k: v for k, v in chosen.literals().items() if k != "sampler_name"}
            if extra:
                graph.note(not_read(chosen.kind, extra))
        sigmas, steps = graph.node(node.link("sigmas")), graph.number(node, "steps")
        schedule = graph.text(node, "scheduler") if "scheduler" in node.inputs else ""
        passed = 0
        while sigmas is not None and "steps" not in sigmas.inputs and passed < MAX_DEPTH:
            graph.note(f"{sigmas.kind[:80]} is not carried over ({summary(sigmas.literals())})")
            sigmas, passed = graph.node(sigmas.link("sigmas")), passed + 1
        if sigmas is not None:
            steps = graph.number(sigmas, "steps")
            own = sigmas.inputs.get("scheduler")
            schedule = own if isinstance(own, str) else _SCHEDULES.get(sigmas.kind, sigmas.kind)
            self._note_denoise(sigmas)
            known = ("steps", "scheduler", "denoise", "model_type")
            extra = {k: v for k, v in sigmas.literals().items() if k not in known}
            if extra:
                graph.note(not_read(sigmas.kind, extra))
        return name, schedule, steps

    def _note_denoise(self, node: Node) -> None:
        denoise = self.graph.number(node, "denoise") if "denoise" in node.inputs else None
        if denoise is not None and denoise < 1:
            self.graph.note(f"image to image is not carried over (denoise {denoise:g})")

    def _note_others(self) -> None:
        others = [one for one in self.samplers if one is not self.node]
        if others:
            self.graph.note(f"it has {len(self.samplers)} samplers; only the main one is read")
        for one in others[:10]:
            self.graph.seen.add(one.id)
            self.graph.note(f"{one.kind[:80]} is left out ({summary(one.literals())})")

    def _note_start(self, latent: Node | None) -> None:
        node = self.node
        self._note_denoise(node)
        for name, value in node.literals().items():
            if name in _SAMPLERS_OWN or value in _PLAIN.get(name, (None, "")):
                continue
            if name == "end_at_step" and isinstance(value, int) and value >= 200:
                continue
            self.graph.note(f"{node.kind[:80]}: {name[:60]} {shorten(value)} is not carried over")
        if latent is not None and "width" not in latent.inputs:
            source = next((v for v in latent.inputs.values() if isinstance(v, str)), "")
            self.graph.note(
                f"the picture that it starts from {source[:80]!r} ({latent.kind}) is not in the file"
                if source
                else f"the picture that it starts from ({latent.kind}) is not in the file"
            )

    def _note_rest(self) -> None:
        """Nodes that nothing was read from: before, after or beside the sampler."""
        for node in self.graph.nodes.values():
            quiet = node.kind == "VAEDecode" or node.kind.startswith(_QUIET)
            if node.id not in self.graph.seen and not quiet and not _is_loader(node):
                self.graph.note(not_carried(node.kind, summary(node.literals())))


def _is_loader(node: Node) -> bool:
    """A checkpoint that no link reached, beside the one that is named."""
    return node.kind == "CheckpointLoaderSimple"


def _autoencoder(graph: Graph, node: Node, base: str) -> str:
    """The file of the autoencoder that decodes what a sampler made, where it is one of its own."""
    for one in list(graph.nodes.values()):
        link = one.link("samples", "latent")
        loader = graph.node(one.link("vae")) if link and link[0] == node.id else None
        if loader is None:
            continue
        name, other = (loader.inputs.get(key) for key in ("vae_name", "ckpt_name"))
        if isinstance(name, str):
            return name
        if isinstance(other, str) and other != base:
            graph.note(f"the autoencoder of the checkpoint {other[:100]!r} is not carried over")
    return ""


def _words(graph: Graph, node: Node) -> int:
    """How much text a sampler's conditions hold; later samplers usually only refine."""
    walk = Conditions(Graph({}, []), None)
    walk.graph = _quiet(graph)
    guider = walk.graph.node(node.link("guider")) or node
    total = 0
    for name in ("positive", "negative", "conditioning", "cond1"):
        for one in walk.of(guider.link(name), name):
            total += sum(len(text) for text, _ in one.texts)
    return total


def _quiet(graph: Graph) -> Graph:
    """The same nodes, without a trace of the walk."""
    copy = Graph({}, [])
    copy.nodes = graph.nodes
    return copy


def _start(graph: Graph, node: Node) -> Node | None:
    """The node that a sampler's latent begins with: an empty one, or an encoded picture."""
    seen: set[str] = set()
    found = graph.node(node.link(*_LATENTS))
    while found is not None and found.id not in seen and len(seen) < MAX_DEPTH:
        seen.add(found.id)
        sized = {"width", "height"} <= found.inputs.keys() and not _is_sampler(found)
        if sized and not found.link("samples", "image", "pixels"):
            return found
        link: Link | None = found.link("samples", "pixels", "image", *_LATENTS)
        if link is None:
            return found
        before = found
        found = graph.node(link)
        if found is None:
            return before
    return found


def _begins(graph: Graph, node: Node) -> bool:
    """Whether no other sampler comes before it."""
    quiet = _quiet(graph)
    seen: set[str] = set()
    found = quiet.node(node.link(*_LATENTS))
    while found is not None and found.id not in seen and len(seen) < MAX_DEPTH:
        seen.add(found.id)
        if _is_sampler(found):
            return False
        found = quiet.node(found.link("samples", "pixels", "image", *_LATENTS))
    return True


def _size(graph: Graph, latent: Node | None) -> tuple[int, int] | None:
    if latent is None:
        return None
    width, height = (graph.number(latent, edge) for edge in ("width", "height"))
    if width is None or height is None or not (0 < width < 2**16 and 0 < height < 2**16):
        return None
    return int(width), int(height)


READERS.register(NAME, Reader(read))
