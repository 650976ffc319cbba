"""What only some bases do: read a distilled guidance or a chosen layer of CLIP, let edges meet, be
freed by FreeU, be perturbed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from studio.errors import BadPreset, IncompatibleModels
from studio.library import FAMILIES, ModelEntry, ModelFamily, family_of
from studio.library.clip_layers import layers_of, readable_layers
from studio.plan.row_model import RowModel
from studio.preset import Preset


def check_reads(
    preset: Preset,
    base: ModelEntry,
    models: Mapping[int, RowModel],
    catalogue: Mapping[str, ModelEntry],
) -> None:
    """See that a base, and the network of each row, does whatever of the kind the preset sets.

    Args:
        models: of each row that takes part.

    Raises:
        IncompatibleModels: networks of its family do not; names the field.
        BadPreset: its text encoders have fewer layers, where their configs are here; names
            ``clip_skip``.
    """
    if preset.distilled_guidance is not None:
        _check_distilled(base)
    if preset.clip_skip is not None:
        _check_layer(base, preset.clip_skip)
    if preset.seamless != "off":
        _check_seamless(base)
    if preset.freeu.on:
        _check_freeu(base)
    for index, row in preset.active_rows():
        network = catalogue.get(models[index].network, base)
        if preset.freeu.on:
            _check_freeu(network)
        if row.reference == "perturbed":
            _check_perturbed(network, f"rows.{index}.reference")


def _check_distilled(base: ModelEntry) -> None:
    """FLUX.1 [dev]: its scale is a number in every pass."""
    read = _others(base, lambda record: bool(record.distilled))
    if not read:
        return
    raise IncompatibleModels(
        f"{base.id!r} ({family_of(base.family).title}) reads none; networks of {read} do",
        field="distilled_guidance",
    )


def _check_layer(base: ModelEntry, asked: int) -> None:
    if not base.family:
        return
    family = family_of(base.family)
    read = _others(base, lambda record: bool(record.clip_skip))
    if read:
        raise IncompatibleModels(
            f"{base.id!r} ({family.title}) reads no single layer of CLIP; networks of {read} do",
            field="clip_skip",
        )
    layers = layers_of(base)
    if layers and asked not in (allowed := readable_layers(family, layers)):
        raise BadPreset(
            f"{base.id!r} has the layers {allowed[0]} to {allowed[-1]}, got {asked}",
            field="clip_skip",
        )


def _check_seamless(base: ModelEntry) -> None:
    """Edges meet where convolutions alone see what is beside what."""
    able = _others(base, lambda record: record.seamless)
    if not able:
        return
    raise IncompatibleModels(
        f"{base.id!r} ({family_of(base.family).title}) knows every place of its picture, so that no "
        f"edges can meet; networks of {able} can",
        field="seamless",
    )


def _check_freeu(network: ModelEntry) -> None:
    """Networks of levels whose features skip from one side to the other."""
    able = _others(network, lambda record: bool(record.freeu))
    if not able:
        return
    raise IncompatibleModels(
        f"{network.id!r} ({family_of(network.family).title}) has no levels for FreeU; networks of "
        f"{able} have",
        field="freeu.on",
    )


def _check_perturbed(network: ModelEntry, field: str) -> None:
    """Networks of levels have a middle; those without text are of the base's kind."""
    able = _others(network, lambda record: record.has_middle)
    if not able:
        return
    raise IncompatibleModels(
        f"{network.id!r} ({family_of(network.family).title}) has no middle whose attention could be "
        f"perturbed; networks of {able} have",
        field=field,
    )


def _others(base: ModelEntry, able: Callable[[ModelFamily], bool]) -> str:
    """The families that are able, where the base's is not; "" where it is, or is not known."""
    if not base.family or able(family_of(base.family)):
        return ""
    return ", ".join(record.title for record in FAMILIES.values() if able(record))
