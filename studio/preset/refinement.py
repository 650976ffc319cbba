"""What the record of a refinement says; the records stand in :mod:`studio.preset.refinements`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

from pydantic import Field, StrictBool, TypeAdapter, ValidationError

from studio.errors import BadPreset, in_plain_words, shorten

Value = float | bool
Settings = Mapping[str, Value]


@dataclass(frozen=True)
class Setting:
    """One number or switch of a refinement.

    Args:
        title: what the page calls it. help: one line on what it does and what is usual.
        neutral: the default, at which nothing changes; ``False`` makes it a switch.
        low, high: bounds of a number. ``open``: the bounds themselves are not allowed.
        usual: a value that does something, for tests and for trying it out.
        symbol: what stands before the value in the plan, such as ``η``.
    """

    title: str
    help: str
    neutral: Value
    usual: Value
    low: float = 0.0
    high: float = 1.0
    open: bool = False
    symbol: str = ""

    def field(self) -> Any:
        """The bounds, title and help as pydantic's ``Field``."""
        if isinstance(self.neutral, bool):
            return Field(strict=True, title=self.title, description=self.help)
        bounds: Any = {"ge": self.low, "le": self.high}
        if self.open:
            bounds = {"gt": self.low, "lt": self.high}
        return Field(strict=True, title=self.title, description=self.help, **bounds)

    @cached_property
    def _adapter(self) -> TypeAdapter[Any]:
        """Made once: it takes far longer than what it validates."""
        plain: Any = StrictBool if isinstance(self.neutral, bool) else float
        shape: Any = Annotated[plain, self.field()]
        return TypeAdapter(shape)

    def checked(self, value: Any, where: str) -> Value:
        """The value, once it is known to lie within the bounds.

        Raises:
            BadPreset: names ``where``, what was given and what is allowed.
        """
        try:
            return self._adapter.validate_python(value)
        except ValidationError as error:
            message = error.errors(include_url=False)[0]["msg"]
            raise BadPreset(
                f"{in_plain_words(message)}, got {shorten(value)}", field=where
            ) from error

    def schema(self) -> dict[str, Any]:
        """The setting's part of the preset's JSON Schema."""
        return {**self._adapter.json_schema(), "default": self.neutral}


Apply = Callable[..., Any]  # (Prediction, Moment, **settings) → Prediction


@dataclass(frozen=True)
class Refinement:
    """One refinement.

    Args:
        title: what the page and the plan call it. help: one line on what it does.
        source: the paper and its equation.
        settings: by name, as the function takes them. With one setting alone the preset's field
            holds its value, else an object of them.
        apply: the function, or ``module:name`` of it. It takes the prediction so far, the
            :class:`studio.diffusion.guidance.Moment` and the settings by name, and returns the new
            prediction.
        needs: what it reads of the moment: ``base``, ``reference``, ``directions``. The plan runs
            what these take.
        single_step: it is defined for schedulers that use no earlier prediction only.
        weights: the range of the rows' weights that it is meant for; ``None`` for any.
    """

    title: str
    help: str
    source: str
    settings: Mapping[str, Setting]
    apply: str | Apply
    needs: tuple[str, ...] = ()
    single_step: bool = False
    weights: tuple[float, float] | None = None

    def neutral(self) -> dict[str, Value]:
        """The settings at which it changes nothing."""
        return {name: setting.neutral for name, setting in self.settings.items()}

    def usual(self) -> dict[str, Value]:
        """Settings at which it does what it is for."""
        return {name: setting.usual for name, setting in self.settings.items()}

    def default(self) -> Any:
        """The neutral value as a preset holds it."""
        return self.folded(self.neutral())

    def folded(self, settings: Settings) -> Any:
        """Settings as a preset holds them: an object, or one value alone."""
        return dict(settings) if len(self.settings) > 1 else next(iter(settings.values()))

    def unfolded(self, value: Any, where: str) -> dict[str, Value]:
        """All settings by what a preset holds; those left out are neutral.

        Raises:
            BadPreset: names the setting, what was given and what is allowed.
        """
        if len(self.settings) == 1:
            ((name, setting),) = self.settings.items()
            return {name: setting.checked(value, where)}
        if not isinstance(value, Mapping):
            raise BadPreset(
                f"is an object of {', '.join(self.settings)}, got {shorten(value)}", field=where
            )
        for name in value:
            if name not in self.settings:
                raise BadPreset(
                    f"unknown field; it has {', '.join(self.settings)}", field=f"{where}.{name}"
                )
        return self.neutral() | {
            name: self.settings[name].checked(given, f"{where}.{name}")
            for name, given in value.items()
        }

    def words(self, settings: Settings) -> str:
        """What it does at these settings, for the plan."""
        off = {n: v for n, v in settings.items() if v != self.settings[n].neutral}
        found = [
            f"{self.settings[n].symbol} {v:g}".strip() for n, v in off.items() if v is not True
        ]
        if len(self.settings) == 1:
            return " ".join([self.title, *found])
        return f"{self.title} ({', '.join(found)})" if found else self.title
