"""Bases whose network lies in a GGUF file: listed as such, or with the reason why they cannot be used."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path

import pytest

from studio.errors import IncompatibleModels
from studio.library import Library
from studio.library import quantised as known
from studio.library.model_files import files_of
from studio.plan import compile_plan
from studio.preset import validate
from studio.workers.models import identity
from tests.support.gguf_bytes import gguf, listing, setting, text

FLUX = {"_class_name": "FluxTransformer2DModel", "in_channels": 64}
IQ1_S = 19


def base(root: Path, files: Mapping[str, bytes], config: Mapping[str, object] = FLUX) -> Path:
    """A pipeline of FLUX.1 with ``files`` in its network's folder."""
    part = root / "few/transformer"
    part.mkdir(parents=True)
    parts = {part: ["diffusers", "It"] for part in ("transformer", "text_encoder_2")}
    (root / "few/model_index.json").write_text(json.dumps({"_class_name": "FluxPipeline", **parts}))
    if config:
        (part / "config.json").write_text(json.dumps(config))
    for name, data in files.items():
        (part / name).write_bytes(data)
    return part


@pytest.fixture(autouse=True)
def package(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is there, on a machine without it too."""
    monkeypatch.setattr(known, "find_spec", lambda name: True)


@pytest.mark.parametrize("name", ["flux-Q8_0.gguf", "FLUX.GGUF"])
@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("architecture", ["flux", "", "pig"])
def test_a_folder_with_a_config_and_one_file_is_a_base(
    architecture: str, version: int, name: str, tmp_path: Path
) -> None:
    data = gguf(architecture=architecture, version=version)
    part = base(tmp_path, {name: data, "readme.md": b""})
    (entry,) = Library((tmp_path,)).entries()
    assert (entry.id, entry.kind, entry.family, entry.quantised) == ("few", "base", "flux", "gguf")
    assert entry.bytes == len(data) and not entry.problem
    top = tmp_path / "few"
    assert set(files_of(top)) == {top / "model_index.json", part / "config.json", part / name}


@pytest.mark.parametrize("far", [True, False])
def test_another_file_in_capitals_is_another_model(far: bool, tmp_path: Path) -> None:
    part = base(tmp_path, {"FLUX.GGUF": gguf()})
    (entry,) = Library((tmp_path,)).entries()
    before = identity(entry, far)
    (part / "FLUX.GGUF").write_bytes(gguf() + b"x")
    assert identity(entry, far) != before


def test_flux_2_is_known_though_converters_call_it_flux(tmp_path: Path) -> None:
    config = {"_class_name": "Flux2Transformer2DModel", "guidance_embeds": False}
    base(tmp_path, {"a.gguf": gguf()}, {**config, "in_channels": 128})
    index = tmp_path / "few/model_index.json"
    index.write_text(index.read_text().replace("FluxPipeline", "Flux2KleinPipeline"))
    (entry,) = Library((tmp_path,)).entries()
    assert (entry.family, entry.quantised) == ("flux2", "gguf")


def test_a_lone_network_is_a_row(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net/config.json").write_text(json.dumps(FLUX))
    (tmp_path / "net/a.gguf").write_bytes(gguf())
    (entry,) = Library((tmp_path,)).entries()
    assert (entry.id, entry.kind, entry.quantised) == ("net", "finetune", "gguf")


OF = "has a file that cannot be used in transformer, a.gguf: is damaged "
REFUSED: dict[str, tuple[dict[str, bytes], str]] = {
    "two files": (
        {"a.gguf": gguf(), "b.gguf": gguf()},
        "has several files of weights in transformer, a.gguf and b.gguf; keep one of them",
    ),
    "both kinds": (
        {"a.gguf": gguf(), "model.safetensors": b"x"},
        "has several files of weights in transformer, a.gguf and model.safetensors; keep one of them",
    ),
    "something else": ({"a.gguf": b"PK\3\4" + bytes(99)}, f"{OF}(no GGUF header)"),
    "nothing": ({"a.gguf": b""}, f"{OF}(its header ends in the middle: a truncated download)"),
    "half a header": (
        {"a.gguf": gguf()[:60]},
        f"{OF}(its header ends in the middle: a truncated download)",
    ),
    "half its weights": (
        {"a.gguf": gguf()[:-40]},
        f"{OF}(holds {len(gguf()) - 40} of 332 bytes: a truncated download)",
    ),
    "another byte order": (
        {"a.gguf": gguf(version=3 << 24)},
        f"{OF}(a GGUF file of version 50331648; 2 and 3 of this byte order are read)",
    ),
    "no whole blocks": (
        {"a.gguf": gguf({"a.weight": (4, 30)})},
        f"{OF}(its tensor 'a.weight' of Q8_0 has the shape (4, 30))",
    ),
    "many tensors": (
        {"a.gguf": b"GGUF" + struct.pack("<IQQ", 3, 2**40, 0)},
        f"{OF}(a header of 1099511627776 tensors; at most 100000 are read)",
    ),
    "an endless text": (
        {"a.gguf": b"GGUF" + struct.pack("<IQQQ", 3, 1, 1, 2**60)},
        f"{OF}(its header ends in the middle: a truncated download)",
    ),
    "lists in lists": (
        {"a.gguf": gguf(more=(setting("x", 9, struct.pack("<IQ", 9, 1)),))},
        f"{OF}(a setting of the unknown kind 9)",
    ),
    "a setting of no kind": (
        {"a.gguf": gguf(more=(setting("x", 77, b""),))},
        f"{OF}(a setting of the unknown kind 77)",
    ),
    "a format that diffusers lacks": (
        {"a.gguf": gguf(form=IQ1_S)},
        "has weights rounded as IQ1_S in a.gguf; those that are read: F32, F16, Q4_0, Q4_1, Q5_0, "
        "Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_NL, IQ4_XS, BF16",
    ),
    "another family": (
        {"a.gguf": gguf(architecture="sdxl")},
        "has the network of another family in transformer: a.gguf says 'sdxl', its config.json is of "
        "FLUX.1",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_used_says_why(case: str, tmp_path: Path) -> None:
    files, why = REFUSED[case]
    base(tmp_path, files)
    library = Library((tmp_path,))
    (entry,) = library.refused()
    assert entry.problem == why and entry.quantised == "gguf"
    with pytest.raises(IncompatibleModels) as caught:
        compile_plan(validate({"base": "few"}), library)
    assert why in str(caught.value) and caught.value.field == "base"


def test_without_a_config_nothing_else_is_said(tmp_path: Path) -> None:
    base(tmp_path, {"a.gguf": gguf()}, {})
    (entry,) = Library((tmp_path,)).refused()
    assert entry.problem == (
        "has a.gguf in transformer and no config.json beside it; put the base's there"
    )


def test_a_config_of_other_rounded_weights_is_not_its_own(tmp_path: Path) -> None:
    of = {**FLUX, "quantization_config": {"quant_method": "bitsandbytes"}}
    base(tmp_path, {"a.gguf": gguf()}, of)
    (entry,) = Library((tmp_path,)).refused()
    assert "has quantised weights (bitsandbytes)" in entry.problem


def test_a_text_encoder_must_be_plain(tmp_path: Path) -> None:
    """Beside plain weights, a file that lies there is left alone."""
    base(tmp_path, {"a.gguf": gguf()})
    (tmp_path / "few/text_encoder_2").mkdir()
    (tmp_path / "few/text_encoder_2/t5.gguf").write_bytes(gguf())
    (entry,) = Library((tmp_path,)).refused()
    assert "has quantised weights (gguf)" in entry.problem
    (tmp_path / "few/text_encoder_2/model.safetensors").write_bytes(b"x")
    assert not Library((tmp_path,)).refused()


def test_without_the_package_the_line_names_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base(tmp_path, {"a.gguf": gguf()})
    monkeypatch.setattr(known, "find_spec", lambda name: None)
    (entry,) = Library((tmp_path,)).refused()
    assert entry.problem == (
        "has weights rounded by gguf, which needs a package: pip install -r requirements-quantised.txt"
    )


MOST = 300_000 - 1  # beside what the file calls its network
MANY = {
    "numbers": (listing(MOST, 0, b"1"),),
    "texts": (listing(MOST, 8, text("a")),),
    "settings": tuple(setting(f"{at}", 0, b"1") for at in range(MOST + 1)),
    "both": (listing(MOST // 2, 5, bytes(4)), listing(MOST // 2, 8, text(""), "y")),
}


@pytest.mark.parametrize("case", MANY)
def test_what_costs_the_package_minutes_and_gigabytes_is_refused(case: str, tmp_path: Path) -> None:
    """It makes an object of each setting and of each element of a list, whatever is asked of it."""
    base(tmp_path, {"a.gguf": gguf(more=MANY[case])})
    (entry,) = Library((tmp_path,)).refused()
    assert entry.problem == f"{OF}(a header of more than 300000 settings and list elements)"
