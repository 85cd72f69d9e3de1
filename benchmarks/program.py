"""The command line of the benchmarks: parse, run, show."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.arguments import Parser, existing_folder, positive
from benchmarks.row import Row, Settings
from compress.errors import CompressError, NotFoundError, UsageError

ROUNDS = {True: 3, False: 7}
FAILED = 70


def main(words: Sequence[str]) -> int:
    """Run one command line; returns the exit code."""
    try:
        if words[:1] == ["scale"]:
            from benchmarks.scale import main as scale

            return scale(words[1:])
        if words[:1] == ["end-to-end"]:
            from benchmarks.end_to_end import main as end_to_end

            return end_to_end(words[1:])
        if words[:1] == ["verdicts"]:
            from benchmarks.verdicts import main as verdicts

            return verdicts(words[1:])
        return _compare(words)
    except CompressError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("error: stopped", file=sys.stderr)
        return 130


def _compare(words: Sequence[str]) -> int:
    from benchmarks.paths import ROWS

    asked = _parser().parse_args(list(words))
    rows = choose(asked.only, ROWS)
    if asked.list:
        _list(rows)
        return 0
    for folder in (asked.data, asked.frames):
        if folder is not None and not folder.is_dir():
            raise NotFoundError("no such folder", where=folder)
    for file in (asked.json, asked.markdown):
        if file is not None and file.is_dir():
            raise UsageError("is a folder, not a file to write", where=file)
    return _run(asked, rows)


def _run(asked: argparse.Namespace, rows: Sequence[Row]) -> int:
    from benchmarks import json_report, markdown, table
    from benchmarks.results import Result
    from benchmarks.run import run
    from compress.machine import cpu_count

    def tell(row: Row, result: Result) -> None:
        said = (
            f"{result.rounds.ratio:.2f}x"
            if result.state == "measured"
            else f"{result.state}: {result.reason}"
        )
        print(f"{row.name}: {said}", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="benchmarks-", dir=asked.scratch) as scratch:
        rounds = asked.rounds or ROUNDS[asked.quick]
        settings = Settings(asked.quick, Path(scratch), asked.data, asked.frames, rounds, cpu_count())
        report = run(rows, settings, tell)
    print(table.render(report), flush=True)
    if asked.json:
        json_report.save(report, asked.json)
    if asked.markdown:
        markdown.save(report, asked.markdown)
    return FAILED if any(result.state == "failed" for result in report.results) else 0


def choose(names: Sequence[str], rows: Sequence[Row]) -> list[Row]:
    """The rows of these names, or of these beginnings of names, in the order of the table; all without any.

    Raises:
        UsageError: a name that is none of a row.
    """
    for name in names:
        if not any(row.name.startswith(name) for row in rows):
            known = ", ".join(row.name for row in rows)
            raise UsageError(f"no row {name!r}", where="--only", hint=f"known: {known}")
    return [row for row in rows if not names or any(row.name.startswith(name) for name in names)]


def _list(rows: Sequence[Row]) -> None:
    from benchmarks.table import columns

    print("\n".join(columns([(row.name, row.ours, "against", row.rival) for row in rows])))


def _parser() -> Parser:
    parser = Parser(
        "python -m benchmarks", description="Every hot path beside its rival, one thread, in turn."
    )
    parser.add_argument("--quick", action="store_true", help="small sizes: under 5 minutes on 2 cores")
    parser.add_argument("--list", action="store_true", help="name the rows and stop")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        help="this row, or all that begin so; repeatable",
    )
    parser.add_argument("--rounds", type=positive, metavar="N", help="times both sides run (7; quick: 3)")
    parser.add_argument(
        "--data", type=Path, metavar="FOLDER", help="video-level shards, instead of invented ones"
    )
    parser.add_argument(
        "--frames", type=Path, metavar="FOLDER", help="frame-level shards, instead of invented ones"
    )
    parser.add_argument(
        "--scratch", type=existing_folder, metavar="FOLDER", help="where files are written and removed"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured there")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write a page to keep")
    return parser
