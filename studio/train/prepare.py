"""From settings to everything a training steps over: pictures, captions, base, adaptation."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from studio.home import training_folder
from studio.library import Library
from studio.train import samples
from studio.train.adaptation import Adaptation
from studio.train.base import Base, Projector, load_base, load_clip
from studio.train.captions import Caption
from studio.train.checkpoint import settle
from studio.train.config import TrainConfig, entry_of
from studio.train.data import find_pictures, mixed
from studio.train.events import Note, TrainEvent, TrainProgress
from studio.train.examples import Example, choose, looked_at
from studio.train.identity import Identity
from studio.train.latents import Latents, draw, encode_all
from studio.train.method import METHODS, Materials

CALIBRATION = 16  # noisy latents that calibrated constants are averaged over


@dataclass
class Pictures:
    """Latents with their captions (none for concept networks)."""

    latents: list[Latents]
    captions: list[Caption]


@dataclass
class Job:
    """What :class:`studio.train.step.Stepper` needs. ``prior``: ``f_s`` and ``f_g`` for PDLoss."""

    base: Base
    adaptation: Adaptation
    pictures: Pictures
    scaling: float
    channels: int
    classes: Pictures | None = None
    projector: Projector | None = None
    prior: tuple[Tensor, Tensor] | None = None


def prepare(
    config: TrainConfig, library: Library, accelerator: Any, resume: bool
) -> Generator[TrainEvent, None, Job]:
    """Check, load, encode and adapt, with a note for whatever the person should know.

    Raises:
        StudioError: as :func:`studio.train.loop.train`.
    """
    examples = yield from choose(config)
    captions = [e.caption for e in examples if e.caption is not None]
    yield TrainProgress(0, config.steps, 0.0, 0.0, "loading")
    base = load_base(entry_of(config, library), accelerator.device)
    projector, features = _clip(config, base, library)
    vae: Any = base.family.load_vae(base.entry, accelerator.device, torch.float32)
    reader = _Reader(config, base, vae)
    with accelerator.main_process_first():  # the others find the latents in the cache
        encoded = yield from reader.encoded(examples, features)
        classes = yield from _class_pictures(config, reader, accelerator)
    transparent = sum(
        item.weight is not None and e.mask is None
        for item, e in zip(encoded, examples, strict=True)
    )
    if transparent:
        yield Note(
            f"Pictures with transparency, which weighs the loss: {transparent} of {len(examples)}"
        )
    if accelerator.is_main_process:
        data = Identity.of(examples, encoded)
        if note := settle(training_folder(config.name), config, data, resume):
            yield Note(note)
    accelerator.wait_for_everyone()
    scaling = float(vae.config.scaling_factor)
    torch.manual_seed(config.seed)  # here, since loading draws numbers for some networks
    materials = Materials(_noisy(config, encoded, scaling, base), projector)
    adaptation = METHODS[config.method].build(config, base, materials)
    _place(config, adaptation, accelerator)
    if features is not None:
        adaptation.features = torch.stack([i.features for i in encoded if i.features is not None])
    yield from _fit_texts(config, adaptation, captions)
    return Job(
        base=base,
        adaptation=adaptation,
        pictures=_repeated(examples, encoded, captions),
        scaling=scaling,
        channels=int(vae.config.latent_channels),
        classes=classes,
        projector=projector,
        prior=_prior(config, projector, captions),
    )


def _clip(config: TrainConfig, base: Base, library: Library) -> tuple[Projector | None, Any]:
    """The projector where a loss, a measure or the method needs one; and its image reader."""
    method = METHODS[config.method]
    if (
        not method.reads_pictures
        and config.pdloss == 0
        and not (config.measure_every and config.clip)
    ):
        return None, None
    model, processor = load_clip(base, library, config.clip)
    vectors = {config.word: config.vectors} if method.learns_word else {}
    projector = Projector(model, base.tokenizer, vectors)

    def read(image: Image.Image) -> Tensor:
        pixels = processor(images=image, return_tensors="pt").pixel_values.to(base.device)
        return projector.pictures(pixels)[0]

    return projector, read if method.reads_pictures else None


def _repeated(
    examples: Sequence[Example], encoded: Sequence[Latents], captions: Sequence[Caption]
) -> Pictures:
    """Each picture as often as it comes in an epoch."""
    places = [place for place, e in enumerate(examples) for _ in range(e.repeats)]
    return Pictures(
        [encoded[place] for place in places], [captions[place] for place in places if captions]
    )


@torch.no_grad()
def _prior(
    config: TrainConfig, projector: Projector | None, captions: Sequence[Caption]
) -> tuple[Tensor, Tensor] | None:
    """``f_s`` of the superclass and ``f_g`` of every distinct general text."""
    general = sorted({caption.general for caption in captions if caption.general})
    if projector is None or not general or not config.superclass:
        return None
    return projector.texts([config.superclass], {}), projector.texts(general, {})


class _Reader:
    """Encodes pictures at the training's size."""

    def __init__(self, config: TrainConfig, base: Base, vae: Any) -> None:
        self.config, self.base, self.vae = config, base, vae
        self.edge = config.size or base.entry.size or 512
        shape: Any = base.network.config
        levels = len(getattr(shape, "block_out_channels", (0,)))  # a transformer has one
        self.multiple = base.entry.multiple * 2 ** (levels - 1) * getattr(shape, "patch_size", 1)

    def encoded(
        self, examples: Sequence[Example], features: Any = None
    ) -> Generator[TrainEvent, None, list[Latents]]:
        """Their latents, with how far it is."""
        config, found = self.config, []
        for item in encode_all(
            [example.path for example in examples],
            self.vae,
            self.base.entry,
            self.edge,
            self.multiple,
            config.flips,
            features,
            config.clip or "",
            [example.mask for example in examples],
            config.masks,
        ):
            found.append(item)
            stage = f"encoding {len(found)}/{len(examples)}"
            yield TrainProgress(0, config.steps, 0.0, 0.0, stage)
        return found


def _class_pictures(
    config: TrainConfig, reader: _Reader, accelerator: Any
) -> Generator[TrainEvent, None, Pictures | None]:
    """Pictures of the superclass for prior preservation; drawn by the prior where there are too few."""
    if config.prior_weight == 0:
        return None
    given = config.class_images
    folder = Path(given) if given else training_folder(config.name) / "class"
    if not given:
        folder.mkdir(parents=True, exist_ok=True)
        missing = config.class_count - len(list(folder.glob("*.png")))
        if missing > 0 and accelerator.is_main_process:
            yield TrainProgress(0, config.steps, 0.0, 0.0, f"drawing {missing} class pictures")
            samples.class_pictures(config, folder, config.class_count, accelerator.device)
    paths, notes = yield from looked_at(config, find_pictures(folder))
    for note in notes:
        yield Note(note)
    encoded = yield from reader.encoded([Example(path) for path in paths])
    text = f"a {config.superclass}"
    return Pictures(encoded, [Caption(text, text, "")] * len(paths))


def _fit_texts(
    config: TrainConfig, adaptation: Adaptation, captions: Sequence[Caption]
) -> Iterator[Note]:
    """Bring all captions to one length; name a word that the text encoder cannot read."""
    encoder = adaptation.trainee.encoder
    if encoder is None:
        return
    if METHODS[config.method].without_text:
        return encoder.fit({""})
    texts = {text for c in captions for text in (c.text, c.target, c.general)}
    encoder.fit({*texts, f"a {config.superclass}"})
    if not METHODS[config.method].learns_word and encoder.unknown(config.word):
        yield Note(
            f"the base's text encoder does not know {config.word!r} and reads it as an unknown word; "
            "choose one that it knows, or a method that learns the word"
        )


def _noisy(
    config: TrainConfig, encoded: Sequence[Latents], scaling: float, base: Base
) -> Iterator[tuple[Tensor, Tensor]]:
    """Noisy latents with their times, for calibrated constants; drawn from the seed."""
    generator = torch.Generator().manual_seed(mixed(config.seed, 4))
    steps = len(base.noising)
    for number in range(CALIBRATION):
        moments = encoded[number % len(encoded)].straight[None]
        shape = (1, moments.shape[1] // 2, *moments.shape[2:])
        clean = draw(moments, torch.randn(shape, generator=generator), scaling).to(base.device)
        noise = torch.randn(shape, generator=generator).to(base.device)
        times = torch.randint(steps, (1,), generator=generator).to(base.device)
        yield base.noising.add(clean, noise, times), times


def _place(config: TrainConfig, adaptation: Adaptation, accelerator: Any) -> None:
    """On the device; what is frozen in half precision where that saves a GPU's memory."""
    half = {"fp16": torch.float16, "bf16": torch.bfloat16}.get(accelerator.mixed_precision)
    trainee = adaptation.trainee.to(accelerator.device)
    if half is None or METHODS[config.method].whole or accelerator.device.type == "cpu":
        return
    for parameter in trainee.parameters():
        if not parameter.requires_grad:
            parameter.data = parameter.data.to(half)
