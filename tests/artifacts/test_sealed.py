"""JSON with a seal: every flipped bit is found, older files are read, and a log keeps all of its lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from compress.artifacts import sealed
from compress.artifacts.atomic import write_json
from compress.artifacts.sealed import (
    append_sealed,
    read_sealed,
    read_sealed_lines,
    sealed_lines,
    write_sealed,
)
from compress.errors import CorruptArtifactError, DataError, NotFoundError

VALUE = {
    "row": "linear-16",
    "figures": {"gap": {"value": 0.3527, "low": 0.32}},
    "notes": ["schön"],
    "n": None,
}
LINES = [{"epoch": epoch, "loss": 0.5 / epoch, "cpu_seconds": 1.25} for epoch in (1, 2, 3)]
HINT = "make it anew with `compress evaluate --name linear-16`"


def test_what_was_written_is_read_without_its_seal(tmp_path: Path) -> None:
    write_sealed(tmp_path / "a.json", VALUE)
    assert read_sealed(tmp_path / "a.json", HINT) == VALUE
    assert json.loads((tmp_path / "a.json").read_text())["seal"].startswith("sha256:")
    with pytest.raises(NotFoundError):
        read_sealed(tmp_path / "b.json", HINT)
    with pytest.raises(DataError, match="JSON"):
        write_sealed(tmp_path / "a.json", {"gap": float("nan")})


@pytest.mark.parametrize("read", [read_sealed, read_sealed_lines])
def test_every_flipped_bit_is_refused_or_changes_nothing(tmp_path: Path, monkeypatch, read) -> None:
    path, wanted = tmp_path / "file", VALUE if read is read_sealed else LINES
    if read is read_sealed:
        write_sealed(path, VALUE)
    else:
        for line in LINES:
            append_sealed(path, line)
        assert path.read_bytes() == sealed_lines(LINES)
    assert read(path, HINT) == wanted
    whole, refused = path.read_bytes(), 0
    for bit in range(8 * len(whole)):
        # Not on the disk: thousands of files would take minutes on a busy one.
        monkeypatch.setattr(sealed, "read_bytes", lambda _, bit=bit: flipped(whole, bit))
        try:
            assert read(path, HINT) == wanted
        except CorruptArtifactError as error:
            refused += (error.where, error.hint) == (str(path), HINT)
    assert refused > 7 * len(whole), "of the spaces some may change"


@pytest.mark.parametrize("order", [[0, 2], [1, 2], [1, 0, 2], [0, 0, 1, 2], [0, 1, 1]])
def test_a_line_that_is_missing_moved_or_repeated_is_found(tmp_path: Path, order: list[int]) -> None:
    lines = sealed_lines(LINES).splitlines(keepends=True)
    (tmp_path / "log.jsonl").write_bytes(b"".join(lines[place] for place in order))
    with pytest.raises(CorruptArtifactError, match=r"line [123]: does not match its own sha256"):
        read_sealed_lines(tmp_path / "log.jsonl", HINT)


def test_half_a_line_is_damage(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_bytes(sealed_lines(LINES)[:-1])
    with pytest.raises(CorruptArtifactError, match="line 3: does not end"):
        read_sealed_lines(tmp_path / "log.jsonl", HINT)


def test_files_of_version_0_1_are_read_as_they_are_and_a_log_goes_on(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", VALUE)
    assert read_sealed(tmp_path / "a.json", HINT) == VALUE
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in LINES[:2]))
    append_sealed(log, LINES[2])
    assert read_sealed_lines(log, HINT) == LINES
    log.write_bytes(log.read_bytes().replace(b'"epoch": 2', b'"epoch": 4'))
    with pytest.raises(CorruptArtifactError, match="line 3"):  # its seal covers the line before it
        read_sealed_lines(log, HINT)


@pytest.mark.parametrize("text", ["{", "[]", "3", '{"seal": 3}', '{"a": "sha256:"}'])
def test_what_is_no_sealed_object_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(CorruptArtifactError) as error:
        read_sealed(tmp_path / "a.json", HINT)
    assert error.value.hint == HINT


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
