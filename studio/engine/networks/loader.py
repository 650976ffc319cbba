"""Networks by what a plan names: bases, fine-tunes, blends θ_ω, null-text, LoRA, ControlNet."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from studio.engine.adapters import learned_words as learned
from studio.engine.adapters.files import load_adapter
from studio.engine.adapters.image_prompt import IPAdapter, load_ip_adapter
from studio.engine.adapters.lora import Adapter
from studio.engine.families import Family, family_named
from studio.engine.families.components import load_component
from studio.engine.inputs.tokens import NO_WORDS, Words
from studio.engine.networks.blending import blended_network, blended_text, moved
from studio.engine.networks.on_disk import stamp, weight_bytes
from studio.engine.networks.registry import Registry
from studio.engine.speed.runtime import DEFAULT, Runtime
from studio.errors import MissingModel
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
        self._moved: dict[Hashable, bool] = {}

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

    def text_encoder(self, model: str, blend: Sequence[tuple[str, float]] = ()) -> nn.Module:
        """The frozen text tower of ``model``, or with a ``blend`` the one of ``θ_ω``.

        Where a fine-tune's tower has another shape there is nothing between the two, and the
        model's own is kept; so it is where the fine-tune left it as it was.
        """
        blend = [(name, fraction) for name, fraction in blend if self._moved_text(model, name)]
        entries = [self.library[name] for name in (model, *(name for name, _ in blend))]
        if not blend:
            return self._cached(
                "text",
                model,
                entries,
                lambda: self.family(model).load_text(entries[0], self.device, self.dtype),
            )
        return self._cached(
            "text",
            f"θ_ω of {model}",
            entries,
            lambda: blended_text(
                self.text_encoder(model), [(self.text_encoder(n), f) for n, f in blend]
            ),
            version=tuple(blend),
            like=("text", model),
        )

    def _moved_text(self, model: str, name: str) -> bool:
        """Whether the text tower of the fine-tune ``name`` is the model's with other weights."""
        stamps = tuple(stamp(self.library[n], p) for n in (model, name) for p in PARTS["text"])
        if (model, name, stamps) not in self._moved:
            self._moved[model, name, stamps] = moved(
                self.text_encoder(model), self.text_encoder(name)
            )
        return self._moved[model, name, stamps]

    def vae(self, base: str) -> nn.Module:
        """The autoencoder of a base."""
        entry = self.library[base]
        return self._cached(
            "vae",
            base,
            entry,
            lambda: self.family(base).load_vae(entry, self.device, self.dtype),
        )

    def text_reader(self, weights: Weights, base: str) -> Weights:
        """Whose text towers a pass reads with: its model's own where there are any, else the base's.

        Of a blend ``θ_ω`` the towers are interpolated as its network is, so that ω leads from the
        base's to the fine-tune's without a jump, as it does for a LoRA that changes the text.
        """
        if weights.blend:
            own = tuple((name, f) for name, f in weights.blend if _has_text(self.library[name]))
            return Weights(weights.model, own)
        return Weights(weights.model if _has_text(self.library[weights.model]) else base)

    def adapter(self, name: str, model: str, base: str) -> Adapter:
        """An adapter's weight changes, for the network ``model`` of a plan on ``base``.

        Raises:
            MissingModel, IncompatibleModels: name the adapter.
        """
        entry = self.library[name]
        if not entry.path:
            raise MissingModel(f"{name!r} is not in the library", field="rows.model.lora")

        def read() -> Adapter:
            reader = self.text_reader(Weights(model), base).model
            towers = self.family(model).towers(self.text_encoder(reader))
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

    def _cached(
        self,
        kind: str,
        name: str,
        entry: ModelEntry | Sequence[ModelEntry],
        load: Any,
        version: Hashable = (),
        like: tuple[str, str] | None = None,
    ) -> Any:
        """A part in the registry; one of an earlier version or of earlier files is forgotten.

        ``like``: kind and name of a part with many equal tensors.
        """
        entries = [entry] if isinstance(entry, ModelEntry) else entry
        parts = PARTS.get(kind, ("",))
        stamps = tuple(stamp(one, part) for one in entries for part in parts)
        key = (kind, name, self.dtype, (*stamps, version) if version else stamps)
        near = like and (*like, self.dtype, stamps[: len(parts)])
        self.registry.drop(lambda k: k != key and isinstance(k, tuple) and k[:2] == key[:2])
        expected = sum(weight_bytes(entries[0], part, self.dtype) for part in parts)
        return self.registry.get(key, load, expected, near)

    def _read_network(self, weights: Weights) -> nn.Module:
        entry = self.library[weights.model]
        if entry.kind == "concept":
            return self._read_concept(entry)
        return family_named(entry.family).load_network(entry, self.device, self.dtype)

    def _read_concept(self, entry: ModelEntry) -> nn.Module:
        from studio.engine.networks.null_text import NullTextUNet

        return load_component(NullTextUNet, entry, "", self.device, self.dtype)

    def _blend(self, weights: Weights) -> nn.Module:
        tuned = [(self.network(Weights(name)), fraction) for name, fraction in weights.blend]
        names = [name for name, _ in weights.blend]
        return blended_network(self.network(Weights(weights.model)), tuned, names, weights.model)


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
