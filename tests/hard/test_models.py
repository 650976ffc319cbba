"""Model files and folders that are damaged, odd or hostile: one of them hides no other."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from studio.hard.models import GOOD, KINDS, NETWORK, PIPELINE, mutated
from studio.hard.mutation import json_text, safetensors_file
from studio.library import Library, ModelEntry

WORD = {"<x>": {"dtype": "F32", "shape": [1, 16], "data_offsets": [0, 64]}}


class TooSlow(BaseException):
    """Not an Exception: a guard must not take it for damage."""


@pytest.fixture
def library(studio_home: Path) -> Iterator[Any]:
    """Writes files below the home's models, and looks at them within a minute."""
    before = signal.signal(signal.SIGALRM, lambda *_: (_ for _ in ()).throw(TooSlow))
    (studio_home / "models").mkdir()
    good = studio_home / "models/good.safetensors"
    good.write_bytes(safetensors_file(json_text(GOOD)))

    def look(files: dict[str, bytes]) -> dict[str, ModelEntry]:
        for name, data in files.items():
            path = studio_home / "models" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        signal.alarm(60)
        found = Library((studio_home / "models",))
        entries = {entry.id: entry for entry in [*found.entries(), *found.refused()]}
        signal.alarm(0)
        assert "good" in [entry.id for entry in found.entries()], "it took the others along"
        json.dumps([entry.id + entry.title + entry.problem for entry in entries.values()]).encode()
        return entries

    yield look
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(
    "name, files",
    [
        ("a", {"a.safetensors": safetensors_file(json_text({**WORD, "__metadata__": ["x"]}))}),
        ("a", {"a.safetensors": safetensors_file(b"[" * 200_000)}),
        ("a", {"embeddings/a.safetensors": safetensors_file(b'{"<\\ud800>": {"dtype": "F32", "shape": [1, 16], "data_offsets": [0, 64]}}')}),
        ("a", {"a.safetensors": safetensors_file(json_text({**WORD, "__metadata__": {"ss_tag_frequency": '{"a":{"b":Infinity}}'}}))}),
        ("m", {"m/config.json": json_text({**NETWORK, "in_channels": [4]})}),
        ("m", {"m/config.json": json_text({**NETWORK, "in_channels": "four"})}),
        ("m", {"m/config.json": json_text({**NETWORK, "cross_attention_dim": [768]})}),
        ("m", {"m/model_index.json": json_text(PIPELINE), "m/unet/config.json": json_text({**NETWORK, "sample_size": [64, 64]})}),
        ("m", {"m/model_index.json": json_text(PIPELINE), "m/vae/config.json": json_text({"scaling_factor": "x"})}),
        ("m", {"m/model_index.json": json_text(PIPELINE), "m/vae/config.json": json_text({"block_out_channels": 4})}),
        ("m", {"m/model_index.json": json_text(PIPELINE), "m/vae/config.json": json_text({"block_out_channels": [1] * 9999})}),
        ("m", {"m/model_index.json": json_text({"k" * 300: ["a", "b"]})}),
        ("m", {"m/model_index.json": json_text({"..": ["a", "b"], "/": ["a", "b"]})}),
        ("m", {"m/config.json": b"[" * 200_000}),
        ("a", {"loras/a.safetensors": safetensors_file(json_text(GOOD)), "loras/a.json": b'{"trainedWords": 5}'}),
    ],
)  # fmt: off
def test_odd_files_stay_odd_for_themselves(
    library: Any, name: str, files: dict[str, bytes]
) -> None:
    library(files)


def test_what_is_wrong_is_said(library: Any) -> None:
    entries = library(
        {
            "a.safetensors": safetensors_file(b"[" * 200_000),
            "b.safetensors": (17 * 2**20).to_bytes(8, "little") + b" " * (17 * 2**20),
            "m/config.json": json_text({**NETWORK, "in_channels": "four"}),
            "deep/model_index.json": json_text(PIPELINE),
            "deep/vae/config.json": json_text({"block_out_channels": [1] * 200}),
        }
    )
    assert entries["a"].problem == "is damaged (nested too deeply)"
    assert "a header of 17825792 bytes; at most" in entries["b"].problem
    assert entries["m"].problem.startswith("is damaged (") and "four" in entries["m"].problem
    assert "out of bounds" in entries["deep"].problem
    assert all("\n" not in entry.problem for entry in entries.values())


@pytest.mark.parametrize("name", ["loras/p.safetensors", "m/config.json", "loras/x/card.json"])
def test_a_pipe_is_not_waited_for(library: Any, studio_home: Path, name: str) -> None:
    path = studio_home / "models" / name
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    entries = library({})
    if name.endswith(".safetensors"):
        assert "not a file" in entries["loras/p"].problem


def test_links_that_lead_to_themselves_or_nowhere(library: Any, studio_home: Path) -> None:
    models = studio_home / "models"
    (models / "self.safetensors").symlink_to("self.safetensors")
    (models / "a").symlink_to("b")
    (models / "b").symlink_to("a")
    (models / "round").mkdir()
    (models / "round/back").symlink_to(models)
    entries = library({})
    assert "leads nowhere" in entries["self"].problem
    assert not any(identity.startswith("round/") for identity in entries)


def test_a_name_that_is_no_text_is_named(library: Any, studio_home: Path) -> None:
    folder = os.fsencode(studio_home / "models")
    for name in (b"mod\xe8le.safetensors", b"d\xe8s"):
        os.mkdir(folder + b"/" + name) if name.startswith(b"d") else Path(
            os.fsdecode(folder + b"/" + name)
        ).write_bytes(safetensors_file(json_text(GOOD)))
    entries = library({})
    assert "not UTF-8" in entries["mod\ufffdle"].problem
    assert entries["d\ufffds"].problem


def test_a_spoilt_index_spoils_no_model(library: Any, studio_home: Path) -> None:
    expected = library({"embeddings/a.safetensors": KINDS["words"]["embeddings/a.safetensors"]})
    path = studio_home / "cache/library.json"
    whole = json.loads(path.read_bytes())
    for odd in (
        {"kind": 3},
        {"kind": "lora", "nonsense": 1},
        [],
        "x",
        {"kind": "lora", "size": -1},
    ):
        spoilt = {k: [*v[:2], odd] for k, v in whole["files"].items()}
        path.write_text(json.dumps({**whole, "files": spoilt}))
        assert library({}) == expected
    for content in (b"[" * 200_000, b"\xe8", b"{}", json_text({**whole, "files": 3})):
        path.write_bytes(content)
        assert library({}) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_mutated_models(library: Any, kind: str) -> None:
    """Thirty of each kind, all its files changed; every one is listed, refused by name, or no model."""
    for number in range(30):
        try:
            library(mutated(Random(f"models:{kind}:{number}"), kind))
        except BaseException as error:
            error.add_note(f"kind {kind}, number {number}")
            raise
