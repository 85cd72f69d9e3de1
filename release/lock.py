"""Make requirements.lock: `python -m release.lock REPORT.json ... > requirements.lock`; see `make lock`.

A report is what `pip install --dry-run --ignore-installed --report REPORT.json` writes: which files it would
install on this machine, with their sha256. Several reports (of several versions of Python) are joined.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from release.pins import canonical, render_lock

HEAD = """What `pip install compress-video-embeddings` brings, with the sha256 of each file: {places}.
pip install --require-hashes -r requirements.lock && pip install --no-deps compress_video_embeddings-*.whl
Made by `make lock` from constraints.txt; do not edit."""


def lock(reports: Sequence[dict[str, Any]]) -> str:
    """The lock of some reports of pip.

    Raises:
        ValueError: a file without a sha256, a local build, or two versions of one distribution.
    """
    pins: dict[str, str] = {}
    hashes: dict[str, list[str]] = {}
    for report in reports:
        for item in report["install"]:
            name, version = canonical(item["metadata"]["name"]), item["metadata"]["version"]
            if "+" in version:
                raise ValueError(f"{name} {version}: a local build, which no index of others has")
            if pins.setdefault(name, version) != version:
                raise ValueError(f"{name}: {pins[name]} in one report, {version} in another")
            digest = item["download_info"].get("archive_info", {}).get("hashes", {}).get("sha256")
            if digest is None:
                raise ValueError(f"{name}: pip gives no sha256 of it")
            hashes.setdefault(name, []).append(digest)
    places = {_place(report["environment"]) for report in reports}
    return render_lock(pins, hashes, HEAD.format(places=", ".join(sorted(places))))


def _place(environment: dict[str, str]) -> str:
    return "Python {python_version}, {platform_system} on {platform_machine}".format_map(environment)


if __name__ == "__main__":
    print(lock([json.loads(Path(name).read_bytes()) for name in sys.argv[1:]]), end="")
