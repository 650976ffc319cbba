"""The list of aspect ratios beside width and height."""

from __future__ import annotations

from typing import Any

from studio.ui.widgets import Drawn


class AspectList(Drawn):
    """Fills in width and height; the sizes that a base makes come with the models."""

    def __init__(self, **kwargs: Any) -> None:
        mount = "studio.mountAspect(element.firstElementChild);"
        super().__init__({}, mount, elem_id="gs-aspect", **kwargs)
