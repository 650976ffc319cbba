"""The library, for the row editor and for the Models tab."""

from __future__ import annotations

import html
import os
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.home import models_folder
from studio.library import (
    ADAPTERS,
    FAMILIES,
    Library,
    ModelEntry,
    hub,
    own_words,
    title_of,
    vocabulary,
)
from studio.library.control_networks import CONTROL_NETWORKS
from studio.library.hashes import BACKGROUND
from studio.library.own_pictures import own_picture
from studio.plan.row_models import EDITING_CHANNELS, check_base
from studio.plan.size import ASPECTS, aspect_size

KINDS = {
    "base": "Base models",
    "finetune": "Fine-tunes",
    "concept": "Concept models",
    "lora": "LoRAs",
    "custom-diffusion": "Custom Diffusion",
    "embedding": "Embeddings",
    "controlnet": "Control networks",
    "ip-adapter": "IP-Adapters",
    "vae": "Autoencoders",
    "upscaler": "Upscalers",
}
MOST_LINES = 2000  # more make a page slow; the search of the page sees these


@lru_cache(maxsize=1)
def library() -> Library:
    """The library as it was when last looked at."""
    found = Library()
    found.computes_hashes = not hub.is_closed()  # visitors keep no host's disk busy
    return found


def rescan() -> None:
    """Look at the library's folders anew."""
    library.cache_clear()


def stale() -> bool:
    """Whether a model of the library as it was last looked at is not there any more."""
    return any(one.path and not os.path.lexists(one.path) for one in library().entries())


def bases(chosen: str) -> list[str]:
    """Ids that can be a preset's base, ``chosen`` among them."""
    names = [entry.id for entry in library().entries() if entry.kind in ("base", "finetune")]
    return names if chosen in names else [chosen, *names]


def as_signal() -> list[dict[str, Any]]:
    """What the row editor needs to know of each model."""
    return [
        {
            "id": e.id,
            "kind": e.kind,
            "title": e.title or e.id,
            "base": e.base,
            "control": e.control,
            "form": CONTROL_NETWORKS[e.form].title if e.form in CONTROL_NETWORKS else "",
            "trigger": e.trigger,
            **({"advised": float(e.advised)} if e.advised else {}),
            "size": e.size,
            "factor": e.latent_factor,
            "edits": e.channels == EDITING_CHANNELS,
            "problem": e.problem,
            "family": e.family,
            "space": e.latent_space,
            **_as_base(e),
        }
        for e in library().entries()
    ]


def _as_base(entry: ModelEntry) -> dict[str, Any]:
    """What a base reads and knows of text, and the sizes that it makes; other models go by theirs."""
    if entry.kind not in ("base", "finetune"):
        return {}
    windows = entry.family not in FAMILIES or FAMILIES[entry.family].windows
    known = vocabulary.of(entry)
    read = {"tokens": vocabulary.tokens(entry), "windows": windows, "vocabulary": known}
    sizes = {aspect: aspect_size(aspect, entry) for aspect in ASPECTS}
    return {**read, "multiple": entry.multiple, "aspects": sizes}


def table(shared: bool) -> str:
    """The Models tab. A shared page says neither where its folders are nor what its host notes of a model."""
    entries, refused = library().entries(), library().refused()
    shown = entries[:MOST_LINES]
    if shared:
        shown = [_without_notes(entry) for entry in shown]
    sections = [
        (kind, title, [_model(e, shared) for e in shown if e.kind == kind])
        for kind, title in KINDS.items()
    ]
    unusable = [_refused(entry) for entry in refused[:MOST_LINES]]
    sections = [one for one in [*sections, ("refused", "Cannot be used", unusable)] if one[2]]
    shelves = "".join(
        f'<section data-kind="{kind}"><h3>{title}</h3><div class="gs-model-lines">{"".join(lines)}</div>'
        "</section>"
        for kind, title, lines in sections
    )
    if len(entries) > len(shown):
        shelves += f"<p>{len(entries) - len(shown)} more are not listed; any id can be typed.</p>"
    if BACKGROUND.left:
        shelves += f"<p>Reading {BACKGROUND.left} files to know them by their hashes.</p>"
    families = ", ".join(html.escape(family.title) for family in FAMILIES.values())
    shelves += f"<p>Families that run here: {families}.</p>"
    head = _search({kind: title for kind, title, _ in sections})
    own = "" if shared else _trouble()
    return f'<div class="gs-library">{head}{own}{shelves}{"" if shared else _where()}</div>'


def _without_notes(entry: ModelEntry) -> ModelEntry:
    """A model with its maker's words in place of the host's notes, which are for nobody else."""
    return replace(entry, description=library().as_found(entry.id).description)


def _trouble() -> str:
    """A line where nothing that was said of models can be used."""
    if own_words.is_readable():
        return ""
    return (
        '<p class="gs-error" role="status">What is said of models here is not shown: model-words.json '
        "cannot be read. Mend it or put it aside.</p>"
    )


def _search(kinds: Mapping[str, str]) -> str:
    """What the list is narrowed by, and the button that makes a wall of it; scripts act on them."""
    options = "".join(f'<option value="{kind}">{title}</option>' for kind, title in kinds.items())
    return (
        '<div class="gs-line gs-library-head"><input type="search" class="gs-library-search" '
        'placeholder="Search by name, family or word" aria-label="Search the library">'
        '<select class="gs-select gs-library-kind" aria-label="Kind of model">'
        f'<option value="">All kinds</option>{options}</select>'
        '<button type="button" class="gs-word gs-library-cards" aria-pressed="false">As cards</button>'
        '</div><p class="gs-library-none" role="status" hidden>No model of the library matches.</p>'
    )


def _where() -> str:
    return (
        f"<p>Put more models into <code>{html.escape(_short(models_folder()))}</code>, in folders of "
        "any name (<code>checkpoints</code>, <code>loras</code>, <code>embeddings</code>, "
        "<code>controlnet</code>): <code>.safetensors</code> files or folders in diffusers' layout. "
        "Those of a hub land there too. Folders of other tools are read where they are: name them "
        "below.</p>"
    )


def _short(path: Path) -> str:
    """A path below the home folder, written with ``~``."""
    return f"~/{path.relative_to(Path.home())}" if path.is_relative_to(Path.home()) else str(path)


ROW_KINDS = ("finetune", "concept", *ADAPTERS, "embedding")


def _use(entry: ModelEntry) -> str:
    """A button that makes a row of a model; scripts act on it."""
    if entry.kind not in ROW_KINDS or entry.problem:
        return ""
    return _button(entry, "use", "Use {} in a row", "Use in a row", f' data-kind="{entry.kind}"')


def _use_everywhere(entry: ModelEntry) -> str:
    """A button that gives a LoRA to every row; scripts act on it."""
    if entry.kind not in ADAPTERS or entry.problem:
        return ""
    return _button(entry, "everywhere", "Use {} in every row", "In every row")


def _edit(entry: ModelEntry) -> str:
    """A button that asks what is to be said of a model; scripts act on it."""
    name = html.escape(entry.id)
    return (
        f'<button type="button" class="gs-link gs-model-edit" data-words="{name}" '
        f'aria-label="Edit what is said of {name}">✎</button>'
    )


def can_be_base(entry: ModelEntry) -> bool:
    """Whether a model can be a preset's base as it is: a whole pipeline that can be used."""
    try:
        check_base({entry.id: entry}, entry.id)
    except StudioError:
        return False
    return True


def _use_as_base(entry: ModelEntry) -> str:
    """A button that makes a model the form's base; scripts act on it."""
    if not can_be_base(entry):
        return ""
    return _button(entry, "base", "Use {} as base", "Use as base")


def _finish(entry: ModelEntry) -> str:
    """A button that lets a model finish the form's picture; scripts act on it."""
    if not can_be_base(entry):
        return ""
    return _button(entry, "finish", "Finish with {}", "Finish with it …")


def _button(entry: ModelEntry, does: str, label: str, text: str, more: str = "") -> str:
    """A button that scripts act on by ``data-…``; ``label``: with the model's name in its braces."""
    name = html.escape(entry.id)
    return (
        f'<button type="button" class="gs-link" data-{does}="{name}"{more} '
        f'aria-label="{label.format(name)}">{text}</button>'
    )


def _model(entry: ModelEntry, shared: bool) -> str:
    family = title_of(entry.family) if not entry.base else ""
    details = [
        f"for {entry.base}" if entry.base and entry.kind != "base" else family,
        CONTROL_NETWORKS[entry.form].title if entry.form in CONTROL_NETWORKS else "",
        entry.control,
        f"made for {entry.made_for}" if entry.made_for and not entry.base else "",
        f"word “{entry.trigger}”" if entry.trigger else "",
        megabytes(entry.bytes) if entry.bytes else "",
    ]
    said = " · ".join(detail for detail in details if detail)
    return _line(entry, said, "" if shared else _edit(entry))


def _refused(entry: ModelEntry) -> str:
    return _line(entry, entry.problem)


def _line(entry: ModelEntry, details: str, edit: str = "") -> str:
    title = html.escape(entry.title) if entry.title and entry.title != entry.id else ""
    return (
        f"<div class='gs-model-line'{_preview(entry)}><code>{html.escape(entry.id)}</code>"
        f"<span translate='no'>{title}</span><em>{html.escape(details)}</em>"
        f"{_use_as_base(entry)}{_finish(entry)}{_use(entry)}{_use_everywhere(entry)}{edit}{_about(entry)}</div>"
    )


def _preview(entry: ModelEntry) -> str:
    """Names a line's model, whose picture, if it has one, the page asks for when it comes into sight."""
    has = entry.thumbnail or own_picture(entry.id)
    return f' data-preview="{html.escape(entry.id)}"' + ("" if has else ' data-seen="none"')


def _about(entry: ModelEntry) -> str:
    """What the maker says of a model, folded."""
    if not entry.description:
        return ""
    return (
        "<details class='gs-about'><summary>About</summary>"
        f"<span translate='no'>{html.escape(entry.description)}</span></details>"
    )


def megabytes(size: int) -> str:
    """Bytes, as the page writes them; what is there is never 0.0 MB."""
    many = size / 1e6
    return f"{many:.1f} MB" if many >= 0.05 or not size else f"{max(many, 0.001):.3f} MB"
