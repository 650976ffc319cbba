"""Work that the passes of one batch have in common, done once: exact to rounding.

Every pass sees the same latent with the same weights, so all that comes before the first
cross-attention is equal for all of them: it runs once per image and is spread over the passes.
The keys and values that cross-attention makes of the text are equal at every step: they are kept.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from studio.engine.speed.forwards import running

# Per network, found once: a step must not walk through all its modules.
_PREFIXES: WeakKeyDictionary[nn.Module, list[str]] = WeakKeyDictionary()
_MODULES: WeakKeyDictionary[nn.Module, dict[str, nn.Module]] = WeakKeyDictionary()
_TEXT_LAYERS: WeakKeyDictionary[nn.Module, dict[str, nn.Module]] = WeakKeyDictionary()


def prefix_modules(unet: nn.Module) -> list[str]:
    """Names of a U-Net's modules that run before the text first tells, in order.

    Of a transformer there are none: its text is there from the first block on.
    """
    if not hasattr(unet, "conv_in"):
        return []
    if unet not in _PREFIXES:
        _PREFIXES[unet] = _find_prefix(unet)
    return _PREFIXES[unet]


def _find_prefix(unet: nn.Module) -> list[str]:
    names = ["time_embedding", "conv_in"]
    if getattr(unet, "add_embedding", None) is not None:  # XL: every block reads the text
        return names
    for number, block in enumerate(getattr(unet, "down_blocks", ())):
        where = f"down_blocks.{number}"
        attentions = getattr(block, "attentions", None)
        if attentions is None:
            names += [f"{where}.resnets.{i}" for i in range(len(block.resnets))]
            names += [f"{where}.downsamplers.{i}" for i in range(len(block.downsamplers or ()))]
            continue
        transformer = f"{where}.attentions.0"
        return [
            *names,
            f"{where}.resnets.0",
            f"{transformer}.norm",
            f"{transformer}.proj_in",
            *(
                f"{transformer}.transformer_blocks.0.{name}"
                for name in ("norm1", "attn1", "norm2", "attn2.to_q")
            ),
        ]  # the queries know no text
    return names


def untouched(names: Sequence[str], adapted: Collection[str]) -> list[str]:
    """The leading ``names`` in which no adapted layer lies; after the first one samples differ."""
    ordered, kept = sorted(adapted), []
    for name in names:
        after = bisect_left(ordered, f"{name}.")
        if name in adapted or (after < len(ordered) and ordered[after].startswith(f"{name}.")):
            break
        kept.append(name)
    return kept


@contextmanager
def shared_prefix(unet: nn.Module, names: Sequence[str], images: Sequence[int]) -> Iterator[None]:
    """Inside the ``with``, run the modules ``names`` once per distinct image of the batch.

    Args:
        unet: the network; its modules get their own forward back at the end.
        names: modules whose inputs are equal for samples of the same image.
        images: for each sample of the batch, which image it belongs to.
    """
    distinct = sorted(set(images))
    if len(distinct) == len(images):
        yield
        return
    first = torch.tensor([images.index(image) for image in distinct])
    place = torch.tensor([distinct.index(image) for image in images])
    modules = _submodules(unet, names)
    with running({module: _once(module.forward, first, place) for module in modules}):
        yield


def _submodules(unet: nn.Module, names: Sequence[str]) -> list[nn.Module]:
    known = _MODULES.setdefault(unet, {})
    for name in names:
        if name not in known:
            known[name] = unet.get_submodule(name)
    return [known[name] for name in names]


def _once(forward: Callable[..., Tensor], first: Tensor, place: Tensor) -> Callable[..., Tensor]:
    samples, single = len(place), len(first) == 1

    def pick(value: Any) -> Any:
        batched = isinstance(value, Tensor) and value.ndim > 0 and value.shape[0] == samples
        if not batched:
            return value
        return value[:1] if single else value[first.to(value.device)]

    def run(*args: Any, **kwargs: Any) -> Tensor:
        output = forward(*map(pick, args), **{k: pick(v) for k, v in kwargs.items()})
        if single:  # one image: the passes look at the same memory
            return output.expand(samples, *output.shape[1:])
        return output[place.to(output.device)]

    return run


def _text_layers(unet: nn.Module) -> dict[str, nn.Module]:
    """The layers that make keys and values of the text."""
    if unet not in _TEXT_LAYERS:
        _TEXT_LAYERS[unet] = {
            name: module
            for name, module in unet.named_modules()
            if name.endswith((".attn2.to_k", ".attn2.to_v"))
        }
    return _TEXT_LAYERS[unet]


class TextCache:
    """Keys and values of the texts, per cross-attention layer and batch of conditions.

    Holds for one run: texts and weights must not change while it lives. Adapters on these layers
    are hooks that add to what is kept here, so they stay exact at every scale.
    """

    def __init__(self) -> None:
        self._kept: dict[Hashable, Tensor] = {}

    @contextmanager
    def attached(
        self, unet: nn.Module, batch: Hashable, conditions: Sequence[Hashable] = ()
    ) -> Iterator[None]:
        """Inside the ``with``, ``to_k`` and ``to_v`` of every ``attn2`` are made once.

        Args:
            batch: names the network and the order of conditions in the batch.
            conditions: which one each sample has, to keep them one by one where batches differ from
                step to step; ``batch`` names the network alone then.
        """
        forwards = {
            module: self._keep_each(module.forward, (batch, name), conditions)
            if conditions
            else self._keep(module.forward, (batch, name))
            for name, module in _text_layers(unet).items()
        }
        with running(forwards):
            yield

    def _keep(self, forward: Callable[[Tensor], Tensor], key: Hashable) -> Any:
        def run(text: Tensor) -> Tensor:
            if key not in self._kept:
                self._kept[key] = forward(text)
            return self._kept[key]

        return run

    def _keep_each(
        self, forward: Callable[[Tensor], Tensor], key: Hashable, conditions: Sequence[Hashable]
    ) -> Any:
        places = {one: conditions.index(one) for one in conditions}

        def run(text: Tensor) -> Tensor:
            wanted = {one: (key, one, text.shape[1]) for one in places}  # filled up to that length
            missing = [one for one in places if wanted[one] not in self._kept]
            if missing:
                made = forward(text[[places[one] for one in missing]])
                self._kept.update(zip((wanted[one] for one in missing), made, strict=True))
            return torch.stack([self._kept[wanted[one]] for one in conditions])

        return run
