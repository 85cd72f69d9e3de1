"""`python -m benchmarks.one_row NAME SETTINGS`: one row, its result as JSON on stdout."""

from __future__ import annotations

import sys

from compress.machine import use_threads

if __name__ == "__main__":
    use_threads(1)  # before numpy, torch and faiss are imported: they read it once

    from benchmarks.json_report import parse_settings, result_text
    from benchmarks.paths import ROWS
    from benchmarks.run import measure

    name, settings = sys.argv[1:]
    print(result_text(measure(next(row for row in ROWS if row.name == name), parse_settings(settings))))
