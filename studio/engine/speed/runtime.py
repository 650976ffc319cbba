"""How networks run on a device: attention, memory layout, compilation, batch sizes.

Which choice is fastest differs between machines: ``python -m studio bench`` measures them, and
the settings ``attention``, ``channels_last`` and ``compile`` choose (:mod:`studio.settings`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import nn

from studio.engine.speed.forwards import running
from studio.errors import StudioError
from studio.settings import chosen, value_of

ATTENTION = ("sdpa", "xformers")
CUDA_BUCKETS = (1, 2, 4, 8)
RECOMPILE_LIMIT = 64
WASTE = 0.25  # the largest part of a batch that may be padding


@dataclass(frozen=True)
class Runtime:
    """Choices that change speed and rounding, never the sum.

    Args:
        attention: ``sdpa`` (PyTorch's own) or ``xformers`` (CUDA only).
        channels_last: convolutions on channels-last weights.
        compile: compile the networks' repeated parts; minutes once, on CUDA.
        buckets: batch sizes that networks are run with, padded if need be; () for any.

    Raises:
        StudioError: an unknown attention.
    """

    attention: str = "sdpa"
    channels_last: bool = False
    compile: bool = False
    buckets: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.attention not in ATTENTION:
            raise StudioError(
                f"must be one of {', '.join(ATTENTION)}, got {self.attention!r}",
                field="STUDIO_ATTENTION",
            )

    @staticmethod
    def chosen(device: torch.device) -> Runtime:
        """The defaults of a device, changed by what the environment or the settings say; an
        attention of the settings that cannot run on the device is left out.

        Raises:
            StudioError: a variable with a value that it cannot have; names the variable.
        """
        cuda = device.type == "cuda"
        attention = value_of("attention")
        if chosen("attention").origin == "file":
            attention = attention_on(device, attention)
        if attention == "xformers" and not cuda:
            raise StudioError(
                f"xformers runs on CUDA only, this is {device.type}", field="STUDIO_ATTENTION"
            )
        compiled = value_of("compile")
        return Runtime(
            attention=attention,
            channels_last=value_of("channels_last"),
            compile=compiled,
            # An H100 took 1.8 times as long for nine passes as 8 + 1 as for one batch of nine
            # (docs/benchmarks-cuda.json): few sizes are worth it only where each is compiled.
            buckets=CUDA_BUCKETS if cuda and compiled else (),
        )

    def arrange(self, network: Any) -> Any:
        """Set a network's attention and memory layout; returns it.

        Raises:
            StudioError: xformers is asked for and cannot be used here.
        """
        if self.channels_last:
            network = network.to(memory_format=torch.channels_last)
        if self.attention == "xformers" and hasattr(network, "set_attention_backend"):
            try:
                network.enable_xformers_memory_efficient_attention()
            except (ImportError, ValueError, ModuleNotFoundError, NotImplementedError) as error:
                raise StudioError(
                    f"xformers cannot be used here ({error})", field="STUDIO_ATTENTION"
                ) from error
        return network


DEFAULT = Runtime()


def attention_on(device: torch.device, asked: str) -> str:
    """The attention that a device runs where the settings' file asks for ``asked``."""
    runs = device.type == "cuda" and find_spec("xformers") is not None
    return asked if asked != "xformers" or runs else "sdpa"


def next_batch(samples: int, buckets: Collection[int]) -> tuple[int, int]:
    """How many of ``samples`` to take now, and the batch size to run them with.

    Padding is taken where at most a quarter of the batch is waste (3 in 4, 7 in 8), else the
    samples are split (5 as 4 + 1). Few distinct sizes keep compiled code.
    """
    if not buckets:
        return samples, samples
    over = min((size for size in buckets if size >= samples), default=None)
    if over is not None and over - samples <= WASTE * over:
        return samples, over
    under = max((size for size in buckets if size < samples), default=samples)
    return under, under


@dataclass
class Regions:
    """The parts of a network that are worth compiling, compiled when first used.

    Residual blocks and feed-forwards: what the engine patches or hooks (shared prefix, text
    cache, adapters) lies outside them, or they run as they are.
    """

    compiler: Callable[..., Callable[..., Any]] = field(default=lambda forward: _compiled(forward))
    _made: MutableMapping[nn.Module, dict[str, Callable[..., Any]]] = field(
        default_factory=WeakKeyDictionary
    )

    @contextmanager
    def attached(self, network: nn.Module, touched: Collection[str]) -> Iterator[None]:
        """Inside the ``with``, regions in which nothing is ``touched`` run compiled.

        Args:
            touched: names of modules that something else patches or hooks.
        """
        regions = {
            name: module
            for name, module in network.named_modules()
            if type(module).__name__ in ("ResnetBlock2D", "FeedForward")
            and not any(_inside(other, name) or _inside(name, other) for other in touched)
        }
        made = self._made.setdefault(network, {})
        for name, module in regions.items():
            if name not in made:
                made[name] = self.compiler(module.forward)
        with running({module: made[name] for name, module in regions.items()}):
            yield


def _compiled(forward: Callable[..., Any]) -> Callable[..., Any]:
    """Compiled for any size. The blocks of a network share one code and differ in width: in SD 1.5
    twelve ways, where dynamo gives up compiling after eight and goes on uncompiled."""
    import torch._dynamo

    config: Any = torch._dynamo.config
    config.recompile_limit = max(config.recompile_limit, RECOMPILE_LIMIT)
    return torch.compile(forward, dynamic=True)


def _inside(name: str, other: str) -> bool:
    return name == other or name.startswith(other + ".")
