"""What every command shares: its options, the workspace, where results and progress go, and Ctrl-C."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import Any

from cli.progress import reporter
from cli.stdout import is_closed
from compress.description import Description, Level
from compress.foreign_text import JSON_ESCAPES, visible, visible_in_colour
from compress.machine import use_threads
from compress.progress import Reporter, clear_interrupt, interrupt_requested, request_interrupt
from compress.workspace import Defaults, OnCorrupt, Workspace, find_workspace

_SHOW_CURSOR = "\x1b[?25h"


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
    features: tuple[str, ...] | None = None
    id: str | None = None
    labels: str | None = None
    label_separator: str | None = None
    level: Level | None = None
    segments: bool | None = None

    @property
    def description(self) -> Description:
        """What the flags say about the files."""
        said = {item.name: getattr(self, item.name) for item in fields(Description)}
        return Description(**{name: value for name, value in said.items() if value is not None})

    @cached_property
    def workspace(self) -> Workspace:
        """The workspace that --workspace names, or the one around the current folder; flags that describe
        files are said over its compress.toml."""
        found = find_workspace(self.workspace_folder)
        return replace(found, description=self.description.over(found.description))

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

    def next(self, command: str) -> str:
        """A command to type next: in the workspace of this one, if --workspace named it."""
        folder = self.workspace_folder
        return command if folder is None else f"{command} --workspace {shlex.quote(str(folder))}"

    def show(self, result: Any, text: Callable[[], str], *, kept: bool = False) -> None:
        """Print a result on stdout: as one JSON value with --json, otherwise as `text()`.

        Args:
            result: a dataclass or a mapping.
            text: called only when a person reads.
            kept: it sums up what is on the disk, so that nothing is lost where stdout is closed.
        """
        if kept and not self.json and is_closed():
            return
        say(as_json(result) if self.json else text())


def say(text: str) -> None:
    """Print on stdout, the one place that does; what is foreign in it steers no terminal."""
    print(visible_in_colour(text) if sys.stdout.isatty() else visible(text), flush=True)


class VisibleOut:
    """Standard output for text that is written piece by piece: exact in a file or a pipe."""

    def write(self, text: str) -> None:
        sys.stdout.write(visible(text) if sys.stdout.isatty() else text)


def as_json(value: Any) -> str:
    """A value as JSON text; with escapes where stdout cannot write every letter, so that nothing is lost."""
    every_letter = (sys.stdout.encoding or "").lower().startswith("utf")
    text = json.dumps(plain(value), indent=2, ensure_ascii=not every_letter)
    return text.translate(JSON_ESCAPES)


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


@contextmanager
def stop_at_safe_points() -> Iterator[None]:
    """Within: SIGINT and SIGTERM become a request that `check_interrupt()` answers."""
    clear_interrupt()
    before = {number: signal.signal(number, _on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        clear_interrupt()


def _on_signal(number: int, frame: FrameType | None) -> None:
    # Only os.write and os._exit here: a handler may run in the middle of a print, and a second lock of the
    # same stream would raise.
    if interrupt_requested() is None:
        _tell("stopping at the next safe point; once more stops at once\n")
        request_interrupt(number)
        return
    _tell((_SHOW_CURSOR if sys.stderr.isatty() else "") + "stopped at once\n")
    os._exit(128 + number)


def _tell(text: str) -> None:
    try:
        os.write(2, text.encode())
    except OSError:
        return  # nobody reads stderr any more
