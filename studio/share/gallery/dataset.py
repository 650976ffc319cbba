"""A dataset of the hub as a gallery: its presets and their pictures, there and back."""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from studio.errors import MissingFile, StudioError
from studio.library.hub import answers_named, is_closed
from studio.preset import MAX_JSON_BYTES
from studio.preset.saved import THUMBNAIL_SUFFIXES

TIMEOUT_SECONDS = 5.0
MAX_FILES, MAX_BYTES = 2000, 200 * 2**20
MAX_PICTURE_BYTES = 8 * 2**20
_FIELD = "gallery"


def fetch(identity: str, folder: Path, endpoint: str | None = None) -> None:
    """Fetch what a gallery can use of a dataset into ``folder``, which is new.

    Raises:
        StudioError: no network, no such dataset, or more than a gallery holds.
    """
    from huggingface_hub import hf_hub_download

    info = _info(identity, endpoint)
    sizes = {file.rfilename: file.size or 0 for file in info.siblings or ()}
    for name in wanted(sizes):
        with answers_named(identity, _FIELD, MissingFile):
            try:
                hf_hub_download(
                    identity,
                    name,
                    repo_type="dataset",
                    revision=info.sha,
                    local_dir=folder,
                    endpoint=endpoint,
                    etag_timeout=TIMEOUT_SECONDS,
                )
            except OSError as error:
                if error.errno in (errno.EACCES, errno.ENOSPC, errno.EROFS):
                    why = f"cannot be written ({error.strerror})"
                    raise StudioError(why, field=name) from error
                raise
    folder.mkdir(exist_ok=True)  # of an empty dataset


def wanted(sizes: Mapping[str, int]) -> list[str]:
    """Presets, and the pictures beside them, by name; nothing hidden, nothing large.

    Raises:
        StudioError: more than a gallery holds.
    """
    presets = [name for name in sizes if name.endswith(".json") and sizes[name] <= MAX_JSON_BYTES]
    stems = {PurePosixPath(name).stem for name in presets}
    pictures = [
        name
        for name, size in sizes.items()
        if name.lower().endswith(THUMBNAIL_SUFFIXES)
        and PurePosixPath(name).stem in stems
        and size <= MAX_PICTURE_BYTES
    ]
    chosen = [one for one in (*presets, *pictures) if not _hidden(one)]
    held = sum(sizes[name] for name in chosen)
    if len(chosen) > MAX_FILES or held > MAX_BYTES:
        raise StudioError(
            f"{len(chosen)} files of {held / 2**20:.0f} MB; a gallery holds at most {MAX_FILES} "
            f"of {MAX_BYTES // 2**20} MB",
            field=_FIELD,
        )
    return chosen


def _hidden(name: str) -> bool:
    return any(part.startswith(".") for part in PurePosixPath(name).parts)


def looked_at(identity: str, endpoint: str | None = None) -> tuple[str, frozenset[str]] | None:
    """The newest commit of a dataset and its files' names; ``None``: there is no such dataset.

    Raises:
        StudioError: the hub cannot be asked.
    """
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    try:
        info = _info(identity, endpoint)
    except MissingFile as error:
        cause = error.__cause__
        if isinstance(cause, RepositoryNotFoundError) and not isinstance(cause, GatedRepoError):
            return None
        raise
    return info.sha or "main", frozenset(file.rfilename for file in info.siblings or ())


def _info(identity: str, endpoint: str | None) -> Any:
    from huggingface_hub import HfApi

    if is_closed():
        raise StudioError("a shared page asks the hub nothing", field=_FIELD)
    with answers_named(identity, _FIELD, MissingFile):
        return HfApi(endpoint=endpoint).dataset_info(
            identity, files_metadata=True, timeout=TIMEOUT_SECONDS
        )


def send(
    identity: str,
    files: Sequence[tuple[str, bytes]],
    title: str,
    parent: str | None,
    endpoint: str | None = None,
) -> str:
    """Add these files to a dataset in one commit; returns where it is to be seen.

    Args:
        parent: the commit that was looked at: somebody else's since then is not written over;
            ``None``: make the dataset, which nobody else sees until its owner opens it.

    Raises:
        StudioError: no network, no account, or the dataset has changed meanwhile.
    """
    from huggingface_hub import CommitOperationAdd, HfApi
    from huggingface_hub.errors import HfHubHTTPError

    if is_closed():
        raise StudioError("a shared page publishes nothing", field="to")
    api = HfApi(endpoint=endpoint)
    adding = [CommitOperationAdd(path_in_repo=name, path_or_fileobj=data) for name, data in files]
    with answers_named(identity, "to", MissingFile):
        try:
            if parent is None:
                api.create_repo(identity, repo_type="dataset", private=True)
            made = api.create_commit(
                identity,
                adding,
                commit_message=title,
                repo_type="dataset",
                parent_commit=parent,
            )
        except HfHubHTTPError as error:
            raise _refused(error) from error
    return made.commit_url


def _refused(error: Any) -> StudioError:
    code = error.response.status_code if error.response is not None else 0
    if code in (401, 403):
        why = "the hub lets only its owner write there (`hf auth login`, or HF_TOKEN)"
    elif code in (409, 412):
        why = "somebody has changed it since it was looked at; look again"
    else:
        why = f"the hub refused ({code})"
    return StudioError(why, field="to")
