"""`compress --help` answers at once, because the heavy libraries wait for the commands that need them."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "torch",
    "faiss",
    "h5py",
    "numpy",
    "sklearn",
    "scipy",
    "google.protobuf",
    "jinja2",
    "pyarrow",
    "crc32c",
    "matplotlib",
)
PROBE = """
import sys
from cli.main import run
try:
    run({words!r})
except SystemExit as end:
    code = end.code
loaded = [name for name in {heavy!r} if name in sys.modules]
print("LOADED", loaded, code, file=sys.stderr)
"""


@pytest.mark.parametrize(
    "words",
    [["--help"], ["--version"], ["train", "--help"], ["data", "inspect", "--help"], ["trian"], ["init"], []],
    ids=" ".join,
)
def test_help_and_misspelt_commands_load_no_heavy_library(words: list[str]):
    found = subprocess.run(
        [sys.executable, "-c", PROBE.format(words=words, heavy=HEAVY)],
        capture_output=True,
        text=True,
        check=True,
    )

    assert "LOADED []" in found.stderr


@pytest.mark.parametrize("package", ["compress", "compress.workspace", "compress.errors", "compress.machine"])
def test_importing_a_light_module_loads_no_heavy_library(package: str):
    code = f"import sys, {package}; print([name for name in {HEAVY!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"
