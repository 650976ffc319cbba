"""Merging what a stranger wrote, what is not whole, and what changes while it is read."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file
from torch import Tensor

from studio.engine.merging.merge import Merged, merge
from studio.errors import StudioError
from studio.home import models_folder
from studio.library import Library
from studio.library.merging import Baked, Recipe
from studio.library.noise import scheduler_config
from tests.support import tiny, tiny_checkpoints, tiny_files, tiny_flux


@pytest.fixture
def folder(studio_home: Path) -> Path:
    place = models_folder()
    for seed, name in enumerate("ab"):
        tiny.pipeline(place / name, seed)
    return place


def made(**fields: Any) -> Merged:
    recipe = Recipe(**{"name": "mix", "a": "a", "b": "b", "precision": "fp32", **fields})
    *_, last = merge(recipe, Library())
    assert isinstance(last, Merged)
    return last


def refused(says: str, **fields: Any) -> None:
    before = sorted(models_folder().iterdir())
    with pytest.raises(StudioError) as error:
        made(**fields)
    assert str(error.value).startswith(says)
    assert sorted(models_folder().iterdir()) == before


def weights(part: Path) -> Path:
    (file,) = part.glob("*.safetensors")
    return file


def rewrite(file: Path, change: Callable[[dict[str, Tensor]], object]) -> None:
    state = load_file(file)
    change(state)
    save_file(state, file, metadata={"format": "pt"})


@pytest.mark.parametrize("name", ["../../victim", "..", "/tmp", "a\\b", ""])
def test_an_index_leads_nowhere_out_of_its_model(
    folder: Path, studio_home: Path, name: str
) -> None:
    victim = studio_home.parent / "victim"
    for place in (victim, studio_home / "victim", folder / "victim"):
        place.mkdir()
        (place / "keys.json").write_text('{"secret": 1}')
    shutil.copytree(folder / "a", folder / "owner/a")
    file = folder / "owner/a/model_index.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {name: ["x", "y"]}))
    seen = {path: path.read_bytes() for path in studio_home.parent.rglob("keys.json")}
    made(a="owner/a")
    assert name not in json.loads((folder / "mix/model_index.json").read_text())
    assert {path: path.read_bytes() for path in studio_home.parent.rglob("keys.json")} == seen
    assert not [path for path in folder.rglob("*") if path.name.startswith(".merging-")]


def test_a_link_out_of_the_model_is_not_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text("{}")
    (folder / "a/vae/notes.json").symlink_to(tmp_path / "keys.json")
    refused("A: 'a': 'vae/notes.json' is a link out of the model, which is not followed")
    (folder / "a/vae/notes.json").unlink()
    (folder / "a/vae/notes.json").symlink_to(folder / "a/model_index.json")
    made()


def test_links_of_the_hubs_cache_are_its_own(folder: Path, tmp_path: Path) -> None:
    blobs = folder / "models--o--a/blobs"
    blobs.mkdir(parents=True)
    snapshot = shutil.move(folder / "a", folder / "models--o--a/snapshots/1")
    os.rename(Path(snapshot) / "vae/config.json", blobs / "1")
    (Path(snapshot) / "vae/config.json").symlink_to("../../../blobs/1")
    made(a="models--o--a/snapshots/1")
    assert not (folder / "mix/vae/config.json").is_symlink()


@pytest.mark.parametrize("fields", [{"a": "b", "b": "", "loras": (Baked("style"),)}, {}])
def test_a_model_that_lacks_a_tensor_is_refused(folder: Path, fields: dict) -> None:
    tiny.lora(folder / "style", tiny.unet())
    for name in "ab":
        rewrite(weights(folder / name / "unet"), lambda state: state.pop("conv_out.bias"))
    place = fields.get("a", "a")
    refused(f"'{place}' lacks the tensor conv_out.bias of its unet; fetch it again", **fields)


def test_a_text_encoder_that_lacks_a_tensor_is_refused(folder: Path) -> None:
    rewrite(weights(folder / "b/text_encoder"), lambda state: state.pop(min(state)))
    refused("'b' lacks the tensor ")


def test_a_file_that_lacks_one_is_refused(studio_home: Path) -> None:
    for name in "ab":
        file = models_folder() / f"{name}.safetensors"
        tiny_files.save_whole_model(file, "sd1", tiny_checkpoints.parts("sd1"))
        rewrite(file, lambda state: state.pop("model.diffusion_model.out.2.bias"))
    refused("'a' lacks the tensor conv_out.bias of its unet; fetch it again")


def test_a_part_that_the_index_names_is_there(folder: Path) -> None:
    shutil.rmtree(folder / "a/tokenizer")
    refused("A: 'a' lacks its 'tokenizer'; fetch it again")


@pytest.mark.parametrize("gone", ["a/vae", "a", "a/model_index.json", "b/unet"])
def test_what_goes_while_it_is_read_leaves_nothing(folder: Path, gone: str) -> None:
    events = merge(Recipe("mix", "a", "b"), Library())
    while not next(events).stage.startswith("merging unet"):  # type: ignore[union-attr]
        pass
    path = folder / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(StudioError, match=f"^{gone[0].upper()}: '{gone[0]}'"):
        list(events)
    assert {path.name for path in folder.iterdir()} <= {"a", "b"}


def test_what_changes_while_it_is_read_is_said(folder: Path) -> None:
    events = merge(Recipe("mix", "a", "b"), Library())
    while not next(events).stage.startswith("merging unet"):  # type: ignore[union-attr]
        pass
    rewrite(weights(folder / "b/text_encoder"), lambda state: None)
    with pytest.raises(StudioError, match="B: 'b' was changed while it was read"):
        list(events)


def test_a_killed_one_is_cleared_and_a_running_one_is_not(folder: Path) -> None:
    code = (
        "import os\nfrom studio.engine.merging.merge import merge\nfrom studio.library import Library\n"
        "from studio.library.merging import Recipe\n"
        "for one in merge(Recipe('killed', 'a', 'b'), Library()):\n    if one.done: os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    assert [path for path in folder.glob(".merging-killed-*") if path.is_dir()]
    events = merge(Recipe("slow", "a", "b"), Library())
    while next(events).done == 0:  # type: ignore[union-attr]
        pass
    made()
    assert not [*folder.glob(".merging-killed-*")] and [*folder.glob(".merging-slow-*")]
    assert isinstance([*events][-1], Merged) and not [*folder.glob(".merging-*")]


@pytest.mark.parametrize("place", ["A", "B"])
def test_numbers_that_are_none_are_said_of_whose_they_are(folder: Path, place: str) -> None:
    name = place.lower()

    def spoil(state: dict[str, Tensor]) -> None:
        state["conv_out.bias"][0] = float("nan")

    rewrite(weights(folder / name / "unet"), spoil)
    refused(
        f"{place}: conv_out.bias of unet has numbers that are none (NaN or infinity) in '{name}'"
    )


def test_a_sum_too_large_for_any_number_is_the_multipliers(folder: Path) -> None:
    rewrite(weights(folder / "b/unet"), lambda state: state["conv_out.bias"].fill_(1e35))
    refused("multiplier: conv_out.bias of unet comes to numbers that nothing", multiplier=1e8)


def test_at_1_it_is_all_of_b(folder: Path) -> None:
    rewrite(weights(folder / "a/unet"), lambda state: [one.mul_(1e4) for one in state.values()])
    made(multiplier=1.0)
    mix, b = (load_file(weights(folder / name / "unet")) for name in ("mix", "b"))
    assert all(bool((mix[key] == b[key]).all()) for key in b)


def test_a_lone_network_is_known_by_its_base(folder: Path) -> None:
    tiny.pipeline(folder / "v", 3, "v_prediction")
    card = {"base": "v", "trigger": "zxq", "edition": 3}
    for seed, name in enumerate(("lone", "other")):
        tiny.unet(seed).save_pretrained(folder / name / "unet")
        (folder / name / "card.json").write_text(json.dumps(card))
    refused("B: 'lone' predicts v_prediction, 'a' epsilon", b="lone")
    refused("B: 'a' predicts epsilon, 'lone' v_prediction", a="lone", b="a")
    notes = made(a="lone", b="v").notes
    assert notes == ("text_encoder of v is left out: lone has none",)
    entry = Library()["mix"]
    assert (entry.kind, entry.base, entry.trigger, entry.edition) == ("finetune", "v", "zxq", 3)
    made(name="again", a="mix", b="other")
    assert Library()["again"].base == "v"


def test_a_lone_file_says_what_it_predicts(studio_home: Path) -> None:
    folder = models_folder()
    for name in "ab":
        file = folder / f"{name}.safetensors"
        tiny_files.save_whole_model(file, "sd2", tiny_checkpoints.parts("sd2"))
        network = {
            k: v for k, v in load_file(file).items() if k.startswith("model.diffusion_model.")
        }
        save_file(network, file)
    made()
    library = Library()
    assert library["mix"].kind == "finetune"
    assert scheduler_config(library["mix"])["prediction_type"] == "v_prediction"


def test_what_the_name_told_is_noted(folder: Path) -> None:
    shutil.copytree(folder / "a", folder / "my-lcm")
    assert made(a="my-lcm").notes == (
        "my-lcm is called LCM, made for few steps; by the new name nobody can tell",
    )
    assert made(name="mix-lcm", a="my-lcm").notes == ()


@pytest.mark.parametrize("names", [(True, True), (True, False), (False, True), (False, False)])
def test_an_embedding_under_two_names_is_one(studio_home: Path, names: tuple[bool, bool]) -> None:
    shared, second = "shared.weight", "encoder.embed_tokens.weight"
    for name, (place, both) in zip("ab", (("a", names[0]), ("b", names[1])), strict=True):
        tiny_flux.pipeline(models_folder() / place)

        def change(state: dict[str, Tensor], both: bool = both, name: str = name) -> None:
            own = state.pop(shared) + (0.5 if name == "b" else 0.0)
            state[second] = own
            if both:
                state[shared] = own.clone()

        rewrite(weights(models_folder() / place / "text_encoder_2"), change)
    made(multiplier=1.0)
    mix, b = (load_file(weights(models_folder() / n / "text_encoder_2")) for n in ("mix", "b"))
    assert all(bool((mix[key] == b[second]).all()) for key in mix.keys() & {shared, second})
