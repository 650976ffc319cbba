"""The table of refinements: what can be applied to the guided prediction. Values only, no torch.

One record and one function are all that a refinement takes: the preset's fields and schema, the
checks that refuse by name, the page's controls and help, the plan's words, notes and cost, and the
docs read the record. :func:`studio.diffusion.guidance.refined` calls the function.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from studio.errors import BadPreset
from studio.extensions import Table
from studio.preset.refinement import Refinement, Setting, Value

REFINEMENTS: Table[Refinement] = Table("refinement")

REFINEMENTS.register(
    "apg",
    Refinement(
        "projected guidance",
        "Against oversaturation at high weights: what guidance adds beyond the prompts themselves "
        "loses its part along the image, is limited in size, and remembers earlier steps.",
        "Adaptive projected guidance (Sadat et al. 2024, Algorithm 1)",
        {
            "eta": Setting(
                "Projected guidance: η",
                "Keeps this much of the guidance along the image itself. 1 is off, 0 avoids "
                "oversaturation at high weights.",
                1.0,
                0.0,
                high=2.0,
                symbol="η",
            ),
            "norm_threshold": Setting(
                "Norm threshold",
                "Largest size of a row's guidance. 0 is off; 2.5 to 15 usual.",
                0.0,
                2.5,
                high=1e6,
                symbol="norm ≤",
            ),
            "momentum": Setting(
                "Momentum",
                "Memory over the steps. 0 is off, −0.5 usual.",
                0.0,
                -0.5,
                low=-1.0,
                open=True,
                symbol="momentum",
            ),
        },
        "studio.diffusion.guidance:project_directions",
        needs=("reference", "directions"),
    ),
)
REFINEMENTS.register(
    "guidance_rescale",
    Refinement(
        "guidance rescale",
        "Gives the guided prediction the standard deviation of that of the prompts at weight 1.",
        "Guidance rescale (Lin et al. 2023, Eq. 15-16)",
        {
            "phi": Setting(
                "Guidance rescale",
                "Against burnt-out colours at high weights: brings the spread back to that of the "
                "prompts at weight 1. 0 is off, 0.5–0.7 usual.",
                0.0,
                0.7,
            )
        },
        "studio.diffusion.guidance:rescale_to_reference",
        needs=("reference",),
    ),
)
REFINEMENTS.register(
    "patch_norm",
    Refinement(
        "norm of patches",
        "Gives each patch of two by two latent positions the length that the prompts have there at "
        "weight 1.",
        "Qwen-Image's pipelines (Wu et al. 2025)",
        {
            "share": Setting(
                "Norm of patches",
                "As Qwen-Image's own pipelines guide: each patch keeps the length of the prompts' "
                "at weight 1. 0 is off, 1 theirs.",
                0.0,
                1.0,
            )
        },
        "studio.diffusion.patches:rescale_patches",
        needs=("reference",),
    ),
)
REFINEMENTS.register(
    "cfgpp",
    Refinement(
        "CFG++",
        "After each step the noise put back is the unconditional prediction's.",
        'CFG++ (Chung et al. 2024); with θ_ω "Ours++" of Steering Guidance, Table 6',
        {
            "on": Setting(
                "CFG++",
                "Puts the unconditional noise back after each step. For weights between 0 and 1, "
                "and schedulers that use no earlier prediction.",
                False,
                True,
            )
        },
        "studio.diffusion.guidance:renoise_with_base",
        needs=("base",),
        single_step=True,
        weights=(0.0, 1.0),
    ),
)
OWN_FIELDS = ("apg", "guidance_rescale", "cfgpp")  # the others stand under ``refinements``


def path_of(name: str) -> str:
    """The field of a preset that holds a refinement."""
    return name if name in OWN_FIELDS else f"refinements.{name}"


def others() -> Iterator[tuple[str, Refinement]]:
    """The refinements that have no field of their own."""
    return ((name, record) for name, record in REFINEMENTS.items() if name not in OWN_FIELDS)


@dataclass(frozen=True)
class Chosen:
    """A refinement at settings that change something."""

    name: str
    settings: tuple[tuple[str, Value], ...]

    @property
    def record(self) -> Refinement:
        """Its record."""
        return REFINEMENTS[self.name]


@dataclass(frozen=True)
class Refine:
    """What is applied to the sum, in the table's order; as it begins, nothing."""

    chosen: tuple[Chosen, ...] = ()

    @staticmethod
    def of(values: Mapping[str, Any]) -> Refine:
        """By what a preset holds for each refinement's name; those at neutral settings are left out.

        Raises:
            BadPreset: names the setting at fault.
        """
        found = []
        for name, record in REFINEMENTS.items():
            if name in values:
                settings = record.unfolded(values[name], path_of(name))
                if settings != record.neutral():
                    found.append(Chosen(name, tuple(settings.items())))
        return Refine(tuple(found))

    def needs(self, what: str) -> bool:
        """Whether one of them reads ``what`` of a moment."""
        return any(what in one.record.needs for one in self.chosen)

    def words(self) -> list[str]:
        """What it does, for people."""
        return [one.record.words(dict(one.settings)) for one in self.chosen]

    def notes(self, weight: float) -> list[str]:
        """What to know before a run in which the positive weights sum to ``weight`` at most."""
        return [
            f"{record.title} is meant for weights from {record.weights[0]:g} to "
            f"{record.weights[1]:g}, and these sum to {weight:g}: far above, the picture burns out"
            for record in (one.record for one in self.chosen)
            if record.weights and weight > record.weights[1] + 1e-6
        ]


def checked_others(values: Mapping[str, Any]) -> dict[str, Any]:
    """The preset's ``refinements``, each within its bounds; neutral ones are left out.

    Raises:
        BadPreset: names the refinement or its setting.
    """
    known = dict(others())
    for name in values:
        if name in OWN_FIELDS:
            raise BadPreset(f"is the preset's own field {name!r}", field=f"refinements.{name}")
        if name not in known:
            there = f"there is {', '.join(known)}" if known else "none is installed here"
            raise BadPreset(f"is no refinement; {there}", field=f"refinements.{name}")
    return {one.name: one.record.folded(dict(one.settings)) for one in Refine.of(values).chosen}


def completed_others(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same with those that are left out, at their neutral values."""
    return {name: record.default() for name, record in others()} | dict(values)


def list_others(schema: dict[str, Any]) -> None:
    """Put what is registered now into the schema of the preset's ``refinements``."""
    properties = {}
    for name, record in others():
        parts = {key: setting.schema() for key, setting in record.settings.items()}
        about = {"title": record.title, "description": f"{record.help} {record.source}."}
        properties[name] = (
            {**about, "type": "object", "properties": parts, "additionalProperties": False}
            if len(parts) > 1
            else next(iter(parts.values()))
        )
    schema.update({"type": "object", "properties": properties, "additionalProperties": False})
