"""Which file of a version on civitai.com is fetched, under which name, and which answers are refused."""

# ruff: noqa: F811 - the fixtures are imported

from __future__ import annotations

import json
from typing import Any

import pytest

from studio.errors import MissingModel, StudioError
from studio.library.civitai import look_up
from studio.library.civitai_answers import MOST_JSON_BYTES, TOKEN
from studio.library.civitai_files import choose
from studio.library.download import download
from tests.library.test_civitai import LINK, lora, site  # noqa: F401
from tests.support.model_site import MODEL, VERSION, Site, told

FILE = f"https://civitai.com/api/download/models/{VERSION}"


def about(size: str, fp: str) -> dict[str, str]:
    return {"format": "SafeTensor", "size": size, "fp": fp}


def test_which_file_of_several() -> None:
    full = told("full.safetensors", b"x", primary=False, metadata=about("full", "fp32"))
    pruned = told("pruned.safetensors", b"x", type="Pruned Model")
    vae = told("kl.safetensors", b"x", type="VAE", primary=False)
    files = [None, told("old.ckpt", b"x"), vae, full, pruned]
    for wanted, name in (
        ({}, "pruned"),
        ({"size": "full"}, "full"),
        ({"size": "full", "fp": "fp32", "format": "safetensors"}, "full"),
        ({"type": "VAE"}, "kl"),
        ({"type": "Model"}, "full"),
    ):
        assert choose("x", files, wanted)["name"] == f"{name}.safetensors"
    assert choose("x", [told("a.SAFETENSORS", b"x", type=None, metadata=None)], {"fp": "fp16"})
    assert choose("x", [vae], {}, "VAE") is vae


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"fp": "nf4"}, r"not there \(nf4\)\. It has ink\.safetensors \(model, .*fp16\), kl\.safe"),
        ({"format": "ckpt"}, r"not there \(ckpt\)"),
        ({"type": "Training Data"}, r"not there \(Training Data\)"),
    ],
)
def test_a_file_that_is_not_there_is_refused_and_the_others_named(
    wanted: dict[str, str], said: str
) -> None:
    files = [told("ink.safetensors", b"x"), told("kl.safetensors", b"x", type="VAE")]
    with pytest.raises(MissingModel, match=said):
        choose("x", files, wanted)


def test_what_comes_with_a_pickle_is_not_taken_for_the_model(site: Site) -> None:
    site.info["files"] = [told("m.ckpt", b"x"), told("kl.safetensors", b"x", type="VAE")]
    with pytest.raises(MissingModel, match=r"its model in no .* It has kl\.safetensors \(vae"):
        look_up(LINK, site.url)
    assert look_up(f"{FILE}?type=VAE", site.url).id == "vae/kl"
    site.info["files"] = site.info["files"][:1]
    with pytest.raises(MissingModel, match="pickles are not fetched"):
        look_up(LINK, site.url)


def test_a_second_file_is_asked_for_by_what_it_is(site: Site) -> None:
    full = told("full.safetensors", b"x", primary=False, metadata=about("full", "fp32"))
    site.info["files"].append(full | {"downloadUrl": None})
    model = look_up(f"{FILE}?size=full", site.url)
    assert model.address.endswith("?type=Model&format=SafeTensor&size=full&fp=fp32")


def test_a_version_of_another_model_is_refused(site: Site) -> None:
    with pytest.raises(MissingModel, match=rf"a version of another model \({MODEL}\)"):
        look_up(f"civitai:1@{VERSION}", site.url)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("CON.safetensors", "CON_"),
        ("nul.v2.safetensors", "nul_.v2"),
        ("..safetensors.safetensors", "safetensors"),
        ("???.safetensors", str(VERSION)),
        ("a/../b c.SAFETENSORS", "b_c"),
    ],
)
def test_a_name_is_one_on_every_disk(site: Site, name: str, stem: str) -> None:
    site.info["files"] = [told(name, site.data)]
    assert look_up(LINK, site.url).id == f"loras/{stem}"


def test_a_long_name_in_another_script_is_cut(site: Site) -> None:
    site.info["files"] = [told("墨" * 100 + ".safetensors", site.data)]
    model = look_up(LINK, site.url)
    assert model.id == f"loras/{'墨' * 50}"
    list(download(model))
    assert model.path.is_file()


@pytest.mark.parametrize(
    "change",
    [
        {"modelId": None},
        {"id": "x"},
        {"files": 5},
        {"files": [told("a.safetensors", b"x", downloadUrl="//[x")]},
    ],
)
def test_an_answer_that_is_none_is_no_network(site: Site, change: dict[str, Any]) -> None:
    site.info |= change
    with pytest.raises(MissingModel, match="answered something that cannot be read"):
        look_up(LINK, site.url)


@pytest.mark.parametrize("body", [b"[]", b"<p>", b"[" * 100_000, b'{"a": 1' + b" " * 2**23 + b"}"])
def test_an_answer_of_any_length_is_not_read(site: Site, body: bytes) -> None:
    site.told = body
    with pytest.raises(MissingModel, match="answered something that cannot be read"):
        look_up(LINK, site.url)
    site.told = json.dumps(site.info | {"description": "x" * MOST_JSON_BYTES}).encode()
    with pytest.raises(MissingModel, match="answered something that cannot be read"):
        look_up(LINK, site.url)


def test_a_key_that_is_none_is_said(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN, "schlüssel")
    with pytest.raises(StudioError, match="CIVITAI_TOKEN: holds characters that no key has"):
        look_up(LINK, site.url)


PAGE = "text/html; charset=utf-8"
ACCOUNT, BUSY = "asks for an account: make a key", "is busy; try again later"


@pytest.mark.parametrize(
    ("status", "kind", "key", "said"),
    [
        (401, "text/plain", "", ACCOUNT),
        (403, PAGE, "", ACCOUNT),
        (200, PAGE, "", ACCOUNT),
        (401, "text/plain", "secret", r"does not take this key, or .*early access"),
        (200, PAGE, "secret", r"does not take this key, or .*early access"),
        (429, PAGE, "", BUSY),
        (503, PAGE, "secret", BUSY),
        (404, PAGE, "", r"is not on civitai\.com"),
        (418, PAGE, "", r"127\.0\.0\.1 answered 418"),
    ],
)
def test_a_file_that_is_not_given_is_one_clear_line(
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    kind: str,
    key: str,
    said: str,
) -> None:
    model = look_up(LINK, site.url)
    site.status, site.content_type = status, kind
    monkeypatch.setenv(TOKEN, key)
    with pytest.raises(MissingModel, match=said):
        list(download(model))
    assert not model.path.exists()


@pytest.mark.parametrize(
    ("status", "said"),
    [(403, "answered 403"), (404, "answered 404"), (502, "is busy; try again later")],
)
def test_what_another_host_refuses_is_no_matter_of_an_account(
    site: Site,
    status: int,
    said: str,
) -> None:
    model = look_up(LINK, site.url)
    site.file_status = status
    with pytest.raises(MissingModel, match=said):
        list(download(model))
