"""Lists of tags, whatever wrote them."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.preset.tag_lists import Listed, tags_in

MIKU = Listed("hatsune_miku", 117000, ("miku", "mikku"))
HAT = Listed("hat", 10)


def read(tmp_path: Path, data: str | bytes, name: str = "a.csv") -> tuple[list[Listed], list[str]]:
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    problems: list[str] = []
    return list(tags_in(path, 10_000, problems)), problems


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("divider", [",", ";", "\t"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("heading", ["", "name,category,post_count,aliases\n"])
def test_tables_of_other_tools_are_read(
    tmp_path: Path, encoding: str, divider: str, ends: str, heading: str
) -> None:
    lines = heading + 'hatsune_miku,4,117000,OTHERS\n\nhat,0,10,\n"_",0,9\nred_hat\n'
    text = lines.replace(",", divider).replace("OTHERS", '"miku,mikku"').replace("\n", ends)
    tags, problems = read(tmp_path, text.encode(encoding))
    assert tags == [MIKU, HAT, Listed("_", 9), Listed("red_hat", 0)] and problems == []


def test_what_is_no_utf_8_is_said_and_one_damaged_byte_is_not_of_all(tmp_path: Path) -> None:
    tags, problems = read(tmp_path, "café,0,5\n".encode("cp1252"))
    assert tags == [Listed("café", 5)] and "Windows-1252" in problems[0]
    tags, problems = read(tmp_path, "帽子,0,5\nrot\n".encode() + b"h\xfct,0,1\n")
    assert tags == [Listed("帽子", 5), Listed("rot", 0)]
    assert problems == ["tags 'a.csv': names that are too long or no text are left out: 1"]


def test_an_odd_quote_takes_in_no_further_line(tmp_path: Path) -> None:
    text = 'hat,0,10\n"o,0,9\nx"y,0,"8\nred_hat,0,7,"cap,bonnet\ntop_hat,0,6,"a ""b"""\n'
    tags, problems = read(tmp_path, text)
    assert [tag.name for tag in tags] == ["hat", '"o', 'x"y', "red_hat", "top_hat"]
    assert tags[3].aliases == ("cap", "bonnet") and tags[4].aliases == ('a "b"',)
    assert problems == []


def test_a_list_without_numbers_has_no_heading(tmp_path: Path) -> None:
    assert [tag.name for tag in read(tmp_path, "name\nhat\n;)\n")[0]] == ["name", "hat", ";)"]
    assert [tag.name for tag in read(tmp_path, "hat,general\ncap,general\n")[0]] == ["hat", "cap"]
    assert read(tmp_path, "") == ([], [])


def test_lines_are_tags_and_remarks_are_none(tmp_path: Path) -> None:
    tags, _ = read(tmp_path, "# mine\n#compass\n\n red hat \n\ufeffcap\n", "a.txt")
    assert [tag.name for tag in tags] == ["#compass", "red hat", "cap"]


@pytest.mark.parametrize("sign", ["\0", "\x1b", "\x85", "\u2028", "\u202e", "\ufffd"])
def test_signs_that_are_no_text_are_left_out(tmp_path: Path, sign: str) -> None:
    tags, problems = read(tmp_path, f'a{sign}b,0,5\nhat,0,10,"x{sign}y,cap"\n')
    assert tags == [Listed("hat", 10, ("cap",))] and problems[0].endswith(": 1")
