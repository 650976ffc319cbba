"""The texts of a plan's passes: each distinct prompt, tower and adapter encoded once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import nn

from studio.engine.adapters.learned_words import together
from studio.engine.adapters.lora import Adapter, attached
from studio.engine.families import Family, Text
from studio.engine.inputs.memory_check import field_of
from studio.engine.inputs.tokens import Words, widest
from studio.engine.networks.loader import Loader
from studio.errors import IncompatibleModels, StudioError
from studio.images import resolve
from studio.plan import Pass, Plan, Weights

MOST_KEPT = 256 * 2**20  # bytes of texts by one tower: eight of Krea 2, which are the largest
# By tower, and with it: the next cell of a sweep asks for the same prompts.
_KEPT: WeakKeyDictionary[nn.Module, OrderedDict[Hashable, Text]] = WeakKeyDictionary()


class Texts:
    """Encodes conditions with the text towers of their own models; plain prompts once for all runs
    for as long as the tower is loaded.

    Prompts that meet in one sum of one family are padded to one length, since padding is attended.

    Args:
        clip_skip: the layer of CLIP to read, counted from its end; ``None`` for each family's own.
    """

    def __init__(
        self,
        plan: Plan,
        loader: Loader,
        roots: Sequence[Path] = (),
        clip_skip: int | None = None,
    ) -> None:
        self.loader = loader
        self.asked: dict[str, Any] = {} if clip_skip is None else {"clip_skip": clip_skip}
        self.roots = roots
        self.base = plan.prior
        self.known: dict[Hashable, Text] = {}
        self.spans: dict[str, int] = {}
        for item in plan.passes:
            if item.condition.prompt is not None:
                family = self._family(self._reader(item))
                spans = self._spans(item, self._reader(item))
                self.spans[family] = widest([self.spans.get(family, 1), spans])

    def encode(self, item: Pass, adapters: Sequence[Adapter]) -> Text | None:
        """The text of one pass; ``None`` for a null-text network's.

        Args:
            adapters: those of the pass's weights, in their order.

        Raises:
            StudioError: a tower or a learned word that cannot be used.
        """
        prompt = item.condition.prompt
        if prompt is None:
            return None
        scaled = zip(adapters, item.weights.adapters(), strict=True)
        of_text = [(lora, one) for lora, one in scaled if lora.text and one.text != 0]
        reader = self._reader(item)
        key = (
            reader,
            prompt,
            item.condition.words,
            item.condition.image if self.loader.eyes(item.condition.words) else "",
            tuple((one.name, one.on, one.text) for _, one in of_text),
        )
        if key not in self.known:
            text, family = self._tower(reader)
            spans = self.spans[self._family(reader)]
            kept, plain = _kept(text), (reader, prompt, spans, *self.asked.values())
            alone = not of_text and not item.condition.words  # what may change is encoded anew
            if alone and plain in kept:
                kept.move_to_end(plain)
                self.known[key] = kept[plain]
                return self.known[key]
            scales = torch.tensor([[one.text for _, one in of_text]], dtype=torch.float64)
            with ExitStack() as stack:
                stack.enter_context(self._naming(item, reader))
                for name, tower in family.towers(text).items():
                    parts = [lora.text.get(name, {}) for lora, _ in of_text]
                    stack.enter_context(attached(tower, parts, scales))
                words = self._words(item, reader)
                _check_choice(family, self.asked)
                self.known[key] = family.encode(text, [prompt], words, spans, **self.asked)
            if alone:
                _keep(kept, plain, self.known[key])
        return self.known[key]

    def _words(self, item: Pass, reader: Weights) -> Words:
        """The learned words of a pass; those that are read from its picture, as it has them."""
        names, ref = item.condition.words, item.condition.image
        words = self.loader.words(names, reader.model)
        if not ref:
            return words
        field = f"rows.{item.rows[0]}.image" if item.rows else "image"
        seen = [
            self.loader.seen_words(name, reader.model, resolve(ref, self.roots, field=field))
            for name in self.loader.eyes(names)
        ]
        return together([*seen, words])

    def _reader(self, item: Pass) -> Weights:
        return self.loader.text_reader(item.weights, self.base)

    def _family(self, reader: Weights) -> str:
        return self.loader.library[reader.model].family

    def _tower(self, reader: Weights) -> tuple[nn.Module, Family]:
        text = self.loader.text_encoder(reader.model, reader.blend)
        return text, self.loader.family(reader.model)

    def _spans(self, item: Pass, reader: Weights) -> int:
        with self._naming(item, reader):
            words = self.loader.words(item.condition.words, reader.model)
            text, family = self._tower(reader)
            return family.spans(text, item.condition.prompt or "", words)

    @contextmanager
    def _naming(self, item: Pass, reader: Weights) -> Iterator[None]:
        """Errors inside name the row's model, or the base where the row has none of its own."""
        try:
            yield
        except StudioError as error:
            own = reader != Weights(self.base) or item.condition.words or item.weights.adapters()
            if error.field == "clip_skip":  # not a row's fault
                raise
            if item.rows and error.field == "prompt":
                raise type(error)(error.message, field=f"rows.{item.rows[0]}.prompt") from error
            field = field_of(item) if own else "base"
            named = error.field not in ("", "base", "rows.model", "lora")
            message = f"{error.field}: {error.message}" if named else error.message
            raise type(error)(message, field=field) from error


def _check_choice(family: Family, asked: Mapping[str, Any]) -> None:
    """See that a row's family reads one layer of CLIP, where the preset chooses it."""
    if asked and not family.record.clip_skip:
        raise IncompatibleModels(
            f"{family.record.title} reads no single layer of CLIP; leave clip_skip empty"
        )


def _kept(tower: nn.Module) -> OrderedDict[Hashable, Text]:
    return _KEPT.setdefault(tower, OrderedDict())


def _keep(kept: OrderedDict[Hashable, Text], key: Hashable, text: Text) -> None:
    """Keep a text; those asked for longest ago go where all of them are too large."""
    kept[key] = text
    while len(kept) > 1 and sum(map(_bytes, kept.values())) > MOST_KEPT:
        kept.popitem(last=False)


def _bytes(text: Text) -> int:
    parts = (text.states, text.pooled, text.mask)
    return sum(part.nbytes for part in parts if part is not None)
