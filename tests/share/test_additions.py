"""LoRAs, weights and embeddings of other tools' images, carried over where the library has them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from studio import share
from studio.library import Library, ModelEntry
from studio.plan import compile_plan
from studio.preset import Preset
from studio.share.model_names import Shelf
from studio.share.tools import prompts
from studio.share.tools.prompts import Lora, read_prompt
from tests.share.test_foreign import comfy_graph, png
from tests.support import tiny

FIELD = "rows.0.prompt"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """A base ``v1.5-tiny``, LoRAs ``ink`` and ``xl``, embeddings ``shiny`` and ``dull`` (``<dull>``)."""
    folder = tmp_path_factory.mktemp("models")
    pipe = tiny.pipeline(folder / "checkpoints/v1.5-tiny")
    (folder / "loras").mkdir()
    (folder / "embeddings").mkdir()
    tiny.lora(folder / "styles/ink", pipe.unet)
    layer = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k.lora_down.weight"
    save_file({layer: torch.ones(1, 2048)}, folder / "loras/xl.safetensors")
    save_file({"emb_params": torch.ones(1, 768)}, folder / "embeddings/shiny.safetensors")
    save_file({"<dull>": torch.ones(1, 768)}, folder / "embeddings/dull.safetensors")
    pipe = tiny.pipeline(folder / "ink")  # a base of the LoRA's name
    return Library((folder,))


def a1111(prompt: str, negative: str = "", more: str = "") -> str:
    return (
        f"{prompt}\nNegative prompt: {negative}\nSteps: 20, Sampler: Euler, CFG scale: 5, Seed: 1, "
        f"Size: 32x32, Model: v1.5-tiny{more}"
    )


def read(path: Path, library: Any, **chunks: str) -> tuple[Preset, str]:
    preset, notes = share.read_image(png(path / "theirs.png", **chunks), library)
    return preset, "\n".join(notes)


def test_a1111_s_lora_is_on_both_rows_and_the_plan_compiles(
    library: Library, tmp_path: Path
) -> None:
    prompt = "a (cat:1.2), <lora:ink:0.8> <lyco:Styles/INK:-0.5:0.25>"
    preset, notes = read(tmp_path, library, parameters=a1111(prompt, "dark"))
    model = {
        "lora": "styles/ink",
        "strength": 0.8,
        "loras": ({"lora": "styles/ink", "strength": 0.25, "text_strength": -0.5},),
    }
    assert preset.base == "checkpoints/v1.5-tiny"
    assert [row.model.model_dump(exclude_defaults=True) for row in preset.rows] == [model, model]  # type: ignore[union-attr]
    assert [row.prompt for row in preset.rows] == ["a (cat:1.2)", "dark"]
    assert "on the text" not in notes and preset.description == ""
    passes = {
        str(item.weights): item.coefficients[0] for item in compile_plan(preset, library).passes
    }
    assert len(passes) == 1  # their CFG: ε_{θ+Δ}(neg) + w·(ε_{θ+Δ}(pos) − ε_{θ+Δ}(neg))
    alone, _ = read(tmp_path, library, parameters=a1111(prompt))
    found = [
        (str(item.weights), item.condition.prompt) for item in compile_plan(alone, library).passes
    ]
    assert {prompt for _, prompt in found} == {"", "a (cat:1.2)"}
    assert len({weights for weights, _ in found}) == 1 and "styles/ink" in found[0][0]


def test_ids_alone_are_enough_for_names(tmp_path: Path) -> None:
    text = a1111("a <lora:fluffy:19> cat", more=', TI hashes: "soft: ab12, lost: cd34"')
    preset, notes = read(tmp_path, ["v1.5-tiny", "loras/fluffy", "x/soft"], parameters=text)
    assert preset.rows[0].model.adapters() == [("loras/fluffy", 10.0)]  # type: ignore[union-attr]
    assert "'fluffy' at 19 became 10" in notes
    preset, notes = read(tmp_path, ["x/soft"], parameters=text.replace("a <", "a soft, lost <"))
    assert preset.rows[0].model.embeddings == ("x/soft",)  # type: ignore[union-attr]
    assert "the embedding 'lost' is not in the library" in notes
    assert preset.description == "Not in this library: <lora:fluffy:19>, embedding:lost"
    assert preset.rows[0].prompt == "a soft, lost cat"


def test_a1111_s_embeddings_are_words_of_their_row(library: Library, tmp_path: Path) -> None:
    preset, notes = read(tmp_path, library, parameters=a1111("a Shiny cat", "(dull:1.3), x"))
    first, second = (row.model for row in preset.rows)
    assert first.embeddings == ("embeddings/shiny",)  # type: ignore[union-attr]
    assert second.embeddings == ("embeddings/dull",)  # type: ignore[union-attr]
    assert [row.prompt for row in preset.rows] == ["a Shiny cat", "(<dull>:1.3), x"]
    assert "the word 'dull' is the embedding 'embeddings/dull'" in notes
    words = [item.condition.words for item in compile_plan(preset, library).passes]
    assert set(words) == {("embeddings/shiny",), ("embeddings/dull",)}


def test_a_lora_of_another_family_stays_behind(library: Library, tmp_path: Path) -> None:
    preset, notes = read(tmp_path, library, parameters=a1111("a cat <lora:xl:1>"))
    assert "'loras/xl' is for Stable Diffusion XL" in notes
    assert preset.rows[0].model is None and "<lora:xl:1>" in preset.description
    compile_plan(preset, library)


def test_tags_without_effect_are_named(library: Library, tmp_path: Path) -> None:
    text = a1111("a <hypernet:dark:1> cat <lora:ink:much>", "x <lora:ink:1>")
    preset, notes = read(tmp_path, library, parameters=text)
    for words in ("hypernetwork 'dark'", "'much' of 'ink' is not read", "no effect in a negative"):
        assert words in notes
    assert preset.rows[1].prompt == "x"


def test_comfyui_s_loras_along_the_links(library: Library, tmp_path: Path) -> None:
    prompt, workflow = comfy_graph()
    prompt["10"]["inputs"] |= {"strength_model": 0.6, "strength_clip": 0.6, "model": ["11", 0]}
    prompt["11"] = {
        "class_type": "Power Lora Loader",
        "inputs": {
            "lora_1": {"on": True, "lora": "sub\\ink.safetensors", "strength": 0.3},
            "lora_2": {"on": False, "lora": "off.safetensors", "strength": 1},
            "model": ["4", 0],
        },
    }
    prompt["12"] = {"class_type": "LoraLoader", "inputs": {"lora_name": "unlinked.safetensors"}}
    prompt["7"]["inputs"]["text"] = "dark [x], (embedding:dull.pt:1.2)"
    chunks = {"prompt": json.dumps(prompt), "workflow": json.dumps(workflow)}
    preset, notes = read(tmp_path, library, **chunks)
    for row in preset.rows:
        assert row.model.adapters() == [("styles/ink", 0.6), ("styles/ink", 0.3)]  # type: ignore[union-attr]
    assert (preset.omega, preset.rows[1].prompt) == (1.0, r"dark \[x\], (<dull>:1.2)")
    assert preset.rows[1].model.embeddings == ("embeddings/dull",)  # type: ignore[union-attr]
    assert preset.rows[0].prompt == "a (cat:1.1) shiny"
    assert "off" not in preset.description
    # A loader that the sampler does not reach is named, as any other addition is.
    assert "LoraLoader is not carried over" in notes and "Power" not in notes


@pytest.mark.parametrize(
    "loras",
    [
        [{"lora": {"model_name": "ink"}, "weight": 0.7}],
        [{"model": {"name": "ink", "key": "1"}, "weight": 0.7}],
    ],
)
def test_invokeai_s_loras(loras: list, library: Library, tmp_path: Path) -> None:
    metadata = {
        "positive_prompt": "a cat",
        "seed": 4,
        "steps": 5,
        "cfg_scale": 4,
        "scheduler": "euler",
        "model": {"model_name": "v1.5-tiny"},
        "loras": loras,
    }
    preset, notes = read(tmp_path, library, invokeai_metadata=json.dumps(metadata))
    assert preset.rows[0].model.adapters() == [("styles/ink", 0.7)]  # type: ignore[union-attr]
    assert "lora" not in notes.lower()


@pytest.mark.parametrize(
    "given",
    [{"loras": [["ink.safetensors", 0.4, "ab"]]}, {"lora_combined_1": "ink.safetensors : 0.4"}],
)
def test_fooocus_s_loras(given: dict, library: Library, tmp_path: Path) -> None:
    parameters = {
        "prompt": "a cat",
        "negative_prompt": "",
        "base_model": "v1.5-tiny",
        "base_model_hash": "x",
        "sampler": "euler",
        "scheduler": "karras",
        "guidance_scale": 4,
        "seed": "7",
        "steps": 9,
        "sharpness": 2,
        **given,
    }
    preset, notes = read(tmp_path, library, parameters=json.dumps(parameters))
    assert preset.rows[0].model.adapters() == [("styles/ink", 0.4)]  # type: ignore[union-attr]
    assert "lora" not in notes.lower()


@pytest.mark.parametrize(
    ("tool", "text", "expected"),
    [
        ("AUTOMATIC1111", r"a (b:1.2) [c] \(d\) e AND f :0.5", r"a (b:1.2) [c] \(d\) e AND f :0.5"),
        ("AUTOMATIC1111", "a [(b:1.1) [c]] BREAK [d|e]", "a [(b:1.1) [c]] BREAK [d|e]"),
        ("AUTOMATIC1111", "a {b|c} __d__", r"a \{b|c\} \__d__"),
        ("ComfyUI", "a BREAK [b|c] {d}", r"a break \[b|c\] \{d\}"),
        ("ComfyUI", "a (b:1.2) [c]", r"a (b:1.2) \[c\]"),
        (
            "InvokeAI",
            "a cat++ (red (hat)1.5)- (plain) x-ray",
            r"a (cat:1.21) (red (hat:1.5):0.9) \(plain\) x-ray",
        ),
        ("InvokeAI", "<neg> (a", r"embedding:neg \(a"),
        ("NovelAI", "{{a}} [b] (c)", r"((a:1.05):1.05) (b:0.9524) \(c\)"),
    ],
)
def test_each_tool_s_weights_in_the_studio_s_words(tool: str, text: str, expected: str) -> None:
    assert read_prompt(text, tool, FIELD, []) == (expected, [])


def test_weights_mean_here_what_they_meant_there() -> None:
    from studio.preset.prompts import weighted_spans

    text, _ = read_prompt("a {{cat}} [dog]", "NovelAI", FIELD, [])
    assert [(t.strip(), round(w, 4)) for t, w in weighted_spans(text)] == [
        ("a", 1),
        ("cat", 1.1025),
        ("", 1),
        ("dog", 0.9524),
    ]
    text, _ = read_prompt("(big cat)++ dog--", "InvokeAI", FIELD, [])
    assert [(t.strip(), round(w, 4)) for t, w in weighted_spans(text)] == [
        ("big cat", 1.21),
        ("", 1),
        ("dog", 0.81),
    ]


MEGABYTE = 2**20
HOSTILE = {
    "blanks": "a" + " " * MEGABYTE + "b",
    "blanks before BREA": "a" + " " * MEGABYTE + "BREA",
    "hyphens": "a-" * (MEGABYTE // 2) + "!",
    "apostrophes": "'" * MEGABYTE,
    "signs": "a++" * (MEGABYTE // 3),
    "commas": " ," * (MEGABYTE // 2) + "x",
    "tags": "<lora:" * (MEGABYTE // 6),
    "square": "[" * MEGABYTE,
    "round": "(" * MEGABYTE,
    "curly": "{" * MEGABYTE,
    "closed": "[" * (MEGABYTE // 2) + "]" * (MEGABYTE // 2),
    "colons": "[" + ":" * MEGABYTE + "]",
    "embeddings": "embedding:" * (MEGABYTE // 10),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("tool", ["AUTOMATIC1111", "ComfyUI", "InvokeAI", "NovelAI"])
@pytest.mark.parametrize("cut", [False, True])
def test_hostile_prompts_are_read_in_time(
    tool: str, text: str, cut: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not cut:  # the patterns alone, without the cut that comes before them
        monkeypatch.setattr(prompts, "MAX_READ", 4 * MEGABYTE)
    start = time.process_time()
    notes: list[str] = []
    assert len(read_prompt(text, tool, FIELD, notes)[0]) <= 4000
    assert time.process_time() - start < (1 if cut else 15)  # a hundredth, and a fourth, of it
    assert not cut or "only the first 40000 of" in notes[0]


def test_versions_in_names_are_not_suffixes() -> None:
    shelf = Shelf(["sd/v1.4-pruned", "sd/v1.5-pruned", "Deep/v1.5-pruned.fp16"])
    assert shelf.find("v1.5-pruned", ("base",)) == "sd/v1.5-pruned"
    assert shelf.find("v1.5-pruned.fp16.safetensors", ("base",)) == "Deep/v1.5-pruned.fp16"
    assert shelf.find("v1.6-pruned", ("base",)) is None


def test_a_kind_decides_between_models_of_one_name() -> None:
    def entry(identity: str, kind: str, problem: str = "") -> ModelEntry:
        return ModelEntry(id=identity, kind=kind, family="sd1", bytes=0, path="", problem=problem)

    entries = [entry("a/ink", "base"), entry("b/ink", "lora", "is damaged"), entry("c/ink", "lora")]
    shelf = Shelf({one.id: one for one in entries})
    assert shelf.find("INK.safetensors", ("lora",)) == "c/ink"
    assert shelf.find("ink", ("base",)) == "a/ink"
    assert str(Lora("ink", 0.5)) == "<lora:ink:0.5>"
