"""Images of a preset as tensors: masks at the latents' size, and the picture to start from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor, nn

from studio import images
from studio.diffusion.sampling import Picture
from studio.engine.families.pixels import shift_of, to_pixels
from studio.engine.inputs.frame import AtHand, Frame, Size
from studio.engine.inputs.masks import as_map, faded, inside, notes_of, replaced_in, showing
from studio.engine.inputs.surroundings import surrounded
from studio.errors import BadPreset
from studio.plan import Plan
from studio.plan.passes import Area
from studio.preset import Init


@dataclass(frozen=True)
class Pictures:
    """The masks of a plan and the picture to start from, opened and checked.

    ``masks``: by reference. ``start`` and ``start_mask``: cropped to the picture's size, ``size``.
    ``areas``: those of the plan, of these masks.
    ``small``: the start at its own size, where its latents or an upscaler are to enlarge it.
    ``soft``: whether the greys of ``start_mask`` say how strongly a place is changed.
    ``notes``: what of the start is not as the preset asks.
    ``paste``: where the new shows when the picture's own pixels are pasted back, 255 for wholly;
    ``None`` for nowhere. ``frame``: the part of a picture that all of these are of, where it is
    painted around its mask alone; ``paste`` is then of that part in the whole picture's pixels.
    """

    masks: Mapping[str, Image.Image]
    start: Image.Image | None = None
    start_mask: Image.Image | None = None
    size: Size = (0, 0)
    areas: Sequence[Area] = ()
    paste: Image.Image | None = None
    small: Image.Image | None = None
    frame: Frame | None = None
    notes: tuple[str, ...] = ()
    soft: bool = False

    @staticmethod
    def read(
        plan: Plan,
        init: Init | None,
        size: Size,
        roots: Sequence[Path] = (),
        start: AtHand | None = None,
    ) -> Pictures:
        """Open every image, before anything large is loaded.

        The middle of a picture of another aspect is taken, and of its mask the same part.

        Args:
            size: of the picture to be made, in pixels.
            start: what to start from, where it is at hand: made by the same preset, so that its
                aspect and that of the rows' masks differ by rounding alone, and are stretched.

        Raises:
            StudioError: an image that cannot be read, a row's mask of another aspect than the
                picture, or a starting picture's mask of another aspect than that; names the field.
        """
        if init is None:
            return Pictures(_masks(plan, size, roots), size=size, areas=plan.areas)
        if start is not None and (start.mask is not None or not init.mask):
            return Pictures._at_hand(plan, init, start, size, roots)
        image = start.image if start else images.resolve(init.image, roots, field="init.image")
        # What a round has made is of the picture's size, and its mask of the first start's aspect.
        mask = _mask_of(init, None if start and not init.framed else image, roots)
        if mask is not None and init.under_mask == "surroundings" and init.strength:
            image = surrounded(image, replaced_in(init, mask, image))
        if mask is not None and init.framed:
            masks = _masks(plan, image.size, roots, "init.image")
            return Pictures._framed(plan, init, image, mask, size, masks)
        masks = _masks(plan, size, roots)
        whole = ImageOps.fit(image, size, Image.Resampling.LANCZOS)
        small = _small(image, size) if init.enlarged_later else None
        if mask is None:
            return Pictures(masks, whole, size=size, areas=plan.areas, small=small)
        soft = init.soft_inpainting
        fitted = ImageOps.fit(mask.convert("L"), size, _resampling(soft))
        fading = faded(init, fitted)
        return Pictures(
            masks,
            whole,
            fading if soft else fitted,
            size,
            plan.areas,
            showing(init, fading) if init.keep_pixels else None,
            small,
            notes=tuple(notes_of(init, fitted, fading, plan.steps)),
            soft=soft,
        )

    @staticmethod
    def _at_hand(
        plan: Plan, init: Init, start: AtHand, size: Size, roots: Sequence[Path]
    ) -> Pictures:
        """The same of what the run itself has made."""
        masks = _masks(plan, None, roots)
        if start.mask is not None:
            return Pictures._framed(plan, init, start.image, start.mask, size, masks)
        stretched = start.image.resize(size, Image.Resampling.LANCZOS)
        small = start.image if init.enlarged_later else None
        return Pictures(masks, stretched, size=size, areas=plan.areas, small=small)

    @staticmethod
    def _framed(
        plan: Plan,
        init: Init,
        image: Image.Image,
        mask: Image.Image,
        size: Size,
        masks: Mapping[str, Image.Image],
    ) -> Pictures:
        """The same of the part around the mask alone."""
        whole = inside(mask, image)
        frame = Frame.around(image, whole, size, init.padding)
        part, soft = frame.part(image), init.soft_inpainting
        drawn = frame.part(whole)
        fading = frame.near(whole, 4 * init.feather, lambda near: faded(init, near))
        return Pictures(
            {ref: frame.part(one) for ref, one in masks.items()},
            part.resize(size, Image.Resampling.LANCZOS),
            (fading if soft else drawn).resize(size, _resampling(soft)),
            size,
            plan.areas,
            showing(init, fading),
            part if init.enlarged_later and _is_smaller(part, size) else None,
            frame,
            notes=tuple(notes_of(init, drawn, fading, plan.steps)),
            soft=soft,
        )

    def unpainted(self) -> Image.Image:
        """What comes of a start of which nothing is made anew: itself, at the size asked for."""
        assert self.start is not None
        return self.pasted(self.start)

    def pasted(self, image: Image.Image) -> Image.Image:
        """A finished picture with the starting one's own pixels where its mask keeps them."""
        if self.paste is None or self.start is None:
            return image
        if self.frame is not None:
            return self.frame.filled(image, self.paste)
        return Image.composite(image, self.start, self.paste)

    def row_masks(self, latent: Size, device: torch.device) -> dict[str | Area, Tensor]:
        """Each mask and area as a map of shape (1, 1, h, w) at the size of the latents, 1 inside."""
        maps: dict[str | Area, Tensor] = {
            ref: as_map(image, latent).to(device) for ref, image in self.masks.items()
        }
        return maps | {area: self._area(area, latent).to(device) for area in self.areas}

    def _area(self, area: Area, latent: Size) -> Tensor:
        """``Π M_i · Π (1 − M_k)``, multiplied pixel by pixel, its mean under each latent.

        Where masks meet within a latent the product of their means would make places that are
        not in the picture.
        """
        if len(area.inside) == 1 and not area.outside:
            return as_map(self.masks[area.inside[0]], latent)
        inside = [images.coverage(self.masks[mask], self.size) for mask in area.inside]
        outside = [1 - images.coverage(self.masks[mask], self.size) for mask in area.outside]
        product = Image.fromarray(np.prod([*inside, *outside], axis=0))
        small = product.resize(latent, Image.Resampling.BOX)
        return torch.from_numpy(np.asarray(small).copy())[None, None]

    def starting(
        self, first: int, vae: nn.Module, latent: Size, generators: Sequence[torch.Generator]
    ) -> Picture | None:
        """The picture to start from as latents, one sample of its encoding per generator."""
        if self.start is None:
            return None
        if self.small is None:
            encoded = encode(vae, self.start, generators)
        else:
            encoded = _enlarged(vae, self.small, self.size[0] // latent[0], latent, generators)
        mask = self.start_mask and as_map(self.start_mask, latent).to(encoded.device)
        return Picture(encoded, first, mask, soft=self.soft)

    def painted(
        self, vae: nn.Module, latent: Size, generators: Sequence[torch.Generator]
    ) -> Tensor:
        """What inpainting networks read beside the latent: (generators, 1 + channels, h, w).

        A mask, 1 where it is painted, and the latents of the picture with grey there (Stable
        Diffusion's inpainting networks, as diffusers runs them): the mask is black and white, half
        white being white. Without a mask all is painted, which the networks were trained on too.
        """
        width, height = self.size
        white = torch.ones(1, 1, height, width)
        if self.start_mask is not None:
            pixels = np.asarray(self.start_mask.convert("L"))
            white = torch.from_numpy(pixels >= 128).float()[None, None]
        grey = torch.zeros(1, 3, height, width)
        around = grey if self.start is None else to_pixels(self.start) * (1 - white)
        encoded = _encoded(vae, around, generators)
        mask = torch.nn.functional.interpolate(white, size=latent[::-1]).to(encoded)
        return torch.cat([mask.expand(len(encoded), -1, -1, -1), encoded], dim=1)


def _resampling(soft: bool) -> Image.Resampling:
    """How a mask is made larger or smaller: without steps where its greys are strengths."""
    return Image.Resampling.BILINEAR if soft else Image.Resampling.NEAREST


def _masks(
    plan: Plan, size: Size | None, roots: Sequence[Path], of: str = "the picture"
) -> dict[str, Image.Image]:
    """The masks of rows.

    Args:
        size: whose aspect they must have; ``None`` where that was seen before. of: whose size it is.
    """
    found = {}
    for ref, field in plan.masks.items():
        mask = images.resolve_mask(ref, roots, field=field)
        if size is not None:
            _check_aspect(mask, size, field, of)
        found[ref] = mask
    return found


def _mask_of(init: Init, image: Image.Image | None, roots: Sequence[Path]) -> Image.Image | None:
    """The mask of the picture to start from; ``None`` for that where its aspect was seen to before."""
    mask = images.resolve_mask(init.mask, roots, field="init.mask") if init.mask else None
    if mask is not None and image is not None:
        _check_aspect(mask, image.size, "init.mask", "init.image")
    return mask


def encode(vae: nn.Module, image: Image.Image, generators: Sequence[torch.Generator]) -> Tensor:
    """Scaled latents of an RGB image, float32 of shape (generators, channels, h, w).

    An autoencoder that gives a distribution is sampled, as diffusers' pipelines do.
    """
    return _encoded(vae, to_pixels(image), generators)


def _is_smaller(image: Image.Image, size: Size) -> bool:
    return image.width < size[0] and image.height < size[1]


def _small(image: Image.Image, size: Size) -> Image.Image | None:
    """The middle of a picture in the aspect of ``size``, unscaled; ``None`` where it is not smaller."""
    scale = min(image.width / size[0], image.height / size[1])
    if scale >= 1:
        return None
    own = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    return ImageOps.fit(image, own, Image.Resampling.LANCZOS)


def _enlarged(
    vae: nn.Module,
    image: Image.Image,
    factor: int,
    latent: Size,
    generators: Sequence[torch.Generator],
) -> Tensor:
    """Latents of a picture at about its own size, enlarged to ``latent`` positions (bicubic).

    Args:
        factor: pixels per latent position along an edge, of which the sides are made multiples.
    """
    width, height = (max(factor, round(side / factor) * factor) for side in image.size)
    fitted = image.resize((width, height), Image.Resampling.LANCZOS)
    encoded = encode(vae, fitted, generators)
    return torch.nn.functional.interpolate(encoded, size=latent[::-1], mode="bicubic")


@torch.no_grad()
def _encoded(vae: nn.Module, pixels: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
    weight = next(vae.parameters())
    encoded: Any = vae.encode(pixels.to(weight))  # type: ignore[operator]
    if hasattr(encoded, "latent_dist"):
        latents = torch.cat([encoded.latent_dist.sample(generator) for generator in generators])
    else:
        latents = encoded.latent.expand(len(generators), -1, -1, -1)
    return (latents.float() - shift_of(vae)) * vae.config.scaling_factor  # type: ignore[union-attr]


def _check_aspect(image: Image.Image, size: Size, field: str, of: str) -> None:
    if not images.same_aspect(image.size, size):
        raise BadPreset(images.misfit(image.size, of, size), field=field)
