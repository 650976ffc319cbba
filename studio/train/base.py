"""A base taken apart for training: network, text tower, autoencoder, noise schedule, CLIP."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from studio.engine.families import Family, Text, family_named
from studio.engine.families.pretrained import from_folder
from studio.engine.inputs.tokens import Reader, Windows, knowing
from studio.errors import IncompatibleModels, MissingModel
from studio.library import Library, ModelEntry
from studio.train.noising import Noising, noising_of

Words = Mapping[str, Tensor]
TOWER = "text_encoder"
MAX_KEPT = 2**28  # bytes of encoded captions
CLOSE = 0.05  # half precision and small merges move a token table by far less


@dataclass
class Base:
    """What a training takes from its base."""

    entry: ModelEntry
    family: Family
    network: Any
    text: Any
    noising: Noising
    device: torch.device

    @property
    def tokenizer(self) -> Any:
        """The text tower's tokenizer, of families with one tower."""
        return self.text.tokenizer

    def reader(self, word: str = "", vectors: int = 0) -> Encoder | FixedEncoder:
        """What reads captions for the network; with the learned ``word`` where there is one."""
        if self.family.record.one_tower:
            return Encoder(self.text, self.tokenizer, {word: vectors} if word else {})
        return FixedEncoder(self.family, self.text)


def load_base(entry: ModelEntry, device: torch.device) -> Base:
    """Network and text tower in float32, frozen.

    Raises:
        IncompatibleModels: its weights are quantised.
    """
    if entry.quantised:
        raise IncompatibleModels(
            f"{entry.id!r} has weights rounded by {entry.quantised}, which are not trained on; use the "
            "full ones",
            field="base",
        )
    family = family_named(entry.family)
    return Base(
        entry=entry,
        family=family,
        network=family.load_network(entry, device, torch.float32),
        text=family.load_text(entry, device, torch.float32),
        noising=noising_of(family.scheduler_config(entry)).to(device, torch.float32),
        device=device,
    )


class Encoder:
    """Captions as the network reads them, with the gradient of learned words.

    The text between brackets is read as it stands: captions carry no attention weights. Captions
    that hold no learned word are encoded once and kept.

    Args:
        tower: a CLIP text model, frozen.
        tokenizer: its tokenizer.
        vectors: word → number of vectors that it stands for.
    """

    def __init__(self, tower: Any, tokenizer: Any, vectors: Mapping[str, int]) -> None:
        self.tower = tower
        width = tower.get_input_embeddings().embedding_dim
        self.reader = Reader(
            tokenizer, tower, {w: torch.zeros(n, width) for w, n in vectors.items()}
        )
        self.masked = bool(getattr(tower.config, "use_attention_mask", False))
        self.spans = 1
        self._known: dict[str, Tensor] = {}

    def fit(self, captions: Iterable[str]) -> None:
        """Make every caption as many windows long as the longest of ``captions`` fills."""
        self.spans = max([1, *(self.reader.spans(_plain(caption)) for caption in captions)])
        self._known.clear()

    def unknown(self, text: str) -> bool:
        """Whether a tokenizer has nothing for ``text`` but its mark for unknown words."""
        unknown = self.reader.tokenizer.unk_token_id
        ids = [token for token, _ in self.reader.tokens(_plain(text))]
        return bool(ids) and unknown is not None and set(ids) == {unknown}

    def __call__(self, captions: Sequence[str], words: Words) -> Text:
        """States of shape (captions, tokens, width)."""
        states = [self._one(caption, words)[0].flatten(0, 1) for caption in captions]
        return Text(torch.stack(states))

    def pooled(self, captions: Sequence[str], words: Words) -> Tensor:
        """The states at the end mark of each caption's first window, shape (captions, width)."""
        found = []
        for caption in captions:
            states, ids = self._one(caption, words)
            end = int((ids[0] == self.reader.tokenizer.eos_token_id).int().argmax())
            found.append(states[0, end])
        return torch.stack(found)

    def _one(self, caption: str, words: Words) -> tuple[Tensor, Tensor]:
        """States (windows, length, width) and token ids (windows, length)."""
        windows = self.reader.windows(_plain(caption), self.spans)
        table: Any = self.tower.get_input_embeddings()
        if int(windows.ids.max()) < table.num_embeddings:
            states = self._known.get(caption)
            if states is None:
                with torch.no_grad():
                    states = self._run(windows)
                if (len(self._known) + 1) * states.nbytes <= MAX_KEPT:
                    self._known[caption] = states
            return states, windows.ids
        with knowing(self.tower, words, TOWER):
            return self._run(windows), windows.ids

    def _run(self, windows: Windows) -> Tensor:
        device = next(self.tower.parameters()).device
        attention = windows.mask.to(device) if self.masked else None
        return self.tower(windows.ids.to(device), attention_mask=attention).last_hidden_state


class FixedEncoder:
    """Captions as a family's own towers read them, encoded once: for families that learn no word.

    Once :meth:`fit` has met all captions the towers leave the device, which large ones would fill.
    """

    def __init__(self, family: Family, text: Any) -> None:
        self.family = family
        self.text = text
        self.spans = 1
        self._known: dict[str, Text] = {}

    def fit(self, captions: Iterable[str]) -> None:
        """Encode ``captions`` and the empty text, all as many windows long as the longest fills."""
        wanted = sorted({"", *captions})
        self.spans = max(self.family.spans(self.text, self._plain(c)) for c in wanted)
        self._known = {caption: self._encoded(caption) for caption in wanted}
        self.text.to("cpu")

    def unknown(self, text: str) -> bool:
        """Never: these families' tokenizers spell a word that they do not know."""
        del text
        return False

    def __call__(self, captions: Sequence[str], words: Words) -> Text:
        """As :class:`Encoder`'s, with whatever else the family's networks read."""
        del words
        for caption in captions:
            if caption not in self._known:
                self._known[caption] = self._encoded(caption)
        return Text.cat([self._known[caption] for caption in captions])

    def _plain(self, caption: str) -> str:
        """``caption`` for towers that read weights in brackets, and for those that do not."""
        return _plain(caption) if self.family.record.prompt_weights else caption

    def _encoded(self, caption: str) -> Text:
        device = next(self.text.parameters()).device
        with torch.autocast(device.type, enabled=False):
            text = self.family.encode(self.text, [self._plain(caption)], spans=self.spans)
        return _kept(text)


def _kept(text: Text) -> Text:
    """Out of the device's memory."""
    return Text(
        text.states.cpu(),
        None if text.pooled is None else text.pooled.cpu(),
        None if text.mask is None else text.mask.cpu(),
        text.factor,
    )


def _plain(caption: str) -> str:
    """``caption`` with its brackets marked as plain text."""
    for bracket in "\\()[]":
        caption = caption.replace(bracket, "\\" + bracket)
    return caption


class Projector:
    """Texts and pictures in CLIP's common space (ACCORD, Eq. 13): the ``f`` of PDLoss.

    Args:
        model: a ``CLIPModel``, frozen, whose text tower reads the base's own token vectors.
        tokenizer: the base's.
        vectors: as :class:`Encoder`'s.
    """

    def __init__(self, model: Any, tokenizer: Any, vectors: Mapping[str, int]) -> None:
        self.model = model
        self.encoder = Encoder(model.text_model, tokenizer, vectors)

    def texts(self, texts: Sequence[str], words: Words) -> Tensor:
        """Shape (texts, width)."""
        return self.model.text_projection(self.encoder.pooled(texts, words))

    @torch.no_grad()
    def pictures(self, pixels: Tensor) -> Tensor:
        """Image embeddings (pictures, width) of preprocessed pixels."""
        return self.model.get_image_features(pixel_values=pixels).pooler_output


def load_clip(base: Base, library: Library, name: str | None) -> tuple[Any, Any]:
    """The CLIP of a base's text tower, and its image processor.

    Args:
        name: a folder, a library id's folder or a hub id; by default ``clip`` inside the base.

    Raises:
        MissingModel: the base has none and none is named, or it cannot be read.
        IncompatibleModels: its text tower reads other token vectors than the base's.
    """
    from transformers import CLIPImageProcessor, CLIPModel

    source = name or (str(Path(base.entry.path) / "clip") if base.entry.path else "")
    source = next((e.path for e in library.entries() if e.id == name), source)
    if not name and not Path(source, "config.json").is_file():
        raise MissingModel(
            f"PDLoss and the visual encoder need a CLIP with projections, and base "
            f"{base.entry.id!r} has no folder clip; name one (for Stable Diffusion 1.x "
            "openai/clip-vit-large-patch14)",
            field="clip",
        )
    try:
        model: Any = from_folder(CLIPModel, source, source)
        processor = CLIPImageProcessor.from_pretrained(source)
    except MissingModel as error:
        raise MissingModel(error.message, field="clip") from error
    except (OSError, ValueError, KeyError) as error:
        line = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise MissingModel(f"{source!r} cannot be read as a CLIP ({line})", field="clip") from error
    model = model.to(base.device).eval().requires_grad_(False)
    mine = base.text.get_input_embeddings().weight
    theirs = model.text_model.get_input_embeddings().weight
    if mine.shape != theirs.shape or float((mine - theirs).abs().mean()) > CLOSE * float(
        mine.std()
    ):
        raise IncompatibleModels(
            f"{source!r} reads other token vectors than the text encoder of {base.entry.id!r}",
            field="clip",
        )
    return model, processor
