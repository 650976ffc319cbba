"""The models that another tool's picture was made with, by the names that it gives them."""

from __future__ import annotations

from dataclasses import dataclass, field

from studio.library.hashes import is_hash
from studio.preset.prompts import mentions
from studio.share.model_names import bare
from studio.share.tools.additions import EMBEDDING, MAX_TRIED
from studio.share.tools.prompts import Lora, read_prompt
from studio.share.tools.table import Found

MAX_NAME = 200


@dataclass(frozen=True)
class Named:
    """``base``: what the tool calls it, its hash where that alone is known, "" for neither; ``models``: all
    of them, the base first, each once; ``lora``: whether there is one among them; ``hashes``: the
    base's, by its name."""

    base: str = ""
    models: tuple[str, ...] = ()
    lora: bool = False
    hashes: dict[str, str] = field(default_factory=dict)


def named(found: Found) -> Named:
    """What a tool's settings name; no library is asked, so that it is the same whatever lies there."""
    base = next(filter(None, map(_shown, (found.model, *found.hashes))), "")
    texts = [text for term in found.to_terms() for one in term.conditions for text, _ in one.texts]
    loras = _loras(found, texts)
    words = [one for one in found.embeddings if any(mentions(text, one) for text in texts)]
    words += [one for text in texts for one in EMBEDDING.findall(text)]
    refiner = found.refining.model if found.refining else ""
    names = [base, found.vae, refiner, found.second_model, *(one.name for one in loras), *words]
    models = tuple(dict.fromkeys(filter(None, map(_shown, names))))[:MAX_TRIED]
    # Of the base alone: what other models are known by differs from tool to tool.
    digest = next(filter(None, found.hashes), "").lower()
    hashes = {base: digest} if base and is_hash(digest) and digest != base.lower() else {}
    return Named(base, models, bool(loras), hashes)


def _loras(found: Found, texts: list[str]) -> list[Lora]:
    tagged = [
        one for text in texts for one in read_prompt(text, found.grammar, "rows.0.prompt", [])[1]
    ]
    return [*found.loras, *tagged]


def _shown(name: str) -> str:
    """A name without half letters and a file's suffix, within bounds."""
    return bare(name.encode("utf-8", "replace").decode())[:MAX_NAME]
