"""Networks by what a plan names: bases, fine-tunes, blends θ_ω, null-text, LoRA, ControlNet."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from studio.engine import words as learned
from studio.engine.adapter_files import load_adapter
from studio.engine.adapters import Adapter
from studio.engine.families import Family, family_named
from studio.engine.families.components import load_component
from studio.engine.image_prompt import IPAdapter, load_ip_adapter
from studio.engine.on_disk import stamp, weight_bytes
from studio.engine.registry import Registry
from studio.engine.runtime import DEFAULT, Runtime
from studio.engine.text import NO_WORDS, Words
from studio.errors import IncompatibleModels, MissingModel
from studio.guidance import lerp_weights
from studio.library import Library, ModelEntry
from studio.plan import Weights

# The folders of a pipeline that a part of it comes from.
PARTS = {"vae": ("vae",), "text": ("text_encoder", "text_encoder_2")}


class Loader:
    """Loads through the registry, so that each network is read once and kept while it fits.

    Args:
        library: where ids are looked up.
        registry: where networks stay.
        device, dtype: where and in what precision the networks run.
        runtime: attention and memory layout of the networks.
    """

    def __init__(
        self,
        library: Library,
        registry: Registry,
        device: torch.device,
        dtype: torch.dtype,
        runtime: Runtime = DEFAULT,
    ) -> None:
        self.library = library
        self.registry = registry
        self.device = device
        self.dtype = dtype
        self.runtime = runtime

    def family(self, base: str) -> Family:
        """The family of a base."""
        return family_named(self.library[base].family)

    def network_key(self, weights: Weights) -> Hashable:
        """Registry key of the full network under a pass, adapters apart.

        It differs once the files have changed, so that a changed model is read anew.

        Raises:
            MissingModel: the files have gone.
        """
        names = (weights.model, *(name for name, _ in weights.blend))
        stamps = tuple(stamp(self.library[name], "unet") for name in names)
        return ("unet", weights.model, weights.blend, self.dtype, stamps)

    def network_bytes(self, weights: Weights) -> int:
        """Bytes that the full network under a pass will take; 0 where not known before loading."""
        return weight_bytes(self.library[weights.model], "unet", self.dtype)

    def network(self, weights: Weights) -> nn.Module:
        """The full network of a pass: a base, a fine-tune, a null-text network, or their blend.

        Raises:
            MissingModel, IncompatibleModels: name the model.
        """
        key = self.network_key(weights)
        # One scratch network per base, and no network of a file as it was before: an earlier ω
        # or an earlier version is not kept beside the new one.
        self.registry.drop(
            lambda k: (
                k != key
                and isinstance(k, tuple)
                and k[:2] == key[:2]
                and bool(k[2]) == bool(weights.blend)
            )
        )
        read = self._blend if weights.blend else self._read_network
        return self.registry.get(
            key,
            lambda: self.runtime.arrange(read(weights)),
            expected=self.network_bytes(weights),
            like=self._like(weights),
        )

    def _like(self, weights: Weights) -> Hashable:
        """Key of the network that many tensors are equal to: a blend's or a fine-tune's base."""
        entry = self.library[weights.model]
        if weights.blend:
            return self.network_key(Weights(weights.model))
        if entry.kind == "finetune" and any(entry.base == name for name in self.library):
            return self.network_key(Weights(entry.base))
        return None

    def at_hand(self, weights: Weights) -> AbstractContextManager[nn.Module]:
        """:meth:`network`, held for the length of a ``with`` and no longer than that."""
        return self.registry.holding(lambda: self.network(weights))

    def text_encoder(self, base: str) -> nn.Module:
        """The frozen text tower of a base."""
        entry = self.library[base]
        return self._cached(
            "text",
            base,
            entry,
            lambda: self.family(base).load_text(entry, self.device, self.dtype),
        )

    def vae(self, base: str) -> nn.Module:
        """The autoencoder of a base."""
        entry = self.library[base]
        return self._cached(
            "vae",
            base,
            entry,
            lambda: self.family(base).load_vae(entry, self.device, self.dtype),
        )

    def text_model(self, model: str, base: str) -> str:
        """Whose text towers a pass of ``model`` reads with: its own where it has any, else the base's.

        A blend ``θ_ω`` is named after its base, and reads with the base's.
        """
        return model if _has_text(self.library[model]) else base

    def adapter(self, name: str, model: str, base: str) -> Adapter:
        """An adapter's weight changes, for the network ``model`` of a plan on ``base``.

        Raises:
            MissingModel, IncompatibleModels: name the adapter.
        """
        entry = self.library[name]
        if not entry.path:
            raise MissingModel(f"{name!r} is not in the library", field="rows.model.lora")

        def read() -> Adapter:
            towers = self.family(model).towers(self.text_encoder(self.text_model(model, base)))
            return load_adapter(
                Path(entry.path),
                name,
                self.network(Weights(model)),
                towers,
                self.device,
                self.dtype,
            )

        return self._cached("adapter", f"{name} on {model}", entry, read)

    def words(self, names: Sequence[str], reader: str) -> Words:
        """Learned words of the models ``names``, for the text towers of the model ``reader``.

        Raises:
            MissingModel, IncompatibleModels: name the model that holds them.
        """
        if not names:
            return NO_WORDS
        towers = self.family(reader).towers(self.text_encoder(reader))
        return learned.together(
            self._cached(
                "words",
                f"{name} for {', '.join(towers)}",
                self.library[name],
                lambda n=name: learned.load_words(self.library[n], tuple(towers)),
            )
            for name in names
        )

    def ip_adapter(self, name: str, weights: Weights) -> IPAdapter:
        """What shows pictures to a network.

        Raises:
            MissingModel, IncompatibleModels: name the adapter.
        """
        entry = self.library[name]

        def read() -> IPAdapter:
            return load_ip_adapter(
                Path(entry.path), name, self.network(weights), self.device, self.dtype
            )

        return self._cached("ip-adapter", f"{name} on {weights.model}", entry, read)

    def controlnet(self, name: str) -> nn.Module:
        """A ControlNet."""
        entry = self.library[name]

        def read() -> nn.Module:
            from diffusers import ControlNetModel

            network = load_component(ControlNetModel, entry, "", self.device, self.dtype)
            return self.runtime.arrange(network)

        return self._cached("controlnet", name, entry, read)

    def _cached(self, kind: str, name: str, entry: ModelEntry, load: Any) -> Any:
        """A part in the registry; one of an earlier version of its files is forgotten."""
        parts = PARTS.get(kind, ("",))
        key = (kind, name, self.dtype, tuple(stamp(entry, part) for part in parts))
        self.registry.drop(lambda k: k != key and isinstance(k, tuple) and k[:2] == key[:2])
        expected = sum(weight_bytes(entry, part, self.dtype) for part in parts)
        return self.registry.get(key, load, expected)

    def _read_network(self, weights: Weights) -> nn.Module:
        entry = self.library[weights.model]
        if entry.kind == "concept":
            return self._read_concept(entry)
        return family_named(entry.family).load_network(entry, self.device, self.dtype)

    def _read_concept(self, entry: ModelEntry) -> nn.Module:
        from studio.engine.nulltext import NullTextUNet

        return load_component(NullTextUNet, entry, "", self.device, self.dtype)

    def _blend(self, weights: Weights) -> nn.Module:
        base = self.network(Weights(weights.model))
        tuned = [(self.network(Weights(name)), fraction) for name, fraction in weights.blend]
        theta = base.state_dict()
        for (network, _), (name, _) in zip(tuned, weights.blend, strict=True):
            theta = _widened(theta, network.state_dict())
            _check_same_shape(theta, network.state_dict(), name, weights.model)
        state = lerp_weights(theta, [(network.state_dict(), f) for network, f in tuned])
        mixed = type(base).from_config(tuned[0][0].config)
        mixed.load_state_dict(state)
        return mixed.to(self.device, self.dtype).eval().requires_grad_(False)


def told(key: Hashable) -> tuple[str, str]:
    """A registry key in words: the kind of part, and whose it is."""
    assert isinstance(key, tuple)
    if key[0] == "unet":
        return "unet", str(Weights(key[1], key[2]))
    return key[0], key[1]


def _has_text(entry: ModelEntry) -> bool:
    """Whether a model brings its own text encoder; a hub's pipeline does."""
    if entry.kind not in ("base", "finetune"):
        return False
    path = Path(entry.path)
    return not entry.path or path.is_file() or (path / "text_encoder").is_dir()


def _widened(theta: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """``theta`` with the input channels that an editing fine-tune added, as it began: at zero.

    InstructPix2Pix (Brooks et al. 2023, Sec. 3.2) starts from the prior with a first convolution
    whose further channels are zero, so that this is the prior exactly.
    """
    name = "conv_in.weight"
    if name not in theta or name not in other or theta[name].shape[1] >= other[name].shape[1]:
        return theta
    more = other[name].shape[1] - theta[name].shape[1]
    return {**theta, name: torch.cat([theta[name], torch.zeros_like(other[name][:, :more])], dim=1)}


def _check_same_shape(
    theta: Mapping[str, Tensor], other: Mapping[str, Tensor], name: str, base: str
) -> None:
    shapes = {k: v.shape for k, v in theta.items()}
    if shapes != {k: v.shape for k, v in other.items()}:
        raise IncompatibleModels(
            f"{name!r} has another architecture than {base!r}; ω cannot interpolate between them "
            "(set omega to 0)",
            field="omega",
        )
