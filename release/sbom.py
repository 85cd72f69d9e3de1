"""The components of an installation as CycloneDX JSON: `python -m release.sbom > sbom.json`; see `make sbom`.

Read from the metadata of what is installed beside this project: everything that it needs, and nothing else.
"""

from __future__ import annotations

import json
import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from release.pins import canonical, read_hashes

PROJECT = "compress-video-embeddings"
LOCK = Path(__file__).parents[1] / "requirements.lock"
_SPDX = re.compile(r"[A-Za-z0-9.+-]+( (AND|OR|WITH) [A-Za-z0-9.+-]+)*")


def components(root: str = PROJECT) -> dict[str, tuple[Distribution, list[str]]]:
    """Every installed distribution that `root` needs, itself included, and the names of those that it needs.

    Raises:
        PackageNotFoundError: `root`, or something that it needs on this machine, is not installed.
    """
    found: dict[str, tuple[Distribution, set[str]]] = {}
    waiting = [(root, frozenset[str]())]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, extras = waiting.pop()
        if (canonical(name), extras) in seen:
            continue
        seen.add((canonical(name), extras))
        one = distribution(name)
        needed = [each for each in map(Requirement, one.requires or []) if _applies(each, extras)]
        found.setdefault(canonical(name), (one, set()))[1].update(canonical(each.name) for each in needed)
        waiting += [(each.name, frozenset(each.extras)) for each in needed]
    return {name: (one, sorted(names)) for name, (one, names) in found.items()}


def _applies(requirement: Requirement, extras: frozenset[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in (*extras, ""))


def sbom(found: dict[str, tuple[Distribution, list[str]]], hashes: dict[str, list[str]]) -> dict[str, Any]:
    """CycloneDX 1.5, without a date or a serial number: the same installation gives the same bytes."""
    listed = {name: _component(name, one, hashes.get(name, [])) for name, (one, _) in sorted(found.items())}
    root = listed.pop(PROJECT)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {**root, "type": "application"}},
        "components": list(listed.values()),
        "dependencies": [
            {"ref": _ref(name, one), "dependsOn": sorted(_ref(each, found[each][0]) for each in needed)}
            for name, (one, needed) in sorted(found.items())
        ],
    }


def _ref(name: str, one: Distribution) -> str:
    return f"pkg:pypi/{name}@{one.version}"


def _component(name: str, one: Distribution, hashes: list[str]) -> dict[str, Any]:
    reference = _ref(name, one)
    value: dict[str, Any] = {"type": "library", "bom-ref": reference, "name": name}
    value |= {"version": one.version, "purl": reference}
    said = [text for key in ("License-Expression", "License") for text in one.metadata.get_all(key) or []]
    if said and _SPDX.fullmatch(said[0]):
        value["licenses"] = [{"expression": said[0]}]
    if hashes:
        value["hashes"] = [{"alg": "SHA-256", "content": digest} for digest in sorted(hashes)]
    return value


if __name__ == "__main__":
    try:
        print(json.dumps(sbom(components(), read_hashes(LOCK)), indent=2))
    except PackageNotFoundError as error:
        raise SystemExit(f"error: {error.name} is not installed; run `make venv` first") from error
