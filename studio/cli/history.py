"""The verb history: search, show, star, note, tag, delete and export what was made."""

from __future__ import annotations

import argparse
import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from studio.cli.common import output_folder, say, say_notes
from studio.cli.history_made import animate, declare, larger, sheet
from studio.errors import MissingFile, StudioError, shorten
from studio.files import write_atomically, write_once
from studio.history import SORTS, History, Query, Record, history
from studio.history.archive import named, write_zip
from studio.history.intake import take_in
from studio.history.light import Left, jpegs, write_jpegs
from studio.history.words import scheduler_of
from studio.preset.schedulers import SCHEDULERS

_QUERY = tuple(f.name for f in dataclasses.fields(Query) if f.name not in ("text", "sort"))


def add_verb(verbs: Any) -> None:
    """Declare the verb on argparse's subparsers."""
    verb = verbs.add_parser("history", help="search, star, export and prune what was made")
    doing = verb.add_subparsers(dest="doing", required=True, metavar="DOING")

    def add(name: str, run: Callable[..., None], words: str, *, ids: bool = False) -> Any:
        parser = doing.add_parser(name, help=words)
        parser.set_defaults(run=_opened(run))
        if ids:
            parser.add_argument("ids", nargs="+", metavar="ID", help="a picture's id or its path")
        return parser

    search = add("search", _search, "find pictures; one JSON line each")
    _add_query(search)
    search.add_argument("--limit", type=int, default=50, metavar="N")
    add("show", _show, "everything known of a picture", ids=True)
    add("star", _star, "star pictures: they are never pruned", ids=True)
    add("unstar", _unstar, "take stars away", ids=True)
    for name in ("note", "board"):
        add(name, _written(name), f"give pictures a {name}", ids=True).add_argument(
            "--text", required=True
        )
    add("tag", _tag, "give pictures tags", ids=True).add_argument(
        "--tags", required=True, metavar="A,B", help='divided by commas; "" for none'
    )
    add("delete", _delete, "put pictures into the bin", ids=True)
    add("restore", _restore, "bring pictures back from the bin", ids=True)
    prune = add("prune", _prune, "put everything that is found into the bin; starred pictures stay")
    _add_query(prune)
    add("empty-bin", _empty, "remove what is in the bin for good").add_argument(
        "--yes", action="store_true", help="without this, only say how many"
    )
    export = add("export", _export, "copy what is found into a folder, or a ZIP file")
    _add_query(export)
    export.add_argument(
        "--out", required=True, metavar="DIR", help="or a FILE.zip that is not there"
    )
    export.add_argument(
        "--jpeg", action="store_true", help="as JPEG files, presets included: much smaller"
    )
    export.add_argument(
        "--plain", action="store_true", help="as JPEG files of the pictures alone, without presets"
    )
    enlarged = add("larger", _chosen(larger), "make each picture larger with its own preset")
    drawn = add("sheet", _chosen(sheet), "put pictures side by side on one")
    moved = add(
        "animate",
        _chosen(animate),
        "make one that moves of pictures: of --id in their order, else by --sort, the oldest first",
    )
    for parser in (enlarged, drawn, moved):
        _add_query(parser)
        parser.add_argument(
            "--id", action="append", default=[], help="a picture's id or its path, not a search"
        )
    declare(enlarged, drawn, moved)


def _add_query(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", nargs="*", metavar="WORD", help="beginnings of words")
    for name in _QUERY:
        if isinstance(getattr(Query(), name), bool):
            parser.add_argument(f"--{name}", action="store_true")
        else:
            parser.add_argument(f"--{name}", default="", metavar=name.upper())
    parser.add_argument(
        "--sort", default="newest", metavar="ORDER", help=f"{', '.join(SORTS)} or score:METRIC"
    )


def _opened(run: Callable[[argparse.Namespace, History], None]) -> Callable[..., None]:
    """With the history as it is on disk now."""

    def opened(options: argparse.Namespace) -> None:
        own = history()
        say_notes([own.notice] if own.notice else [])
        take_in(own)
        run(options, own)

    return opened


def _chosen(
    run: Callable[[argparse.Namespace, History, list[str]], None],
) -> Callable[[argparse.Namespace, History], None]:
    """Of the pictures that ``--id`` names, or else of all that are found."""

    def chosen(options: argparse.Namespace, own: History) -> None:
        named = list(dict.fromkeys(_ids(own, options.id)))
        run(options, own, named or own.ids(_query(options, own)))

    return chosen


def _query(options: argparse.Namespace, own: History) -> Query:
    """What is asked for.

    Raises:
        StudioError: a scheduler that neither is here nor has made any picture.
    """
    if options.scheduler and scheduler_of(options.scheduler) not in SCHEDULERS:
        used = [name for name, _ in own.names("schedulers")]
        if options.scheduler.casefold() not in map(str.casefold, used):
            known = ", ".join(dict.fromkeys([*SCHEDULERS, *used]))
            raise StudioError(f"{known}, got {shorten(options.scheduler)}", field="--scheduler")
    given = {name: getattr(options, name) for name in (*_QUERY, "sort")}
    return Query(text=" ".join(options.text), **given)


def _line(own: History, record: Record) -> dict[str, Any]:
    shown = ("id", "title", "seed", "width", "height", "base", "prompts", "starred", "tags")
    said = {name: getattr(record, name) for name in (*shown, "board", "note", "problem")}
    return {"file": str(own.file(record)), **said}


def _ids(own: History, given: list[str]) -> list[str]:
    """Ids as they are; paths and file names by what they name.

    Raises:
        MissingFile: no picture is called that.
    """
    by_path = {path: one for one, path in own.paths()}
    by_name = {Path(path).name: one for path, one in by_path.items()}
    found = []
    for one in given:
        path = Path(one)
        inside = path.resolve().as_posix().removeprefix(f"{own.outputs.resolve().as_posix()}/")
        known = one if one in by_path.values() else by_path.get(inside) or by_name.get(one)
        if known is None:
            raise MissingFile("no picture of the history is called that", field=one)
        found.append(known)
    return found


def _search(options: argparse.Namespace, own: History) -> None:
    if options.limit < 0:
        raise StudioError(f"a whole number from 0, got {options.limit}", field="--limit")
    found = own.search(_query(options, own), options.limit)
    for record in found.records:
        say(_line(own, record))
    say_notes([f"{len(found.records)} of {found.total}"])


def _show(options: argparse.Namespace, own: History) -> None:
    for one in _ids(own, options.ids):
        record = own.get(one)
        say({"file": str(own.file(record)), **dataclasses.asdict(record)})


def _star(options: argparse.Namespace, own: History) -> None:
    _said(own.mark(_ids(own, options.ids), starred=True), "starred")


def _unstar(options: argparse.Namespace, own: History) -> None:
    _said(own.mark(_ids(own, options.ids), starred=False), "without a star")


def _written(field: str) -> Callable[[argparse.Namespace, History], None]:
    def write(options: argparse.Namespace, own: History) -> None:
        _said(own.mark(_ids(own, options.ids), **{field: options.text}), "changed")

    return write


def _tag(options: argparse.Namespace, own: History) -> None:
    _said(own.mark(_ids(own, options.ids), tags=options.tags.split(",")), "tagged")


def _delete(options: argparse.Namespace, own: History) -> None:
    ids = _ids(own, options.ids)
    gone = own.delete(ids)
    _said(len(gone), "in the bin")
    kept = len(ids) - len(gone)
    say_notes([f"{kept} starred or deleted already"] if kept else [])


def _restore(options: argparse.Namespace, own: History) -> None:
    ids = _ids(own, options.ids)
    back = own.restore(ids)
    _said(len(back), "brought back")
    stay = len(ids) - len(back)
    say_notes([f"{stay} not brought back: without a file, or in no bin"] if stay else [])


def _prune(options: argparse.Namespace, own: History) -> None:
    _said(len(own.delete(own.ids(_query(options, own)))), "in the bin")


def _empty(options: argparse.Namespace, own: History) -> None:
    starred = own.search(Query(bin=True, starred=True), 0).total
    kept = [f"{starred} kept in the bin: starred"] if starred else []
    if not options.yes:
        going = own.search(Query(bin=True), 0).total - starred
        say_notes([f"{going} in the bin; --yes removes them", *kept])
        return
    _said(own.empty_bin(), "removed")
    say_notes(kept)


def _export(options: argparse.Namespace, own: History) -> None:
    if options.out.lower().endswith(".zip") and not Path(options.out).is_dir():
        _zip(Path(options.out), own, own.ids(_query(options, own)), options)
        return
    folder, count = output_folder(options.out), 0
    left = Left()
    if options.jpeg or options.plain:
        for name, data in jpegs(own, own.ids(_query(options, own)), left, not options.plain):
            write_atomically(_free(folder / name), data)
            count += 1
        _copied(count, left)
        return
    for file, name in named(own, own.ids(_query(options, own)), left.lost):
        place = _free(folder / name)
        try:
            shutil.copy2(file, place)
        except OSError as error:
            raise StudioError(f"cannot be copied ({error.strerror})", field=str(file)) from error
        count += 1
    _copied(count, left)


def _free(place: Path) -> Path:
    if place.exists():
        raise StudioError("is there already; export to a folder of its own", field=str(place))
    return place


def _zip(place: Path, own: History, ids: list[str], options: argparse.Namespace) -> None:
    output_folder(str(place.parent))
    found: list[Left] = []

    def write(file: BinaryIO) -> None:
        if options.jpeg or options.plain:
            found.append(write_jpegs(own, ids, file, not options.plain))
        else:
            found.append(Left(write_zip(own, ids, file)))

    write_once(place, write)
    _copied(len(ids) - len(found[0].lost), found[0])


def _copied(count: int, left: Left) -> None:
    _said(count, "copied")
    say_notes(left.said())


def _said(count: int, what: str) -> None:
    say({"pictures": count, "done": what})
