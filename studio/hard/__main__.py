"""``python -m studio.hard [--minutes N] [--seed S] [--only NAME ...] [--page]``."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
import warnings

from studio.hard import campaign  # noqa: F401 - it registers every attack
from studio.hard.attack import ATTACKS, Result, run
from studio.hard.page import keep, write_page
from studio.home import REPOSITORY

FIGURES = REPOSITORY / "docs/reliability.json"
PAGE = REPOSITORY / "docs/reliability.md"


def main(arguments: list[str] | None = None) -> int:
    """Run the attacks; one JSON line for each. The exit code is 1 where one of them found a fault."""
    parser = argparse.ArgumentParser(prog="python -m studio.hard", description=__doc__)
    parser.add_argument(
        "--minutes", type=float, help="share so much time among them, full size at most"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=list(ATTACKS))
    parser.add_argument("--cases", type=int, help="of each, instead of its full size")
    parser.add_argument(
        "--page",
        action="store_true",
        help="keep the figures in docs/reliability.json and write them to docs/reliability.md",
    )
    options = parser.parse_args(arguments)
    os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1")
    logging.disable(logging.WARNING)  # of the libraries, about files that are meant to be odd
    warnings.simplefilter("ignore")
    names = options.only or list(ATTACKS)
    results: list[Result] = []
    for number, name in enumerate(names):
        results.append(_run(name, options, len(names) - number, _left(options, results)))
        print(json.dumps(results[-1].as_dict(), ensure_ascii=False), flush=True)
        if options.page:
            write_page(PAGE, keep(FIGURES, results))
    return 1 if any(result.faults for result in results) else 0


def _left(options: argparse.Namespace, results: list[Result]) -> float:
    used = sum(result.seconds for result in results)
    return float("inf") if options.minutes is None else max(0.0, options.minutes * 60 - used)


def _run(name: str, options: argparse.Namespace, shares: int, left: float) -> Result:
    cases = options.cases or ATTACKS[name].cases
    return run(name, options.seed, cases, time.monotonic() + left / shares)


if __name__ == "__main__":
    sys.exit(main())
