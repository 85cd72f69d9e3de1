"""Results as text on a narrow terminal."""

from __future__ import annotations

import io
import os
import shutil
import sys

import pytest

from cli.text import table


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_name_is_never_cut_and_sentences_wrap(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TERM", "xterm")  # rich takes a dumb one for 80 columns wide
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: os.terminal_size((44, 24)))
    name, state = "linear-24-w8-p50-d8-binary", "to be trained and then encoded, which takes long"
    lines = table(["point", "state"], [[name, state]]).splitlines()[1:]  # below the headings

    assert max(map(len, lines)) <= 44
    assert name in lines[0]
    assert " ".join(" ".join(lines).replace(name, "").split()) == state
