"""Fetching a model from civitai.com into the library: by its page's link, its AIR or its file's hash.

A file lands in ``STUDIO_HOME/models``, in the folder that other tools have for its kind, with what the
site says of it beside it (``NAME.civitai.info``: its words, its base, its hashes). What has come is kept
after a break, and the same call goes on behind it; a file of another hash than the site's is refused.
Pickles are never fetched; the token is the environment's (``CIVITAI_TOKEN``).

The site's interface: https://developer.civitai.com/site/reference/model-versions
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from studio.errors import StudioError
from studio.library.civitai_answers import asked, missing
from studio.library.civitai_arrival import Arrival
from studio.library.civitai_files import SiteModel, choose, kind_of, model_of, of_hash
from studio.library.civitai_links import is_hash_there, meant
from studio.library.hub import is_closed, is_offline
from studio.library.transfer import Progress, Transfer

ENDPOINT = "https://civitai.com"


def look_up(link: str, endpoint: str | None = None) -> SiteModel:
    """Ask the site for a model, with at most two requests; no file is read for it.

    Args:
        link: of the model's page, of one of its versions or of a file to fetch; its AIR; or a hash of
            the file. Without a version the newest one is meant.
        endpoint: another address than the site's.

    Raises:
        StudioError: no model's link, or the library's folder cannot be read.
        MissingModel: no network, no such model or file, one that asks for an account, or only pickles.
    """
    import httpx

    by_hash = is_hash_there(link)
    model, version, wanted = ("", "", {}) if by_hash else meant(link)
    _check_allowed(link)
    site = (endpoint or ENDPOINT).rstrip("/")
    try:
        if by_hash:
            info = asked(link, f"{site}/api/v1/model-versions/by-hash/{link.upper()}")
            chosen = of_hash(link, info.get("files") or (), kind_of(info))
        else:
            info = _info(link, model, version, site)
            chosen = choose(link, info.get("files") or (), wanted, kind_of(info))
        found = model_of(info, chosen, site)
        if not (found.bytes or found.sha256):
            raise missing(link, "cannot be fetched: the site says neither its size nor its hash")
        return _placed(found)
    except StudioError:
        raise
    except httpx.HTTPError as error:
        why = f"cannot be fetched: civitai.com cannot be reached ({type(error).__name__})"
        raise missing(link, why) from error
    except OSError as error:
        raise StudioError(f"cannot be read ({error.strerror})", field="models") from error
    except Exception as error:  # every way in which an answer can be none
        why = "cannot be fetched: civitai.com answered something that cannot be read"
        raise missing(link, why) from error


def download(model: SiteModel) -> Iterator[Progress]:
    """Fetch the file of ``model``, with how far it is a few times a second.

    A file that is there already is not fetched again; where another one has its name, it takes the next
    that is free, which the last progress tells. Closing the generator stops in the middle of the file; a
    later call goes on behind what has come.

    Raises:
        MissingModel: the site went out of reach, asks for an account, or sent another file than it says.
        StudioError: the disk cannot be written to, or the file is being fetched already.
    """
    (name, size), arrival = model.files[0], Arrival(model)
    _check_allowed(model.id)
    try:
        for come in Transfer(arrival.run):
            yield Progress(name, min(come, size), size, False, checking=arrival.checking)
    except StudioError:
        raise
    except OSError as error:
        raise StudioError(f"cannot be written ({error.strerror})", field=name) from error
    except Exception as error:
        why = f"stopped in {name}; the same call goes on behind what has come"
        raise missing(model.id, why) from error
    yield Progress(name, size, size, True, id=model.called(arrival.path))


def _info(link: str, model: str, version: str, endpoint: str) -> dict[str, Any]:
    """What the site says of a version; of the model's newest where none is named."""
    if not version:
        versions = asked(link, f"{endpoint}/api/v1/models/{model}").get("modelVersions")
        if not versions:
            raise missing(link, "has no version that can be fetched")
        version = str(int(versions[0]["id"]))
    info = asked(link, f"{endpoint}/api/v1/model-versions/{int(version)}")
    if model and int(info["modelId"]) != int(model):
        raise missing(link, f"names a version of another model ({int(info['modelId'])})")
    return info


def _placed(model: SiteModel) -> SiteModel:
    """It under the name of the file that seems to be its own, else under the first that is free."""
    free = next(path for path in model.places() if not model.is_taken(path))
    return replace(model, id=model.called([*model.alike(), free][0]))


def _check_allowed(name: str) -> None:
    if is_closed():
        raise missing(name, "cannot be fetched: a shared page fetches none for its visitors")
    if is_offline():
        raise missing(name, "cannot be fetched: HF_HUB_OFFLINE is set")
