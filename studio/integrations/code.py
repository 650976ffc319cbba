"""A preset as code: a Python script that makes its pictures, or a command line.

Where every pass of a preset is a prompt on one model of diffusers, the script is plain diffusers:
the pipeline's own call where the rows are classifier-free guidance, else Algorithm 1 of GCFG as a
loop. What such a script cannot do (adapters, concept networks, masks, control …) it leaves to the
studio's engine. Either makes the pictures of the preset; a plain script runs every pass, and says so
where the preset's effort leaves some out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from pprint import pformat

from studio.integrations.plain import plain_script, title
from studio.library import Library
from studio.library.quantised import GGUF
from studio.plan.row_models import check_base
from studio.plan.stated import stated_plan
from studio.preset import Preset
from studio.preset.effort import allowed_error

_OWN_FOLDERS = ("data:", "assets/", "inputs/")

_ENGINE = '''"""{title}"""

{imports}from studio import Engine
from studio.preset import validate

PRESET = {preset}

for event in Engine({roots}).generate(validate(PRESET)):
    if hasattr(event, "image"):  # Progress and Preview come before, Done at the end
        event.image.save(f"{{event.seed}}.png")
'''


def as_python(
    preset: Preset, library: Library, roots: Sequence[Path] = (), paths: bool = True
) -> str:
    """A Python script that saves the preset's pictures as ``SEED.png`` in the current folder.

    Args:
        library: where its models are.
        roots: folders that relative images lie under, besides the studio's own.
        paths: whether a script may name a model by its place on this machine; otherwise one of
            the library is left to the studio, which knows its id.

    Raises:
        StudioError: as compiling the preset does.
    """
    plan = stated_plan(preset, library, roots)
    base = check_base(library.catalogue(), preset.base, preset.vae)
    place = preset.base if preset.base not in library else base.path if paths else ""
    if base.quantised == GGUF:
        place = ""  # diffusers does not read such a folder by itself
    vae = (_folder_of(library, preset.vae) if paths else None) if preset.vae else ""
    plain = plain_script(preset, plan, base, place, vae)
    return f"{_runs_all(preset)}{plain}" if plain else _engine_script(preset, roots)


def _runs_all(preset: Preset) -> str:
    """That a plain script leaves nothing out, where the preset would."""
    effort = preset.sampler.effort
    if not allowed_error(effort):
        return ""
    return f"# Runs every pass at every step: the exact picture, not that of effort {effort}.\n"


def _folder_of(library: Library, vae: str) -> str | None:
    """The folder of an autoencoder alone, in diffusers' format; ``None`` for anything else."""
    entry = library.catalogue().get(vae)
    if entry is None or entry.kind != "vae" or not (Path(entry.path) / "config.json").is_file():
        return None
    return entry.path


def as_command(preset: Preset) -> str:
    """A command line for a POSIX shell that makes the preset's pictures in ``pictures``."""
    return f"python -m studio generate - --out pictures <<'PRESET'\n{preset.to_json()}\nPRESET\n"


def _engine_script(preset: Preset, roots: Sequence[Path]) -> str:
    beside = [
        ref for ref, _ in preset.image_references(active=True) if not ref.startswith(_OWN_FOLDERS)
    ]
    given = ", ".join(f"Path({str(root)!r})" for root in roots) if beside else ""
    data = json.loads(preset.to_json())
    return _ENGINE.format(
        title=title(preset, "the package guidance-studio"),
        imports="from pathlib import Path\n\n" if given else "",
        preset=pformat(data, width=100, sort_dicts=False),
        roots=f"image_roots=[{given}]" if given else "",
    )
