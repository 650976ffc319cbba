"""Whether a base reads a distilled guidance (FLUX.1 [dev]: its scale as a number in every pass)."""

from __future__ import annotations

from studio.errors import IncompatibleModels
from studio.library import FAMILIES, ModelEntry, family_of


def check_distilled(base: ModelEntry, asked: float | None) -> None:
    """See that networks of the base's family read a distilled guidance, where a preset asks for one.

    Raises:
        IncompatibleModels: they do not; names ``distilled_guidance``.
    """
    if asked is None or not base.family or family_of(base.family).distilled:
        return
    read = ", ".join(record.title for record in FAMILIES.values() if record.distilled)
    raise IncompatibleModels(
        f"{base.id!r} ({family_of(base.family).title}) reads none; networks of {read} do",
        field="distilled_guidance",
    )
