"""One file a method; each registers itself in :data:`studio.train.method.METHODS` on import.

Importing this package imports them all. None of them loads torch before it is asked to build.
"""

from __future__ import annotations

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__, f"{__name__}."):
    importlib.import_module(_module.name)
