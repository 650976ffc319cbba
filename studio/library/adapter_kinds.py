"""Kinds of adapters, by what ends the names of their tensors.

An adapter's file holds, for each layer that it changes, a few tensors under the layer's name and
an ending that says what the tensor is: ``….lora_down.weight``. The table says which endings belong
to which kind; :mod:`studio.engine.adapters.kinds` holds, under the same names, what they mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from math import prod

from studio.extensions import Table

MAX_KEY = 1000  # characters of a tensor's name; longer ones name nothing


Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class AdapterKind:
    """One way to write a weight change.

    Args:
        title: its name in the field.
        roles: ending of a tensor's name → the tensor's role in the kind's formula. An ending
            stands after a dot, or begins with the underscore that joins it to the layer's name.
        marks: roles one of which makes a layer's tensors one of this kind; by default all.
        inner: endings of tensors whose second axis is as wide as what the layer reads.
        formula: the change of the weight, for people. source: where it comes from.
        whole: how many numbers ``ΔW`` has, from the shapes of the layer's tensors by role, where it
            is held whole and the file has less; ``None`` where it is held as it lies in the file.
        constant: whether the change is the same whatever the weights are that it is added to.
    """

    title: str
    roles: Mapping[str, str]
    formula: str
    source: str
    marks: frozenset[str] = frozenset()
    inner: tuple[str, ...] = ()
    whole: Callable[[Shapes], int] | None = None
    constant: bool = False

    def shown(self) -> list[str]:
        """One ending a role, for people: the first that has it, without ``weight``."""
        first: dict[str, str] = {}
        for ending, role in self.roles.items():
            first.setdefault(role, ending.strip("._").removesuffix(".weight") or "weight")
        return list(first.values())

    def is_marked(self, roles: Set[str]) -> bool:
        """Whether a layer with tensors of these roles is (also) one of this kind."""
        return bool(roles & (self.marks or frozenset(self.roles.values())))


ADAPTER_KINDS: Table[AdapterKind] = Table("adapter kind")

# Roles that go with every kind.
SHARED: Mapping[str, str] = {
    ".alpha": "alpha",
    ".lora.alpha": "alpha",
    "_lora.alpha": "alpha",
    ".scalar": "scalar",
    ".dora_scale": "dora_scale",
    **{
        f"{glue}.lora_magnitude_vector{end}": "magnitude"
        for glue in ("", ".lora", ".lora_linear_layer")
        for end in ("", ".weight", ".default.weight")
    },
}
BUNDLED = "bundle_emb."  # learned words that OneTrainer keeps in an adapter's file


MAGNITUDES = ("magnitude", "dora_scale")  # with one, a product is held whole too


def of_factors(shapes: Shapes, up: str = "up", down: str = "down") -> int:
    """Numbers of ``B·A``: the outputs of ``B`` times what ``A`` reads."""
    return shapes[up][0] * prod(shapes[down][1:])


def _loha(s: Shapes) -> int:
    if "hada_t1" in s:  # a Tucker core between factors that begin with the rank
        return s["hada_w1_a"][1] * s["hada_w1_b"][1] * prod(s["hada_t1"][2:])
    return of_factors(s, "hada_w1_a", "hada_w1_b")


def _lokr(s: Shapes) -> int:
    left = prod(s["lokr_w1"]) if "lokr_w1" in s else of_factors(s, "lokr_w1_a", "lokr_w1_b")
    if "lokr_w2" in s:
        return left * prod(s["lokr_w2"])
    if "lokr_t2" in s:
        return left * s["lokr_w2_a"][1] * s["lokr_w2_b"][1] * prod(s["lokr_t2"][2:])
    return left * of_factors(s, "lokr_w2_a", "lokr_w2_b")


def _glora(s: Shapes) -> int:
    """The rank is the least axis of each factor, whichever of the two orders the file has."""
    return prod(max(s[name][0], prod(s[name][1:])) for name in ("b1", "b2"))


def _squared(outputs: int) -> int:
    """What the layer reads is not in the file; most of the layers so changed are square."""
    return outputs**2


def _same(*names: str) -> dict[str, str]:
    return {f".{name}": name for name in names}


_GLUES = (".", ".lora.", ".lora_linear_layer.", "_lora.")
_LORA = {
    **{f"{glue}lora_A.weight": "down" for glue in _GLUES},
    **{f"{glue}lora_B.weight": "up" for glue in _GLUES},
    **{f"{glue}down.weight": "down" for glue in _GLUES[1:]},
    **{f"{glue}up.weight": "up" for glue in _GLUES[1:]},
    ".lora_A": "down",
    ".lora_B": "up",
    ".lora_A.default.weight": "down",
    ".lora_B.default.weight": "up",
    ".lora_down.weight": "down",
    ".lora_up.weight": "up",
    ".lora_mid.weight": "mid",
    ".lora_B.bias": "up_bias",
    ".lora_B.default.bias": "up_bias",
}

ADAPTER_KINDS.register(
    "lora",
    AdapterKind(
        "LoRA, LoCon",
        _LORA,
        "α/r · B·A; with a Tucker core T, α/r · T ×₁ B ×₂ A",
        "arXiv:2106.09685, arXiv:2309.14859",
        inner=tuple(ending for ending, role in _LORA.items() if role == "down"),
        constant=True,
    ),
)
ADAPTER_KINDS.register(
    "loha",
    AdapterKind(
        "LoHa",
        _same("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1", "hada_t2"),
        "α/r · (A₁·B₁) ⊙ (A₂·B₂), each with a Tucker core or without",
        "arXiv:2108.06098, arXiv:2309.14859",
        inner=(".hada_w1_b",),
        whole=_loha,
        constant=True,
    ),
)
ADAPTER_KINDS.register(
    "lokr",
    AdapterKind(
        "LoKr",
        _same("lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2"),
        "W₁ ⊗ W₂, each whole or a product (then α/r), W₂ with a Tucker core or without",
        "arXiv:2309.14859",
        whole=_lokr,
        constant=True,
    ),
)
ADAPTER_KINDS.register(
    "glora",
    AdapterKind(
        "GLoRA",
        {f".{name}.weight": name for name in ("a1", "a2", "b1", "b2", "bm")},
        "α/r · (W·A₁·A₂ + B₁·B₂)",
        "arXiv:2306.07967",
        inner=(".b2.weight",),
        whole=_glora,
    ),
)
ADAPTER_KINDS.register(
    "ia3",
    AdapterKind(
        "(IA)³",
        {".weight": "weight", ".on_input": "on_input"},
        "W ⊙ l, along the outputs or the inputs",
        "arXiv:2205.05638",
        marks=frozenset({"on_input"}),
        whole=lambda s: _squared(prod(s["weight"])),
    ),
)
ADAPTER_KINDS.register(
    "oft",
    AdapterKind(
        "OFT, BOFT",
        _same("oft_blocks", "rescale"),
        "s ⊙ (R·W) − W, R orthogonal in blocks (Cayley), of one or of several butterfly factors",
        "arXiv:2306.07280, arXiv:2311.06243",
        marks=frozenset({"oft_blocks"}),
        whole=lambda s: _squared(s["oft_blocks"][-3] * s["oft_blocks"][-1]),
    ),
)
ADAPTER_KINDS.register(
    "full",
    AdapterKind(
        "full difference",
        _same("diff", "diff_b"),
        "D, of weights and of biases",
        "LyCORIS, ComfyUI",
        inner=(".diff",),
        constant=True,
    ),
)
ADAPTER_KINDS.register(
    "norm",
    AdapterKind(
        "norm layers",
        _same("w_norm", "b_norm"),
        "d, of a norm's weight and bias",
        "LyCORIS",
        constant=True,
    ),
)
ADAPTER_KINDS.register(
    "replaced",
    AdapterKind(
        "replaced weights",
        {
            ".set_weight": "weight_value",
            "_custom_diffusion.weight": "weight_value",
            "_custom_diffusion.0.weight": "weight_value",
            "_custom_diffusion.0.bias": "bias_value",
        },
        "W′ − W",
        "arXiv:2212.04488 (Custom Diffusion), ComfyUI",
        marks=frozenset({"weight_value", "bias_value"}),
        inner=("_custom_diffusion.weight",),
    ),
)


class Endings:
    """All endings of the table as it is now; made once for a file."""

    def __init__(self) -> None:
        roles = dict(SHARED)
        for kind in ADAPTER_KINDS.values():
            roles.update(kind.roles)
        self._by_last: dict[str, list[tuple[str, str]]] = {}
        for ending in sorted(roles, key=len, reverse=True):
            pairs = self._by_last.setdefault(ending.rpartition(".")[2], [])
            pairs.append((ending, roles[ending]))

    def split(self, key: str) -> tuple[str, str] | None:
        """The layer's name and the role of a tensor ``key``; ``None`` for no adapter's tensor."""
        if len(key) > MAX_KEY:
            return None
        for ending, role in self._by_last.get(key.rpartition(".")[2], ()):
            if key.endswith(ending) and len(key) > len(ending):
                return key[: -len(ending)], role
        return None


def kinds_of(roles: Set[str]) -> list[str]:
    """Names of the kinds that a layer's tensors of these roles are of."""
    return [name for name, kind in ADAPTER_KINDS.items() if kind.is_marked(roles)]


def is_constant(keys: Iterable[str]) -> bool:
    """Whether an adapter of tensors of these names changes every network by the same: none of its
    layers' change reads the weights below, as DoRA's does."""
    endings, layers = Endings(), {}
    for key in keys:
        layer, role = endings.split(key) or ("", "")
        layers.setdefault(layer, set()).add(role)
    layers.pop("", None)
    kinds = [ADAPTER_KINDS[name] for roles in layers.values() for name in kinds_of(roles)]
    magnitudes = any(roles.intersection(MAGNITUDES) for roles in layers.values())
    return bool(kinds) and not magnitudes and all(kind.constant for kind in kinds)


def held(shapes: Shapes, merged: bool = False) -> int:
    """How many numbers an adapter of these tensors, by name, holds once it is read.

    ``merged``: every product is held whole, as what peft merges is.
    """
    endings, layers, total = Endings(), {}, 0
    for key, shape in shapes.items():
        layer, role = endings.split(key) or ("", "")
        layers.setdefault(layer, {})[role] = shape
        total += prod(shape)
    for layer, own in layers.items():
        kinds = [ADAPTER_KINDS[name] for name in kinds_of(set(own))] if layer else []
        whole = next((kind.whole for kind in kinds if kind.whole), None)
        if whole is None and "up" in own and (merged or any(m in own for m in MAGNITUDES)):
            whole = of_factors
        try:
            total += whole(own) - sum(map(prod, own.values())) if whole else 0
        except (LookupError, ValueError):
            continue  # reading it says what it lacks
    return total
