"""The History tab: what the page asks of the history, and what it gets."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from studio.errors import StudioError, shorten
from studio.history import History, Query, Record
from studio.history.animation import MOST_MOVING
from studio.history.differences import differences
from studio.history.intake import begin, busy
from studio.history.made import replaced
from studio.history.rows import MAX_NAME, MAX_NOTE, MAX_TAGS
from studio.history.sheet import MOST_ON_SHEET
from studio.history.thumbs import thumbnail
from studio.ui.history import made
from studio.ui.history.folder import opened
from studio.ui.history.packed import MOST_LIGHT, animation, light, sheet, zipped
from studio.ui.history.reuse import brought, preset_of
from studio.ui.library.models import library
from studio.ui.schema import labels, titles
from studio.ui.widgets import fresh, picture

AT_ONCE = 120  # pictures of one answer
MOST_COMPARED = 4
MOST_NAMES, SEARCHED = 500, ("models", "presets", "tags")  # in a list; the search finds the others
MOST_NAMED = 100_000  # one by one, as Undo names all that a press has put into the bin
# Of a picture, by people: scores and hashes are computed.
SAID = ("starred", "note", "tags", "board")
BOUNDS = {
    "note": MAX_NOTE,
    "board": MAX_NAME,
    "tag": MAX_NAME,
    "tags": MAX_TAGS,
    "sheet": MOST_ON_SHEET,
    "animation": MOST_MOVING,
    "jpeg": MOST_LIGHT,
}
_QUERY = {f.name: f for f in fields(Query)}


def query_of(asked: Mapping[str, Any]) -> Query:
    """A query as a page sends it; what is no field of one is passed over."""
    given: dict[str, Any] = {
        name: bool(value) if isinstance(_QUERY[name].default, bool) else str(value)
        for name, value in asked.items()
        if name in _QUERY
    }
    return Query(**given)


def page(history: History, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The pictures that a query finds, from ``first`` on, and what can be chosen from."""
    first = max(0, int(asked.get("first", 0)))
    count = min(AT_ONCE, max(1, int(asked.get("count", AT_ONCE))))
    wait = 0.0
    if not first and history.home is not None:
        # What was put there, or taken away, since the last look.
        wait = begin(history)
    unfinished = busy(history)  # before the search: what comes in behind it is asked for again
    found = history.search(query_of(asked.get("query") or {}), count, first)
    answer: dict[str, Any] = {
        "page": {
            "key": str(asked.get("key", "")),
            "first": first,
            "total": found.total,
            "items": [item(history, record) for record in found.records],
        },
        "notice": history.notice,
        "busy": unfinished,
        "again": math.ceil(wait),
    }
    if not first:
        kinds = ("models", "presets", "tags", "boards", "sizes", "schedulers")
        names = {kind: history.names(kind) for kind in kinds}
        more = {kind: len(names[kind]) - MOST_NAMES for kind in SEARCHED}
        names |= {kind: names[kind][:MOST_NAMES] for kind in SEARCHED}
        answer["names"] = {**names, "scores": history.scored(), "more": more}
        called = made.titles(name for name, _ in names["schedulers"])
        answer["names"]["titles"] = {"schedulers": called}  # by list: a tag may be called so too
    return answer


def item(history: History, record: Record) -> dict[str, Any]:
    """What the grid shows of a picture."""
    return {
        "id": record.id,
        "title": record.title,
        "prompts": record.prompts[:400],
        "starred": record.starred,
        "thumb": thumbnail(history, record),
        "deleted": record.deleted is not None,
        "problem": record.problem,
    }


def details(history: History, identity: str) -> dict[str, Any]:
    """Everything that is known of a picture, with the picture."""
    record = history.get(identity)
    file = history.file(record)
    shown = ("seed", "width", "height", "steps", "base", "prompts", "forwards", "seconds")
    more = ("note", "board", "made", "parent")
    return {
        **item(history, record),
        **{name: getattr(record, name) for name in (*shown, *more)},
        **made.facts(record, file),
        "models": list(record.models),
        "tags": list(record.tags),
        "scores": dict(record.scores),
        "hashes": dict(record.hashes),
        "replaced": replaced(record, library()),
        "image": picture(file, record.title) if file.is_file() else None,
        "path": str(file),
    }


def compared(history: History, ids: list[str]) -> dict[str, Any]:
    """Two to four pictures, and what each differs in from the first.

    Raises:
        StudioError: fewer, or more.
    """
    if not 2 <= len(ids) <= MOST_COMPARED:
        raise StudioError(f"2 to {MOST_COMPARED} pictures, got {len(ids)}", field="compare")
    shown, presets = [], [preset_of(history, one) for one in ids]
    for one, preset in zip(ids, presets, strict=True):
        words = differences(presets[0], preset, labels(), titles()) if one != ids[0] else []
        varied = preset.sampler.variation_strength > 0
        shown.append({**details(history, one), "differs": words, "varied": varied})
    return {"compared": shown}


def _restored(history: History, asked: Mapping[str, Any]) -> dict[str, Any]:
    ids = _ids(history, asked)
    back = history.restore(ids)
    stay = history.among(set(ids) - set(back), Query(bin=True))
    return {"changed": True, "restored": back, "stay": len(stay)}


def _marks(history: History, asked: Mapping[str, Any]) -> dict[str, Any]:
    said, ids = dict(asked.get("said") or {}), _ids(history, asked)
    more = [str(tag) for tag in said.pop("more_tags", ())]
    if strange := [name for name in said if name not in SAID]:
        raise StudioError(f"{', '.join(SAID)}, got {strange[0][:40]!r}", field="said")
    lost = _lost(ids, _known(history, ids))
    count = history.mark(ids, more, **said) if said or more else 0
    if asked.get("several") is not True:  # what is said of one shows where it is said
        return {"changed": True, **lost}
    told = {"count": count, "board": said.get("board", ""), "tags": more}
    return {"changed": True, "marked": told, **lost}


def _deleted(history: History, asked: Mapping[str, Any]) -> dict[str, Any]:
    ids = _ids(history, asked)
    known = _known(history, ids)
    gone = history.delete(ids)
    kept = len(known) - len(gone)
    return {"changed": True, "deleted": gone, "kept": kept, **_lost(ids, known)}


def _lost(ids: Sequence[str], known: set[str]) -> dict[str, int]:
    """How many of some pictures the history has no more, where it has others of them."""
    lost = len({*ids} - known)
    return {"lost": lost} if lost else {}


def _known(history: History, ids: Sequence[str]) -> set[str]:
    """Those of some pictures that the history has, be it in the bin.

    Raises:
        MissingFile: it has none of them: they were removed for good, or the studio of a shared page
            was started anew.
    """
    known = history.among(ids)
    if ids and not known:
        history.get(ids[0])  # which says so
    return known


def _emptied(history: History, _: Mapping[str, Any]) -> dict[str, Any]:
    gone = history.empty_bin()
    return {"changed": True, "emptied": gone, "starred": history.search(Query(bin=True), 0).total}


def _among(history: History, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Of pictures that are chosen: those that are gone, and how many the query leaves out."""
    ids = _ids(history, asked)
    known = history.among(ids)
    shown = history.among(ids, query_of(asked.get("query") or {}))
    gone = [one for one in ids if one not in known]
    key = str(asked.get("key", ""))
    return {"among": {"key": key, "gone": gone, "unseen": len(known - shown)}}


def _range(history: History, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The ids from one of two ``ends`` to the other, both included, as a query orders them; all that
    it finds without ends, and none where an end is not among them.

    Raises:
        StudioError: ``ends`` is no list of two, or more are found than may be named.
    """
    ends = asked.get("ends", ("", ""))
    if not isinstance(ends, list | tuple) or len(ends) != 2:
        raise StudioError(f"a list of two pictures, got {shorten(ends)}", field="ends")
    found = history.ids(query_of(asked.get("query") or {}))
    if len(found) > MOST_NAMED:
        raise StudioError(f"at most {MOST_NAMED} pictures at once, got {len(found)}", field="ids")
    if "ends" in asked:
        places = {identity: place for place, identity in enumerate(found)}
        first, last = sorted(places.get(str(one), -1) for one in ends)
        found = found[first : last + 1] if first >= 0 else []
    return {"range": {"key": str(asked.get("key", "")), "ids": found}}


def _picture(history: History, asked: Mapping[str, Any]) -> dict[str, Any]:
    record = history.get(str(asked.get("id")))
    file = history.file(record)
    return {"picture": picture(file, record.title) if file.is_file() else None}


def _a1111(history: History, asked: Mapping[str, Any]) -> dict[str, Any]:
    record = history.get(str(asked.get("id")))
    return made.a1111(record, history.file(record), lambda: brought(history, record.id))


def _ids(history: History, asked: Mapping[str, Any]) -> list[str]:
    """The ids that are asked for; all that a query finds where ``all`` is."""
    if asked.get("all"):
        found, counted = history.ids(query_of(asked.get("query") or {})), asked.get("counted")
        if counted is not None and counted != len(found):  # what nobody has seen stays
            raise StudioError(
                f"{len(found)} are found by now, and {counted} were shown; look again"
            )
        return found
    ids = asked.get("ids") or ()
    if len(ids) > MOST_NAMED:
        raise StudioError(f"at most {MOST_NAMED} pictures at once, got {len(ids)}", field="ids")
    return [str(one) for one in ids]


ANSWERS: dict[str, Callable[[History, Mapping[str, Any]], dict[str, Any]]] = {
    "page": page,
    "open": lambda history, asked: {"opened": details(history, str(asked.get("id")))},
    "mark": _marks,
    "delete": _deleted,
    "restore": _restored,
    "empty": _emptied,
    "among": _among,
    "range": _range,
    "picture": _picture,
    "a1111": _a1111,
    "compare": lambda history, asked: compared(history, _ids(history, asked)),
    "zip": lambda history, asked: zipped(history, _ids(history, asked)),
    "jpeg": lambda history, asked: light(
        history, _ids(history, asked), asked.get("settings") is not False
    ),
    "sheet": lambda history, asked: sheet(history, _ids(history, asked)),
    "animation": lambda history, asked: animation(history, _ids(history, asked), asked),
}


OWNERS = {"folder": opened}  # of the machine that the page runs on


def answer(history: History, asked: Mapping[str, Any], owner: bool = False) -> dict[str, Any]:
    """What the page asked for.

    Args:
        owner: whether it was the owner of this machine, in front of it.

    Raises:
        StudioError: it cannot be done, or is nothing that can be asked for.
    """
    do = str(asked.get("do", ""))
    known = {**ANSWERS, **OWNERS} if owner else ANSWERS
    if do not in known:
        raise StudioError(f"{', '.join(known)}, got {do[:40]!r}", field="do")
    return fresh(known[do](history, asked))
