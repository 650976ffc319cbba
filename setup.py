"""What goes into the wheel: the package, and below it the shipped models, presets and pictures.

Everything else about the package is in pyproject.toml. The folders keep their place in the
repository; in a wheel they lie in ``studio/packed``, where :mod:`studio.home` finds them.
"""

from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).resolve().parent
PACKED = ("assets/starter", "assets/starter-1", "assets/examples", "assets/prompts", "presets")


def packed() -> dict[str, str]:
    """Package name in the wheel → folder of the repository that it holds."""
    found = {}
    for top in PACKED:
        for path in (ROOT / top, *(ROOT / top).rglob("*")):
            if path.is_dir():
                folder = path.relative_to(ROOT).as_posix()
                found[f"studio.packed.{folder.replace('/', '.')}"] = folder
    return found


SHOWN = {"studio.packed.docs": "docs"}  # of the documentation, what the page shows


setup(
    packages=[*find_packages(include=["studio", "studio.*"]), *packed(), *SHOWN],
    package_dir={"studio": "studio", **packed(), **SHOWN},
    package_data={
        "studio": [
            "ui/static/**/*.js",
            "ui/static/**/*.css",
            "ui/static/*.png",
            "languages/*.json",
            "engine/families/*.gz",
        ],
        **{name: ["*"] for name in packed()},
        "studio.packed.docs": ["api.md"],
    },
    include_package_data=False,
)
