"""What is known of the machine, and what it can do at most."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch import nn, ones, zeros

from benchmarks import limits
from benchmarks.limits import Limits
from benchmarks.machine import this_machine
from benchmarks.paths.flops import forward_flops
from compress.errors import UsageError


def test_a_limit_is_measured_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    asked: list[Path] = []
    monkeypatch.setattr(limits, "RESOURCES", {"breath": lambda scratch: asked.append(scratch) or 3.0})
    found = Limits(tmp_path)

    assert [found.rate("breath"), found.rate("breath")] == [3.0, 3.0]
    assert asked == [tmp_path]
    assert found.rates == {"breath": 3.0}


def test_an_unknown_resource_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="no resource 'luck'"):
        Limits(tmp_path).rate("luck")


@pytest.mark.parametrize("name", ["memory copy", "memory read", "sha256", "crc32c", "write and fsync"])
def test_limits_of_memory_checksums_and_disk_are_rates(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(limits, "_BYTES", 1 << 16)

    assert Limits(tmp_path).rate(name) > 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["fp32 arithmetic", "bf16 arithmetic"])
def test_limits_of_arithmetic_are_rates(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "_SIDE", 64)
    monkeypatch.setattr(limits, "_ROUNDS", 1)

    assert Limits(tmp_path).rate(name) > 0


def test_the_machine_is_described_in_full():
    machine = this_machine()

    assert machine.cores >= 1
    assert machine.versions["python"].count(".") == 2
    assert {"torch", "numpy", "h5py"} <= set(machine.versions)
    assert machine.date.endswith("+00:00")


def test_operations_are_counted_layer_by_layer():
    net = nn.Sequential(nn.Conv1d(2, 3, 5, padding=2), nn.ReLU(), nn.Flatten(), nn.Linear(12, 7))

    assert forward_flops(net, ones(1, 2, 4)) == 2 * (3 * 4 * 2 * 5) + 2 * (12 * 7)
    assert forward_flops(nn.LSTM(3, 4, batch_first=True), zeros(2, 5, 3)) == 8 * 2 * 5 * 4 * (3 + 4)
