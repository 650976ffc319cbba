"""Galleries on the Presets tab: opening one, its presets on the page or among one's own, publishing."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import gradio as gr

from studio.errors import StudioError
from studio.preset import Preset
from studio.share import extract, gallery
from studio.share.gallery.items import find
from studio.share.gallery.thumbnails import small_webp
from studio.ui.errors import on_page, plain_line
from studio.ui.library.models import library
from studio.ui.schema import labels
from studio.ui.space import Limits
from studio.ui.widgets import Drawn, Whole, fresh

AT_ONCE = 24  # pictures that are asked for together
NO_PICTURE = "Without a picture: none of this preset is here. Generate makes one."


class Galleries(Whole):
    """A gallery that is looked through. ``select`` opens one by its ``source``, ``edit`` puts a preset
    of it on the page, ``submit`` keeps one, ``delete`` forgets a gallery."""

    def __init__(self, **kwargs: Any) -> None:
        mount = (
            "studio.mountGalleries(element.firstElementChild, props, server, trigger, watch);"
            " /* 'select' 'edit' 'submit' 'delete' */"
        )
        super().__init__({}, mount, server_functions=[gallery_pictures, known_galleries], **kwargs)


class Publishing(Drawn):
    """The look at what would be published: ``select`` with ``to`` and ``picture``; ``submit``
    publishes what was looked at."""

    def __init__(self, **kwargs: Any) -> None:
        mount = (
            "studio.mountPublishing(element.firstElementChild, props, trigger, watch);"
            " /* 'select' 'submit' */"
        )
        super().__init__({}, mount, **kwargs)


@dataclass(frozen=True)
class GalleryParts:
    """The components; ``looked``: the draft and the target that one page has looked at."""

    galleries: Galleries
    publishing: Publishing | None
    looked: gr.State


def lay_out(limits: Limits) -> GalleryParts | None:
    """Declare them; visitors of a shared page see no folders of its host and make it fetch nothing,
    and only the owner of a page writes into folders and under the owner's name."""
    if limits.shared:
        return None
    found = Galleries(elem_id="gs-galleries")
    publishing = Publishing(elem_id="gs-publishing") if limits.local else None
    return GalleryParts(found, publishing, gr.State(None))


def gallery_pictures(asked: Any) -> dict[str, str]:
    """Small pictures of presets as data URIs, by id, of a gallery that was opened (called from the
    script with ``source`` and ``ids``); "" for one that has none or whose file is damaged."""
    if not isinstance(asked, dict) or not isinstance(asked.get("ids"), list):
        return {}
    name = asked.get("source")
    if name not in gallery.known():
        return {}
    items = {item.id: item for item in _items(str(name))[0]}
    wanted = [str(one) for one in asked["ids"][:AT_ONCE]]
    return {one: _small(items[one].thumbnail) if one in items else "" for one in wanted}


def known_galleries(_asked: Any) -> list[str]:
    """The galleries that were opened before (called from the script)."""
    return list(gallery.known())


def _items(name: str) -> tuple[list[gallery.Item], list[str]]:
    return gallery.items_of(gallery.opened(gallery.source_of(name)))


def _small(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return _made(path, path.stat().st_mtime_ns)
    except (OSError, StudioError):
        return ""


@lru_cache(maxsize=512)
def _made(path: Path, changed: int) -> str:
    del changed  # part of the key
    return data_uri(small_webp(path))


def data_uri(webp: bytes) -> str:
    """A WebP for the browser; "" for none."""
    return f"data:image/webp;base64,{base64.b64encode(webp).decode('ascii')}" if webp else ""


def closed(said: str = "", state: str = "idle") -> dict[str, Any]:
    """No gallery is open."""
    shown = {"known": list(gallery.known()), "source": "", "items": [], "notes": []}
    return fresh({**shown, "said": said, "state": state})


def opened(source: str, again: bool) -> Iterator[dict[str, Any]]:
    """The galleries' value while one is fetched, and with its presets; one line where it cannot be."""
    try:
        named = gallery.source_of(source)
        if named.kind != "folder" and (again or not named.folder.is_dir()):
            yield closed("Fetching …", "running")
        gallery.opened(named, again)
        gallery.remember(named.name)
        yield shown(named.name)
    except Exception as error:  # whatever a network does, the page shows one line
        yield closed(_line(error), "failed")


def shown(name: str, said: str = "") -> dict[str, Any]:
    """The galleries' value with the presets of the one of that name."""
    items, notes = _items(name)
    models = library()
    cards = [
        {
            "id": item.id,
            "title": item.name,
            "text": on_page(item.problem) or (item.preset.description if item.preset else ""),
            "lacks": item.lacks(models),
            "usable": item.preset is not None,
            "picture": item.thumbnail is not None,
        }
        for item in items
    ]
    count = f"{len(cards)} preset{'' if len(cards) == 1 else 's'}"
    return fresh(
        {
            "known": list(gallery.known()),
            "source": name,
            "items": cards,
            "notes": notes,
            "said": said or count,
            "state": "done",
        }
    )


def picked(name: str, identity: str) -> Preset:
    """A gallery's preset for the page; nothing is kept.

    Raises:
        StudioError: it is not there any more, or cannot be used.
    """
    found = find(_items(name)[0], identity)
    assert found.preset is not None
    return extract(found.preset.model_copy(update={"name": found.name}))


def kept(name: str, identity: str) -> str:
    """Keep a gallery's preset among one's own; what happened, in one line.

    Raises:
        StudioError: it is not there any more, or cannot be used.
    """
    item = find(_items(name)[0], identity)
    path, new = gallery.taken(item)
    return f"{item.name} is kept as {path.name}" if new else f"{item.name} is kept already"


def forget(name: str) -> None:
    """Take a gallery off the list; its files stay.

    Raises:
        StudioError: the list cannot be written.
    """
    gallery.forget(name)


def looked_at(
    preset: Preset, picture: Path | None, to: str, wanted: bool = True
) -> tuple[dict[str, Any], tuple[gallery.Draft, gallery.Target]]:
    """What would be published, for the page, and the draft and its target.

    Args:
        picture: what it made last, ``None`` where there is none or none is ``wanted``.

    Raises:
        StudioError: the preset has no name; ``to`` is no folder or dataset, or cannot be asked.
    """
    draft = gallery.drafted(preset, picture, library())
    target = gallery.target_of(draft, to)
    files = [{"name": name, "bytes": len(data)} for name, data in draft.files(target.stem)]
    look = {
        "state": "looked",
        "to": target.source.name,
        "files": files,
        "json": draft.json.decode(),
        "picture": data_uri(draft.picture),
        "warnings": [on_page(one) for one in draft.warnings],
        "note": target.note,
        "lacks": NO_PICTURE if wanted and not draft.picture else "",
        "there": target.there,
    }
    return fresh(look), (draft, target)


def sent(looked: tuple[gallery.Draft, gallery.Target] | None) -> dict[str, Any]:
    """Publish what was looked at.

    Raises:
        StudioError: nothing was; it cannot be written or sent.
    """
    if looked is None:
        raise StudioError("look at what would be published first", field="to")
    done = gallery.published(*looked)
    gallery.remember(looked[1].source.name)
    names = " and ".join(done.files) or "nothing new"
    return fresh({"state": "published", "said": f"Published {names}", "place": done.place})


def _line(error: Exception) -> str:
    """What a person reads, with the names that the boxes have here."""
    return on_page(plain_line(error), {**labels(), "gallery": "Gallery", "to": "Publish to"})


def failed(error: Exception) -> dict[str, Any]:
    """The publishing's value where something went wrong."""
    return fresh({"state": "failed", "said": _line(error)})
