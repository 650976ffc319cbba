"""What stands around the full networks of a plan: text towers, autoencoders, adapters, ControlNets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import nn

from studio.engine.adapters import learned_words as learned
from studio.engine.adapters.files import load_adapter
from studio.engine.adapters.image_prompt import IPAdapter, load_ip_adapter
from studio.engine.adapters.lora import Adapter
from studio.engine.adapters.visual_encoder import VisualEncoder, load_visual_encoder
from studio.engine.families import Family, family_named
from studio.engine.families.components import load_component
from studio.engine.inputs.tokens import NO_WORDS, Words
from studio.engine.networks.blending import blended_text, moved
from studio.engine.networks.maps import Maps
from studio.engine.networks.on_disk import stamp, weight_bytes
from studio.engine.networks.registry import Registry
from studio.engine.speed.runtime import DEFAULT, Runtime
from studio.engine.upscaling import Upscaler, load_upscaler
from studio.errors import MissingModel, StudioError
from studio.library import Library, ModelEntry, family_of
from studio.library.control_networks import CONTROL_NETWORKS, PLAIN
from studio.plan import Weights

# The folders of a pipeline that a part of it comes from.
PARTS = {"vae": ("vae",), "text": ("text_encoder", "text_encoder_2", "text_encoder_3")}


class Parts(ABC):
    """Loads through the registry, so that each part is read once and kept while it fits.

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
        self.maps = Maps()
        self._moved: dict[Hashable, bool] = {}

    def family(self, base: str) -> Family:
        """The family of a base."""
        return family_named(self.library[base].family)

    @abstractmethod
    def network(self, weights: Weights) -> nn.Module:
        """The full network of a pass, which some adapters depend on."""

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

    def vae(self, base: str, chosen: str = "") -> nn.Module:
        """The autoencoder of a base, or another one ``chosen`` from the library for it.

        One that does not state the scale of its latents gets the base's.

        Raises:
            MissingModel, IncompatibleModels: name the model.
        """
        entry = self.library[chosen or base]
        if not chosen or chosen == base:
            return self._cached(
                "vae", base, entry, lambda: self.family(base).load_vae(entry, *self._place())
            )
        prior = self.library[base]
        scale = prior.scaling or family_of(prior.family).scaling

        def read() -> nn.Module:
            family = self.family(base if entry.kind == "vae" else chosen)
            vae: Any = family.load_vae(replace(entry, family=prior.family), *self._place())
            vae.register_to_config(scaling_factor=entry.scaling or scale)
            return vae

        return self._cached("vae", f"{chosen} for {base}", entry, read, version=scale)

    def _place(self) -> tuple[torch.device, torch.dtype]:
        return self.device, self.dtype

    def text_reader(self, weights: Weights, base: str) -> Weights:
        """Whose text towers a pass reads with: its model's own where there are any, else the base's.

        Of a blend ``θ_ω`` the towers are interpolated as its network is, so that ω leads from the
        base's to the fine-tune's without a jump, as it does for a LoRA that changes the text.
        """
        if weights.blend:
            own = tuple((name, f) for name, f in weights.blend if has_text(self.library[name]))
            return Weights(weights.model, own)
        return Weights(weights.model if has_text(self.library[weights.model]) else base)

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
            network = self.network(Weights(model))
            return load_adapter(Path(entry.path), name, network, towers, self.device)

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

    def eyes(self, names: Sequence[str]) -> list[str]:
        """Those of ``names`` whose word is read from a picture."""
        return [name for name in names if self.library[name].sees]

    def seen_words(self, name: str, reader: str, picture: Image.Image) -> Words:
        """The word of the visual encoder ``name``, as it reads it from ``picture`` (ACCORD, A.4).

        Raises:
            MissingModel, IncompatibleModels: name the model.
        """
        entry, base = self.library[name], self.library[reader]
        towers = self.family(reader).towers(self.text_encoder(reader))

        def read() -> VisualEncoder:
            return load_visual_encoder(entry, base, self.device)

        encoder = self._cached("visual-encoder", f"{name} for {reader}", entry, read)
        vectors = encoder.read(picture)
        return Words({word: {next(iter(towers)): vectors} for word in entry.words})

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
        """A ControlNet or one of its relatives."""
        entry = self.library[name]

        def read() -> nn.Module:
            import diffusers

            kind = getattr(diffusers, CONTROL_NETWORKS[entry.form or PLAIN].network)
            network = load_component(kind, entry, "", self.device, self.dtype)
            return self.runtime.arrange(network)

        return self._cached("controlnet", name, entry, read)

    def upscaler(self, name: str) -> Upscaler:
        """A network that enlarges pictures.

        Raises:
            MissingModel, IncompatibleModels: name it, and the field ``init.upscaler``.
        """
        try:
            entry = self.library[name]
            return self._cached("upscaler", name, entry, lambda: load_upscaler(entry, self.device))
        except StudioError as error:
            raise type(error)(error.message, field=error.field or "init.upscaler") from error

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


def has_text(entry: ModelEntry) -> bool:
    """Whether a model brings its own text encoder; a hub's pipeline does."""
    if entry.kind not in ("base", "finetune") or "text" in entry.lacks:
        return False
    path = Path(entry.path)
    return not entry.path or path.is_file() or (path / "text_encoder").is_dir()
