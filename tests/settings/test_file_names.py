"""Patterns of file names: what can be one, and names that every disk takes."""

from __future__ import annotations

import re

import pytest

from studio.errors import StudioError
from studio.settings import SETTINGS
from studio.settings.file_names import TOKENS, example, filled, why_not

VALUES = {
    **dict.fromkeys(TOKENS, ""),
    "date": "2026-11-29",
    "time": "18-42-07",
    "seed": "7",
    "prompt": "A <cat>, über: alles?/..\\x",
}


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("", ""),
        ("[date]/[time]-[seed]-[prompt]", "2026-11-29/18-42-07-7-a-cat-uber-alles-x"),
        ("[SEED] of [date]", "7 of 2026-11-29"),
        ("[preset] - [seed]", "7"),  # what is empty leaves nothing around it
        ("a - [preset] - b ([model])", "a - b"),
        ("[model]/[preset]/[seed]", "7"),
        ("[preset]", ""),
        (".hidden/ [seed] .", "hidden/7"),
        ("con", "_con"),
        ("Nul.x/[seed]", "_Nul.x/7"),
    ],
)
def test_a_pattern_becomes_a_name(pattern: str, name: str) -> None:
    assert not why_not(pattern)
    assert filled(pattern, VALUES) == name


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("[seed]-[nobody]", "there is no '[nobody]' for a file's name; there is [date], [time],"),
        ("[]", "there is no '[]' for a file's name"),
        ("[seed", "no file's name holds '[' everywhere"),
        *((f"a{sign}b", "no file's name holds") for sign in '<>:"|?*\\\0\n~ü猫'),
        ("/etc/[seed]", "leads out of the folder of pictures"),
        ("../[seed]", "leads out of the folder of pictures"),
        ("[date]/../../[seed]", "leads out of the folder of pictures"),
        ("[date]//[seed]", "leads out of the folder of pictures"),
        ("[date]/ . /[seed]", "leads out of the folder of pictures"),
        ("a/b/c/d/[seed]", "makes 4 folders within each other; at most 3"),
        ("[date]/", "names a folder and no file"),
        ("_", "nothing is left of '_', since no name begins or ends with it"),
        ("[date]/-", "nothing is left of '-'"),
        ("_/[seed]", "nothing is left of '_'"),
        *((f"[seed]{end}", "ends in '.") for end in (".png", ".PNG ", ".jpeg", ".webp")),
        ("x" * 201, "has 201 characters; at most 200"),
    ],
)
def test_what_can_be_no_name_is_refused(pattern: str, said: str) -> None:
    assert why_not(pattern).startswith(said)
    with pytest.raises(StudioError, match=re.escape(f"file_names: {said}")):
        SETTINGS["file_names"].checked(pattern)


def test_names_are_of_bounded_length_whatever_stands_in_them() -> None:
    long = dict.fromkeys(TOKENS, "word " * 2000)
    pattern = "/".join(["[prompt][prompt][prompt]"] * 4)
    *folders, name = filled(pattern, long).split("/")
    assert len(folders) == 3 and all(0 < len(part) <= 50 for part in folders)
    assert 0 < len(name) <= 100 and not name.endswith("-")
    assert len(filled("x" * 200, VALUES)) == 100
    for folders in range(4):  # with the folder of pictures above it, below the 260 of Windows
        assert 100 <= len(filled("/".join(["[prompt][prompt]"] * (folders + 1)), long)) <= 160


def test_folders_stay_where_nothing_is_left_of_the_name() -> None:
    assert (
        filled("[date]/[prompt]", {**VALUES, "prompt": "苹果"}, "by-time") == "2026-11-29/by-time"
    )
    assert filled("[prompt]/[preset]", {**VALUES, "prompt": "苹果"}, "by-time") == "by-time"
    assert filled("[date]/[seed]", VALUES, "by-time") == "2026-11-29/7"


def test_no_value_can_make_a_folder_or_leave_one() -> None:
    for hostile in ("../../etc/passwd", "/", "..", "C:\\x", "a\0b", "con", ".\u2024/", "\u202e"):
        for token in TOKENS:
            name = filled(f"a-[{token}]", {**VALUES, token: hostile})
            assert re.fullmatch(r"[a-z0-9_-]+", name), name


def test_every_token_has_an_example() -> None:
    for token in TOKENS:
        assert re.fullmatch(r"[a-z0-9-]+\.png", example(f"[{token}]"))
    with pytest.raises(StudioError, match="file_names: must be a text"):
        SETTINGS["file_names"].checked(7)
