"""Full networks by what a plan names: bases, fine-tunes, null-text networks, blends θ_ω."""

from __future__ import annotations

from collections.abc import Hashable
from contextlib import AbstractContextManager

from torch import nn

from studio.engine.families import family_named
from studio.engine.families.components import load_component
from studio.engine.networks.blending import blended_network
from studio.engine.networks.on_disk import stamp, weight_bytes
from studio.engine.networks.parts import Parts
from studio.library import ModelEntry
from studio.plan import Weights


class Loader(Parts):
    """The networks of a plan and what stands around them; arguments as :class:`Parts`'."""

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
        assert isinstance(key, tuple)
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


def named(key: Hashable) -> tuple[str, str]:
    """A registry key in words: the kind of part, and whose it is."""
    assert isinstance(key, tuple)
    if key[0] == "unet":
        return "unet", str(Weights(key[1], key[2]))
    return key[0], key[1]
