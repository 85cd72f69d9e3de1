"""Damage of files: bytes changed at random, JSON changed in its meaning, and checksums made right again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from compress.artifacts.atomic import render_json
from compress.artifacts.manifest import MANIFEST
from compress.store.format import USER_BLOCK_BYTES, UserBlock, render_user_block

_TELLING = [b"\0", b"\xff", b"\n", b'"', b"{", b"-", b"../", b"\x1b]0;x\x07", b"9" * 20, b"nan", b"\0" * 64]
_STRANGE: list[Any] = [
    *(None, True, False, 0, -1, 1, 2, 2**31, 2**63, -(2**63), 10**400, 0.5, -0.0, 1e308, float("nan")),
    *(
        float("inf"),
        "",
        "a",
        "../../x",
        "/etc/passwd",
        "\0",
        "\x1b[2J",
        "é" * 300,
        [],
        {},
        [[]],
        [0],
        {"a": 1},
    ),
]


def flipped(data: bytes, random: Random) -> bytes:
    """One bit changed."""
    changed = bytearray(data)
    changed[random.randrange(len(data))] ^= 1 << random.randrange(8)
    return bytes(changed)


def damaged(data: bytes, random: Random) -> bytes:
    """A few bits, bytes or ranges changed, cut out or put in."""
    if not data:
        return random.choice(_TELLING)
    at = random.randrange(len(data))
    run = 1 << random.randrange(12)
    piece = data[at : at + run]
    match random.randrange(9):
        case 0 | 1:
            return flipped(data, random)
        case 2:
            for _ in range(random.randint(2, 8)):
                data = flipped(data, random)
            return data
        case 3:
            return data[:at]
        case 4:
            return data[:at] + data[at + run :]
        case 5:
            return data[:at] + random.choice(_TELLING) + data[at:]
        case 6:
            word = random.choice(_TELLING)
            return data[:at] + word + data[at + len(word) :]
        case 7:
            to = random.randrange(len(data))
            return data[:to] + piece + data[to + len(piece) :]
        case _:
            return data[:at] + bytes(len(piece)) + data[at + run :]


def changed_json(value: Any, random: Random) -> Any:
    """JSON with one value replaced, removed, doubled or buried; the argument is not kept."""
    places = list(_places(value))
    if not places:
        return random.choice(_STRANGE)
    holder, key = random.choice(places)
    match random.randrange(6):
        case 0:
            del holder[key]
        case 1:
            deep: Any = holder[key]
            for _ in range(random.choice([1, 100, 900])):
                deep = [deep]
            holder[key] = deep
        case 2 if isinstance(holder[key], (int, float)) and not isinstance(holder[key], bool):
            holder[key] = random.choice(
                [-holder[key], holder[key] + 1, holder[key] * 1000, float(holder[key])]
            )
        case 3 if isinstance(holder, dict):
            holder[random.choice(["a", "", "name", "\0", "__class__"])] = random.choice(_STRANGE)
        case _:
            holder[key] = random.choice(_STRANGE)
    return value


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield value, key
            yield from _places(item)


def mutate(path: Path, random: Random) -> str:
    """Damage a file as a broken disk or a careless editor would; the kind of damage."""
    data = path.read_bytes()
    if path.suffix == ".json" and random.random() < 0.5:
        path.write_text(json.dumps(changed_json(json.loads(data), random)), encoding="utf-8")
        return "JSON"
    if data and random.random() < 0.4:
        path.write_bytes(flipped(data, random))
        return "bit"
    path.write_bytes(damaged(data, random))
    return "bytes"


def mutate_and_seal(path: Path, random: Random) -> str:
    """Damage a file as a hostile hand would, with every checksum right again; "" where it has none."""
    if path.name == MANIFEST:
        value = json.loads(path.read_bytes())
        value.pop("sha256")
        value = changed_json(value, random)
        path.write_bytes(_sealed_manifest(value))
        return "manifest, sealed"
    if path.suffix == ".json":
        value = json.loads(path.read_bytes())
        if not isinstance(value, dict) or "seal" not in value:
            return ""
        value.pop("seal")
        value = changed_json(value, random)
        body = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        seal = "sha256:" + hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()
        path.write_text(json.dumps({**value, "seal": seal}), encoding="utf-8")
        return "JSON, sealed"
    if path.suffix == ".h5":
        rest = damaged(path.read_bytes()[USER_BLOCK_BYTES:], random)
        block = UserBlock(USER_BLOCK_BYTES + len(rest), hashlib.sha256(rest).hexdigest())
        path.write_bytes(render_user_block(block) + rest)
        return "store, sealed"
    manifest = path.parent / MANIFEST
    if not manifest.is_file():
        return ""
    value = json.loads(manifest.read_bytes())
    named = [file for file in value["files"].values() if file["stored"] == path.name]
    if not named:
        return ""
    data = damaged(path.read_bytes(), random)
    digest = hashlib.sha256(data).hexdigest()
    stem, suffix = path.stem.rpartition("-")[0], path.suffix
    named[0] |= {"stored": f"{stem}-{digest[:8]}{suffix}", "bytes": len(data), "sha256": digest}
    path.unlink()
    path.with_name(named[0]["stored"]).write_bytes(data)
    value.pop("sha256")
    manifest.write_bytes(_sealed_manifest(value))
    return f"{suffix[1:]}, sealed"


def _sealed_manifest(value: Any) -> bytes:
    where = Path(MANIFEST)
    try:
        digest = hashlib.sha256(render_json(value, where)).hexdigest()
        return render_json({**value, "sha256": digest}, where)
    except Exception:  # no JSON that the project would write: NaN, or no object at all
        return json.dumps(value).encode()
