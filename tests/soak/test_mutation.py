"""Mutants are what they are called: one change of the code, and only of the code."""

from __future__ import annotations

import ast
from pathlib import Path
from random import Random

import pytest

from tests.soak.mutation import ROOMS, ROOT, changes, mutated, ordered, passes, room_of, sample

SOURCE = '''
"""Text."""
from __future__ import annotations
LIMIT: int = 3
def f(a: int = 1, b: bool = True) -> int:
    """Adds 1."""
    if a < 2 and not b:
        print(a)
        return a + LIMIT
    return a
'''


def test_every_kind_of_code_is_changed_and_nothing_else() -> None:
    told = [mutated(SOURCE, number)[2:] for number in range(len(list(changes(ast.parse(SOURCE)))))]
    assert sorted(told) == sorted(
        [
            ("LIMIT: int = 3", "LIMIT: int = 4"),
            ("def f(a: int=1, b: bool=True) -> int:", "def f(a: int=2, b: bool=True) -> int:"),
            ("def f(a: int=1, b: bool=True) -> int:", "def f(a: int=1, b: bool=False) -> int:"),
            ("if a < 2 and (not b):", "if not (a < 2 and (not b)):"),
            ("if a < 2 and (not b):", "if a < 2 or not b:"),
            ("if a < 2 and (not b):", "if a <= 2 and (not b):"),
            ("if a < 2 and (not b):", "if a < 3 and (not b):"),
            ("print(a)", "None"),
            ("return a + LIMIT", "return None"),
            ("return a + LIMIT", "return a - LIMIT"),
            ("return a", "return None"),
        ]
    )


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_room_has_changes_and_tests(room: str) -> None:
    path, number = sample(Random(0), [room])
    assert room_of(path) == room
    tree, line, before, after = mutated(path.read_text(encoding="utf-8"), number)
    assert before != after
    assert line > 0
    compile(tree, str(path), "exec")
    assert ordered(path, ROOMS[room])
    assert all(Path(file).is_file() for file in ordered(path, ROOMS[room]))


@pytest.mark.slow
def test_a_change_that_matters_is_seen() -> None:
    path, tests = ROOT / "compress" / "metrics" / "thresholds.py", ["tests/metrics/test_thresholds.py"]
    assert passes(path, None, tests)
    assert not passes(path, ast.parse("raise ValueError"), tests)
