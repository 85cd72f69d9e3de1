"""The tests of test_qrnn_gates.py for the GPU's kernels, in Triton's interpreter: that needs no GPU."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="triton is not installed")
def test_the_kernels_of_the_gpu_pass_the_tests_of_the_c_code_in_the_interpreter() -> None:
    # A process of its own: triton decides whether to interpret when it is first imported.
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "triton"]
    ended = subprocess.run(
        [*command, "tests/encoders/test_qrnn_gates.py"],
        cwd=ROOT,
        env={**os.environ, "TRITON_INTERPRET": "1", "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-2000:]
    assert "skipped" not in ended.stdout


def test_without_an_import_of_its_own_triton_is_not_imported() -> None:
    code = (
        "import sys, torch; from encoders.layers.qrnn_layer import QRNNLayer; "
        "QRNNLayer(3, 2)(torch.zeros(1, 2, 3)); assert 'triton' not in sys.modules"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
