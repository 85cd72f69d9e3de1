"""`compress doctor` and what it measures of the machine."""

from __future__ import annotations

import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from compress import doctor, machine
from compress.errors import UnavailableError

Usage = namedtuple("Usage", "total used free")


def test_here_everything_works(compress, here: Path):
    ended = compress("doctor", "--json")
    states = {check["name"]: check["state"] for check in ended.json["checks"]}

    assert ended.code == 0
    assert ended.json["healthy"] is True
    assert set(states) == {*doctor.CHECKS, "disk"}
    assert "fail" not in states.values()


def test_something_broken_is_exit_code_69_and_says_how_to_mend_it(compress, here: Path, monkeypatch):
    def two_owners() -> None:
        raise UnavailableError("faiss-cpu and faiss-gpu are both installed", hint="pip uninstall faiss-cpu")

    monkeypatch.setitem(doctor.CHECKS, "faiss", two_owners)
    ended = compress("doctor")

    assert ended.code == 69
    assert "fail  faiss" in ended.out
    assert "-> pip uninstall faiss-cpu" in ended.out


def test_a_library_that_breaks_at_import_is_a_finding(monkeypatch, tmp_path: Path):
    def broken() -> None:
        raise OSError("libcudart.so.12: cannot open shared object file")

    monkeypatch.setitem(doctor.CHECKS, "torch", broken)
    found = doctor.examine(tmp_path)
    torch = next(check for check in found.checks if check.name == "torch")

    assert (torch.state, found.healthy) == ("fail", False)
    assert "libcudart" in torch.found
    assert "pip install" in torch.mend


def test_a_mistake_in_a_check_is_no_finding(monkeypatch, tmp_path: Path):
    def mistaken() -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(doctor.CHECKS, "torch", mistaken)
    with pytest.raises(ZeroDivisionError):
        doctor.examine(tmp_path)


def test_packages_that_only_some_commands_need_are_named(monkeypatch):
    assert doctor.check_video().found.startswith("av ")
    monkeypatch.setattr(doctor, "_version", lambda package: None if package == "av" else "1.0")
    found = doctor.check_video()

    assert found.state == "ok"
    assert found.found.startswith("av not installed, efficientnet-lite-pytorch 1.0")
    assert found.mend.endswith("pip install 'compress-video-embeddings[video]'")
    assert doctor.check_backbones().found == "timm 1.0, torchvision 1.0, open_clip_torch 1.0, onnxruntime 1.0"


def test_wrong_checksums_are_found(monkeypatch):
    import crc32c

    monkeypatch.setattr(crc32c, "crc32c", lambda data: 0)

    assert doctor.check_crc32c().state == "fail"


def test_little_disk_space_is_a_warning(monkeypatch, tmp_path: Path):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(10, 9, 1))

    assert doctor.check_disk(tmp_path).state == "warn"


def test_a_folder_that_cannot_be_written_is_broken(monkeypatch, tmp_path: Path):
    monkeypatch.setattr(os, "access", lambda folder, mode: False)

    assert doctor.check_disk(tmp_path).state == "fail"


def test_little_memory_is_a_warning(monkeypatch):
    monkeypatch.setattr(doctor, "memory_bytes", lambda: 10**9)

    assert doctor.check_memory().state == "warn"


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({}, None),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu.max": "150000 100000\n"}, 1.5),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "50000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 0.5),
    ],
)
def test_the_quota_of_a_container(tmp_path: Path, files: dict[str, str], quota: float | None):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    assert machine.cpu_quota(tmp_path) == quota
    assert 1 <= machine.cpu_count(tmp_path) <= (os.cpu_count() or 1)
    assert quota != 0.5 or machine.cpu_count(tmp_path) == 1


def test_the_memory_of_a_container(tmp_path: Path):
    installed = machine.memory_bytes(tmp_path)
    (tmp_path / "memory.max").write_text("1000000\n")

    assert installed is not None
    assert installed > 1_000_000 == machine.memory_bytes(tmp_path)


def test_threads_that_were_asked_for_go_before_those_of_the_environment(monkeypatch):
    for name in machine.THREAD_VARIABLES:
        monkeypatch.setenv(name, "1")

    assert machine.use_threads(0) == 1
    assert machine.use_threads(2) == 2
    assert os.environ["OMP_NUM_THREADS"] == "2"
    assert machine.use_threads(1) == 1


def test_without_any_word_all_allowed_cores_are_used(monkeypatch):
    for name in machine.THREAD_VARIABLES:
        monkeypatch.setenv(name, "1")
        monkeypatch.delenv(name)

    assert machine.use_threads(0) == machine.cpu_count()
    assert machine.use_threads(1) == 1


def test_a_gpu_that_is_not_there_is_said_so(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    assert machine.choose_device("auto") == machine.choose_device("cpu") == "cpu"
    with pytest.raises(UnavailableError, match='use device="cpu"'):
        machine.choose_device("cuda")
