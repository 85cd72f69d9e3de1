"""Mutation testing: small wrong changes in the code, one at a time; the tests of its room should notice each.

    python -m tests.soak.mutation --mutants 100 --seed 0

Nothing on the disk changes: a forked child imports the changed module instead, and runs pytest.
A change that lets all tests pass is a survivor: a hole in the tests, or a change that makes no difference.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import resource
import sys
import tempfile
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parents[2]
ROOMS = {
    "compress/metrics": ["tests/metrics"],
    "compress/codecs": ["tests/codecs"],
    "compress/store": ["tests/store"],
    "compress/evaluation/promises": ["tests/evaluation/promises", "tests/jobs/test_select.py"],
}
_CPU_SECONDS = 300
_LIBRARIES = (
    "numpy",
    "torch",
    "h5py",
    "faiss",
    "pytest",
    "sklearn",
    "crc32c",
    "safetensors.torch",
)
_COMPARED = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq}
_COMPARED |= {ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is}
_COMPUTED = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult}
_COMPUTED |= {ast.Mod: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.LShift: ast.RShift}

Change = Callable[[], None]


@dataclass(frozen=True)
class Mutant:
    """One wrong change: its file, line, and the line before and after."""

    path: str
    line: int
    before: str
    after: str
    seen: bool = False


def changes(tree: ast.Module) -> Iterator[tuple[ast.AST, Change]]:
    """Every change that can be made to a module, with the node at which it is made."""
    for node in _code(tree):
        if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARED:
            yield node, lambda node=node: node.ops.__setitem__(0, _COMPARED[type(node.ops[0])]())
        elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _COMPUTED:
            yield node, lambda node=node: setattr(node, "op", _COMPUTED[type(node.op)]())
        elif isinstance(node, ast.BoolOp):
            other = ast.Or if isinstance(node.op, ast.And) else ast.And
            yield node, lambda node=node, other=other: setattr(node, "op", other())
        elif isinstance(node, ast.If | ast.While | ast.IfExp):
            yield node, lambda node=node: setattr(node, "test", ast.UnaryOp(ast.Not(), node.test))
        elif isinstance(node, ast.Constant) and type(node.value) is bool:
            yield node, lambda node=node: setattr(node, "value", not node.value)
        elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
            yield node, lambda node=node: setattr(node, "value", node.value + 1)
        elif _does_something(node):
            yield node, lambda node=node: setattr(node, "value", ast.Constant(None))


def _does_something(node: ast.AST) -> bool:
    """Whether it returns a value, or is a call for its effect."""
    if isinstance(node, ast.Return):
        return node.value is not None
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but types, imports and what is only for readers."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                continue
            if isinstance(child, ast.AST) and not isinstance(child, ast.Import | ast.ImportFrom):
                yield child
                yield from _code(child)


def mutated(source: str, number: int) -> tuple[ast.Module, int, str, str]:
    """A module with change `number`; the line, and that line of code before and after."""
    tree = ast.parse(source)
    node, change = list(changes(tree))[number]
    before = ast.unparse(_statement(tree, node)).splitlines()
    change()
    ast.fix_missing_locations(tree)
    after = ast.unparse(_statement(tree, node)).splitlines()
    differing = [pair for pair in zip(before, after, strict=False) if pair[0] != pair[1]]
    one, two = differing[0] if differing else (before[0], after[0])
    return tree, getattr(node, "lineno", 0), one.strip(), two.strip()


def _statement(tree: ast.Module, node: ast.AST) -> ast.AST:
    """The smallest statement around a node."""
    found: ast.AST = tree
    for each in ast.walk(tree):
        if isinstance(each, ast.stmt) and any(inside is node for inside in ast.walk(each)):
            found = each
    return found


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Gives one module another body."""

    def __init__(self, module: str, path: Path, tree: ast.Module) -> None:
        self._module, self._path, self._tree = module, path, tree

    def find_spec(
        self, name: str, path: object, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != self._module:
            return None
        return importlib.util.spec_from_file_location(name, self._path, loader=self)  # type: ignore[arg-type]

    def get_source(self, fullname: str) -> str:
        return ast.unparse(self._tree)

    def get_code(self, fullname: str) -> types.CodeType:
        return compile(self._tree, str(self._path), "exec")


def passes(path: Path, tree: ast.Module | None, tests: Sequence[str]) -> bool:
    """Whether tests pass with another body of a module (None: with the code as it is)."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = _run(path, tree, tests)
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _run(path: Path, tree: ast.Module | None, tests: Sequence[str]) -> int:
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    nothing = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(nothing, number)
    for name in [
        each for each in sys.modules if each.split(".")[0] in ("compress", "encoders", "cli", "tests")
    ]:
        del sys.modules[name]
    if tree is not None:
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        sys.meta_path.insert(0, _Finder(module, path, tree))
    import pytest

    with tempfile.TemporaryDirectory() as folder:
        words = ["-x", "-q", "-n", "0", "-p", "no:cacheprovider", "--basetemp", f"{folder}/t", *tests]
        return int(pytest.main(words))


def ordered(path: Path, tests: Sequence[str]) -> list[str]:
    """Test files, those first that name the module: most mutants end there."""
    files = [file for test in tests for file in _test_files(ROOT / test)]
    word = path.stem if path.stem != "__init__" else path.parent.name
    near = [file for file in files if word in file.stem or word in file.read_text(encoding="utf-8")]
    return [str(file) for file in [*near, *(file for file in files if file not in near)]]


def _test_files(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(path.rglob("test_*.py"))


def sample(random: Random, rooms: Sequence[str]) -> tuple[Path, int]:
    """A random change, each equally likely within its room."""
    room = random.choice(sorted(rooms))
    sites = [
        (path, number)
        for path in sorted((ROOT / room).rglob("*.py"))
        for number, _ in enumerate(changes(ast.parse(path.read_text(encoding="utf-8"))))
    ]
    return random.choice(sites)


def room_of(path: Path) -> str:
    """The room of a file."""
    return next(room for room in ROOMS if path.is_relative_to(ROOT / room))


def main() -> int:
    """Try mutants and tell the score."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak.mutation", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--mutants", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--room", action="append", choices=sorted(ROOMS))
    asked = parser.parse_args()
    for name in _LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    rooms = asked.room or sorted(ROOMS)
    for room in rooms:
        if not passes(ROOT, None, ROOMS[room]):
            print(f"{room}: its tests fail as it is", file=sys.stderr)
            return 2
    random, found = Random(asked.seed), []
    for number in range(1, asked.mutants + 1):
        path, site = sample(random, rooms)
        tree, line, before, after = mutated(path.read_text(encoding="utf-8"), site)
        survived = passes(path, tree, ordered(path, ROOMS[room_of(path)]))
        mutant = Mutant(path.relative_to(ROOT).as_posix(), line, before, after, seen=not survived)
        found.append(mutant)
        if survived:
            print(f"survived: {mutant.path}:{line}: {before}  ->  {after}", flush=True)
        if number % 10 == 0:
            print(f"{sum(each.seen for each in found)} of {number} seen", flush=True)
    survivors = [asdict(each) for each in found if not each.seen]
    print(
        json.dumps(
            {"mutants": len(found), "seen": len(found) - len(survivors), "survivors": survivors}, indent=2
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
