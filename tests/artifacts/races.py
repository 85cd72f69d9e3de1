"""A race without chance: something happens after a reader has checked a manifest, before it opens files."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from compress.artifacts import folder


def when_checked(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> list[str]:
    """Let `act` happen once, right after the next folder was checked; the kinds that were checked so far."""
    checked, before = folder._checked, []

    def then_act(*arguments: object) -> object:
        found = checked(*arguments)  # type: ignore[arg-type]
        before.append(found.kind)
        if len(before) == 1:
            act()
        return found

    monkeypatch.setattr(folder, "_checked", then_act)
    return before
