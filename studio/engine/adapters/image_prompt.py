"""Image prompts: an IP-Adapter's second attention beside the text's, for some samples of a batch.

IP-Adapter (Ye et al. 2023, Eq. 5): ``Attn(q, K_text, V_text) + s·Attn(q, K_image, V_image)`` in every
cross-attention, with keys and values of the picture's tokens. Both are made once for a run; hooks
add the term for the samples that have the picture, so that no other row sees it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from studio.engine.adapters.files import read_state
from studio.engine.networks.image_encoders import load_image_encoder
from studio.errors import IncompatibleModels, MissingModel
from studio.library.adapter_headers import reads_faces
from studio.library.image_encoders import NEEDS, image_encoder, other_width, reads


@dataclass(frozen=True)
class Seen:
    """A picture as one network sees it: attention layer → keys and values (1, tokens, width)."""

    layers: Mapping[str, tuple[Tensor, Tensor]]
    strength: float


class IPAdapter(nn.Module):
    """An IP-Adapter for one network: projections per layer, the tokens' projection, CLIP's eye."""

    def __init__(self, projection: nn.Module, encoder: nn.Module, layers: dict[str, Any]) -> None:
        super().__init__()
        self.projection = projection
        self.encoder: Any = encoder
        self.names = list(layers)
        self.keys = nn.ModuleList(layer.to_k_ip[0] for layer in layers.values())
        self.values = nn.ModuleList(layer.to_v_ip[0] for layer in layers.values())

    @torch.no_grad()
    def see(self, picture: Image.Image | None, strength: float) -> Seen:
        """Keys and values of ``picture``.

        ``None`` is no picture, as training dropped it: features of zero for an adapter that reads
        CLIP's projection, those of a picture of zeros for one that reads all patches.
        """
        from diffusers.models.embeddings import ImageProjection

        pixels = self._pixels(picture)
        if isinstance(self.projection, ImageProjection):
            features = self.encoder(pixels).image_embeds
            features = features if picture is not None else torch.zeros_like(features)
        else:  # "plus" and "full face" adapters read all patches
            features = self.encoder(pixels, output_hidden_states=True).hidden_states[-2]
        tokens = self.projection(features)
        parts = zip(self.names, self.keys, self.values, strict=True)
        return Seen({name: (key(tokens), value(tokens)) for name, key, value in parts}, strength)

    def _pixels(self, picture: Image.Image | None) -> Tensor:
        """What the encoder reads, (1, 3, edge, edge); zeros without a picture."""
        from transformers import CLIPImageProcessor

        edge = int(self.encoder.config.image_size)
        weight = next(self.encoder.parameters())
        if picture is None:
            return weight.new_zeros(1, 3, edge, edge)
        prepared = CLIPImageProcessor(
            size={"shortest_edge": edge}, crop_size={"height": edge, "width": edge}
        )(picture.convert("RGB"), return_tensors="pt")
        return prepared.pixel_values.to(weight)


def load_ip_adapter(
    path: Path, name: str, network: nn.Module, device: torch.device, dtype: torch.dtype
) -> IPAdapter:
    """Read an IP-Adapter and its image encoder.

    Raises:
        MissingModel: a damaged file, or no image encoder there.
        IncompatibleModels: for another network or encoder, or one that needs a face detector.
    """
    tensors = read_state(path, name)
    shapes = {key: tuple(value.shape) for key, value in tensors.items()}
    if reads_faces(shapes):
        raise IncompatibleModels(
            "is an IP-Adapter for detected faces, which is not run", field=name
        )
    state: dict[str, dict[str, Tensor]] = {"image_proj": {}, "ip_adapter": {}}
    for key, value in tensors.items():
        part, _, rest = key.partition(".")
        state.setdefault(part, {})[rest] = value
    try:
        processors = network._convert_ip_adapter_attn_to_diffusers(  # type: ignore[operator]
            [state], low_cpu_mem_usage=False
        )
        projection = network._convert_ip_adapter_image_proj_to_diffusers(  # type: ignore[operator]
            state["image_proj"], low_cpu_mem_usage=False
        )
    except (KeyError, RuntimeError, AttributeError) as error:
        raise IncompatibleModels("is an IP-Adapter of another architecture", field=name) from error
    folder = image_encoder(path)
    if folder is None:
        raise MissingModel(NEEDS, field=name)  # it went since the library was read
    try:
        encoder = load_image_encoder(folder, name)
    except MissingModel as error:
        raise MissingModel(
            f"its image encoder cannot be used: {error.message}", field=name
        ) from error
    what, width = reads(shapes)
    given = getattr(encoder.config, what)
    if given != width:
        raise IncompatibleModels(other_width(folder, width, given), field=name)
    layers = {
        key.removesuffix(".processor"): processor
        for key, processor in processors.items()
        if hasattr(processor, "to_k_ip")
    }
    adapter = IPAdapter(projection, encoder, layers).to(device, dtype)
    return adapter.eval().requires_grad_(False)


@contextmanager
def looking(network: nn.Module, seen: Sequence[Sequence[Seen]]) -> Iterator[None]:
    """Inside the ``with``, sample ``b`` of a batch attends to the pictures ``seen[b]`` too."""
    distinct = {id(one): one for each in seen for one in each}
    handles = []
    try:
        for one in distinct.values():
            where = torch.tensor(
                [b for b, each in enumerate(seen) if any(other is one for other in each)]
            )
            for name, (key, value) in one.layers.items():
                layer = _Layer(network.get_submodule(name), where, key, value, one.strength)
                handles += layer.attach()
        yield
    finally:
        for handle in handles:
            handle.remove()


class _Layer:
    """Hooks on one attention: its queries are kept, the picture's term is added before ``to_out``."""

    def __init__(
        self, attention: Any, where: Tensor, key: Tensor, value: Tensor, strength: float
    ) -> None:
        self.attention = attention
        self.where, self.strength = where.to(key.device), strength
        self.key, self.value = (self._heads(x.expand(len(where), -1, -1)) for x in (key, value))
        self.queries: list[Tensor] = []

    def attach(self) -> list[Any]:
        """Put the hooks in place."""
        return [
            self.attention.to_q.register_forward_hook(lambda _m, _a, out: self.queries.append(out)),
            self.attention.to_out[0].register_forward_pre_hook(self._add),
        ]

    def _add(self, _module: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        query = self._heads(self.queries.pop()[self.where])
        found = F.scaled_dot_product_attention(query, self.key.to(query), self.value.to(query))
        term = self.strength * found.transpose(1, 2).flatten(2)
        return (args[0].index_add(0, self.where, term.to(args[0])), *args[1:])

    def _heads(self, x: Tensor) -> Tensor:
        return x.view(x.shape[0], x.shape[1], self.attention.heads, -1).transpose(1, 2)
