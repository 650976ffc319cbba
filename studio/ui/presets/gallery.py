"""Presets on the shelf: the starter ones with their pictures, and those that were saved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from studio.errors import BadPreset, MissingFile, NoPreset
from studio.files import slug, write_atomically
from studio.history.made import renewed
from studio.preset import Preset, validate
from studio.preset.aside import digest, put_aside
from studio.preset.saved import SavedPreset, list_presets, save_preset
from studio.share import embed_images, extract, read_any
from studio.share.gallery.thumbnails import small_webp
from studio.ui.errors import on_page
from studio.ui.library.models import library
from studio.ui.space import Limits
from studio.ui.widgets import picture

# Of a picture that was opened and carries no preset.
ELSEWHERE = "for another use, choose it at Start from a picture, under Advanced, or at a row"


def _slots(limits: Limits) -> Iterator[tuple[str, SavedPreset]]:
    """Id and preset: the person's own (which a shared page does not have), then starter ones."""
    for saved in sorted(list_presets(), key=lambda saved: saved.shipped):
        if saved.shipped or not limits.shared:
            yield f"{'starter' if saved.shipped else 'saved'}:{saved.path.stem}", saved


def cards(limits: Limits) -> dict[str, Any]:
    """The value of the shelf's cards; one that cannot be read says why. The browser gets ids, never
    paths of presets."""
    return {
        "items": [
            {
                "id": identity,
                "title": saved.name,
                "text": saved.preset.description if saved.preset else on_page(saved.problem),
                "tag": _tag(saved),
                "own": not saved.shipped,
                "shipped": saved.shipped,
                "problem": saved.preset is None,
                "image": picture(saved.thumbnail) if saved.thumbnail else None,
            }
            for identity, saved in _slots(limits)
        ]
    }


def _tag(saved: SavedPreset) -> str:
    if saved.preset is None:
        return "cannot be used"
    return "" if saved.shipped else "saved"


def namesakes(name: str) -> int:
    """How many of the person's own presets have this name."""
    plain = " ".join(name.split())
    return sum(not saved.shipped and saved.name == plain for saved in list_presets())


def described_as(preset: Preset) -> str:
    """The name of another preset whose description this one has; "" for none."""
    plain, own = " ".join(preset.name.split()), preset.description.strip()
    found = ((one.name, one.preset) for one in list_presets() if own)
    same = (name for name, other in found if other and other.description.strip() == own)
    return next((name for name in same if name != plain), "")


def pick(limits: Limits, identity: str) -> Preset:
    """The preset in the slot of this id.

    Raises:
        MissingFile: there is no such slot.
        BadPreset: what is in it cannot be read.
    """
    return extract(_sound(limits, identity)[1])


def opened(limits: Limits, identity: str) -> tuple[Preset, list[str], dict[str, Any] | None]:
    """The preset in a slot, its shipped models that are newer than it, a line each, and its picture.

    Raises:
        MissingFile, BadPreset: as :func:`pick`.
    """
    saved, preset = _sound(limits, identity)
    return extract(preset), renewed(preset, saved.path, library()), _shown(saved)


def _sound(limits: Limits, identity: str) -> tuple[SavedPreset, Preset]:
    """What is in a slot; raises as :func:`pick`."""
    for name, saved in _slots(limits):
        if name == identity and saved.preset is not None:
            return saved, saved.preset
        if name == identity:
            raise BadPreset(saved.problem, field="preset")
    raise MissingFile("this preset is not there any more", field="preset")


def picture_of(limits: Limits, identity: str) -> dict[str, Any] | None:
    """The picture of the preset in a slot, for the stage before there is a result."""
    found = (saved for name, saved in _slots(limits) if name == identity)
    return next(map(_shown, found), None)


def _shown(saved: SavedPreset) -> dict[str, Any] | None:
    if not saved.thumbnail:
        return None
    return picture(saved.thumbnail, "The preset's own picture. Generate makes yours.")


def first_id(limits: Limits) -> str:
    """The slot of what a newcomer sees: the first starter preset."""
    return next((name for name, saved in _slots(limits) if saved.shipped), "")


def rename(limits: Limits, identity: str, name: str) -> bool:
    """Give one of the person's own presets another name; its file stays where it is.

    Returns:
        Whether another one has that name too.

    Raises:
        StudioError: no such preset of one's own, or no name.
    """
    saved = _own(limits, identity)
    name = " ".join(name.split())
    if not name:
        raise BadPreset("give the preset a name", field="name")
    if saved.preset is None:
        raise BadPreset(saved.problem, field="preset")
    renamed = validate({**saved.preset.model_dump(mode="json"), "name": name})
    write_atomically(saved.path, renamed.to_json().encode())
    return namesakes(name) > 1


def replace(
    limits: Limits, identity: str, preset: Preset, image: Path | None = None
) -> tuple[str, str, str]:
    """Put ``preset`` in the place of one of the person's own, under that one's name, with ``image``
    as its picture.

    Returns:
        The name, and what :func:`studio.ui.presets.back.offered` takes to bring the earlier one back.

    Raises:
        StudioError: no such preset of one's own, or it cannot be read or written.
    """
    saved = _own(limits, identity)
    if saved.preset is None:
        raise BadPreset(saved.problem, field="preset")
    data = preset.model_copy(update={"name": saved.name}).to_json().encode()
    small = _small(image)
    with put_aside(saved.path, saved.thumbnail) as token:
        write_atomically(saved.path, data)
        shown = _picture(saved.path, small)
        if saved.thumbnail is not None and saved.thumbnail != shown:
            saved.thumbnail.unlink(missing_ok=True)
    return saved.name, token, digest(data)


def _small(image: Path | None) -> bytes | None:
    return small_webp(image) if image is not None and image.is_file() else None


def _picture(path: Path, small: bytes | None) -> Path | None:
    """Let ``small`` be the picture of the preset in ``path``; its file, ``None`` where there is none."""
    return None if small is None else write_atomically(path.with_suffix(".webp"), small)


def delete(limits: Limits, identity: str) -> tuple[str, str]:
    """Remove one of the person's own presets with its picture.

    Returns:
        Its name, and what :func:`studio.ui.presets.back.offered` takes to bring it back.

    Raises:
        StudioError: no such preset of one's own, or it cannot be put into the bin.
    """
    saved = _own(limits, identity)
    with put_aside(saved.path, saved.thumbnail) as token:
        saved.path.unlink(missing_ok=True)
        if saved.thumbnail is not None:
            with suppress(OSError):  # in use elsewhere: nobody sees it any more
                saved.thumbnail.unlink()
    return saved.name, token


def _own(limits: Limits, identity: str) -> SavedPreset:
    for name, saved in _slots(limits):
        if name == identity and not saved.shipped:
            return saved
    if identity.startswith("saved:") and not limits.shared:
        gone = "it is not there any more: it was deleted or renamed elsewhere"
        raise MissingFile(gone, field="preset")
    raise MissingFile("this is no preset of your own", field="preset")


def first(limits: Limits) -> Preset:
    """What a newcomer sees: the first starter preset."""
    identity = first_id(limits)
    return pick(limits, identity) if identity else Preset()


def load_file(path: Path) -> tuple[Preset, list[str]]:
    """A preset from a JSON file or an image that a person gave, and what could not be kept.

    Raises:
        NoPreset: a picture that carries none; it says where pictures go.
        BadPreset: it holds none; names the file, and the field at fault.
    """
    try:
        preset, notes = read_any(path, library())
        return preset, [*notes, *renewed(preset, path, library())]
    except NoPreset as error:
        raise NoPreset(f"{error.message} · {ELSEWHERE}", field=error.field) from error
    except BadPreset as error:
        if error.field == path.name:
            raise
        raise BadPreset(str(error), field=path.name) from error


def save(preset: Preset, limits: Limits, image: Path | None = None) -> Path:
    """Keep ``preset`` under its name in the person's own folder, with ``image`` as its picture.

    Raises:
        BadPreset: it has no name, or this page is shared.
    """
    if limits.shared:
        raise BadPreset("this page is shared; download the JSON instead", field="save")
    small = _small(image)
    path = save_preset(preset, preset.name)
    _picture(path, small)
    return path


def download(preset: Preset) -> dict[str, str]:
    """File name and self-contained JSON of ``preset``."""
    text = embed_images(preset).to_json() + "\n"
    return {"name": f"{slug(preset.name) or 'preset'}.json", "text": text}
