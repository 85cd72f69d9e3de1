"""`compress completion install`, and what a shell is then told."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

FILES = {"bash": ".bashrc", "zsh": ".zshrc", "fish": ".config/fish/completions/compress.fish"}


@pytest.fixture
def home(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("ZDOTDIR", "XDG_CONFIG_HOME", "SHELL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(here))
    return here


@pytest.mark.parametrize("shell", FILES)
def test_one_line_is_added_once(shell: str, home: Path, compress: Callable[..., object], monkeypatch):
    path = home / FILES[shell]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine=1")
    path.chmod(0o600)
    monkeypatch.setenv("SHELL", f"/usr/bin/{shell}")
    first = compress("completion", "install", "--json")
    assert (first.json["path"], first.json["written"]) == (str(path), True)
    text = path.read_text()
    assert text.startswith("mine=1\n#")
    assert text.count("_COMPRESS_COMPLETE") == 1
    assert path.stat().st_mode & 0o777 == 0o600

    assert compress("completion", "install", "--shell", shell, "--json").json["written"] is False
    assert path.read_text() == text


def test_a_shell_that_is_not_known_is_asked_for(home: Path, compress: Callable[..., object], monkeypatch):
    for said in ("", "/bin/tcsh"):
        monkeypatch.setenv("SHELL", said)
        ended = compress("completion", "install")
        assert ended.code == 2
        assert "--shell bash" in ended.err
    assert list(home.iterdir()) == []
    assert compress("completion", "install", "--shell", "bash").code == 0


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_bash_completes_commands_options_and_names(home: Path, compress: Callable[..., object]):
    compress("completion", "install", "--shell", "bash")
    (home / "runs/my-run").mkdir(parents=True)
    (home / "embeddings").mkdir()
    (home / "embeddings/my-store.h5").touch()
    (home / "bin").mkdir()
    program = home / "bin/compress"
    program.write_text(f"#!{sys.executable}\nimport sys\nfrom cli.main import run\nsys.exit(run())\n")
    program.chmod(0o755)
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PATH": f"{home / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(root)}
    script = """
        source .bashrc
        for line in "eval" "clean --c" "encode --name my"; do
            COMP_WORDS=(compress $line); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMPREPLY=()
            _compress_completion compress
            echo "${COMPREPLY[*]}"
        done
    """
    words = ["bash", "--norc", "-c", script]
    done = subprocess.run(words, env=environment, cwd=home, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["evaluate", "--cache", "my-run my-store"]
