"""What the Train tab asks for: its pictures, their captions and its settings, checked and kept."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from studio.errors import StudioError, some_of
from studio.files import write_atomically
from studio.home import training_folder
from studio.preset import Preset
from studio.preset.prompts import mentions
from studio.train.begun import check_name
from studio.train.captions import from_template, split
from studio.train.config import TrainConfig, resolve
from studio.train.method import METHODS
from studio.train.runner import Runner
from studio.ui.form import kept
from studio.ui.library import models
from studio.ui.train.images import Picture, from_payload, keep, kept_name, uploaded
from studio.ui.train.words import NUMBERS

RESTART = (
    "A restart begins at step 0: what this training has learned is gone, and its model gives way."
)
MOST_NAMED = 6
WITHOUT = "Captions stay as they are, without the word"
WHOLE = ("steps", "batch", "rank", "vectors", "sample_every")


def filled(
    pictures: Sequence[Picture], word: str, superclass: str, template: str
) -> tuple[list[Picture], list[str]]:
    """Captions from the template where there is none but one that it made, and every caption split; a
    person corrects the rest.

    Returns:
        the pictures, and a line on each kind of text that stays as it is: captions of a person's
        without the word, and parts that a person wrote otherwise.
    """
    word = word.strip()
    if not word:
        raise StudioError("is empty, and captions call the target by it", field="word")
    done: list[Picture] = []
    without: list[str] = []
    kept: list[str] = []
    made = from_template(template, word, superclass)
    for picture in pictures:
        if picture.caption in ("", picture.filled):
            picture = replace(picture, caption=made, filled=made)
        elif not mentions(picture.caption, word):
            without.append(picture.name)
            done.append(picture)
            continue
        found = split(picture.caption, word, superclass)
        parts, own = (found.target, found.general), (picture.target, picture.general)
        if own in (("", ""), picture.split, parts):
            picture = replace(picture, target=parts[0], general=parts[1], split=parts)
        else:
            kept.append(picture.name)
        done.append(picture)
    stays = ((f"{WITHOUT} {word}", without), ("Target and general text stay as they are", kept))
    return done, [f"{said}: {some_of(names, MOST_NAMED)}" for said, names in stays if names]


def refuse_to_lose(
    known: Sequence[Picture], example: Sequence[Picture], replaced: Collection[str] = ()
) -> None:
    """See that the example takes nothing of a person's own away.

    Args:
        replaced: names of the example's that are pictures of a person's own.

    Raises:
        StudioError: it would take a picture, its texts or its crop.
    """
    shipped = {picture.name: picture for picture in example}
    own = [p.name for p in known if p.name not in shipped or p.name in replaced]
    if own:
        raise StudioError(
            f"{len(own)} of your own are here, which the example would take away; "
            "press Remove all first"
            if len(own) > 1
            else "one of your own is here, which the example would take away; "
            "press Remove all first",
            field="images",
        )
    if edited := [p.name for p in known if _edited(p, shipped[p.name])]:
        raise StudioError(
            f"what you changed at {', '.join(edited)} would go with the example; "
            "press Remove all first",
            field="images",
        )


def _edited(picture: Picture, shipped: Picture) -> bool:
    """Whether a person has cropped a picture, or written its texts."""
    written = (picture.target, picture.general)
    made = (("", ""), picture.split, (shipped.target, shipped.general))
    captioned = picture.caption not in ("", shipped.caption)
    return picture.crop is not None or captioned or written not in made


def doubts(pictures: Sequence[Picture], given: Mapping[str, Any]) -> list[str]:
    """What a person may not have meant, as questions; nothing where all is as usual."""
    found = []
    if len(pictures) == 1:
        found.append(
            "There is one picture only: the model will learn that picture rather than what it "
            "shows. Four to six different ones are a good start."
        )
    reads = METHODS.require(str(given.get("method")), "method").reads
    if reads("superclass") and not str(given.get("superclass") or "").strip():
        found.append(
            "There is no superclass (the kind of thing that the word stands for, such as ghost): "
            "the losses against overfitting and the captions do without it."
        )
    return found


def restored(
    text: str, names: Sequence[str]
) -> tuple[list[str], list[Picture], dict[str, Any], list[str]] | None:
    """Files, pictures and settings as the browser kept them; ``None`` where there are none.

    Files that are not there any more are left out with their pictures, whose names come last.
    """
    try:
        data = kept(text)
        files = [str(path) for path in uploaded(data["uploads"] or ()) if path.is_file()]
        pictures = from_payload(data["pictures"])
    except (StudioError, ValueError, TypeError, KeyError):
        return None
    known = {Path(file).name for file in files}
    values = {name: data[name] for name in names if name in data}
    gone = [picture.name for picture in pictures if picture.name not in known]
    return files, [picture for picture in pictures if picture.name in known], values, gone


@dataclass(frozen=True)
class Checked:
    """A training that can begin; nothing is written yet. ``paths``: the files of its pictures by their
    names, ``table``: their captions."""

    config: TrainConfig
    pictures: list[Picture]
    paths: dict[str, Path]
    table: dict[str, Any]

    def keep(self) -> None:
        """Keep the pictures and captions beside the training."""
        keep(self.paths, self.pictures, Path(self.config.images))
        if self.config.captions is not None:
            text = json.dumps(self.table, ensure_ascii=False, indent=1)
            write_atomically(Path(self.config.captions), text.encode())


def checked(
    files: Sequence[str] | None,
    pictures: Sequence[Picture],
    given: dict[str, Any],
    restart: bool = False,
) -> Checked:
    """Check the settings, the pictures and their captions.

    Args:
        files: all that were uploaded; those that no picture names are left out.
        pictures: what to train on.
        given: the tab's settings by their names in ``TrainConfig``.
        restart: begin anew although there is a training or a model of this name.

    Raises:
        StudioError: a setting, a picture or a caption that cannot be; or the name is in use.
    """
    paths = {path.name: path for path in uploaded(files)}
    lost = [picture.name for picture in pictures if picture.name not in paths]
    if len(lost) == len(pictures):
        raise StudioError("drop some pictures first", field="images")
    if lost:
        raise StudioError(
            f"{', '.join(lost)}: no longer on this machine; drop again, or remove", field="images"
        )
    from studio.train.checkpoint import check_begun

    method = METHODS.require(given["method"], "method")
    concept = bool(method.without_text)
    for name in NUMBERS:
        if given.get(name, 0) in (None, "") and method.reads(name):
            raise StudioError("is empty; write a number", field=name)
    given = {key: value for key, value in given.items() if value not in (None, "")}
    for name in WHOLE:
        if isinstance(given.get(name), float) and given[name].is_integer():
            given[name] = int(given[name])
    prompts = str(given.pop("sample_prompts", "")).splitlines()
    given["sample_prompts"] = tuple(line.strip() for line in prompts if line.strip())
    given = {name: value for name, value in given.items() if method.reads(name)}
    folder = training_folder(str(given.get("name") or "unnamed"))
    captions = None if concept else folder / "captions.json"
    config = resolve(
        {**given, "images": str(folder / "pictures"), "captions": captions and str(captions)},
        models.library(),
    )
    check_begun(config, resume=False, restart=restart)
    check_name(config.name, models.library(), replace=restart)
    return Checked(config, list(pictures), paths, texts_of(pictures, config))


def texts_of(pictures: Sequence[Picture], config: TrainConfig) -> dict[str, Any]:
    """The captions as a caption file; empty ones as the template and the split have them."""
    return {
        kept_name(picture): text_of(picture, config.word, config.superclass, config.template)
        for picture in (pictures if config.word else ())
    }


def text_of(picture: Picture, word: str, superclass: str, template: str) -> dict[str, str]:
    """A picture's caption, target and general text; empty ones as the template and the split have
    them."""
    text = picture.caption or from_template(template, word, superclass)
    found = split(text, word, superclass)
    target, general = picture.target, picture.general
    return {
        "caption": text,
        "target": target or found.target,
        "general": general if target or general else found.general,
    }


def preset_of(runner: Runner, name: str | None = "") -> Preset:
    """A preset that uses the trained model of this name, or the last one, at ω 0.4.

    Raises:
        StudioError: no training has finished.
    """
    name = (name or "").strip()
    made = runner.made(name)
    if made is None and name:
        raise StudioError("no training of this name has finished yet", field="train")
    if made is None:
        raise StudioError("no training has finished yet", field="train")
    from studio.train.result import preset_for

    return preset_for(runner.settings_of(made[0]), made[0])
