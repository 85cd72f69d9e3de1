"""A report as JSON, every round's raw times in it, and back."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.machine import Machine
from benchmarks.measure import Rounds
from benchmarks.results import Report, Result
from benchmarks.row import Goal, Settings, Work
from compress.artifacts.atomic import write_bytes
from compress.errors import DataError, NotFoundError

VERSION = 1


def render(report: Report) -> str:
    """The file's text; figures that follow from others are added for readers, and ignored by `parse`."""
    value = {"version": VERSION, **asdict(report)}
    for entry, result in zip(value["results"], report.results, strict=True):
        if result.state == "measured":
            entry["follows"] = {
                "ratio": result.rounds.ratio,
                "interval": result.rounds.interval,
                "our_rate": result.our_rate,
                "rival_rate": result.rival_rate,
                "share": result.share,
                "reached": result.reached,
            }
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def parse(text: str, where: str | Path = "") -> Report:
    """What `render` wrote; DataError when it is anything else."""
    try:
        value = json.loads(text)
        if value["version"] != VERSION:
            raise DataError(f"is a report of version {value['version']}, not {VERSION}", where=where)
        machine = Machine(**{**value["machine"], "flags": tuple(value["machine"]["flags"])})
        results = tuple(_result(entry) for entry in value["results"])
        return Report(machine, value["quick"], value["data"], dict(value["limits"]), results)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"is not a report of benchmarks ({error})", where=where) from error


def save(report: Report, path: Path) -> None:
    """Write the file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, render(report).encode())


def load(path: Path) -> Report:
    """Read a file that `save` wrote; NotFoundError, DataError."""
    if not path.is_file():
        raise NotFoundError("no such file", where=path)
    return parse(path.read_text("utf-8"), path)


def result_text(result: Result) -> str:
    """One result in one line."""
    return json.dumps(asdict(result))


def parse_result(text: str) -> Result:
    """What `result_text` wrote; DataError when it is anything else."""
    try:
        return _result(json.loads(text))
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"is not a result ({error})") from error


def settings_text(settings: Settings) -> str:
    """Settings in one line; paths become absolute."""
    given = asdict(settings)
    paths = {name: str(value.resolve()) for name, value in given.items() if isinstance(value, Path)}
    return json.dumps({**given, **paths})


def parse_settings(text: str) -> Settings:
    """What `settings_text` wrote."""
    given = json.loads(text)
    paths = {name: Path(given[name]) for name in ("scratch", "data", "frames") if given[name] is not None}
    return Settings(**{**given, **paths})


def _result(entry: dict[str, Any]) -> Result:
    given = {name: value for name, value in entry.items() if name != "follows"}
    times = {side: tuple(values) for side, values in given["rounds"].items()}
    given |= {"rounds": Rounds(**times), "notes": tuple(given["notes"])}
    given["goal"] = None if given["goal"] is None else Goal(**given["goal"])
    given["work"] = None if given["work"] is None else Work(**given["work"])
    return Result(**given)
