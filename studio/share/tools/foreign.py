"""Images of other tools as presets: what a reader finds, with the library's models for its names.

:mod:`studio.share.tools` holds a reader for each tool; this module says what of their findings a
preset can hold, and notes the rest. Other tools put their LoRAs on the unconditional pass too,
which is ω = 1.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from studio.errors import shorten
from studio.library import FAMILIES, ModelEntry, ModelFamily
from studio.library.upscalers import UPSCALER
from studio.preset import MAX_SEED, Preset, Sampler, validate
from studio.preset.bounds import bounds
from studio.preset.schedulers import SCHEDULERS
from studio.preset.second_pass import ROUNDED
from studio.share.model_names import Shelf, bare
from studio.share.texts import Texts
from studio.share.tools.additions import Additions, give_words
from studio.share.tools.detailer import checked
from studio.share.tools.prompts import number
from studio.share.tools.refiner import refined, second_model
from studio.share.tools.rows import rows_of
from studio.share.tools.samplers import read_sampler
from studio.share.tools.seams import can_meet
from studio.share.tools.sites import elsewhere
from studio.share.tools.table import MAX_NOTES, Found, find, unread

DEFAULT_SCALE = 7.0
HALVES = "half a letter in the text became �"


def read_foreign(
    texts: Texts, name: str, models: Collection[str] | Mapping[str, ModelEntry] = ()
) -> tuple[Preset, list[str]] | None:
    """The preset that another tool's texts amount to, and what could not be carried over.

    Args:
        texts: of an image.
        name: the file's name, for the preset.
        models: the library, to recognise models by name; from its ids alone, kinds are not known.
    """
    found, failed = find(texts)
    if found is None:
        texts.notes.extend(unread(failed))
        return None
    preset, notes = to_preset(found, name, models, texts.size, texts.notes)
    return preset, notes


def to_preset(
    found: Found,
    name: str,
    models: Collection[str] | Mapping[str, ModelEntry] = (),
    pixels: tuple[int, int] = (0, 0),
    more: Sequence[str] = (),
) -> tuple[Preset, list[str]]:
    """The preset that what a tool says amounts to, and what could not be carried over.

    Args:
        name: of a file, for the preset.
        models: as for :func:`read_foreign`.
        pixels: width and height of the picture that it was found in; zeros for none.
        more: notes that there are already.
    """
    notes = [f"made with {found.tool}: the same seed gives other noise here"]
    shelf = Shelf(models, found.hash_of, notes, found.links)
    base = _base(found, shelf, notes)
    if not found.terms:
        _check_scale(found, notes)
    chosen = base or Preset().base
    additions = Additions(shelf, chosen, notes)
    rows, _ = rows_of(found, additions)
    data: dict[str, Any] = {
        "name": PurePath(name).stem[:200],
        "rows": rows,
        "sampler": _sampler(found, base is not None, pixels, notes),
    }
    if base:
        data["base"] = base
    if any(isinstance(row["model"], dict) and "lora" in row["model"] for row in rows):
        data["omega"] = 1.0
    if found.rescale:
        data["guidance_rescale"] = _rescale(found.rescale, notes)
    vae = _autoencoder(found.vae, shelf, additions)
    if vae:
        data["vae"] = vae
    layer = _clip_skip(found, FAMILIES.get(shelf.family(base or "")), base, notes)
    if layer is not None:
        data["clip_skip"] = layer
    if found.freeu and _frees(FAMILIES.get(shelf.family(chosen)), notes):
        data["freeu"] = found.freeu
    if found.second_pass:
        upscaler = _upscaler(found.upscaler, shelf, additions)
        again = second_model(found.second_model, chosen, additions)
        data["second_pass"] = {**found.second_pass, "upscaler": upscaler, "model": again}
        give_words(data, found.embeddings, found.bare_words, additions)
    if found.detail:
        steps = data["sampler"].get("steps", Sampler().steps)
        data["detail"] = checked(found.detail, steps, notes)
    if can_meet(found.seamless, data, FAMILIES.get(shelf.family(chosen)), notes):
        data["seamless"] = found.seamless
    if refiner := refined(found.refining, chosen, additions):
        data["refiner"] = refiner
    if additions.left:
        left = ", ".join(dict.fromkeys(additions.left))
        data["description"] = not_here(left)[:2000]
    notes += elsewhere(found, shelf, base is None, additions.missing)
    notes += [*found.notes, *found.fields.notes(), *more]
    whole = _clean(data)
    if whole != data:
        notes.append(HALVES)
    return validate(whole), _bounded(notes)


def not_here(names: str) -> str:
    """What the description of a preset says of what its picture asks for in vain."""
    return f"Not in this library: {names}"


def _clean(value: Any) -> Any:
    """With � for the halves of letters that a tool's JSON may hold, and no file can."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {key: _clean(inner) for key, inner in value.items()}
    return [_clean(inner) for inner in value] if isinstance(value, list) else value


def _bounded(notes: list[str]) -> list[str]:
    notes = [_clean(" ".join(note[:600].split())) for note in dict.fromkeys(notes)]
    if len(notes) <= MAX_NOTES:
        return notes
    return [*notes[: MAX_NOTES - 1], f"{len(notes) - MAX_NOTES + 1} further notes are left out"]


def _base(found: Found, shelf: Shelf, notes: list[str]) -> str | None:
    names = [name for name in (found.model, *found.hashes) if name]
    if not names:
        return None
    for name in names:
        identity = shelf.find(name, ("base", "finetune"))
        if identity is not None:
            return identity
    wanted = names[0][:200]
    notes.append(
        f"base: the model {wanted!r} is not in the library; the default base is used, with its own autoencoder and size"
    )
    return None


def _autoencoder(name: str, shelf: Shelf, additions: Additions) -> str | None:
    """The library's autoencoder of that name; noted where there is none."""
    if not name:
        return None
    identity = shelf.find(name, ("vae",))
    if identity is None:
        shown = bare(name)[:200]
        additions.notes.append(f"vae: {shown!r} is not in the library; the base's own is used")
        additions.left.append(f"vae:{shown}")
        additions.missing.append(name)
    return identity


def _upscaler(name: str, shelf: Shelf, additions: Additions) -> str:
    """The library's upscaler of that name, "" for none; noted where there is none of that name."""
    identity = shelf.find(name, (UPSCALER,)) if name else ""
    if identity is None:
        shown = bare(name)[:200]
        additions.notes.append(
            f"second_pass.upscaler: {shown!r} is not in the library; it is enlarged without one (Lanczos)"
        )
        additions.left.append(f"upscaler:{shown}")
    return identity or ""


def _clip_skip(
    found: Found, family: ModelFamily | None, base: str | None, notes: list[str]
) -> int | None:
    """The layer where it is another than the base reads anyway; noted where the base has it not."""
    layer = found.clip_skip
    if found.skipped_layers:
        layer = (family.clip_skip if family else 1) + found.skipped_layers
    if layer is None or (family is not None and layer == family.clip_skip):
        return None
    if base is None:
        notes.append(f"clip_skip: {layer} is left out with the base that it is meant for")
        return None
    if family is not None and not family.clip_skip:
        notes.append(
            f"clip_skip: {layer} is left out; {family.title} reads no single layer of CLIP"
        )
        return None
    if family is not None and layer <= family.unused_layers:
        notes.append(f"clip_skip: {layer} is left out; {family.title} has no such layer")
        return None
    return layer


def _check_scale(found: Found, notes: list[str]) -> None:
    scale = number(found.scale)
    if scale is None or not 0 <= scale <= 1000:
        notes.append(f"rows.0.weight: no usable CFG scale is given; {DEFAULT_SCALE:g} is used")
        scale = DEFAULT_SCALE
    found.scale = scale


def _frees(family: ModelFamily | None, notes: list[str]) -> bool:
    """Whether the base has levels for FreeU; noted where it has none."""
    if family is None or family.freeu:
        return True
    notes.append(f"freeu.on: left out; {family.title} has no levels for it")
    return False


def _rescale(given: float, notes: list[str]) -> float:
    rescale = float(min(1.0, max(0.0, given)))
    if rescale != given:
        notes.append(f"guidance_rescale: {given:g} became {rescale:g}")
    return rescale


def _sampler(
    found: Found, known_base: bool, pixels: tuple[int, int], notes: list[str]
) -> dict[str, Any]:
    result: dict[str, Any] = dict(read_sampler(found.sampler, found.schedule, notes))
    steps = number(found.steps)
    if steps is not None:
        least, highest = bounds(Sampler, "steps")
        result["steps"] = int(min(highest, max(least, steps)))
        if result["steps"] != steps:
            notes.append(f"sampler.steps: {steps:g} became {result['steps']}")
    elif found.steps is None:
        notes.append(f"sampler.steps: no steps are given; {Sampler().steps} are used")
    else:
        given = shorten(found.steps)
        notes.append(f"sampler.steps: {given} is not read; {Sampler().steps} are used")
    seed = number(found.seed)
    if seed is not None and seed == int(seed) and 0 <= seed <= MAX_SEED:
        result["seed"] = int(seed)
    elif found.seed is None:
        notes.append(f"sampler.seed: no usable seed is given; {Sampler().seed} is used")
    else:
        notes.append(
            f"sampler.seed: no usable seed is {shorten(found.seed)} (0 to {MAX_SEED}); "
            f"{Sampler().seed} is used"
        )
    _add_noise(found, result, notes)
    size, (low, high) = found.size or pixels, bounds(Sampler, "width")
    if not known_base:
        notes.append(f"sampler.width: the size {size[0]}x{size[1]} is left to the base model")
    elif all(low <= edge <= high for edge in size):
        result["width"], result["height"] = size
    else:
        notes.append(f"sampler.width: {size[0]}x{size[1]} is no usable size; the base's is used")
    if found.size and pixels != (0, 0) and _differs(found, found.size, pixels):
        notes.append(_of_another_size(found.size, pixels))
    return result


def _of_another_size(made: tuple[int, int], pixels: tuple[int, int]) -> str:
    if made == pixels:  # other tools can save it as well
        return f"second_pass.scale: the picture is the one before the second pass, {pixels[0]}x{pixels[1]}"
    return f"made at {made[0]}x{made[1]}; the picture has {pixels[0]}x{pixels[1]} pixels"


def _differs(found: Found, made: tuple[int, int], pixels: tuple[int, int]) -> bool:
    """Whether a picture is of another size than it was made in, the second pass taken in."""
    scale = found.second_pass.get("scale", 1)
    near = ROUNDED if scale > 1 else 0
    return any(abs(scale * side - own) > near for side, own in zip(made, pixels, strict=True))


def _add_noise(found: Found, result: dict[str, Any], notes: list[str]) -> None:
    """Fresh noise, a variation of the seed, and where the noise is drawn."""
    takes_eta = SCHEDULERS[result["scheduler"]].eta is not None
    if found.eta is not None and takes_eta and 0 <= found.eta <= 1:
        result["eta"] = float(found.eta)
    elif found.eta is not None:
        notes.append(f"sampler.eta: Eta {found.eta:g} is left out")
    strength = found.variation_strength
    if strength:
        seed = number(found.variation_seed)
        if seed is not None and seed == int(seed) and 0 <= seed <= MAX_SEED and 0 < strength <= 1:
            result["variation_seed"], result["variation_strength"] = int(seed), float(strength)
        else:
            given = shorten(found.variation_seed)
            notes.append(
                f"sampler.variation_seed: {given} at {strength:g} is no usable variation; it is left out"
            )
    if found.noise:
        result["noise"] = found.noise
