"""The command line: ``python -m studio VERB``. Bad input is one line on stderr and exit code 2."""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
import warnings
from collections.abc import Sequence
from typing import NoReturn

from studio.errors import StudioError, printable
from studio.extensions import name_broken_plugins
from studio.settings import problems

BAD_INPUT, INTERRUPTED = 2, 130


class _Parser(argparse.ArgumentParser):
    """argparse, with its errors in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"{self.prog}: {' '.join(message.split())}\n")


def build_parser() -> argparse.ArgumentParser:
    """All verbs and their options."""
    from studio.cli import VERBS

    parser = _Parser(prog=_called(), description="Guidance Studio on the command line.")
    verbs = parser.add_subparsers(metavar="VERB", required=True, parser_class=_Parser)
    for verb in VERBS:
        importlib.import_module(f"studio.cli.{verb}").add_verb(verbs)
    return parser


def _called() -> str:
    """How the command line was started, for its messages."""
    name = os.path.basename(sys.argv[0])
    return name if name.startswith("guidance-studio") else "python -m studio"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code."""
    _quiet_libraries()
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait do not spin
    name_broken_plugins()
    for line in problems():
        print(printable(line), file=sys.stderr)
    options = build_parser().parse_args(arguments)
    try:
        options.run(options)
        sys.stdout.flush()
    except StudioError as error:
        return _complain(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _complain(f"{where}{error.strerror or error}")
    return 0


def _complain(message: str) -> int:
    print(printable(" ".join(message.split())), file=sys.stderr)
    return BAD_INPUT


def _quiet_libraries() -> None:
    """Keep stderr for what a person has to know."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    for library in ("DIFFUSERS", "TRANSFORMERS"):
        os.environ.setdefault(f"{library}_VERBOSITY", "error")


def run() -> NoReturn:
    """The console script ``guidance-studio``."""
    sys.exit(main())


if __name__ == "__main__":
    run()
