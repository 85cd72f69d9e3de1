"""Files of pins: constraints.txt (names and versions), requirements.lock (and the sha256 of each file)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

_PIN = re.compile(r"([A-Za-z0-9._-]+)==([^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def canonical(name: str) -> str:
    """The name of a distribution as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_pins(path: Path) -> dict[str, str]:
    """Versions by canonical name.

    Raises:
        ValueError: a line that is neither a pin nor a comment.
    """
    pins = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.strip()
        if not text or text.startswith(("#", "--hash")):
            continue
        match = _PIN.match(text)
        if match is None:
            raise ValueError(f"{path}: not NAME==VERSION: {text}")
        pins[canonical(match[1])] = match[2]
    return pins


def read_hashes(path: Path) -> dict[str, list[str]]:
    """The sha256 of every file of a lock that may be installed, by canonical name."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if (match := _PIN.match(line.strip())) is not None:
            name = canonical(match[1])
            found[name] = []
        if name:
            found[name] += _HASH.findall(line)
    return found


def render_lock(pins: Mapping[str, str], hashes: Mapping[str, Sequence[str]], head: str) -> str:
    """The text of a lock; `head` is its comment."""
    lines = [f"# {line}".rstrip() for line in head.splitlines()]
    for name in sorted(pins):
        lines.append(f"{name}=={pins[name]} \\")
        known = sorted(set(hashes[name]))
        lines += [f"    --hash=sha256:{digest} \\" for digest in known[:-1]]
        lines.append(f"    --hash=sha256:{known[-1]}")
    return "\n".join(lines) + "\n"
