"""A style's ``<lora:…>`` tags: adapters of the rows as the web UI's would act, or a note."""

from __future__ import annotations

from typing import Any

import pytest

from studio.errors import BadPreset
from studio.library import ModelEntry
from studio.preset import ModelRef, Preset, validate
from studio.preset.rows import Row
from studio.preset.styles import Style
from studio.share.styled import styled
from studio.share.unstyled import left_of, unstyled


def library() -> dict[str, ModelEntry]:
    kinds = {"ink": "lora", "old": "lora", "base": "base", "con": "concept", "word": "embedding"}
    return {name: ModelEntry(name, kind, "sd", 1, "") for name, kind in kinds.items()}


def preset(*rows: dict[str, Any], **more: Any) -> Preset:
    return validate({"base": "base", "rows": list(rows), **more})


def models(found: Preset) -> list[Any]:
    return [
        row.model
        and (
            row.model.model_dump(exclude_defaults=True)
            if isinstance(row.model, ModelRef)
            else row.model
        )
        for row in found.rows
    ]


CAT, BAD = {"prompt": "a cat", "weight": 7.0}, {"prompt": "bad", "weight": -6.0}


def test_a_tag_is_an_adapter_of_the_whole_sum() -> None:
    style = Style("Ink", "{prompt}, in ink, <lora:ink:0.5>", "photo <lora:old:1>")
    found, notes = styled(preset(CAT, BAD, {"prompt": "x", "model": "con"}), style, library())
    assert [row.prompt for row in found.rows] == ["a cat, in ink", "bad, photo", "x, in ink"]
    assert models(found) == [{"lora": "ink", "strength": 0.5}] * 2 + ["con"]
    assert found.omega == 1.0
    assert [note.split(":")[0] for note in notes] == ["style 'Ink'", "style 'Ink'", "omega"]
    assert "<lora:old:1> has no effect in a negative prompt" in notes[0]
    assert "'con' is a concept network" in notes[1]


def test_a_row_keeps_what_it_has() -> None:
    style = Style("Two", "<lora:ink:0.5:0.25><lora:old:2>")
    mine = {"lora": "old", "strength": 0.3}
    found, notes = styled(preset({**CAT, "model": mine}, omega=0.5), style, library())
    ink = {"lora": "ink", "strength": 0.25, "text_strength": 0.5}
    assert models(found) == [{**mine, "loras": ({"lora": "ink", **ink},)}]
    assert found.omega == 0.5 and found.rows[0].prompt == "a cat"
    assert notes == ["style 'Two': the row has 'old' already, which stays as it is"]
    for plain, more in (
        ("old", {"loras": ({"lora": "ink"},), "lora": "old"}),
        ("word", {"lora": "ink", "embeddings": ("word",)}),
    ):
        found, _ = styled(preset({**CAT, "model": plain}), Style("x", "<lora:ink:1>"), library())
        assert models(found) == [more]


def test_what_is_not_here_is_named_and_a_choice_stays_one() -> None:
    style = Style("New", "{red|blue} <lora:none:0.8> <hypernet:h:1>")
    found, notes = styled(preset(CAT), style, library())
    assert found.rows[0].prompt == "a cat, {red|blue}" and models(found) == [None]
    assert found.omega == 0.0
    assert notes == [
        "style 'New': the hypernetwork 'h' is left out",
        "style 'New': the LoRA 'none' at 0.8 is not in the library; the style keeps its name",
    ]


def test_a_style_s_own_row_has_its_own_tags() -> None:
    style = Style("Row", rows=(Row(prompt="blue <lora:ink:1>", weight=2.0),))
    found, _ = styled(preset(CAT), style, library())
    assert [row.prompt for row in found.rows] == ["a cat", "blue"]
    assert models(found) == [None, {"lora": "ink"}] and found.omega == 0.0


TEXTS = (
    Style("Film", "film grain, soft", "cartoon"),
    Style("Still", "still of {prompt}, grain"),
    Style("Mine", "", "blurry"),
)


@pytest.mark.parametrize(
    "style",
    [
        *TEXTS,
        Style("Rows", "", "", (Row(prompt="fog", weight=0.5),)),
        Style("Fur", "red <lora:fur:0.5>"),
    ],
)
def test_a_style_that_is_in_it_already_is_not_added_again(style: Style) -> None:
    rows = [{"prompt": "a red fox", "weight": 3.0}, {"prompt": "a dog", "weight": -2.0}]
    once, _ = styled(validate({"rows": rows}), style, ["fur"])
    assert once.rows != validate({"rows": rows}).rows
    both, _ = styled(once, Style("Other", "on a hill", "fence"), ["fur"])
    # Another style's text goes into a row that a style has added too; that row is another then.
    for preset in (once, both) if not style.rows else (once,):
        again, notes = styled(preset, style, ["fur"])
        assert again == preset
        assert notes[0] == f"style '{style.name}': is in the rows already, and is not added again"
        kept = [f"style '{style.name}': the row has 'fur' already, which stays as it is"]
        assert notes[1:] == (kept if "<lora" in style.prompt else [])


def test_what_of_a_style_is_not_there_comes_alone() -> None:
    fur = Style("Fur", "red <lora:fur:0.5>", "dark", (Row(prompt="fog <lora:ink:1>", weight=0.5),))
    rows = [{"prompt": "a fox, red", "weight": 3.0}]
    once, notes = styled(validate({"rows": rows}), fur, ["fur", "ink"])
    assert notes[0] == "style 'Fur': its text is in the rows already, and is not added again"
    assert [row.prompt for row in once.rows] == ["a fox, red", "dark", "fog"]
    assert models(once)[0] == {"lora": "fur", "strength": 0.5} and models(once)[2] == {
        "lora": "ink"
    }
    again, notes = styled(once, fur, ["fur", "ink"])
    assert again == once and "is in the rows already" in notes[0]
    plain = once.model_copy(update={"rows": once.rows[:2]})
    assert styled(plain, fur, ["fur", "ink"])[0] == once


def test_each_row_takes_what_it_has_not() -> None:
    rows = [{"prompt": "a cat", "weight": 2.0}, {"prompt": "a fox, red", "weight": 1.0}]
    found, notes = styled(validate({"rows": rows}), Style("Red", "red"))
    assert [row.prompt for row in found.rows] == ["a cat, red", "a fox, red"] and notes == []
    own = Style("Cat", "red", rows=(Row(prompt="a cat", weight=2.0),))
    once, _ = styled(preset({"prompt": "a cat", "weight": 2.0}), own)
    assert [row.prompt for row in once.rows] == ["a cat, red", "a cat"]
    assert styled(once, own)[0] == once


def test_of_one_that_lies_there_what_is_missing_is_said() -> None:
    style = Style("Fur", "red <lora:fur:0.5>")
    there = preset({"prompt": "a fox, red", "weight": 2.0})
    found, notes = styled(there, style, ["ink"])
    assert found == there and notes == [
        "style 'Fur': its text is in the rows already, and is not added again",
        "style 'Fur': the LoRA 'fur' at 0.5 is not in the library; the style keeps its name",
    ]


def test_a_part_of_a_word_is_no_style_and_a_style_with_a_new_row_is_added() -> None:
    tired = preset({"prompt": "a tired, reddish cat AND red", "weight": 3.0})
    found, notes = styled(tired, Style("Red", "red"))
    assert found.rows[0].prompt == "a tired, reddish cat, red AND red" and not notes
    more = Style("Red", "red", "", (Row(prompt="fog", weight=0.5),))
    assert len(styled(found, more)[0].rows) == 2


@pytest.mark.parametrize(
    "style",
    [
        *TEXTS,
        Style("Fur", "red <lora:fur:0.5>", "", (Row(prompt="fog <lora:ink:1>", weight=0.5),)),
    ],
)
@pytest.mark.parametrize("beside", [[], [{"prompt": "a dog", "weight": -2.0}]])
def test_a_style_is_taken_off_again_and_the_rest_stays(
    style: Style, beside: list[dict[str, object]]
) -> None:
    rows = [{"prompt": "a  red fox,on a hill AND moon:1.2", "weight": 3.0}, *beside]
    plain, here = validate({"rows": rows}), ["fur", "ink"]
    once, _ = styled(plain, style, here)
    assert unstyled(once, style, here).rows == plain.rows
    if not style.rows:  # whose row takes the other one's text
        other = Style("Other", "late, dusk", "fence")
        after = unstyled(styled(once, other, here)[0], style, here)
        assert after.rows == styled(plain, other, here)[0].rows
    with pytest.raises(BadPreset, match="does not stand in the rows"):
        unstyled(plain, style, here)


def test_a_part_of_a_word_around_a_prompt_is_no_style() -> None:
    for prompt, text in (("artful cat", "art {prompt}"), ("a smart", "{prompt} art")):
        found, _ = styled(preset({"prompt": prompt, "weight": 2.0}), Style("Art", text))
        assert found.rows[0].prompt == text.replace("{prompt}", prompt)
    by = Style("By", "by {prompt}")
    found, _ = styled(preset({"prompt": "a cat, by the sea", "weight": 2.0}), by)
    assert found.rows[0].prompt == "by a cat, by the sea"
    assert unstyled(found, by).rows[0].prompt == "a cat, by the sea"


def test_a_long_style_that_lies_there_is_in_the_rows_and_taken_off() -> None:
    style = Style("Long", ", ".join(f"word{number}" for number in range(250)))
    once, _ = styled(preset({"prompt": "a cat", "weight": 2.0}), style)
    again, notes = styled(once, style)
    assert again == once and "is in the rows already" in notes[0]
    assert unstyled(once, style).rows[0].prompt == "a cat"


def test_what_the_style_did_not_add_stays() -> None:
    mine = Style("Mine", "", "blurry")
    rows = [{"prompt": "a", "weight": 3.0}, {"prompt": "x, blurry", "weight": -1.0}]
    two = validate({"rows": [*rows, {"prompt": "blurry", "weight": -0.5}]})
    assert [row.prompt for row in unstyled(two, mine).rows] == ["a", "x", "blurry"]
    both = tuple(Row(prompt=text, weight=1.5) for text in "ab")
    with pytest.raises(BadPreset, match="does not stand"):
        unstyled(validate({"rows": [one.model_dump() for one in both]}), Style("Two", rows=both))


def test_a_lora_whose_strength_was_changed_stays_and_is_told() -> None:
    style = Style("Fur", "red <lora:fur:0.7>")
    once, _ = styled(preset({"prompt": "a fox", "weight": 2.0}), style, ["fur"])
    own = once.rows[0].model_dump(mode="json")
    own["model"] = {"lora": "fur", "strength": 0.5}
    left = unstyled(preset(own), style, ["fur"])
    assert left.rows[0].prompt == "a fox" and models(left) == [{"lora": "fur", "strength": 0.5}]
    assert left_of(left, style, ["fur"]) == [
        "rows.0.model: the LoRA 'fur' stays, as its strength is not the style's"
    ]
    assert left_of(unstyled(once, style, ["fur"]), style, ["fur"]) == []


def test_of_a_style_taken_off_the_only_row_and_what_was_changed_stay() -> None:
    style = Style("Cat", "red", "", (Row(prompt="a cat", weight=2.0),))
    with pytest.raises(BadPreset, match="does not stand"):
        unstyled(preset({"prompt": "a cat", "weight": 2.0}), style)
    changed = preset(
        {"prompt": "a cat, reddish", "weight": 2.0}, {"prompt": "a cat", "weight": 1.5}
    )
    with pytest.raises(BadPreset, match="does not stand"):
        unstyled(changed, style)
