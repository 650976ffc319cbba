"""What a row's model comes to: a full network, adapters on it and learned words, all fitting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from studio.errors import IncompatibleModels, MissingModel
from studio.library import ADAPTERS, FAMILIES, ModelEntry, family_of, image_layers, title_of
from studio.library.control_networks import CONTROL_NETWORKS, PLAIN
from studio.plan.row_model import RowModel
from studio.preset import Control, ModelRef, Row
from studio.preset.preprocessors import PREPROCESSORS
from studio.preset.prompts import mentions
from studio.preset.rows import ImagePrompt

EDITING_CHANNELS = 8  # the latent and the picture's, side by side (InstructPix2Pix)
PAINTING_CHANNELS = 9  # the latent, a mask, and the picture's around it (inpainting networks)
_ROW_KINDS = "a base, finetune, concept, lora, custom-diffusion or embedding"


def check_base(catalogue: Mapping[str, ModelEntry], name: str, vae: str = "") -> ModelEntry:
    """The entry of a preset's base, which decodes with its own autoencoder or with ``vae``.

    Raises:
        MissingModel, IncompatibleModels: an unknown id, no whole pipeline, or an autoencoder of
            other latents; names ``base`` or ``vae``.
    """
    entry = look_up(catalogue, name, "base")
    if entry.kind not in ("base", "finetune"):
        raise IncompatibleModels(
            f"{name!r} is {entry.a_kind}; a base is a whole pipeline", field="base"
        )
    if "text" in entry.lacks:
        raise IncompatibleModels(
            f"{name!r} holds no text encoder; it can be a row's model, on a base that has one",
            field="base",
        )
    if "vae" in entry.lacks and not vae:
        raise IncompatibleModels(
            f"{name!r} holds no autoencoder; name one of the library as vae", field="base"
        )
    if not vae:
        return entry
    decoder = look_up(catalogue, vae, "vae")
    _check_vae(decoder, entry)
    return _decoded_by(decoder, entry)


def _decoded_by(vae: ModelEntry, base: ModelEntry) -> ModelEntry:
    """``base`` with the native size and the steps of sizes that an autoencoder gives its latents.

    The latents stay: one that makes 16 pixels of each where the base's makes 8 doubles the picture.
    """
    own, other = base.latent_factor, vae.latent_factor
    return replace(base, size=base.size // own * other, multiple=base.multiple // own * other)


def _check_vae(vae: ModelEntry, base: ModelEntry) -> None:
    """An autoencoder, or a whole model that has one, of the base's latents."""
    if vae.kind not in ("vae", "base", "finetune") or "vae" in vae.lacks:
        raise IncompatibleModels(f"{vae.id!r} is {vae.a_kind} and no autoencoder", field="vae")
    if not vae.decodes(base):
        raise IncompatibleModels(
            f"{vae.id!r} decodes latents {vae.latent_space}, the base {base.id!r} makes "
            f"{base.latent_space}",
            field="vae",
        )


def resolve(
    row: Row, base: ModelEntry, catalogue: Mapping[str, ModelEntry], where: str
) -> RowModel:
    """The model of a row.

    Raises:
        MissingModel: an unknown id.
        IncompatibleModels: models that cannot take part in one sum; both name ``where``.
    """
    ref = row.model if isinstance(row.model, ModelRef) else None
    adapters = [
        (_adapter(catalogue, name, where), strength)
        for name, strength in (ref.adapters() if ref else [])
    ]
    texts = ref.text_strengths() if ref else [1.0]
    holders = [_words(catalogue, name, where) for name in (ref.embeddings if ref else ())]
    name = (ref.model if ref else row.model) or base.id
    entry = base if name == base.id else look_up(catalogue, str(name), where)
    if ref is None and entry.kind in ADAPTERS:
        adapters, entry = [(entry, 1.0)], base
    elif ref is None and entry.kind == "embedding":
        holders, entry = [entry], base
    kind = _kind(entry, base, where)
    for name, control in row.all_controls.items():
        _check_control(control, entry, catalogue, f"{where.removesuffix('.model')}.{name}")
    if row.image_prompt is not None:
        _check_image_prompt(row.image_prompt, entry, catalogue, where)
    if kind == "concept":
        _check_concept(row, entry, [*(one for one, _ in adapters), *holders], where)
    eyes = [holder for holder in holders if holder.sees]
    _check_picture(row, entry, where, eyes)
    for adapter in [*(one for one, _ in adapters), *holders]:
        _check_family(adapter, entry, where)
    _check_words(holders, entry, where)
    return RowModel(
        kind,
        entry.id,
        tuple((adapter.id, strength) for adapter, strength in adapters),
        tuple(
            (holder.id, word)
            for holder in (*holders, *(a for a, _ in adapters))
            for word in holder.words
        ),
        tuple((adapter.id, text) for (adapter, _), text in zip(adapters, texts, strict=False)),
        tuple(eye.id for eye in eyes),
        entry.channels == EDITING_CHANNELS,
        entry.channels == PAINTING_CHANNELS,
        bool(adapters) and all(adapter.concept for adapter, _ in adapters),
    )


def _check_image_prompt(
    prompt: ImagePrompt, entry: ModelEntry, catalogue: Mapping[str, ModelEntry], where: str
) -> None:
    """An image prompt reaches networks that have cross-attention for it, through an IP-Adapter."""
    where, takes = f"{where.removesuffix('.model')}.image_prompt.model", family_of(entry.family)
    if not takes.image_prompts:
        able = ", ".join(title_of(name) for name, one in FAMILIES.items() if one.image_prompts)
        raise IncompatibleModels(
            f"{takes.title} takes no image prompt (the row's model is {entry.id!r}); {able} do",
            field=where,
        )
    reader = look_up(catalogue, prompt.model, where)
    if reader.kind != "ip-adapter":
        raise IncompatibleModels(
            f"{reader.id!r} is {reader.a_kind}, not an ip-adapter", field=where
        )
    _check_family(reader, entry, where)
    if reader.path and entry.path and not image_layers.fits(reader.path, entry.path):
        raise IncompatibleModels(
            f"{reader.id!r} is an IP-Adapter of another architecture: its layers are not those of "
            f"{entry.id!r}",
            field=where,
        )


def _check_concept(row: Row, entry: ModelEntry, parts: Sequence[ModelEntry], where: str) -> None:
    """A null-text network has no cross-attention for a text, a picture or an adapter to reach."""
    if row.control is not None or row.image_prompt is not None or parts:
        raise IncompatibleModels(
            f"{entry.id!r} is a null-text network and takes no control image, image prompt, LoRA or "
            "embedding; give them to a row of their own",
            field=where,
        )


def _check_words(holders: Sequence[ModelEntry], entry: ModelEntry, where: str) -> None:
    """Learned words reach families whose text towers read vectors in place of tokens."""
    takes = family_of(entry.family)
    if holders and not takes.learned_words:
        able = ", ".join(title_of(name) for name, one in FAMILIES.items() if one.learned_words)
        raise IncompatibleModels(
            f"{takes.title} takes no learned words, such as {holders[0].words[0]}; {able} do",
            field=where,
        )


def _check_control(
    control: Control, entry: ModelEntry, catalogue: Mapping[str, ModelEntry], where: str
) -> None:
    """A control image reaches networks that have ControlNets, through one of their family."""
    if not family_of(entry.family).controls:
        able = ", ".join(title_of(name) for name, one in FAMILIES.items() if one.controls)
        raise IncompatibleModels(
            f"{entry.id!r} takes no control image, being {title_of(entry.family)}; {able} do",
            field=where,
        )
    if control.model is not None:
        net = look_up(catalogue, control.model, f"{where}.model")
        if net.path and net.kind != "controlnet":
            raise IncompatibleModels(
                f"{net.id!r} is {net.a_kind}, not a controlnet", field=f"{where}.model"
            )
        _check_family(net, entry, f"{where}.model")
        form = CONTROL_NETWORKS[net.form or PLAIN]
        if form.by_type and PREPROCESSORS[control.type].union is None:
            able = ", ".join(n for n, one in PREPROCESSORS.items() if one.union is not None)
            raise IncompatibleModels(
                f"{net.id!r} is a {form.title} and has to know what its map shows: {able} (a map that "
                "is finished already: finished true)",
                field=f"{where}.type",
            )


def _check_picture(row: Row, entry: ModelEntry, where: str, eyes: Sequence[ModelEntry]) -> None:
    """A picture goes to a model that edits it or reads a word from it."""
    edits = entry.channels == EDITING_CHANNELS
    field = f"{where.removesuffix('.model')}.image"
    unread = [eye for eye in eyes if not any(mentions(row.prompt, word) for word in eye.words)]
    if row.image and unread and not edits:
        raise IncompatibleModels(
            f"{unread[0].id!r} reads the picture into the word {unread[0].words[0]}, which the prompt "
            "does not hold",
            field=field,
        )
    if row.image and entry.channels and not edits and not eyes:
        raise IncompatibleModels(
            f"{entry.id!r} takes no picture to edit; an InstructPix2Pix model does", field=field
        )


def _kind(entry: ModelEntry, base: ModelEntry, where: str) -> str:
    if entry.id == base.id:
        return "prior"
    if entry.kind not in ("base", "finetune", "concept"):
        raise IncompatibleModels(
            f"{entry.id!r} is {entry.a_kind}; a row's model is {_ROW_KINDS}", field=where
        )
    check_shared(entry, base, where)
    if entry.kind == "base":
        # Another whole pipeline of the same architecture is a full fine-tune of the prior.
        return "finetune" if entry.family == base.family else "other"
    if entry.kind == "finetune" and entry.family != base.family and entry.latent_space:
        return "other"
    _check_family(entry, base, where)
    return entry.kind


def check_shared(entry: ModelEntry, base: ModelEntry, where: str) -> None:
    """See that a model works on the base's latents, as far as headers tell.

    Raises:
        IncompatibleModels: it does not; names ``where``.
    """
    mine, theirs = entry.latent_space, base.latent_space
    if mine and theirs and mine != theirs:
        raise IncompatibleModels(
            f"{entry.id!r} works in latent space {mine}, the base {base.id!r} in {theirs}",
            field=where,
        )


def _check_family(part: ModelEntry, network: ModelEntry, where: str) -> None:
    """Refuse what was made for another family, as far as headers tell."""
    if part.family and network.family and part.family != network.family:
        mine, theirs = title_of(part.family), title_of(network.family)
        raise IncompatibleModels(
            f"{part.id!r} is {part.a_kind} for {mine}; {network.id!r} is {theirs}", field=where
        )


def _adapter(catalogue: Mapping[str, ModelEntry], name: str, where: str) -> ModelEntry:
    entry = look_up(catalogue, name, where)
    if not entry.path:
        raise MissingModel(
            f"{name!r} is not in the library; fetch it with 'python -m studio download {name}'",
            field=where,
        )
    if entry.kind not in ADAPTERS:
        raise IncompatibleModels(f"{name!r} is {entry.a_kind}, not a lora", field=where)
    return entry


def _words(catalogue: Mapping[str, ModelEntry], name: str, where: str) -> ModelEntry:
    entry = look_up(catalogue, name, where)
    if not entry.words:
        raise IncompatibleModels(
            f"{name!r} is {entry.a_kind} and holds no learned word", field=where
        )
    return entry


def look_up(catalogue: Mapping[str, ModelEntry], name: str, where: str) -> ModelEntry:
    try:
        entry = catalogue[name]
    except MissingModel as error:
        raise MissingModel(error.message, field=where) from error
    except KeyError as error:
        raise MissingModel(f"{name!r} is not in the library", field=where) from error
    if entry.problem:
        raise IncompatibleModels(f"{name!r} cannot be used: {entry.problem}", field=where)
    return entry
