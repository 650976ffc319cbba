"""The page's texts that a language's file does not hold: ``python -m tests.languages [TAG …]``.

It needs Chromium and Playwright. The page is served with an empty home of its own and walked through
in English; each text that is missing in a file is printed below the file's name.
"""

from __future__ import annotations

import sys
import tempfile

from studio.languages import ENGLISH, languages
from tests.screenshots import browsing
from tests.support.language_walk import GAPS, TEXTS, walk
from tests.support.studio_page import Studio


def main(tags: list[str]) -> None:
    """Walk through the page and print what is missing."""
    chosen = tags or [tag for tag in languages() if tag != ENGLISH]
    with tempfile.TemporaryDirectory() as home, browsing(home) as studio:
        met = texts_of(studio)
        for tag in chosen:
            missing = studio.page.evaluate(GAPS, [met, dict(languages()[tag].messages)])
            print(f"{tag}.json: {len(missing)} of {len(met)} texts are missing")
            print("\n".join(f"  {text}" for text in missing))


def texts_of(studio: Studio) -> list[str]:
    """Every text that a walk through the page meets, once each."""
    met: dict[str, None] = {}
    walk(studio, lambda: met.update(dict.fromkeys(studio.page.evaluate(TEXTS))))
    return list(met)


if __name__ == "__main__":
    main(sys.argv[1:])
