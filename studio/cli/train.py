"""The verb train: ``train concept`` and ``train personalize``."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from studio.cli.common import no_loading_bars, say
from studio.library import Library
from studio.train.config import DDLOSS, PDLOSS, TrainConfig, resolve
from studio.train.events import Finished, Losses, Note, Samples, TrainEvent, TrainProgress
from studio.train.method import METHODS, ordered, personal

SHOW_EVERY = 10  # seconds between progress lines where stderr is no terminal
# Option → what it is, and its help; the defaults are the method's own (studio.train.config).
NUMBERS: tuple[tuple[str, Any, str], ...] = (
    ("steps", int, "optimiser steps"),
    ("minutes", float, "instead of steps: time to train for (on a CPU processor time per thread)"),
    ("batch", int, "pictures in one batch, on each process"),
    ("accumulation", int, "batches added up for one optimiser step"),
    ("rate", float, "learning rate"),
    ("warmup", int, "first steps, over which the learning rate rises"),
    ("weight-decay", float, "of AdamW"),
    ("beta2", float, "of AdamW"),
    ("ema", float, "decay of the weights' average that is saved; 0 for none"),
    ("size", int, "edge of a square picture; others keep their aspect at the same area"),
    ("seed", int, "of everything that is drawn"),
    ("time-power", float, "times are T·u^p; below 1 draws more noisy ones"),
    ("checkpoint-every", int, "steps between checkpoints"),
    ("sample-every", int, "steps between samples; 0 for none"),
    ("sample-weight", float, "guidance weight of the samples"),
    ("sample-omega", float, "ω of the samples"),
)
LOSSES: tuple[tuple[str, float, str], ...] = (
    ("ddloss", DDLOSS, "ACCORD's Denoising Decouple Loss (paper: 0.1-0.3)"),
    ("pdloss", PDLOSS, "ACCORD's Prior Decouple Loss (paper: 0.001-0.003)"),
)
PERSONAL_NUMBERS: tuple[tuple[str, Any, str], ...] = (
    ("token-rate", float, "learning rate of a learned word"),
    ("vectors", int, "vectors of a learned word"),
    ("measure-every", int, "steps between measures of the discrepancies while their loss is off"),
    ("caption-dropout", float, "share of captions that are replaced by the empty text"),
    (
        "prior-weight",
        float,
        "weight of prior preservation; 0, the default, for none (1 in DreamBooth and its LoRA)",
    ),
    ("class-count", int, "pictures of the superclass that the prior draws for it"),
)


def add_verb(verbs: Any) -> None:
    """Declare the verb on argparse's subparsers."""
    train_verb = verbs.add_parser("train", help="train a model from your own pictures")
    kinds = train_verb.add_subparsers(metavar="KIND", required=True, parser_class=type(train_verb))
    concept = kinds.add_parser(
        "concept", help="a null-text concept, as a network or a LoRA, from pictures alone"
    )
    _add_common(concept)
    concept.add_argument(
        "--null-text", choices=["uniform", "calibrated"], help="how the text's constants are found"
    )
    textless = [name for name, method in ordered() if method.without_text]
    concept.add_argument("--method", choices=textless, default="concept", help=_trains(textless))
    _add_low_rank(concept)
    concept.set_defaults(run=run)
    personal = kinds.add_parser("personalize", help="a subject or a style, called by a word")
    _add_common(personal)
    _add_personal(personal)
    personal.set_defaults(run=run)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--images",
        metavar="DIR",
        required=True,
        help="folder of pictures, or a dataset config of sd-scripts (TOML)",
    )
    parser.add_argument("--base", metavar="ID", default="starter", help="base model")
    parser.add_argument("--name", metavar="NAME", required=True, help="the new model's name")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    parser.add_argument("--restart", action="store_true", help="begin anew in spite of one")
    for name, kind, text in NUMBERS:
        parser.add_argument(f"--{name}", type=kind, metavar="N", help=text)
    parser.add_argument(
        "--flips", action="store_true", default=None, help="mirror half of the pictures"
    )
    parser.add_argument(
        "--rate-schedule",
        choices=["constant", "cosine"],
        help="how the learning rate goes on from its warm-up",
    )
    parser.add_argument(
        "--no-masks",
        dest="masks",
        action="store_false",
        default=None,
        help="masks beside pictures and transparency do not weigh the loss",
    )
    parser.add_argument("--precision", choices=["no", "fp16", "bf16"], help="mixed precision")
    parser.add_argument(
        "--gradient-checkpointing", action="store_true", default=None, help="less memory, more time"
    )
    parser.add_argument(
        "--eight-bit", action="store_true", default=None, help="8-bit AdamW (needs bitsandbytes)"
    )
    parser.add_argument(
        "--sample-prompt",
        dest="sample_prompts",
        action="append",
        metavar="TEXT",
        help="prompt of a sample; may be given several times",
    )
    parser.add_argument("--device", help="cuda, mps or cpu; chosen by itself")


def _add_personal(parser: argparse.ArgumentParser) -> None:
    methods = personal()
    parser.add_argument("--method", choices=methods, required=True, help=_trains(methods))
    parser.add_argument("--word", required=True, help='what calls the target, such as "<hero>"')
    parser.add_argument("--superclass", default="", help="the kind of thing that it is")
    parser.add_argument(
        "--captions",
        metavar="FILE",
        help="JSON {picture: caption} or {picture: {caption, target, general}}, or metadata.jsonl; "
        "else a .txt or .caption beside each picture, else the folder's metadata.jsonl, else the "
        "folder's name where it is one of kohya's (10_name), else the template",
    )
    parser.add_argument(
        "--template", help="caption of pictures without one, with {word}, {superclass}"
    )
    _add_low_rank(parser)
    parser.add_argument("--class-images", metavar="DIR", help="pictures of the superclass")
    parser.add_argument("--clip", metavar="ID", help="CLIP for PDLoss and the visual encoder")
    for name, weight, text in LOSSES:
        words = f"weight of {text}; {weight:g} where none is given"
        parser.add_argument(
            f"--{name}", type=float, nargs="?", const=weight, metavar="W", help=words
        )
    parser.add_argument(
        "--ddloss-norm",
        choices=["sum", "mean"],
        help="DDLoss's squared norms over a latent's elements: sums, as in the paper, or means",
    )
    parser.add_argument(
        "--pdloss-target",
        choices=["superclass", "0", "-1"],
        help="what PDLoss draws the target's cosines to: the superclass's, as in the paper, or a number",
    )
    for name, kind, text in PERSONAL_NUMBERS:
        parser.add_argument(f"--{name}", type=kind, metavar="N", help=text)


def _add_low_rank(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rank", type=int, metavar="N", help="of a LoRA")
    parser.add_argument(
        "--targets", choices=["attention", "attention+mlp"], help="layers of a LoRA"
    )


def _trains(names: Sequence[str]) -> str:
    """What each method trains, for the help."""
    lines = (f"{name}: {METHODS[name].trains.replace('`', '')}" for name in names)
    return "what trains. " + "; ".join(lines).replace("%", "%%")


def run(options: argparse.Namespace) -> None:
    """Train; progress on stderr, the new model's id as one JSON line at the end."""
    library = Library()
    given = {key: value for key, value in vars(options).items() if key in TrainConfig.model_fields}
    config = resolve(given, library)
    from studio.train.loop import train

    no_loading_bars()
    events = train(
        config, library, resume=options.resume, restart=options.restart, device=options.device
    )
    before, interrupted = signal.getsignal(signal.SIGINT), _interruptible()
    try:
        for event in _shown(events):
            if interrupted and isinstance(event, TrainProgress):
                events.close()  # writes a checkpoint
                raise KeyboardInterrupt
    finally:
        _end_line()
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, before)


def _interruptible() -> list[int]:
    """A list that is filled by the first Ctrl+C; the second one interrupts at once."""
    pressed: list[int] = []

    def note(number: int, frame: Any) -> None:
        del frame
        signal.signal(signal.SIGINT, signal.default_int_handler)
        pressed.append(number)
        print("stopping after this step, with a checkpoint", file=sys.stderr)

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, note)
    return pressed


def _shown(events: Iterable[TrainEvent]) -> Iterator[TrainEvent]:
    """The same events, each shown on stderr, the last on stdout."""
    main = os.environ.get("RANK", "0") == "0"  # under accelerate launch, the others are silent
    shown, latest = 0.0, None
    for event in events:
        if main:
            match event:
                case Note(text):
                    _end_line()
                    print(f"note: {text}", file=sys.stderr)
                case Losses():
                    latest = event
                case TrainProgress():
                    now = time.monotonic()
                    if sys.stderr.isatty() or now - shown > SHOW_EVERY or event.step == event.steps:
                        shown = now
                        _show(_line(event, latest))
                case Samples(step):
                    _end_line()
                    print(f"samples of step {step} are in the training's folder", file=sys.stderr)
                case Finished(identity, path, steps, seconds):
                    _end_line()
                    say(
                        {
                            "id": identity,
                            "path": str(path),
                            "steps": steps,
                            "seconds": round(seconds, 1),
                        }
                    )
        yield event


def _line(progress: TrainProgress, latest: Losses | None) -> str:
    if progress.stage != "training" or latest is None:
        return f"{progress.stage} …"
    shown = {
        "loss": latest.total,
        "mse": latest.mse,
        "dd": latest.dd,
        "pd": latest.pd,
        "denoising": latest.denoising,
        "prior": latest.prior,
        "dd share": latest.dd_share,
        "pd share": latest.pd_share,
    }
    values = " ".join(f"{key} {value:.4g}" for key, value in shown.items() if value is not None)
    return f"step {progress.step}/{progress.steps}, {progress.seconds_left:.0f} s left: {values}"


def _show(text: str) -> None:
    """In one place on a terminal, else a line of its own."""
    start, end = ("\r\x1b[K", "") if sys.stderr.isatty() else ("", "\n")
    print(f"{start}{text}", end=end, file=sys.stderr, flush=True)


def _end_line() -> None:
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
