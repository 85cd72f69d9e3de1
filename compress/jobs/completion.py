"""`compress completion install`: tells a shell to ask the program for completions, as click offers it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from compress.artifacts import disk
from compress.artifacts.atomic import read_bytes
from compress.errors import NotFoundError, UsageError

# What click answers to is named after the program; see its documentation of shell completion.
_LINES = {
    "bash": 'command -v compress >/dev/null && eval "$(_COMPRESS_COMPLETE=bash_source compress)"',
    "zsh": 'command -v compress >/dev/null && eval "$(_COMPRESS_COMPLETE=zsh_source compress)"',
    "fish": "command -q compress; and _COMPRESS_COMPLETE=fish_source compress | source",
}
_COMMENT = "# Completion of `compress` (compress completion install)"


@dataclass(frozen=True)
class Installed:
    """Where completion is activated; not `written` where it was there already."""

    shell: str
    path: Path
    written: bool


def install_completion(shell: str | None = None, environment: Mapping[str, str] = os.environ) -> Installed:
    """Add one line to the start file of a shell, once; everything else in the file stays.

    Args:
        shell: "bash", "zsh" or "fish"; None for that of $SHELL.
        environment: says HOME, SHELL, ZDOTDIR and XDG_CONFIG_HOME.

    Raises:
        UsageError: it is not known which shell, or another one.
        StorageError: the file cannot be written.
    """
    chosen = shell or Path(environment.get("SHELL", "")).name
    if chosen not in _LINES:
        what = f"no completion for the shell {chosen!r}" if chosen else "$SHELL does not say which shell"
        raise UsageError(what, hint="give --shell bash, --shell zsh or --shell fish")
    path = _start_file(chosen, environment).resolve()  # a link to where a person keeps it stays one
    try:
        before = read_bytes(path)
    except NotFoundError:
        before = b""
    line = _LINES[chosen]
    if line.encode() in before.splitlines():
        return Installed(chosen, path, False)
    between = b"" if not before or before.endswith(b"\n") else b"\n"
    disk.make_folder(path.parent)
    disk.append(path, between + f"{_COMMENT}\n{line}\n".encode())
    return Installed(chosen, path, True)


def _start_file(shell: str, environment: Mapping[str, str]) -> Path:
    home = Path(environment.get("HOME") or Path.home())
    if shell == "bash":
        return home / ".bashrc"
    if shell == "zsh":
        return Path(environment.get("ZDOTDIR") or home) / ".zshrc"
    return (
        Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
        / "fish"
        / "completions"
        / "compress.fish"
    )
