"""A hub id out of reach is one quick clear line."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError

from studio.errors import MissingModel, StudioError
from studio.library import Library, hub
from studio.library.download import look_up
from studio.library.hub import TIMEOUT_SECONDS, check_reachable, is_hub_id
from studio.library.missing import named_by
from studio.preset import validate


class Answer:
    """Stands in for the hub: raises or returns, and counts how often it was asked."""

    def __init__(self, error: Exception | None) -> None:
        self.error, self.asked = error, []

    def __call__(self, address: str, **options: Any) -> None:
        self.asked.append((address, options))
        if self.error:
            raise self.error


def refused(kind: type[Exception]) -> Exception:
    error = kind.__new__(kind)
    Exception.__init__(error, "no")
    return error


@pytest.fixture(autouse=True)
def forget() -> None:
    check_reachable.cache_clear()


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ConnectionError("a\nlong\nstory"), "the hub cannot be reached"),
        (TimeoutError(), "the hub cannot be reached"),
        (refused(RepositoryNotFoundError), "the hub has no such model"),
    ],
)
def test_no_answer_is_asked_for_once(
    monkeypatch: pytest.MonkeyPatch, error: Exception, told: str
) -> None:
    hub = Answer(error)
    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", hub)
    with pytest.raises(MissingModel) as caught:
        check_reachable("somebody/some-model")
    assert told in str(caught.value) and "'somebody/some-model'" in str(caught.value)
    assert "\n" not in str(caught.value) and caught.value.field == "base"
    assert [options for _, options in hub.asked] == [{"timeout": TIMEOUT_SECONDS}]
    with pytest.raises(MissingModel):
        check_reachable("somebody/some-model")  # a network that comes back is noticed
    assert len(hub.asked) == 2


@pytest.mark.parametrize("error", [None, refused(EntryNotFoundError)])
def test_a_model_that_is_there_is_asked_for_once(
    monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    hub = Answer(error)
    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", hub)
    for _ in range(3):
        check_reachable("somebody/some-model")
    assert len(hub.asked) == 1 and hub.asked[0][0].endswith("model_index.json")


def test_offline_says_so() -> None:
    with pytest.raises(MissingModel, match="HF_HUB_OFFLINE"):
        check_reachable("somebody/some-model")  # the whole test session is offline


def test_a_row_s_model_is_refused_where_the_row_names_it() -> None:
    rows = [{"prompt": "a cat"}, {"model": "owner/other"}]
    preset = validate({"rows": rows, "base": "owner/base", "vae": "owner/vae"})
    fields = {}
    for name in ("owner/other", "owner/vae", "owner/base", "owner/else"):
        with pytest.raises(MissingModel) as caught, named_by(preset):
            check_reachable(name)
        fields[name] = caught.value.field
        assert caught.value.model == name
    assert fields["owner/other"] == "rows.1.model" and fields["owner/vae"] == "vae"
    assert fields["owner/base"] == fields["owner/else"] == "base"  # the last is named by none


@pytest.mark.parametrize(
    ("name", "may"),
    [
        ("owner/name", True),
        ("stabilityai/sd-turbo", True),
        ("a/b_c.d-e", True),
        ("a/..", False),
        ("A/b.git", False),
        ("../etc", False),
        ("a//b", False),
        ("a/b/c", False),
        ("a--b/c", False),
        ("a/b\u00e9", False),
        ("a/" + "b" * 200, False),
        ("owner", False),
    ],
)
def test_what_can_be_an_id(name: str, may: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The studio's own rule lets nothing through that the hub's library would stumble over."""
    assert is_hub_id(name) is may
    if may:
        huggingface_hub.utils.validate_repo_id(name)
    else:
        monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", Answer(None))
        with pytest.raises(MissingModel, match="hub id"):
            check_reachable(name)
        with pytest.raises(StudioError):
            look_up(name)
        with pytest.raises(MissingModel, match="not in the library"):
            Library(())[name]


def test_a_shared_page_asks_the_hub_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    hub_asked = Answer(None)
    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", hub_asked)
    assert Library(())["owner/name"].id == "owner/name"
    monkeypatch.setattr(hub, "_closed", False)
    hub.close()
    with pytest.raises(MissingModel, match="shared page fetches none"):
        check_reachable("owner/name")
    with pytest.raises(MissingModel, match="not in the library"):
        Library(())["owner/name"]
    assert hub_asked.asked == []


@pytest.mark.parametrize(
    ("given", "silent"), [({}, "True"), ({"HF_HUB_DISABLE_TELEMETRY": "0"}, "False")]
)
def test_the_hub_hears_nothing_of_this_machine_whatever_was_imported_first(
    given: dict[str, str], silent: str
) -> None:
    """Otherwise it asks for the list of agents that it would report, at its first request."""
    asked = "from huggingface_hub import constants; import studio; print(constants.HF_HUB_DISABLE_TELEMETRY)"
    plain = {k: v for k, v in os.environ.items() if k != "HF_HUB_DISABLE_TELEMETRY"}
    said = subprocess.run(
        [sys.executable, "-c", asked],
        env={**plain, **given},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == silent
