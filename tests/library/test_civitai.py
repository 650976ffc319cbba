"""Fetching from civitai.com: a site that answers as it does, on the loopback address."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.__main__ import main
from studio.errors import MissingModel, StudioError
from studio.library import Library, civitai
from studio.library.civitai import look_up
from studio.library.civitai_answers import TOKEN
from studio.library.civitai_links import is_link, meant
from studio.library.download import download
from tests.support import tiny
from tests.support.model_site import MODEL, VERSION, Site, told

LINK = f"https://civitai.com/models/{MODEL}/ink?modelVersionId={VERSION}"


@pytest.fixture(scope="module")
def lora(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("made")
    tiny.lora(folder / "ink", tiny.pipeline(folder / "base").unet)
    return next((folder / "ink").glob("*.safetensors")).read_bytes()


@pytest.fixture
def site(lora: bytes, studio_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.delenv(TOKEN, raising=False)
    served = Site(lora)
    yield served
    served.close()


@pytest.mark.parametrize(
    ("link", "names"),
    [
        (LINK, (str(MODEL), str(VERSION), {})),
        (f"civitai.com/models/{MODEL}", (str(MODEL), "", {})),
        (f"https://civitai.com/models/{MODEL}/a-name/", (str(MODEL), "", {})),
        (
            f"https://civitai.com/api/download/models/{VERSION}?type=Model&size=full&fp=fp16",
            ("", str(VERSION), {"type": "Model", "size": "full", "fp": "fp16"}),
        ),
        (f"urn:air:sdxl:lora:civitai:{MODEL}@{VERSION}", (str(MODEL), str(VERSION), {})),
        (f"civitai:{MODEL}@{VERSION}", (str(MODEL), str(VERSION), {})),
        (
            f"urn:air:sdxl:lora:civitai:{MODEL}@{VERSION}.safetensors",
            (str(MODEL), str(VERSION), {"format": "safetensors"}),
        ),
        (f"air:sdxl:lora:civitai:{MODEL}@{VERSION}:unet", (str(MODEL), str(VERSION), {})),
        (f"https://civitai.com:443/models/{MODEL}", (str(MODEL), "", {})),
    ],
)
def test_what_a_link_names(link: str, names: tuple[str, str, dict[str, str]]) -> None:
    assert is_link(link) and meant(link) == names


@pytest.mark.parametrize("digits", [8, 10, 12, 64])
def test_a_hash_names_the_file_that_has_it(site: Site, digits: int) -> None:
    digest = ("0123456789abcdef" * 4)[:digits]
    other = told("ink-full.safetensors", site.data, id=8, primary=False)
    other["hashes"] = {"AutoV2": digest.upper()}
    site.info["files"].append(other)
    model = civitai.look_up(digest, site.url)
    assert (model.id, model.file) == ("loras/ink-full", 8)


def test_a_hash_of_no_file_or_of_a_pickle_is_refused(site: Site) -> None:
    with pytest.raises(MissingModel, match=r"'0123abcdef' is not on civitai\.com"):
        civitai.look_up("0123abcdef", site.url)
    site.info["files"][0]["hashes"] = {"AutoV2": "FFFFFFFFFF"}
    with pytest.raises(MissingModel, match=r"holds no \.safetensors file"):
        civitai.look_up("ffffffffff", site.url)
    site.info["files"].append(told("ink.vae.safetensors", site.data, type="VAE", primary=False))
    site.info["files"][2]["hashes"] = {"AutoV2": "AAAAAAAAAA"}
    assert civitai.look_up("aaaaaaaaaa", site.url).id == "vae/ink.vae"


@pytest.mark.parametrize(
    "link",
    [
        "https://civitai.com/images/1",
        f"https://civitai.com/models/{MODEL}?modelVersionId=x",
        "https://civitai.com/api/download/models/../../x",
        "https://civitai.com",
        "https://civitai.com//[x",
        "https://civitai.com/models/٨٢٧١٨٤",
    ],
)
def test_a_link_of_something_else_is_refused(link: str) -> None:
    assert is_link(link)
    with pytest.raises(StudioError, match="is no model's link"):
        look_up(link)
    assert not is_link("owner/name") and not is_link("https://civitai.com.example/models/1")


def test_a_lora_comes_with_its_words_and_once(site: Site, lora: bytes, studio_home: Path) -> None:
    model = look_up(LINK, site.url)
    assert (model.id, model.bytes) == ("loras/ink_style", len(lora))
    assert model.terms == f"its terms stand on civitai.com/models/{MODEL}"
    assert not site.asked  # nothing is fetched to tell of it
    seen = list(download(model))
    assert (seen[-1].done, seen[-1].whole) == (len(lora), True)
    home = studio_home / "models" / "loras"
    assert (home / "ink_style.safetensors").read_bytes() == lora
    assert json.loads((home / "ink_style.civitai.info").read_text())["id"] == VERSION
    entry = Library((studio_home / "models",))["loras/ink_style"]
    assert (entry.kind, entry.trigger) == ("lora", "inkstyle")
    before = len(site.asked)
    list(download(look_up(f"civitai:{MODEL}", site.url)))  # of which that is the newest version
    assert len(site.asked) == before
    assert sorted(one.name for one in home.iterdir()) == [
        "ink_style.civitai.info",
        "ink_style.safetensors",
    ]


def test_after_a_break_it_goes_on_behind_what_has_come(
    site: Site, lora: bytes, studio_home: Path
) -> None:
    model = look_up(LINK, site.url)
    site.broken = True
    with pytest.raises(MissingModel, match="goes on behind what has come"):
        list(download(model))
    assert not model.path.exists() and not Library((studio_home / "models",)).refused()
    list(download(model))
    assert model.path.read_bytes() == lora
    assert site.asked[-1][2] == f"bytes={len(lora) // 2}-"


def test_what_had_come_whole_is_taken(site: Site, lora: bytes) -> None:
    model = look_up(LINK, site.url)
    model.path.parent.mkdir(parents=True)
    model.part.write_bytes(lora)
    list(download(model))
    assert model.path.read_bytes() == lora and len(site.asked) == 2  # the site, and the file's host


def test_another_file_than_the_site_says_is_removed(site: Site, lora: bytes) -> None:
    model = look_up(LINK, site.url)
    site.data = lora[:-1] + b"?"
    with pytest.raises(MissingModel, match="another hash than the site says"):
        list(download(model))
    assert not list(model.path.parent.iterdir())


def test_another_model_of_the_name_stays(site: Site, lora: bytes, studio_home: Path) -> None:
    own = studio_home / "models" / "loras" / "ink_style.safetensors"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"mine")
    model = look_up(LINK, site.url)
    list(download(model))
    assert own.read_bytes() == b"mine"
    assert model.id == f"loras/ink_style-{VERSION}" and model.path.read_bytes() == lora


def test_the_key_stays_with_the_site(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN, "secret")
    list(download(look_up(LINK, site.url)))
    given = {path.split("?")[0]: key for path, key, _ in site.asked}
    assert given == {f"/api/download/models/{VERSION}": "Bearer secret", "/file": ""}


def test_the_page_and_the_command_line_fetch_by_a_link(
    site: Site, lora: bytes, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("gradio")
    from studio.ui.library import fetch

    terms = "its terms stand on civitai.com/models/827184"
    assert f"loras/ink_style: {terms}, 1 file" in fetch.looked_up(f" {LINK} ", site.url)
    *_, (bar, arrived) = fetch.fetched(LINK, site.url)
    assert arrived and "loras/ink_style is in the library" in bar
    assert terms in bar
    monkeypatch.setattr(civitai, "ENDPOINT", site.url)
    assert main(["download", LINK]) == 0
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert (told["id"], told["kind"]) == ("loras/ink_style", "lora")
    assert terms in err and "licence" not in err
    assert main(["download", "--dry-run", LINK]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["terms"] == "https://civitai.com/models/827184" and "license" not in told


def test_what_there_is_not_is_one_clear_line(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingModel, match=r"is not on civitai\.com"):
        look_up("civitai:5", site.url)
    with pytest.raises(MissingModel, match="cannot be reached"):
        look_up(LINK, "http://127.0.0.1:9")
    monkeypatch.setattr("studio.library.civitai.is_closed", lambda: True)
    with pytest.raises(MissingModel, match="a shared page fetches none"):
        look_up(LINK, site.url)
