"""The files of a report: all three, the same bytes each time, replaced in one step."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from compress.errors import NotFoundError, StorageError
from compress.evaluation.row import Row
from compress.reports import provenance, table4, table4_page, write_document


def write_report(rows: list[Row], folder: Path, *, generated: str, command: str) -> tuple[Path, Path, Path]:
    made = provenance(generated, command, rows[0].data.fingerprint if rows else "")
    return write_document(table4_page(table4(rows), made), folder, "report")


def test_report_is_three_files_of_the_same_bytes_each_time(rows: list[Row], tmp_path: Path) -> None:
    paths = write_report(rows, tmp_path / "reports", generated="2026-11-22", command="compress report")
    assert [path.name for path in paths] == ["report.md", "report.json", "report.html"]
    first = [path.read_bytes() for path in paths]
    write_report(rows, tmp_path / "reports", generated="2026-11-22", command="compress report")
    assert [path.read_bytes() for path in paths] == first
    assert sorted(path.name for path in (tmp_path / "reports").iterdir()) == sorted(
        path.name for path in paths
    )


def test_report_names_versions_date_and_command(rows: list[Row], tmp_path: Path) -> None:
    markdown, json_path, html = write_report(
        rows, tmp_path, generated="2026-11-22", command="compress report --x"
    )
    value = json.loads(json_path.read_text())
    assert value["provenance"]["versions"]["python"]
    for text in (markdown.read_text(), html.read_text()):
        assert "2026-11-22" in text
        assert "compress report --x" in text
        assert value["headline"] in text.replace("\N{NO-BREAK SPACE}", " ")


def test_no_rows_write_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        write_report([], tmp_path / "reports", generated="", command="")
    assert not (tmp_path / "reports").exists()


def test_a_folder_that_is_a_file_is_a_storage_error(rows: list[Row], tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("in the way")
    with pytest.raises(StorageError, match="reports"):
        write_report(rows, tmp_path / "reports", generated="", command="")


def test_a_report_of_what_is_measured_loads_neither_torch_nor_faiss():
    code = "import compress.jobs.report, sys; sys.exit(bool({'torch', 'faiss'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
