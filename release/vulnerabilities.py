"""Which pins have known vulnerabilities, without the network: `make vulnerabilities DATABASE=PATH`.

PATH is a copy of the OSV database (osv.dev) for Python packages: a zip or a folder of JSON files, or one of
them. Exit code 1: something was found; 2: PATH holds nothing about Python packages, so nothing was checked.
"""

from __future__ import annotations

import argparse
import json
import sys
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from release.pins import canonical, read_pins

PINS = Path(__file__).parents[1] / "constraints.txt"


@dataclass(frozen=True)
class Finding:
    """A pinned version that a record names."""

    name: str
    version: str
    record: str
    summary: str


def read_records(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a database."""
    if path.is_dir():
        for file in sorted(path.rglob("*.json")):
            yield from _parsed(file.read_bytes())
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in sorted(archive.namelist()):
                if name.endswith(".json"):
                    yield from _parsed(archive.read(name))
    else:
        yield from _parsed(path.read_bytes())


def _parsed(data: bytes) -> list[dict[str, Any]]:
    value = json.loads(data)
    return value if isinstance(value, list) else [value]


def check(pins: dict[str, str], records: Iterable[dict[str, Any]]) -> tuple[list[Finding], int]:
    """(what was found, how many records of Python packages were read); withdrawn records count as read."""
    found, read = [], 0
    for record in records:
        affected = [one for one in record.get("affected", []) if _is_python(one)]
        read += bool(affected)
        if record.get("withdrawn"):
            continue
        for name in sorted({canonical(one["package"]["name"]) for one in affected} & pins.keys()):
            of_name = [one for one in affected if canonical(one["package"]["name"]) == name]
            if any(_affects(one, pins[name]) for one in of_name):
                found.append(Finding(name, pins[name], record["id"], record.get("summary", "")))
    return sorted(found, key=lambda one: (one.name, one.record)), read


def _is_python(affected: dict[str, Any]) -> bool:
    return bool(affected.get("package", {}).get("ecosystem", "").split(":")[0] == "PyPI")


def _affects(affected: dict[str, Any], version: str) -> bool:
    listed = affected.get("versions", [])
    if version in listed or any(_same(version, each) for each in listed):
        return True
    ranges = [one for one in affected.get("ranges", []) if one.get("type") in ("ECOSYSTEM", "SEMVER")]
    return any(_within(one.get("events", []), Version(version)) for one in ranges)


def _same(version: str, other: str) -> bool:
    try:
        return Version(version) == Version(other)
    except InvalidVersion:
        return False


def _within(events: list[dict[str, str]], version: Version) -> bool:
    """Whether a version is between an event that begins a range and the one that ends it."""
    inside, in_order = False, sorted(map(_event, events), key=lambda one: (one[1], one[0] != "introduced"))
    for kind, at in in_order:
        if kind == "introduced" and version >= at:
            inside = True
        if (kind == "fixed" and version >= at) or (kind == "last_affected" and version > at):
            inside = False
    return inside


def _event(event: dict[str, str]) -> tuple[str, Version]:
    ((kind, text),) = event.items()
    return kind, Version("0.dev0" if text == "0" else text)


def main(words: list[str] | None = None) -> int:
    """Check and print; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m release.vulnerabilities", description=__doc__)
    parser.add_argument("database", type=Path, help="zip, folder or file of OSV records")
    parser.add_argument("--pins", type=Path, default=PINS, help="constraints.txt or a lock")
    given = parser.parse_args(words)
    pins = read_pins(given.pins)
    if not given.database.exists():
        print(f"error: {given.database}: no such file or folder", file=sys.stderr)
        return 2
    found, read = check(pins, read_records(given.database))
    if not read:
        print(f"error: {given.database}: holds no record of a Python package", file=sys.stderr)
        return 2
    for one in found:
        print(f"{one.name}=={one.version}  {one.record}  {one.summary}")
    print(f"{len(found)} findings for {len(pins)} pins in {read:,} records")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
