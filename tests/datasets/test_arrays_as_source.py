"""Plain arrays as a source: the same checks, the same policy, labels files in the fingerprint."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from compress.datasets import load_table, open_source, scan
from compress.errors import RecordError, SchemaError


@pytest.fixture
def arrays(tmp_path: Path) -> Path:
    """Two .npy files of 4 videos with labels beside them; row 2 of b is NaN."""
    random = np.random.default_rng(0)
    for name in "ab":
        features = random.normal(size=(4, 3)).astype(np.float32)
        if name == "b":
            features[2, 1] = np.nan
        np.save(tmp_path / f"{name}.npy", features)
        rows = "".join(f"{name}{row},{row} {row + 1}\n" for row in range(4))
        (tmp_path / f"{name}.labels.csv").write_text(f"id,labels\n{rows}")
    return tmp_path


def test_a_defective_row_names_file_row_and_id(arrays: Path) -> None:
    source = open_source([f"{arrays}/*.npy"])
    assert (source.schema.dim, source.schema.num_classes) == (3, 5)
    with pytest.raises(RecordError) as caught:
        scan(source)
    assert str(caught.value) == (
        f"{arrays}/b.npy: row 2, id b2: feature 'features' is nan at position 1; "
        "leave such rows out with --on-corrupt skip or --on-corrupt quarantine"
    )


def test_skip_and_quarantine_leave_the_row_out(arrays: Path) -> None:
    for options in ({"on_corrupt": "skip"}, {"on_corrupt": "quarantine", "quarantine": arrays / "q"}):
        source = open_source([f"{arrays}/*.npy"], **options)
        table = load_table(source)
        assert table.ids.tolist() == [b"a0", b"a1", b"a2", b"a3", b"b0", b"b1", b"b3"]
        np.testing.assert_array_equal(table.features[6], np.load(arrays / "b.npy")[3])
        assert [(one.record, one.num_bytes) for one in source.skipped] == [(2, 12)]
    line = json.loads((arrays / "q" / "quarantine.jsonl").read_text())
    kept = np.frombuffer((arrays / "q" / line["quarantined"]).read_bytes(), dtype=np.float32)
    np.testing.assert_array_equal(kept, np.load(arrays / "b.npy")[2])


def test_a_duplicate_names_both_rows(arrays: Path) -> None:
    (arrays / "b.labels.csv").write_text("id,labels\nb0,1\na3,1\nb2,1\nb3,4\n")
    source, said = open_source([f"{arrays}/*.npy"], on_corrupt="skip"), []
    scan(source, said.append)
    assert source.repeats == 1, "the first stays"
    assert re.search(r"b\.npy: row 1, id a3, before at .*a\.npy: row 3, id a3", str(said))


def test_the_labels_file_counts_in_the_fingerprint(arrays: Path) -> None:
    first = open_source([f"{arrays}/a.npy"]).fingerprint()
    (arrays / "a.labels.csv").write_text("id,labels\na0,0\na1,1\na2,2\na3,4\n")
    second = open_source([f"{arrays}/a.npy"]).fingerprint()
    other = arrays / "other.csv"
    other.write_text("id,labels\na0,0\na1,1\na2,2\na3,3\n")
    third = open_source([f"{arrays}/a.npy"], labels=other, num_classes=5).fingerprint()
    assert len({first, second, third}) == 3


def test_files_of_different_size_are_refused(arrays: Path) -> None:
    np.save(arrays / "c.npy", np.zeros((2, 4), dtype=np.float32))
    with pytest.raises(SchemaError, match=r"c\.npy: holds .*dims=\(4,\)"):
        open_source([f"{arrays}/*.npy"], num_classes=5)
    with pytest.raises(SchemaError, match="say --level frame if a file is a video"):
        open_source([f"{arrays}/[ab].npy"], labels=arrays / "a.labels.csv")


def test_a_schema_that_the_arrays_do_not_fit_is_refused(build, arrays: Path) -> None:
    with pytest.raises(SchemaError, match="expected are mean_rgb"):
        open_source([f"{arrays}/a.npy"], schema=build.video_schema)
