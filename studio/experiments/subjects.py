"""The starter's subjects and prompts: what its prior never saw, from pictures that ship."""

from __future__ import annotations

from studio.experiments.experiment import EXAMPLES, Subject

STYLES = ("flat", "glossy", "noto", "tweet")


def _drawn(name: str, word: str, superclass: str) -> Subject:
    pictures = tuple(sorted(EXAMPLES.glob(f"{name}-*.png")))
    return Subject(name, EXAMPLES, word, superclass, EXAMPLES / f"{name}.json", pictures)


def _one_face(name: str) -> Subject:
    picture = EXAMPLES / "faces" / f"{name}.png"
    return Subject(name, EXAMPLES / "faces", "smiley", "face", references=(picture,))


STARTER: dict[str, Subject] = {
    "hero": _drawn("hero", "hero", "person"),
    "teapot": _drawn("teapot", "teapot", "vase"),
    "blob": _drawn("blob", "blob", "style"),
    # The same with captions that name the background, so that there is something besides the face.
    "portraits": Subject(
        "portraits",
        EXAMPLES / "faces",
        "smiley",
        "face",
        EXAMPLES / "faces.json",
        tuple(sorted((EXAMPLES / "faces").glob("*.png"))),
    ),
    **{name: _one_face(name) for name in ("partying-face", "thinking-face", "face-with-monocle")},
    "faces": Subject(
        "faces",
        EXAMPLES / "faces",
        "smiley",
        "face",
        references=tuple(sorted((EXAMPLES / "faces").glob("*.png"))),
    ),
}

# A subject in settings in which it was not trained: after the structure of DreamBench.
SUBJECT_PROMPTS = (
    "a {subject} in flat style on a yellow background",
    "a {subject} in glossy style on a blue background",
    "a {subject} in noto style on a black background",
    "a {subject} in tweet style on a pink background",
    "a {subject} and a cat face in flat style on a blue background",
    "a {subject} and a crown in noto style on a purple background",
)
# More of them: what differs from prompt to prompt is most of an interval's width.
MORE_PROMPTS = (
    *SUBJECT_PROMPTS,
    "a {subject} in flat style on a green background",
    "a {subject} in glossy style on a red background",
    "a {subject} in noto style on a white background",
    "a {subject} in tweet style on an orange background",
    "a {subject} and an apple in tweet style on a green background",
    "a {subject} and a rocket in glossy style on a gray background",
)
# Things in a style that the prior never saw.
STYLE_PROMPTS = (
    "a cat face in {subject} style on a yellow background",
    "an apple in {subject} style on a green background",
    "a robot in {subject} style on a white background",
    "a house in {subject} style on a blue background",
    "a star in {subject} style on a pink background",
    "a fish in {subject} style on an orange background",
)
# Faces by name: of the concept networks' kind, and of the prior's own vocabulary.
FACE_PROMPTS = (
    "a sunglasses face in flat style on a blue background",
    "a clown in glossy style on a green background",
    "an angry face in noto style on a purple background",
    "a cowboy face in tweet style on a white background",
    "a crying face in flat style on a pink background",
    "an alien in noto style on a yellow background",
)
