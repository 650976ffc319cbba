"""What a GGUF file's header says of its tensors, and what it may not say."""

from __future__ import annotations

import struct
from importlib.util import find_spec
from pathlib import Path

import pytest

from studio.library import gguf_files
from studio.library.gguf_files import FORMATS, PLAIN, read_gguf
from tests.support.gguf_bytes import SHAPES, gguf, listing, setting, text

LONG = setting("tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 3) + text("a") * 3)


def test_a_header_says_how_each_tensor_lies(tmp_path: Path) -> None:
    """Texts of a tokenizer are passed over; a tensor that ComfyUI cut has its shape back."""
    cut = setting("comfy.gguf.orig_shape.a.weight", 9, struct.pack("<IQ4i", 5, 4, 2, 16, 2, 2))
    file = tmp_path / "a.gguf"
    file.write_bytes(gguf(more=(LONG, cut)))
    header = read_gguf(file)
    assert header.architecture == "flux" and list(header.tensors) == list(SHAPES)
    one, other = header.tensors.values()
    assert (one.format, one.stored, one.shape, one.bytes) == ("Q8_0", (4, 32), (2, 16, 2, 2), 136)
    assert (other.format, other.shape, other.bytes) == ("F32", (3,), 12)
    assert not one.stays_rounded and not other.stays_rounded
    file.write_bytes(gguf())
    assert read_gguf(file).tensors["a.weight"].stays_rounded


@pytest.mark.parametrize(
    ("kind", "form", "axes"),
    [(5, "i", (-4, -32)), (11, "q", (-1, -128)), (6, "f", (4.0, 32.0)), (7, "?", (True, True))],
)
def test_what_is_said_of_a_shape_is_whole_numbers(
    kind: int, form: str, axes: tuple[float, ...], tmp_path: Path
) -> None:
    """Of the right product, too."""
    said = struct.pack(f"<IQ{len(axes)}{form}", kind, len(axes), *axes)
    shape = (1,) if form == "?" else (4, 32)
    data = gguf({"a": shape}, more=(setting("comfy.gguf.orig_shape.a", 9, said),))
    (tmp_path / "a.gguf").write_bytes(data)
    with pytest.raises(ValueError, match=r"its tensor 'a' lies in \(.*\) and is said to be \("):
        read_gguf(tmp_path / "a.gguf")


def test_a_header_without_an_end_is_not_read_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gguf_files, "MAX_HEADER_BYTES", 64)
    (tmp_path / "a.gguf").write_bytes(gguf())
    with pytest.raises(ValueError, match="a header of more than 64 bytes"):
        read_gguf(tmp_path / "a.gguf")


def test_a_whole_tokenizer_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.gguf").write_bytes(gguf(more=(listing(250_000, 8, text("word")),)))
    assert list(read_gguf(tmp_path / "a.gguf").tensors) == list(SHAPES)


@pytest.mark.skipif(find_spec("gguf") is None, reason="gguf is not installed")
def test_the_formats_are_those_of_the_package_that_diffusers_reads() -> None:
    from diffusers.quantizers.gguf.utils import SUPPORTED_GGUF_QUANT_TYPES
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

    found = {GGMLQuantizationType(number): one for number, one in FORMATS.items()}
    assert all((kind.name, *GGML_QUANT_SIZES[kind]) == one for kind, one in found.items())
    assert {kind for kind in found if kind.name not in PLAIN} == set(SUPPORTED_GGUF_QUANT_TYPES)
    names = {
        kind.value: kind.name for kind in GGMLQuantizationType
    }  # of a newer one there are more
    assert all(names.get(n, name) == name for n, name in gguf_files._UNREAD.items())
