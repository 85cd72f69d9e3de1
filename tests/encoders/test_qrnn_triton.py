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


@pytest.mark.parametrize("gate_count", [2, 3, 4])
@pytest.mark.parametrize("optional", [False, True])
def test_the_kernels_compile_for_an_h200(
    gate_count: int, optional: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    triton = pytest.importorskip("triton")
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from encoders.layers.qrnn import in_triton

    constants = {"GATES": gate_count, "BLOCK": in_triton.BLOCK}
    constants |= dict.fromkeys(("HAS_START", "HAS_KEPT", "REVERSE"), optional)
    types = {
        "before": "*bf16",
        "rows": "*i64",
        "frames": "i32",
        "size": "i32",
        "h": "*bf16",
        "for_h": "*bf16",
    }
    types |= {"kept": "*u8" if optional else "*i64", "for_before": "*bf16"}
    for kernel in (in_triton._forward, in_triton._backward):
        signature = {
            name: "constexpr" if name in constants else types.get(name, "*fp32") for name in kernel.arg_names
        }
        built = triton.compile(ASTSource(kernel, signature, constants), target=GPUTarget("cuda", 90, 32))
        assert built.asm["cubin"]


def test_without_an_import_of_its_own_triton_is_not_imported() -> None:
    code = (
        "import sys, torch; from encoders.layers.qrnn.layer import QRNNLayer; "
        "QRNNLayer(3, 2)(torch.zeros(1, 2, 3)); assert 'triton' not in sys.modules"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
