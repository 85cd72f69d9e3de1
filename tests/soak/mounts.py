"""Disks for a while: a tmpfs of any size, and an ext4 in a file, whose power can be cut. They need root."""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

# EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH (fs/ext4/ext4.h): from then on nothing reaches the disk,
# not even the log. What was not synced is lost, as when the power goes. xfstests does the same.
_SHUTDOWN, _NO_LOG_FLUSH = 0x8004587D, 2


@contextmanager
def mounted(folder: Path, options: str, kind: str = "tmpfs", device: str = "none") -> Iterator[None]:
    """A disk in place of a folder, which must exist."""
    _do("mount", "-t", kind, "-o", options, device, str(folder))
    try:
        yield
    finally:
        _do("umount", "--lazy", str(folder))


@contextmanager
def remount(folder: Path, options: str, back: str) -> Iterator[None]:
    """Other options of a mounted disk for a while."""
    _do("mount", "-o", f"remount,{options}", str(folder))
    try:
        yield
    finally:
        _do("mount", "-o", f"remount,{back}", str(folder))


def make_disk(image: Path, megabytes: int) -> None:
    """An empty ext4 in a file."""
    with image.open("wb") as file:
        file.truncate(megabytes << 20)
    _do("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,nodiscard", str(image))


def cut_power(folder: Path) -> None:
    """Nothing more reaches the ext4 that is mounted at `folder`, and it can only be unmounted."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.ioctl(descriptor, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
    finally:
        os.close(descriptor)


@cache
def can_mount(kind: str = "tmpfs") -> str:
    """Empty where a "tmpfs" or an "ext4" in a file can be mounted, otherwise why not."""
    if os.geteuid() != 0:
        return "mounting needs root"
    if shutil.which("mount") is None or (kind == "ext4" and shutil.which("mkfs.ext4") is None):
        return "no mount or mkfs.ext4 on this machine"
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder, "disk")
        at.mkdir()
        try:
            if kind == "tmpfs":
                with mounted(at, "size=1m"):
                    return ""
            make_disk(Path(folder, "image"), 8)
            with mounted(at, "loop", "ext4", str(Path(folder, "image"))):
                cut_power(at)
            return ""
        except (OSError, subprocess.CalledProcessError) as error:
            return f"cannot mount a {kind}: {getattr(error, 'stderr', '') or error}".strip()


def _do(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, text=True)
