"""A visitor of a shared page who means harm: others' files, the host's files, hub, training, junk.

Every request may be refused in any way; none may be answered with what belongs to somebody else,
write outside the page's temporary folder, or end the page.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

from studio.hard.attack import ATTACKS, Attack, Draw, Fell
from studio.hard.mutation import json_mutated, json_text
from studio.hard.people import SMALL_CLIENTS, Crowd, asked, crowd_of, crowds, http, picture_of
from studio.home import REPOSITORY

_HOSTILE = 5  # from this number on are clients whose addresses the harm comes from
_SECRET = 1234  # the prompt of the picture that is somebody else's
_KEPT = (".json", ".safetensors", ".pt")  # of presets, models and trainings
_known: dict[str, Any] = {}


def _before(crowd: Crowd) -> dict[str, Any]:
    """Somebody else's picture, made once, and what the page offers."""
    if not _known:
        stage = asked(crowd, 0, _SECRET).result(timeout=240)[0]
        config = json.loads(http(crowd, 0, "/config"))
        home = next(crowd.server.log.parent.glob("guidance-studio-*"))
        _known["home"] = home
        _known["files"] = sorted(home.rglob("*.png"))
        _known["events"] = [one["id"] for one in config["dependencies"]]
        _known["components"] = [one["id"] for one in config["components"]]
        _known["data"] = picture_of(crowd, 0, stage["images"][0])
    return _known


def harm(draw: Draw, folder: Path) -> None:
    """Twenty hostile requests."""
    crowd = crowd_of(SMALL_CLIENTS)
    before = _before(crowd)
    for _ in range(20):
        path, body = _request(draw, crowd, before)
        answer = _answer(crowd, draw.randrange(_HOSTILE, 5000), path, body)
        if before["data"] in answer or b"root:" in answer or b"REPOSITORY = " in answer:
            raise Fell(f"{path[:200]} is answered with what is not the visitor's")
    if crowd.server.process.poll() is not None:
        raise Fell("the page has ended")
    if json.loads(http(crowd, 1, "/healthz")) != {"status": "ok"}:
        raise Fell("the page does not answer")
    saved = [p for p in _places(before["home"]) if p.is_file() and p.suffix in _KEPT]
    if saved:
        raise Fell(f"a visitor saved {saved[0].name} on the host")
    if not all(path.is_file() for path in before["files"]):
        raise Fell("somebody's picture is gone")


def _places(home: Path) -> list[Path]:
    """What lies where a visitor has nothing to write."""
    return [p for name in ("presets", "models", "training") for p in (home / name).rglob("*")]


def _request(draw: Random, crowd: Crowd, before: dict[str, Any]) -> tuple[str, bytes | None]:
    own = [str(path) for path in before["files"]]
    theirs = draw.choice(
        [*own, "/etc/passwd", str(REPOSITORY / "studio/home.py"), "/proc/self/environ"]
    )
    if draw.random() < 0.4:
        spelled = draw.choice((theirs, quote(theirs, safe=""), f"/tmp/../{theirs}", f"./{theirs}"))
        place = draw.choice(("/gradio_api/file=", "/file=", "/gradio_api/file/", "/static/", "/"))
        return f"{place}{quote(spelled)}", None
    file = {"path": theirs, "meta": {"_type": "gradio.FileData"}}
    values = [*crowd.given.values()]
    rows = [
        {"prompt": "1", "mask": theirs},
        {"prompt": "2", "control": {"type": "canny", "image": file}},
    ]
    changed = draw.choice((values, [file], [rows], [{"base": "somebody/model", "rows": rows}]))
    data = json_mutated(draw, [file if draw.random() < 0.1 else one for one in changed])
    if draw.random() < 0.5:
        event = {"data": data, "fn_index": draw.choice(before["events"]), "session_hash": "harm"}
        return "/gradio_api/queue/join", json_text(event)
    called = draw.choice(("store_image", "show_image", "preview_map", "postprocess"))
    call = {
        "data": data,
        "component_id": draw.choice(before["components"]),
        "fn_name": called,
        "session_hash": "harm",
    }
    return "/gradio_api/component_server", json_text(call)


def _answer(crowd: Crowd, number: int, path: str, body: bytes | None) -> bytes:
    try:
        return http(crowd, number, path, body, {"Content-Type": "application/json"})
    except urllib.error.HTTPError as error:
        return error.read()
    except (OSError, ValueError):  # an address that is none, a line that is closed
        return b""


def end() -> str:
    """The page that was attacked goes; nothing is measured over all cases."""
    _known.clear()
    if crowds:
        crowds.pop().server.stop()
    return ""


ATTACKS.register(
    "visitors",
    Attack(
        "twenty hostile requests to a shared page: files, other events, junk",
        harm,
        100,
        60.0,
        1,
        growth=2**30,
        hangs=300,
        end=end,
    ),
)
