"""What the command lines of the benchmarks share: one-line errors, and values that are checked."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn

from compress.errors import UsageError


class Parser(argparse.ArgumentParser):
    """argparse with errors of this project: one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, hint=f"see `{self.prog} --help`")


def positive(text: str) -> int:
    """A whole number of at least 1, from the command line."""
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"must be a whole number, at least 1, not {text!r}")
    return int(text)


def existing_folder(text: str) -> Path:
    """A folder that is there, from the command line."""
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"no such folder: {text!r}")
    return Path(text)
