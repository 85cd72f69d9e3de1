"""What every command shares: the flags of cli/options.py, the workspace, where results and progress go."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, is_dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import click

from cli.progress import reporter
from cli.signals import stop_at_safe_points
from compress.machine import use_threads
from compress.progress import Reporter
from compress.workspace import Defaults, OnCorrupt, Workspace, find_workspace


@dataclass
class Session:
    """One call of the program. None means that neither a flag nor the environment said anything."""

    json: bool = False
    quiet: bool = False
    workspace_folder: Path | None = None
    seed: int | None = None
    threads: int | None = None
    device: str | None = None
    preset: str | None = None
    codec: str | None = None
    on_corrupt: OnCorrupt | None = None

    @cached_property
    def workspace(self) -> Workspace:
        """The workspace that --workspace names, or the one around the current folder."""
        return find_workspace(self.workspace_folder)

    @property
    def settings(self) -> Defaults:
        """Flags over environment over compress.toml over built-in defaults."""
        said = {name: getattr(self, name) for name in Defaults.__dataclass_fields__}
        return replace(
            self.workspace.defaults, **{name: value for name, value in said.items() if value is not None}
        )

    @contextmanager
    def working(self) -> Iterator[Reporter]:
        """Around long work: threads, progress on stderr, and Ctrl-C as a request to stop at a safe point."""
        use_threads(self.settings.threads)
        with stop_at_safe_points(), reporter(silent=self.json or self.quiet) as report:
            yield report

    def show(self, result: Any, text: Callable[[], str]) -> None:
        """Print a result on stdout: as one JSON value with --json, otherwise as `text()`.

        Args:
            result: a dataclass or a mapping.
            text: called only when a person reads.
        """
        click.echo(json.dumps(plain(result), indent=2, ensure_ascii=False) if self.json else text())
        sys.stdout.flush()


def plain(value: Any) -> Any:
    """A value as what JSON knows: dataclasses to objects, paths and bytes to text, NaN to null."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if hasattr(value, "tolist"):  # numpy's arrays and scalars, without importing numpy
        return plain(value.tolist())
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        return None
    return value
