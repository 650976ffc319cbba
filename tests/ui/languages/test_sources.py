"""The message files hold what the sources say: refusals, reasons, and notes on files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

pytest.importorskip("gradio")

from studio import languages
from studio.errors import StudioError
from studio.images import SUFFIXES
from studio.languages import Language
from studio.library.scan import OTHER_FOLDERS
from studio.plan import stated
from studio.preprocessors import worded
from studio.preset import Detail
from studio.ui.errors import on_page, one_line
from studio.ui.layout import FILE_TYPES
from studio.ui.train.words import on_tab
from tests.support.refusals import notes, reasons, refusals, trainings
from tests.support.script_texts import HOLE

# What a program is refused with: the page's own scripts never ask so.
PROGRAMS = (
    "expected a row's control",
    f"expected an object, got {HOLE}",
    f"all, rows, prompts or seed, got {HOLE}",
    f"expected the page's address, got {HOLE}",
    f"up, down, cancel, skip, clear or last, got {HOLE}",
    "a Space has an address for everybody already",
    "a shared page serves no tools; its visitors' would be mixed",
    f"png, csv or json, got {HOLE}",
    "a shared page answers no such programs; its visitors' would be mixed",
    "scripts are not run here",
    "expected a list of pictures",
    "expected a list with one picture",
    "is no picture in base64",
    f"a map of {HOLE}x{HOLE} pixels; at most {HOLE} a side",
    f"ControlNet {HOLE} has no picture, and there is none to start from",
    "one unit of an IP-Adapter is read; a row has one image prompt",
    f"expected text, got {HOLE}",
    f"expected a whole number, got {HOLE}",
    f"{HOLE} is not in the library; /sdapi/v1/sd-models lists what is",
    f"{HOLE} is not in the library; /sdapi/v1/sd-vae lists what is",
    f"{HOLE} is not in the library; /sdapi/v1/upscalers lists what is",
    f"{HOLE} is not here; /controlnet/module_list lists what is",
    f"over 0 to {HOLE}, got {HOLE}",
    f"at most {HOLE} times as large, got {HOLE}",
    f"expected a number, got {HOLE}",
    f"expected true or false, got {HOLE}",
    f"at most {HOLE}, got {HOLE}",
    f"{HOLE} is no number",
    f"more than {HOLE} values",
    "holds half of a letter (\\ud800 to \\udfff alone)",
    "is not done here",
    "was cancelled",
    f"{HOLE} to {HOLE}, got {HOLE}",
    "one of several pictures is not skipped; interrupt stops them all",
    f"more than {HOLE} bytes",
    "is no JSON",
    f"0 to {HOLE}, got {HOLE}",
    f"expected a list, got {HOLE}",
    "expected an object with a name",
    f"expected FIELD=VALUE, got {HOLE}",  # as those below, of a command line
    f"expected FIELD=LOW:HIGH, got {HOLE}",
    f"expected FIELD=LOW:HIGH or values, got {HOLE}",
    f"{HOLE} from {HOLE} to {HOLE} is no range",
    f"is the preset's own field {HOLE}",  # of a package that adds a refinement
    f"{HOLE} is not a data:image/…;base64 URI",
    "a data URI (data:image/png;base64,…) is expected",
    f"is no pickle ({HOLE})",  # as those below, of the verb `convert`
    "is there already",
    "holds no tensors",
    "holds more than tensors, which is not read: it could run code",
)
# Of the library's sentences: what is read for its words, and what a command says.
NO_REASONS = (
    *OTHER_FOLDERS.values(),
    f"fetch it with 'python -m studio download {HOLE}'",  # in other words on the page
    "Hugging Face Hub cache",  # names
    "arXiv:2212.04488 (Custom Diffusion), ComfyUI",
    "s ⊙ (R·W) − W, R orthogonal in blocks (Cayley), of one or of several butterfly factors",
    "d, of a norm's weight and bias",
    "layout of models",  # of tables, which a package adds to
    "sidecar of a model",
)
# Of the sentences around files: what goes into them, and what other tools call their settings.
NO_NOTES = (
    "Refiner switch by sampling steps",  # a setting of the web UIs
    f"Negative prompt: {HOLE}",
    "union control type",
    "save detected map",
    "choose file to upload",
    "torch cpu compatible",
    "nvidia gpu compatible",
    f"input {HOLE}",
    "reader of another tool",
    "inpaint only masked",
    "inpaint only masked padding",
    "mask only top k largest",
    "mask only top k",
    "method to decide top k masks",
    f"{HOLE}inpaint only masked",
    # These with what stands before or behind them:
    "LoRAs without a strength",
    "no reason given",
    "a full path of a folder, or hub:OWNER/NAME of a dataset",
    "a full path of a folder, an address of a Git repository, or hub:OWNER/NAME of a dataset",
    f"{HOLE}; got {HOLE}",
)
SOURCES = Path(languages.__file__).parents[1]
PLACE = re.compile(r"\{(\w+)\}")


def test_what_is_refused_is_a_message(language: Language) -> None:
    found = [(name, text) for name, text in refusals() if text not in PROGRAMS and _words(text)]
    assert len(found) > 300
    assert not _unturned(language, found)


def test_why_a_file_of_the_library_cannot_be_used_is_a_message(language: Language) -> None:
    found = [(name, text) for name, text in reasons() if text not in NO_REASONS]
    assert {text for _, text in found if "GGUF" in text or "FaceID" in text}
    assert len(found) > 50
    assert not _unturned(language, found, _of_a_named_one)
    known = dict(language.messages)
    assert not [what for what in OTHER_FOLDERS if what not in known]


def _of_a_named_one(text: str) -> tuple[str, ...]:
    """A reason alone, and where a refusal names the model before it."""
    return (text, f"{HOLE} {text}")


def test_what_is_noted_of_a_file_is_a_message(language: Language) -> None:
    found = [(name, text) for name, text in notes() if text not in (*NO_NOTES, *PROGRAMS)]
    assert {text for _, text in found if "IP-Adapter" in text or "ComfyUI" in text}
    assert len(found) > 150
    assert not _unturned(language, found)


def test_what_a_training_notes_is_a_message(language: Language) -> None:
    found = [(name, on_tab(text)) for name, text in trainings()]
    assert {text for _, text in found if "no samples at step" in text}
    assert len(found) > 15
    assert not _unturned(language, found)


def test_what_of_an_adapter_is_left_out_is_a_message(language: Language) -> None:
    from studio.engine.adapters.files import _notes, _Sorted

    cases = (
        _Sorted({}, {"X.7": None}, ["Y"]),
        _Sorted({}, {"X.1": None, "X.2": None}, ["Y.1", "Y.2"]),
    )
    found = [("", f"{HOLE}: {note}") for case in cases for note in _notes(case)]
    assert len(found) == 4
    assert not _unturned(language, found)


def test_no_number_that_reaches_the_page_has_a_comma() -> None:
    """Of thousands: where a language writes decimals behind one, it would be read so."""
    others = ("cli", "bench", "hard", "starter")  # for a terminal, and reports of one's own machine
    grouped = re.compile(r":,(\.\d)?[a-z]?\}")
    found = {path.relative_to(SOURCES) for path in SOURCES.rglob("*.py")}
    assert len(found) > 300
    assert not [
        str(name)
        for name in found
        if name.parts[0] not in others and grouped.search((SOURCES / name).read_text("utf-8"))
    ]


def test_what_can_be_dropped_is_named_whole(language: Language) -> None:
    """Of the kinds of files that the page opens, beside pictures: none is left out."""
    english, turned = next(one for one in language.messages if "is not opened here: pre" in one[0])
    kinds = [f"({suffix[1:].upper()})" for suffix in FILE_TYPES if suffix not in SUFFIXES]
    assert len(kinds) == 3
    assert not [kind for kind in kinds if kind not in english or kind not in turned]


@pytest.mark.parametrize(
    "text", ["the note is one of many", f"rows.{HOLE}.prompt: {HOLE} of one kind fades"]
)
def test_a_text_without_a_message_is_found(language: Language, text: str) -> None:
    """Messages of few words fit nearly everything: what a place takes up may be no words."""
    assert _unturned(language, [("", text)])


def _unturned(
    language: Language,
    found: Iterable[tuple[str, str]],
    ways: Callable[[str], tuple[str, ...]] = lambda text: (text,),
) -> str:
    """The texts for which the page finds no message: it takes the fullest one that fits."""
    fullest = sorted(dict(language.messages), key=lambda one: -len(PLACE.sub("", one)))
    patterns = [_as_the_page_reads(message) for message in fullest]

    def turned(text: str) -> bool:
        for pattern, places in patterns:
            if match := pattern.fullmatch(text):
                return all(map(taken, places, match.groups()))
        return False

    def taken(place: str, value: str) -> bool:
        """Whether a value may stay as it is, or is a message where it is to be one."""
        words = any(re.fullmatch(r"[a-z]{2,}[,;:]?", word) for word in value.split())
        return not words or (place.startswith("the_") and turned(value))

    shown = {on_page(text.replace(f"rows.{HOLE}", "rows.0")): name for name, text in found}
    gaps = {text: name for text, name in shown.items() if not any(map(turned, ways(text)))}
    return "\n".join(map(repr, gaps.items()))


def _as_the_page_reads(message: str) -> tuple[re.Pattern[str], list[str]]:
    parts = PLACE.split(message)
    shape = (
        (rf"([\d.,:/–−{HOLE}]+)" if len(part) == 1 else "(.+?)") if at % 2 else re.escape(part)
        for at, part in enumerate(parts)
    )
    return re.compile("".join(shape)), parts[1::2]


def _words(text: str) -> str:
    """What of a message is its own."""
    return re.sub(r"\W|got", "", text.replace(HOLE, ""))


@pytest.mark.parametrize("allowed", ["0", "1"])
def test_what_lacks_the_weights_of_words_is_said_whole(
    language: Language, allowed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setenv("STUDIO_ALLOW_DOWNLOAD", allowed)
    monkeypatch.setattr("transformers.AutoProcessor.from_pretrained", gone)
    monkeypatch.setattr(stated, "in_cache", lambda *_: False)
    worded._network.cache_clear()
    with pytest.raises(StudioError) as refused:
        worded.ready()
    (noted,) = stated._of_finder(Detail(finder="words", words="hand"))
    places = ((worded.WEIGHTS, "{name}"), ("'no network'", "{other}"))
    shown = f"{noted.partition(': ')[2]}."  # as below the equation
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    own = one_line(refused.value).partition(": ")[2]
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for text in (shown, own, one_line(refused.value).partition(": ")[2]):
        assert "STUDIO_" not in text
        for value, place in places:
            text = text.replace(value, place)
        assert text in dict(language.messages)  # no shorter one, which leaves the rest in English
