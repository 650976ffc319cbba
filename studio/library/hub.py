"""One question to the hub before anything is fetched: is the model there, and within reach?

The libraries ask again and again for a minute when there is no network; this asks once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from studio.errors import MissingModel, StudioError

TIMEOUT_SECONDS = 5.0
_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9_][\w.-]*", re.ASCII)
_MOST_CHARACTERS = 96  # as the hub has it
# Folders in which people put models: what begins with one is a path, not an owner's.
_FOLDERS = (
    *(
        "checkpoints",
        "stable-diffusion",
        "unet",
        "diffusion_models",
        "models",
        "vae",
        "clip_vision",
    ),
    *("lora", "loras", "lycoris", "embedding", "embeddings", "controlnet", "controlnets"),
    *("ipadapter", "ip-adapter", "t2i", "upscale_models", "upscalers", "esrgan", "starter"),
)
_closed = False


def is_hub_id(name: str) -> bool:
    """Whether ``name`` can be a model's on the hub: ``owner/name`` by the hub's own rules."""
    odd = "--" in name or ".." in name or name.endswith((".git", ".", "-")) or "./" in name
    return len(name) <= _MOST_CHARACTERS and not odd and _ID.fullmatch(name) is not None


def holder_on_hub(name: str) -> str:
    """The hub's id that may hold a model: itself, or of ``owner/name/file`` its first two parts; ""
    where there is none, as where the first is a folder's name of other tools."""
    parts = name.split("/")
    if len(parts) > 2 and parts[0].lower() in _FOLDERS:
        return ""
    holder = "/".join(parts[:2])
    return holder if is_hub_id(holder) else ""


def close() -> None:
    """From now on ask the hub nothing and fetch nothing: visitors name models here, not the host."""
    global _closed
    _closed = True


def is_closed() -> bool:
    """Whether this process asks the hub nothing."""
    return _closed


def is_offline() -> bool:
    """Whether ``HF_HUB_OFFLINE`` keeps the hub's library to what its cache has."""
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def in_cache(identity: str, file: str) -> Path | None:
    """Where the hub's cache on this machine has a file of a model; ``None`` where it has not."""
    from huggingface_hub import try_to_load_from_cache

    try:
        cached = try_to_load_from_cache(identity, file)
    except ValueError:  # not an id
        return None
    return Path(cached) if isinstance(cached, str) else None


@lru_cache(maxsize=64)
def check_reachable(name: str) -> None:
    """One request for the header of one file; an answer is remembered, a failure is not.

    Raises:
        MissingModel: no network, no such model, or one that asks for an account; says which.
            Also on a shared page, and where ``name`` can be no model's.
    """
    if _closed:
        raise _missing(name, "a shared page fetches none for its visitors")
    if not is_hub_id(name):
        raise _missing(name, "it is no hub id (owner/name)")
    import huggingface_hub
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
    )

    address = huggingface_hub.hf_hub_url(name, "model_index.json")
    try:
        huggingface_hub.get_hf_file_metadata(address, timeout=TIMEOUT_SECONDS)
    except EntryNotFoundError:
        return  # there, but no whole pipeline: loading says what it lacks
    except GatedRepoError as error:
        raise _missing(
            name,
            "its owner lets only accounts fetch it that have agreed to its terms (`hf auth login`)",
        ) from error
    except RepositoryNotFoundError as error:
        raise _missing(name, "the hub has no such model, or it is private") from error
    except OfflineModeIsEnabled as error:
        raise _missing(name, "HF_HUB_OFFLINE keeps this computer off the hub") from error
    except Exception as error:  # every way in which a network can fail
        raise _missing(name, "the hub cannot be reached") from error


def _missing(name: str, why: str) -> MissingModel:
    said = f"{name!r} is not in the library, and {why}"
    return MissingModel(said, field="base", model=name)


@contextmanager
def answers_named(
    identity: str, field: str, kind: type[StudioError] = MissingModel
) -> Iterator[None]:
    """What the hub or the network refuses inside the ``with``, in one line that names ``identity``.

    Raises:
        StudioError: of ``kind``, with ``field``.
    """
    from huggingface_hub.errors import (
        GatedRepoError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
    )

    def said(why: str) -> StudioError:
        return kind(f"{identity!r} {why}", field=field)

    try:
        yield
    except StudioError:
        raise
    except GatedRepoError as error:
        raise said("asks for an account that has agreed to its terms") from error
    except RepositoryNotFoundError as error:
        raise said("is not on the hub, or is private (set HF_TOKEN)") from error
    except OfflineModeIsEnabled as error:
        raise said("cannot be fetched: HF_HUB_OFFLINE is set") from error
    except Exception as error:  # every way in which a network can fail
        why = f"cannot be fetched: the hub cannot be reached ({type(error).__name__})"
        raise said(why) from error
