"""Training cells: trained by the studio's own ``train``, once for each settings and seed, kept in the library."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from studio.experiments.experiment import WORD, Study, Subject, Training
from studio.files import write_atomically
from studio.home import cache_folder, models_folder, training_folder
from studio.library import Library
from studio.train import METHODS, resolve, train
from studio.train.checkpoint import CHECKPOINT, LOSSES
from studio.train.config import TrainConfig
from studio.train.events import Finished, TrainProgress

PREFIX = "experiment"
# Settings that came after the first models were kept: they count where they are not the default.
LATER = {"pdloss_target": "superclass"}
SHOWN = 20  # steps between two lines of progress

Tell = Callable[[str], object]


def trained(training: Training, seed: int, study: Study, device: str | None, tell: Tell) -> str:
    """The id in the library of this cell's model for one training seed, trained if it is not there.

    A training that was stopped goes on from its checkpoint.

    Raises:
        StudioError: what the training raises.
    """
    library = Library()
    config = config_of(training, seed, study, library)
    if (models_folder() / config.name).is_dir():
        return config.name
    folder = training_folder(config.name)
    begun = (folder / CHECKPOINT).exists()
    for event in train(
        config, library, resume=begun, restart=not begun and folder.exists(), device=device
    ):
        if isinstance(event, TrainProgress) and event.step and event.step % SHOWN == 0:
            tell(
                f"{config.name}: step {event.step} of {event.steps}, {event.seconds_left:.0f} s left"
            )
        elif isinstance(event, Finished):
            tell(f"{config.name}: trained in {event.seconds:.0f} s")
    return config.name


def config_of(training: Training, seed: int, study: Study, library: Library) -> TrainConfig:
    """The training's settings, resolved; its name holds a digest of them."""
    subject = study.subjects[training.subject]
    method = METHODS[training.method]
    given: dict[str, Any] = {
        "method": training.method,
        "base": study.base,
        "images": str(subject.images),
        "seed": seed,
        "checkpoint_every": 1000,
        **study.budget,
        **training.settings,
    }
    if not method.without_text:
        word = word_of(training, subject)
        given |= {"word": word, "superclass": subject.superclass}
        if subject.captions is not None:
            given["captions"] = str(_captions(subject, word))
    given = {name: value for name, value in given.items() if _knows(training.method, name)}
    name = f"{PREFIX}-{training.method.replace('+', '-')}-{training.subject}"
    config = resolve({**given, "name": name}, library)
    return config.model_copy(update={"name": f"{name}-{_digest(config, subject)}"})


def word_of(training: Training, subject: Subject) -> str:
    """The word that calls the subject: in angle brackets where the method learns it."""
    return f"<{subject.word}>" if METHODS[training.method].learns_word else subject.word


def curve(model: str) -> list[dict[str, Any]]:
    """The lines that a training logged of its steps."""
    text = (training_folder(model) / LOSSES).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def _knows(method: str, setting: str) -> bool:
    """Whether a setting that only some methods have is one of this method's."""
    special = {name for record in METHODS.values() for name in record.settings}
    return setting not in special or setting in METHODS[method].settings


def _digest(config: TrainConfig, subject: Subject) -> str:
    """Of every setting and of the pictures and captions themselves, wherever these lie."""
    data = config.model_dump(mode="json", exclude={"name", "images", "captions"})
    data = {key: value for key, value in data.items() if (key, value) not in LATER.items()}
    digest = hashlib.sha256(json.dumps(data, sort_keys=True).encode())
    files = [path for path in (*subject.references, subject.captions) if path is not None]
    for path in files or sorted(p for p in subject.images.iterdir() if p.is_file()):
        digest.update(Path(path).read_bytes())
    return digest.hexdigest()[:10]


def _captions(subject: Subject, word: str) -> Path:
    """The subject's captions with the method's own word in place of the subject's."""
    assert subject.captions is not None
    if word == subject.word:
        return subject.captions
    found: Mapping[str, str] = json.loads(subject.captions.read_text(encoding="utf-8"))
    said = {
        name: text.replace(WORD, word).replace(subject.word, word) for name, text in found.items()
    }
    text = json.dumps(said, ensure_ascii=False, indent=1).encode()
    path = cache_folder() / "experiments" / f"{hashlib.sha256(text).hexdigest()[:16]}.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text)
    return path
