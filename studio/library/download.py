"""Fetching a model from the hub into the library, under its own id; or from civitai.com.

Files land in ``STUDIO_HOME/models/OWNER/NAME``, so that a preset that names the hub id finds them
there from then on. After a break whole files are kept, and the one that was under way starts again
(the hub's library keeps no part of a file); the token is the environment's (``HF_TOKEN`` or ``hf
auth login``); pickles are never fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from studio.errors import MissingModel, StudioError, shorten
from studio.files import write_atomically
from studio.home import models_folder
from studio.library import civitai
from studio.library.civitai import SiteModel
from studio.library.civitai_links import is_hash_there, is_link
from studio.library.folders import COMING
from studio.library.hub import answers_named, is_hub_id
from studio.library.hub_pipelines import UNUSED
from studio.library.transfer import Progress, Transfer

TIMEOUT_SECONDS = 5.0
_TEXTS = (".json", ".txt", ".model")
_VARIANT = re.compile(r"\.(fp16|bf16|non_ema|ema_only)(?:-\d+-of-\d+)?\.safetensors$")


@dataclass(frozen=True)
class HubModel:
    """A model on the hub: its licence, and the files that a download would fetch with their bytes."""

    id: str
    revision: str
    license: str
    files: tuple[tuple[str, int], ...]

    @property
    def bytes(self) -> int:
        """Of all files together."""
        return sum(size for _, size in self.files)

    @property
    def terms(self) -> str:
        """Under which terms it may be used, in words."""
        return f"licence {self.license}"


def look_up(identity: str, endpoint: str | None = None) -> HubModel | SiteModel:
    """Ask the hub for a model, with one request; or civitai.com, with one or two.

    Args:
        identity: ``owner/name``; or a link or AIR of civitai.com, or the hash of a file there.
        endpoint: another hub than the environment's, or another address than the site's.

    Raises:
        StudioError: no hub id and no model's link.
        MissingModel: no network, no such model, one that asks for an account, or only pickles.
    """
    if is_link(identity) or is_hash_there(identity):
        return civitai.look_up(identity, endpoint)
    if not is_hub_id(identity):
        raise StudioError(f"{shorten(identity)} is no hub id (owner/name)", field="model")
    from huggingface_hub import HfApi

    with answers_named(identity, "model"):
        info = HfApi(endpoint=endpoint).model_info(
            identity, files_metadata=True, timeout=TIMEOUT_SECONDS
        )
    sizes = {file.rfilename: file.size or 0 for file in info.siblings or ()}
    chosen = choose(list(sizes))
    if not any(name.endswith(".safetensors") for name in chosen):
        raise _missing(identity, "holds no .safetensors file; pickles are not fetched")
    return HubModel(
        identity, info.sha or "main", _license(info), tuple((name, sizes[name]) for name in chosen)
    )


def choose(names: Sequence[str]) -> list[str]:
    """Which files of a repository to fetch: a pipeline's parts, or a lone model's own files.

    Of weights in several precisions the plain ones are taken, and variants where there are none.
    """
    pipeline = "model_index.json" in names
    wanted = []
    for name in names:
        path = PurePosixPath(name)
        depth = len(path.parts)
        hidden = any(part.startswith(".") for part in path.parts)
        if hidden or depth > 2 or (pipeline and path.parts[0] in UNUSED):
            continue
        if name.endswith(_TEXTS):
            wanted.append(name)
        elif name.endswith(".safetensors") and not (pipeline and depth == 1):
            plain = [
                n
                for n in names
                if PurePosixPath(n).parent == path.parent
                and n.endswith(".safetensors")
                and not _VARIANT.search(n)
            ]
            if name in plain or not plain:
                wanted.append(name)
    return wanted


def download(model: HubModel | SiteModel, endpoint: str | None = None) -> Iterator[Progress]:
    """Fetch the files of ``model``, with how far it is a few times a second.

    Files that are there already are not fetched again. Closing the generator stops in the middle
    of a file, which a later call begins anew (of civitai.com it goes on with it). Until the last file
    has come, the library lists the folder as one that cannot be used.

    Raises:
        MissingModel: the hub went out of reach; the files that came whole stay, and the next call goes on
            with the one at which it stopped, from its beginning.
        StudioError: the disk cannot be written to, or a file of civitai.com is being fetched already.
    """
    if isinstance(model, SiteModel):
        yield from civitai.download(model)
        return
    folder = models_folder() / model.id
    coming = write_atomically(folder / COMING, b"")
    done = 0
    for name, size in model.files:
        try:
            for come in Transfer(partial(_fetch, model, name, endpoint)):
                yield Progress(name, done + min(come, size), model.bytes, False)
        except OSError as error:
            if getattr(error, "errno", None) in (13, 28, 30):  # no permission, no space, read-only
                raise StudioError(f"cannot be written ({error.strerror})", field=name) from error
            raise _broken(model, name) from error
        except Exception as error:
            raise _broken(model, name) from error
        done += size
        if name == model.files[-1][0]:  # whoever stops listening now has it whole
            coming.unlink(missing_ok=True)
        yield Progress(name, done, model.bytes, True)


def _fetch(model: HubModel, name: str, endpoint: str | None, bar: Any) -> None:
    from huggingface_hub import hf_hub_download

    hf_hub_download(
        model.id,
        name,
        revision=model.revision,
        local_dir=models_folder() / model.id,
        endpoint=endpoint,
        etag_timeout=TIMEOUT_SECONDS,
        tqdm_class=bar,
    )


def _broken(model: HubModel, name: str) -> MissingModel:
    return _missing(
        model.id,
        f"stopped in {name}; the same call keeps the whole files and starts this one again",
    )


def _license(info: Any) -> str:
    card = info.card_data or {}
    stated = card.get("license_name") or card.get("license")
    if not stated:
        tags = [tag for tag in info.tags or () if tag.startswith("license:")]
        stated = tags[0].removeprefix("license:") if tags else ""
    return str(stated or "not stated")


def _missing(identity: str, why: str) -> MissingModel:
    return MissingModel(f"{identity!r} {why}", field="model")
