"""A preset over prompts and seeds: its pictures, kept as they come, and their scores.

A run that was stopped goes on where it was: a picture that is there is not made again.
"""

from __future__ import annotations

import csv
import hashlib
import html
import io
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from studio.errors import StudioError
from studio.experiments.asked import MAX_PICTURES, read_prompts, read_seeds, single, with_prompt
from studio.experiments.default_scores import chosen
from studio.files import write_atomically
from studio.metrics import METRICS, Scored, measure
from studio.metrics.intervals import FEWEST
from studio.preset import Preset

__all__ = ["Job", "begin", "default_metrics", "jobs", "missing", "pictures_of", "read_prompts"]
__all__ += ["read_seeds", "score", "with_prompt", "write_results"]


@dataclass(frozen=True)
class Job:
    """One picture to make: the number of its prompt, its text and seed, its file and preset."""

    number: int
    prompt: str
    seed: int
    path: Path
    preset: Preset


def jobs(preset: Preset, prompts: Sequence[str], seeds: Sequence[int], out: Path) -> list[Job]:
    """Every picture, prompt by prompt; one image each."""
    if len(prompts) * len(seeds) > MAX_PICTURES:
        raise StudioError(
            f"{len(prompts) * len(seeds)} pictures; at most {MAX_PICTURES}", field="--seeds"
        )
    found = []
    for number, prompt in enumerate(prompts):
        asked = with_prompt(preset, prompt)
        for seed in seeds:
            path = out / "pictures" / f"{number:04d}-seed{seed}.png"
            found.append(Job(number, prompt, seed, path, single(asked, seed)))
    return found


def begin(out: Path, preset: Preset, prompts: Sequence[str], seeds: Sequence[int]) -> None:
    """Keep what is evaluated beside its pictures, or check that it is what was begun here.

    Raises:
        StudioError: ``out`` holds an evaluation of something else.
    """
    settings = {
        "preset": json.loads(preset.to_json()),
        "prompts": list(prompts),
        "seeds": list(seeds),
    }
    asked = [settings["preset"], settings["prompts"]]
    _begin(out, asked, settings, "the pictures of another preset or other prompts")


def begin_folder(out: Path, images: Path, prompts: Sequence[str]) -> None:
    """The same for pictures that are there: which folder's are scored, and by which texts.

    Raises:
        StudioError: ``out`` holds an evaluation of something else.
    """
    settings = {"images": str(images.resolve()), "prompts": list(prompts)}
    _begin(out, settings, settings, "the scores of other pictures or other prompts")


def _begin(out: Path, asked: Any, settings: dict[str, Any], other: str) -> None:
    key = hashlib.sha256(json.dumps(asked).encode()).hexdigest()
    path, results = out / "settings.json", out / "results.json"
    same = True
    if path.exists():
        same = _document(path).get("key") == key
    elif results.exists():  # an earlier studio kept no settings of pictures that were there
        images = (_document(results).get("settings") or {}).get("images")
        same = isinstance(images, str) and str(Path(images).resolve()) == settings.get("images")
    if not same:
        raise StudioError(f"{out} holds {other}; take a new folder", field="--out")
    text = json.dumps({"key": key, **settings}, ensure_ascii=False, indent=1)
    write_atomically(path, text.encode())


def _document(path: Path) -> dict[str, Any]:
    """A file's object; an empty one where it is damaged, which is then nobody's."""
    with suppress(OSError, ValueError):
        found = json.loads(path.read_text(encoding="utf-8"))
        return found if isinstance(found, dict) else {}
    return {}


def missing(found: Sequence[Job], kept: Callable[[Path], bool] = Path.exists) -> Iterator[Job]:
    """The jobs whose picture is not ``kept`` yet."""
    return (job for job in found if not kept(job.path))


def default_metrics(scored: Scored, starter: bool) -> list[str]:
    """What can be scored with what is there: text, references, the starter's judge, diversity."""
    several = len(set(scored.prompts)) < len(scored.images) if scored.prompts else True
    there = {
        "prompts": bool(scored.prompts),
        "references": bool(scored.references),
        "starter": starter,
        "several": several and len(scored.images) >= FEWEST,
    }
    return chosen([case for case, is_there in there.items() if is_there])


def score(scored: Scored, names: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Metric → its interval as a dict, and metric → its value for every picture.

    Raises:
        StudioError: an unknown metric, or one that lacks what it needs, before any is computed.
    """
    for name in names:
        scored.check(METRICS.require(name, "--metrics"))
    intervals, values = {}, {}
    for name in names:
        interval, each = measure(name, scored)
        intervals[name] = interval.as_dict()
        if each is not None:
            values[name] = each.tolist()
    return intervals, values


def write_results(
    out: Path, scored: Scored, results: dict[str, Any], values: dict[str, Any]
) -> None:
    """``results.json``, ``pictures.csv`` and ``report.html`` in ``out``."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["picture", "prompt", "seed", *values])
    lines = []
    for i, path in enumerate(scored.images):
        prompt = scored.prompts[i] if scored.prompts else ""
        seed = scored.seeds[i] if scored.seeds else ""
        line = [_beside(path, out), prompt, seed, *(values[name][i] for name in values)]
        writer.writerow(line)
        lines.append(line)
    write_atomically(out / "pictures.csv", table.getvalue().encode())
    text = json.dumps(results, ensure_ascii=False, indent=1)
    write_atomically(out / "results.json", text.encode())
    write_atomically(out / "report.html", _report(results, list(values), lines).encode())


def _beside(path: Path, out: Path) -> str:
    """A picture's file as seen from ``out``; its whole path from another drive."""
    path = path.resolve()
    with suppress(ValueError):
        return Path(os.path.relpath(path, out.resolve())).as_posix()
    return path.as_posix()


def _report(results: dict[str, Any], names: list[str], lines: list[list[Any]]) -> str:
    """A page that needs nothing besides the pictures beside it."""
    head = "".join(
        f"<tr><th>{html.escape(name)}<td>{v['mean']:.4f}<td>{v['low']:.4f} to {v['high']:.4f}<td>{v['n']}"
        for name, v in results["metrics"].items()
    )
    shown = "".join(
        f"<figure><img loading=lazy src='{quote(line[0])}' alt=''><figcaption>"
        + "<br>".join(map(html.escape, _caption(names, line)))
        + "</figcaption></figure>"
        for line in lines
    )
    style = (
        "body{font:14px system-ui;margin:2em}td,th{padding:.2em 1em;text-align:left}"
        "main{display:grid;grid-template-columns:repeat(auto-fill,minmax(160px,1fr));gap:1em}"
        "figure{margin:0}img{width:100%}figcaption{font-size:12px;color:#555}"
    )
    return (
        f"<!doctype html><meta charset=utf-8><title>Evaluation</title><style>{style}</style>"
        f"<h1>Evaluation</h1><table><tr><th>metric<th>mean<th>95 % interval<th>n{head}</table>"
        f"<main>{shown}</main>"
    )


def _caption(names: list[str], line: list[Any]) -> list[str]:
    """What stands below a picture: its text, its seed where it has one, its scores."""
    _, prompt, seed, *values = line
    scores = [f"{n} {v:.3f}" for n, v in zip(names, values, strict=True) if v == v]
    return [*filter(None, [prompt, "" if seed == "" else f"seed {seed}"]), *scores]


def pictures_of(folder: Path, field: str) -> tuple[list[Path], list[str]]:
    """The pictures in a folder by name, and a line for each file that is a damaged one.

    Args:
        folder: a folder, or a pattern such as ``faces/anna-*.png``.

    Raises:
        StudioError: there is no such folder, or no picture in it.
    """
    from studio.images import SUFFIXES, open_checked

    pattern = any(sign in folder.name for sign in "*?[") and not folder.exists()
    if not (folder.parent if pattern else folder).is_dir():
        raise StudioError(f"{folder} is no folder", field=field)
    good, damaged = [], []
    found = folder.parent.glob(folder.name) if pattern else folder.iterdir()
    for path in sorted(found):
        if path.suffix.lower() in SUFFIXES and path.is_file():
            try:
                open_checked(path, path.name).convert("RGB")
                good.append(path)
            except StudioError as error:
                damaged.append(str(error))
    if not good:
        broken = f"; {len(damaged)} are damaged" if damaged else ""
        raise StudioError(f"{folder} holds no picture that can be read{broken}", field=field)
    return good, damaged
