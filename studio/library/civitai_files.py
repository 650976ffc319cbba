"""Which file of a version on civitai.com is fetched, what the site says of it, and where it will lie."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, islice, takewhile
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from studio.errors import cut, some_of
from studio.files import RESERVED, read_regular
from studio.home import models_folder
from studio.library.catalogue import Library
from studio.library.civitai_answers import MOST_JSON_BYTES, missing
from studio.library.civitai_links import ABOUT

COMING = ".coming"  # behind the name of what has come of a file
INFO = ".civitai.info"
NEAR = 1024  # bytes; sizes that differ by less are one size, which the site says in kB
_MOST_STEM_BYTES = 150  # of the 255 of a name; numbers and endings stand behind it
_SUFFIX = ".safetensors"
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
    """A version of a model on civitai.com, with the one file of it that is fetched.

    ``id``: what it will be called in the library, unless that name is taken meanwhile. ``page``: where
    its terms stand; the site's interface says no licence. ``stem``: the file's name on the site, as a
    name on any disk. ``bytes``: of the file, 0 where the site says none. ``sha256``: of it, "" where
    the site knows none. ``address``: where it lies. ``file``: its number there. ``info``: all that the
    site says of the version.
    """

    id: str
    page: str
    version: int
    stem: str
    bytes: int
    address: str
    sha256: str = ""
    file: int = 0
    info: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def files(self) -> tuple[tuple[str, int], ...]:
        """The one file, with its bytes."""
        return ((self.path.name, self.bytes),)

    @property
    def terms(self) -> str:
        """Under which terms it may be used, in words."""
        return f"its terms stand on {self.page}"

    @property
    def path(self) -> Path:
        """Where it will lie."""
        return models_folder() / f"{self.id}{_SUFFIX}"

    @property
    def part(self) -> Path:
        """Where that lies which has come of it, of this file of this version alone."""
        return self.path.with_name(f"{self.stem}.{self.version}-{self.file}{COMING}")

    def places(self) -> Iterator[Path]:
        """The names that it may have, the best one first; without an end."""
        yield self.path.with_name(f"{self.stem}{_SUFFIX}")
        yield self.path.with_name(f"{self.stem}-{self.version}{_SUFFIX}")
        for number in count(2):
            yield self.path.with_name(f"{self.stem}-{self.version}-{number}{_SUFFIX}")

    def called(self, path: Path) -> str:
        """Its id where it lies at ``path``, one of :meth:`places`."""
        return f"{self.id.rpartition('/')[0]}/{path.name.removesuffix(_SUFFIX)}"

    def is_taken(self, path: Path) -> bool:
        """Whether a model, or what is said of one, has the name of ``path`` already: a file of any kind or a
        folder in its folder, or a model of another folder of the library that is called so."""
        stem = path.name.removesuffix(_SUFFIX)
        beside = os.listdir(path.parent) if path.parent.is_dir() else []
        coming = f"{self.stem}.{self.version}-"
        names = (name for name in beside if not name.startswith(coming))
        if any(name.lower() == stem.lower() or name.startswith(f"{stem}.") for name in names):
            return True
        return self.called(path) in Library()

    def alike(self) -> list[Path]:
        """Files that may be its own, without reading them: of its size where the site knows a hash,
        else those beside which it is written that they are of this version."""
        places = self.places()
        taken = [*islice(places, 2), *takewhile(os.path.lexists, places)]
        return [path for path in taken if path.is_file() and self._may_be(path)]

    def _may_be(self, path: Path) -> bool:
        if self.bytes and abs(path.stat().st_size - self.bytes) >= NEAR:
            return False
        return bool(self.sha256) or _version_beside(path) == self.version


def choose(
    link: str, files: Sequence[Any], wanted: Mapping[str, str], kind: str = ""
) -> Mapping[str, Any]:
    """Which file of a version to fetch: of those in safetensors the one that the link asks for, else
    the one that the site calls primary, else the first.

    Args:
        wanted: what a link says of the file: ``type``, ``format``, ``size``, ``fp``. Without a type,
            the model itself is meant, not the VAE or the pictures that come with it.
        kind: of the model, as the site calls it.

    Raises:
        MissingModel: there is none.
    """
    here = [one for one in files if isinstance(one, Mapping) and _is_safe(one)]
    if not here:
        raise missing(link, "holds no .safetensors file; pickles are not fetched")
    fitting = here
    if "type" not in wanted:
        own = ("model", "pruned model", kind.lower())
        fitting = [one for one in here if _said(one, "type") in own]
        if not fitting:
            raise missing(
                link,
                "holds its model in no .safetensors file; pickles are not fetched. "
                f"It has {_named(here)}",
            )
    asked = {key: _plain(key, value) for key, value in wanted.items()}
    fitting = [
        one
        for one in fitting
        if all(_said(one, key) in ("", value) for key, value in asked.items())
    ]
    if not fitting:
        words = cut(", ".join(wanted.values()), 80)
        raise missing(link, f"names a file that is not there ({words}). It has {_named(here)}")

    def exactly(one: Mapping[str, Any]) -> int:
        return sum(_said(one, key) == value for key, value in asked.items())

    return max(fitting, key=lambda one: (exactly(one), bool(one.get("primary"))))


def of_hash(digest: str, files: Sequence[Any], kind: str = "") -> Mapping[str, Any]:
    """The file of a version that has this hash, of whichever kind; as :func:`choose` where the site does
    not say which it is.

    Raises:
        MissingModel: it is none in safetensors.
    """
    own = [one for one in files if isinstance(one, Mapping) and _has_hash(one, digest.lower())]
    wanted = {"type": _said(own[0], "type")} if own else {}
    return choose(digest, own or files, wanted, kind)


def _has_hash(one: Mapping[str, Any], digest: str) -> bool:
    hashes = one.get("hashes")
    known = hashes.values() if isinstance(hashes, Mapping) else ()
    return any(str(value).lower() == digest for value in known)


def kind_of(info: Mapping[str, Any]) -> str:
    """What kind of model a version is of, as the site calls it, in small letters; "" where it says none."""
    about = info.get("model")
    return str(about.get("type", "")).lower() if isinstance(about, Mapping) else ""


def model_of(info: Mapping[str, Any], chosen: Mapping[str, Any], endpoint: str) -> SiteModel:
    """The model of which the site says ``info``, with the file ``chosen``.

    Raises:
        Exception: of many kinds, where that is not what the site is said to answer.
    """
    version = int(info["id"])
    folder = "vae" if _said(chosen, "type") == "vae" else _FOLDERS.get(kind_of(info), "models")
    stem = _stem(str(chosen["name"])) or str(version)
    query, hashes = _query(chosen), chosen.get("hashes")
    sha = str(hashes.get("SHA256")).lower() if isinstance(hashes, Mapping) else ""
    number = chosen.get("id")
    return SiteModel(
        f"{folder}/{stem}",
        f"civitai.com/models/{int(info['modelId'])}",
        version,
        stem,
        _bytes(chosen.get("sizeKB")),
        f"{endpoint}/api/download/models/{version}" + (f"?{query}" if query else ""),
        sha if re.fullmatch(r"[0-9a-f]{64}", sha) else "",
        number if isinstance(number, int) else 0,
        info,
    )


def _is_safe(one: Mapping[str, Any]) -> bool:
    return str(one.get("name", "")).lower().endswith(_SUFFIX)


def _said(one: Mapping[str, Any], key: str) -> str:
    """What the site says of a file, as links say it; "" where it says nothing."""
    if key == "type":
        return _plain(key, one.get("type") or "Model")
    about = one.get("metadata")
    return _plain(key, about.get(key) or "") if isinstance(about, Mapping) else ""


def _plain(key: str, value: object) -> str:
    text = str(value).strip().lower()
    return text.removesuffix("s") if key == "format" else text  # AIRs say "safetensors"


def _named(files: Sequence[Mapping[str, Any]]) -> str:
    """Files by their names, each with what tells it apart."""
    return some_of(
        [
            f"{cut(str(one['name']), 60)} "
            f"({', '.join(said for key in ABOUT if (said := _said(one, key)))})"
            for one in files
        ],
        4,
    )


def _query(chosen: Mapping[str, Any]) -> str:
    """What asks the site for this file, not for the primary one."""
    told = urlsplit(str(chosen.get("downloadUrl") or "")).query
    if told or chosen.get("primary"):
        return told
    about = chosen.get("metadata")
    said = {"type": chosen.get("type"), **(about if isinstance(about, Mapping) else {})}
    return urlencode({key: said[key] for key in ABOUT if said.get(key)})


def _bytes(kilobytes: object) -> int:
    if not isinstance(kilobytes, int | float) or not math.isfinite(kilobytes):
        return 0
    return round(max(0, kilobytes) * 1024)


def _stem(name: str) -> str:
    """A file's name without its suffix, as every disk takes it."""
    plain = re.sub(r"[^\w.-]+", "_", Path(name).stem).strip("._")
    plain = plain.encode()[:_MOST_STEM_BYTES].decode("utf-8", "ignore").strip("._")
    # Windows keeps names for devices, whatever follows a dot.
    first, dot, rest = plain.partition(".")
    return f"{first}_{dot}{rest}" if first.lower() in RESERVED else plain


def _version_beside(path: Path) -> int:
    """Of which version a file is, by what lies beside it; 0 where nothing says so."""
    try:
        told = json.loads(read_regular(path.with_suffix(INFO), MOST_JSON_BYTES))
    except (OSError, ValueError, RecursionError):
        return 0
    version = told.get("id") if isinstance(told, dict) else 0
    return version if isinstance(version, int) else 0
