"""Fetching a model from civitai.com into the library, by the link of its page or its AIR.

A file lands in ``STUDIO_HOME/models``, in the folder that other tools have for its kind, with what the
site says of it beside it (``NAME.civitai.info``: its words, its base, its hashes). What has come is kept
after a break, and the same call goes on behind it; a file of another hash than the site's is refused.
Pickles are never fetched; the token is the environment's (``CIVITAI_TOKEN``).

The site's interface: https://developer.civitai.com/site/reference/model-versions
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from studio.errors import MissingModel, StudioError, shorten
from studio.files import write_atomically
from studio.home import models_folder
from studio.library.civitai_links import meant
from studio.library.hub import is_closed, is_offline
from studio.library.transfer import Progress, Transfer

ENDPOINT = "https://civitai.com"
ANSWER_SECONDS, PIECE_SECONDS = (
    10.0,
    30.0,
)  # until the site answers, and between two pieces of a file
COMING = ".coming"  # behind the name of what has come of a file
INFO = ".civitai.info"
TOKEN = "CIVITAI_TOKEN"
_FOLDERS = {
    "checkpoint": "checkpoints",
    "lora": "loras",
    "locon": "loras",
    "dora": "loras",
    "textualinversion": "embeddings",
    "vae": "vae",
    "controlnet": "controlnet",
    "upscaler": "upscale_models",
}


@dataclass(frozen=True)
class SiteModel:
    """A version of a model on civitai.com.

    ``id``: what it will be called in the library. ``license``: the page that
    it stands on. ``files``: the one file with its bytes. ``address``: where that lies. ``sha256``: of it,
    "" where the site knows none. ``info``: all that the site says of the version.
    """

    id: str
    license: str
    files: tuple[tuple[str, int], ...]
    address: str
    sha256: str = ""
    info: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def bytes(self) -> int:
        """Of the file."""
        return sum(size for _, size in self.files)

    @property
    def path(self) -> Path:
        """Where it will lie."""
        return models_folder() / f"{self.id}.safetensors"


def look_up(link: str, endpoint: str | None = None) -> SiteModel:
    """Ask the site for a model; at most two requests.

    Args:
        link: of the model's page, of one of its versions or of a file to fetch; or its AIR. Without a
            version the newest one is meant.
        endpoint: another address than the site's.

    Raises:
        StudioError: no model's link.
        MissingModel: no network, no such model, one that asks for an account, or only pickles.
    """
    model, version, wanted = meant(link)
    _check_allowed(link)
    endpoint = (endpoint or ENDPOINT).rstrip("/")
    try:
        if not version:
            versions = _asked(link, f"{endpoint}/api/v1/models/{model}").get("modelVersions")
            version = str(versions[0]["id"]) if versions else ""
        if not version:
            raise _missing(link, "has no version that can be fetched")
        info = _asked(link, f"{endpoint}/api/v1/model-versions/{int(version)}")
        chosen = choose(info.get("files") or (), wanted)
        if chosen is None:
            raise _missing(link, "holds no .safetensors file; pickles are not fetched")
        return _model(info, chosen, endpoint)
    except StudioError:
        raise
    except Exception as error:  # every way in which a network can fail, and answers that are none
        why = f"cannot be fetched: civitai.com cannot be reached ({type(error).__name__})"
        raise _missing(link, why) from error


def choose(
    files: Sequence[Mapping[str, Any]], wanted: Mapping[str, str]
) -> Mapping[str, Any] | None:
    """Which file of a version to fetch: of those in safetensors the one that the link asks for, else
    the one that the site calls primary, else the first; ``None`` without one.

    Args:
        wanted: what a link to a file says of it: ``size``, ``fp``.
    """
    here = [one for one in files if str(one.get("name", "")).endswith(".safetensors")]

    def fits(one: Mapping[str, Any]) -> bool:
        about = one.get("metadata") or {}
        return all(
            str(about.get(name, value)).lower() == value.lower() for name, value in wanted.items()
        )

    here = [one for one in here if fits(one)] or here
    return next((one for one in here if one.get("primary")), here[0] if here else None)


def download(model: SiteModel) -> Iterator[Progress]:
    """Fetch the file of ``model``, with how far it is a few times a second.

    A file that is there already is not fetched again. Closing the generator stops in the middle of the
    file; a later call goes on behind what has come.

    Raises:
        MissingModel: the site went out of reach, asks for an account, or sent another file than it says.
        StudioError: the disk cannot be written to, or another model has the name.
    """
    (name, size), path = model.files[0], model.path
    _check_allowed(model.id)
    try:
        if not _is_there(model):
            path.parent.mkdir(parents=True, exist_ok=True)
            for come in Transfer(partial(_fetch, model)):
                yield Progress(name, min(come, size), size, False)
            _take(model)
    except StudioError:
        raise
    except OSError as error:
        raise StudioError(f"cannot be written ({error.strerror})", field=name) from error
    except Exception as error:
        why = f"stopped in {name}; the same call goes on behind what has come"
        raise _missing(model.id, why) from error
    write_atomically(path.with_suffix(INFO), json.dumps(dict(model.info)).encode())
    yield Progress(name, size, size, True)


def _model(info: Mapping[str, Any], chosen: Mapping[str, Any], endpoint: str) -> SiteModel:
    version = int(info["id"])
    kind = str((info.get("model") or {}).get("type", "")).lower()
    stem = re.sub(r"[^\w.-]+", "_", Path(str(chosen["name"])).stem).strip("._")[:100]
    sha = str((chosen.get("hashes") or {}).get("SHA256", "")).lower()
    query = urlsplit(str(chosen.get("downloadUrl", ""))).query
    size = round(float(chosen.get("sizeKB") or 0) * 1024)
    name = f"{_FOLDERS.get(kind, 'models')}/{stem or version}"
    found = SiteModel(
        name,
        f"civitai.com/models/{int(info['modelId'])}",
        ((f"{stem or version}.safetensors", size),),
        "",
        sha,
    )
    if found.path.exists() and not _is_there(found):  # another model of this name
        name = f"{name}-{version}"
    file = f"{Path(name).name}.safetensors"
    address = f"{endpoint}/api/download/models/{version}" + (f"?{query}" if query else "")
    return SiteModel(name, found.license, ((file, size),), address, sha, info)


def _is_there(model: SiteModel) -> bool:
    """Whether its file has come: by its hash where the site knows it, else by its bytes."""
    if not model.path.is_file():
        return False
    if not model.sha256:
        return abs(model.path.stat().st_size - model.bytes) < 1024  # which the site says in kB
    return _hash(model.path) == model.sha256


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _coming(model: SiteModel) -> Path:
    return model.path.with_name(model.path.name + COMING)


def _take(model: SiteModel) -> None:
    """Give what has come its name, once it is what the site says."""
    coming = _coming(model)
    if model.sha256 and _hash(coming) != model.sha256:
        coming.unlink()
        raise _missing(model.id, "came with another hash than the site says, and was removed")
    os.replace(coming, model.path)


def _fetch(model: SiteModel, bar: Any) -> None:
    """All of the file behind what has come of it."""
    import httpx

    coming = _coming(model)
    have = coming.stat().st_size if coming.is_file() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with (
        httpx.Client(follow_redirects=True, timeout=_timeout(), headers=_signed()) as client,
        client.stream("GET", model.address, headers=headers) as answer,
    ):
        if have and answer.status_code == 416:  # all of it has come
            return
        _refuse(model.id, answer)
        goes_on = have and answer.status_code == 206
        told = bar(initial=have if goes_on else 0)
        with coming.open("ab" if goes_on else "wb") as file:
            for piece in answer.iter_bytes():
                file.write(piece)
                told.update(len(piece))


def _refuse(name: str, answer: Any) -> None:
    """An answer that brings nothing.

    Raises:
        MissingModel: the site has no such model, or asks who wants it.
        httpx.HTTPStatusError: any other.
    """
    if answer.status_code == 404:
        raise _missing(name, "is not on civitai.com")
    # Without a key some files lead to the page that one signs in on.
    signs_in = answer.headers.get("content-type", "").startswith("text/html")
    if answer.status_code in (401, 403) or signs_in:
        raise _missing(
            name, "asks for an account: make a key on civitai.com and set CIVITAI_TOKEN to it"
        )
    answer.raise_for_status()


def _timeout() -> Any:
    import httpx

    return httpx.Timeout(ANSWER_SECONDS, read=PIECE_SECONDS)


def _signed() -> dict[str, str]:
    """Who asks; the client leaves it out where the site sends it to another host."""
    token = os.environ.get(TOKEN, "").strip()
    return {"Authorization": f"Bearer {token}"} if token else {}


def _asked(name: str, address: str) -> dict[str, Any]:
    import httpx

    answer = httpx.get(address, headers=_signed(), timeout=_timeout(), follow_redirects=True)
    _refuse(name, answer)
    found = answer.json()
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found


def _check_allowed(name: str) -> None:
    if is_closed():
        raise _missing(name, "cannot be fetched: a shared page fetches none for its visitors")
    if is_offline():
        raise _missing(name, "cannot be fetched: HF_HUB_OFFLINE is set")


def _missing(name: str, why: str) -> MissingModel:
    return MissingModel(f"{shorten(name)} {why}", field="model")
