"""Nothing in the project runs code out of a file, and each heavy library has one door."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("cli", "compress", "encoders")
GENERATED = {"compress/datasets/features_pb2.py"}
SOURCES = sorted(
    path.relative_to(ROOT)
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if path.relative_to(ROOT).as_posix() not in GENERATED
)
UNSAFE_MODULES = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal", "imp"}
BUILT_IN = {"eval", "exec", "compile", "__import__"}
UNSAFE = {"importlib.import_module", "os.system", "os.popen", "torch.load", "torch.save", "torch.jit.load"}
UNSAFE |= {"yaml.load", "pandas.read_pickle", *(f"builtins.{name}" for name in BUILT_IN)}
BY_TABLE = ("compress/__init__.py", "importlib.import_module")  # only modules of a table in that file
SHORT = {"np": "numpy", "pd": "pandas"}  # also where nothing imports them under these names
UNSAFE_KEYWORDS = {"shell", "allow_pickle"}
DOORS = {
    "av": {"compress/extract/"},
    "faiss": {"compress/faiss_engine.py"},
    "h5py": {"compress/store/", "compress/doors/hdf5_child.py", "compress/doctor.py"},
    "click": {"cli/"},
    "rich_click": {"cli/"},
    "rich": {"cli/", "compress/reports/"},
    "pyarrow": {
        "compress/datasets/formats/arrow.py",
        "compress/datasets/formats/arrow_columns.py",
        "compress/datasets/formats/parquet.py",
        "compress/jobs/predictions.py",
        "compress/jobs/export_forms.py",
        "compress/jobs/table_file.py",
        "compress/collection/",
        "compress/doors/tables.py",
        "compress/jobs/hits_file.py",
    },
    "duckdb": {"compress/collection/columns.py", "compress/collection/where.py"},
    "jinja2": {"compress/reports/"},
}
# What opens the files of others, and the one module that may: it checks what they claim, and guards the call.
OPENERS = {
    "h5py.File": {"compress/doors/hdf5_child.py", "compress/store/audit.py", "compress/store/format.py"},
    "np.load": {"compress/doors/npy.py"},
    "zipfile.ZipFile": {"compress/doors/npy.py", "compress/doors/tensors.py"},
    "torch.load": {"compress/doors/tensors.py"},
    "load_file": {"compress/doors/tensors.py"},
    "safe_open": {"compress/doors/tensors.py"},
    "tomllib.loads": {"compress/doors/toml.py", "compress/papers/catalogue.py"},  # the latter reads our own
    "gzip.open": {"compress/datasets/vocabulary.py"},
    "av.open": {"compress/extract/frames.py"},
    "pyarrow.parquet.ParquetFile": {"compress/datasets/formats/parquet.py", "compress/doors/tables.py"},
    "pyarrow.csv.read_csv": {"compress/doors/tables.py"},
    "pyarrow.json.read_json": {"compress/doors/tables.py"},
    "pyarrow.memory_map": {"compress/datasets/formats/arrow.py"},
    "onnxruntime.InferenceSession": {"compress/extract/backbones/onnx.py", "compress/training/onnx_file.py"},
}


def problems(tree: ast.AST, path: str) -> Iterator[str]:
    """Everything in a module that the rules refuse, with its line."""
    meant, calls = _meanings(tree), [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    safe = {id(call.func) for call in calls if _loads_weights_only(call)}
    for node in ast.walk(tree):
        for module in _imported(node):
            top = module.split(".")[0]
            if top in UNSAFE_MODULES:
                yield f"{path}:{node.lineno}: imports {module}"
            if top in DOORS and not any(path.startswith(door) for door in DOORS[top]):
                yield f"{path}:{node.lineno}: imports {module}, which only {sorted(DOORS[top])} may"
        if isinstance(node, ast.ImportFrom) and any(name.name == "*" for name in node.names):
            yield f"{path}:{node.lineno}: imports every name of {node.module}"
        # Not calls alone: a function that gets another name, or is given to somebody else, is called there.
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            name = _dotted(node, meant)
            if (
                name in UNSAFE
                and (path, name) != BY_TABLE
                and not (name == "torch.load" and id(node) in safe)
            ):
                yield f"{path}:{node.lineno}: uses {name}"
        if isinstance(node, ast.Assign) and _dotted(node.value, meant) in BUILT_IN - {"compile"}:
            yield f"{path}:{node.lineno}: gives {ast.unparse(node.value)} another name"
    for call in calls:
        name, written = _dotted(call.func, meant), ast.unparse(call.func)
        if written in OPENERS and path not in OPENERS[written]:
            yield f"{path}:{call.lineno}: calls {written}, which only {sorted(OPENERS[written])} may"
        if name in BUILT_IN:
            yield f"{path}:{call.lineno}: calls {name}"
        if name == "getattr" and _gets(call, meant) in UNSAFE:
            yield f"{path}:{call.lineno}: gets {_gets(call, meant)}"
        for keyword in call.keywords:
            off = isinstance(keyword.value, ast.Constant) and keyword.value.value is False
            if keyword.arg in UNSAFE_KEYWORDS and not off:
                yield f"{path}:{call.lineno}: passes {keyword.arg}"


def _meanings(tree: ast.AST) -> dict[str, str]:
    """What each imported name stands for: {"t": "torch", "load": "torch.load"}."""
    found = dict(SHORT)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.asname: name.name for name in node.names if name.asname}
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {name.asname or name.name: f"{node.module}.{name.name}" for name in node.names}
    return found


def _dotted(node: ast.AST, meant: dict[str, str]) -> str:
    """`torch.load` for every way to write it; empty for what is no name."""
    if isinstance(node, ast.Name):
        return meant.get(node.id, node.id)
    if isinstance(node, ast.Attribute) and (owner := _dotted(node.value, meant)):
        return f"{owner}.{node.attr}"
    return ""


def _gets(call: ast.Call, meant: dict[str, str]) -> str:
    name = call.args[1] if len(call.args) > 1 else None
    return f"{_dotted(call.args[0], meant)}.{name.value}" if isinstance(name, ast.Constant) else ""


def _loads_weights_only(node: ast.Call) -> bool:
    """Whether torch unpickles tensors and plain containers only, whatever the file holds."""
    return any(
        word.arg == "weights_only" and isinstance(word.value, ast.Constant) and word.value.value is True
        for word in node.keywords
    )


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [name.name for name in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        return [node.module]
    return []


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_a_module_uses_no_unsafe_primitive(source: Path):
    tree = ast.parse((ROOT / source).read_text(encoding="utf-8"))

    assert list(problems(tree, source.as_posix())) == []


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from pickle import loads",
        "import torch\ntorch.load(path)",
        "import torch\ntorch.load(path, weights_only=False)",
        "import torch\ntorch.load(path, weights_only=safe)",
        "import av",
        "from torch import load\nload(path)",
        "from torch import load as read\nread(path, weights_only=False)",
        "from torch import load\nmap(load, paths)",
        "import torch as t\nt.load(path)",
        "import torch\nread = torch.load",
        "import torch\nfunctools.partial(torch.load, weights_only=True)",
        "import torch\ngetattr(torch, 'load')(path)",
        "from torch import *",
        "from torch.jit import load\nload(path)",
        "from torch import jit\njit.load(path)",
        "from os import system\nsystem(text)",
        "import os as o\no.popen(text)",
        "from importlib import import_module as get\nget(text)",
        "import builtins\nbuiltins.eval(text)",
        "from builtins import exec as run\nrun(text)",
        "run = eval",
        "from yaml import load\nload(text)",
        "import pandas\npandas.read_pickle(path)",
        "from pandas import read_pickle\nread_pickle(path)",
        "eval(text)",
        "exec(text)",
        "subprocess.run(text, shell=True)",
        "np.load(path, allow_pickle=True)",
        "np.load(path, allow_pickle=wanted)",
        "yaml.load(text)",
        "import faiss",
        "import faiss.contrib.ondisk",
        "import h5py",
        "import click",
        "np.load(path, allow_pickle=False)",
        "h5py.File(path)",
        "zipfile.ZipFile(path)",
        "torch.load(path, weights_only=True)",
    ],
)
def test_the_rules_refuse(code: str):
    assert list(problems(ast.parse(code), "compress/example.py"))


def test_the_rules_let_safe_code_pass():
    code = (
        "compress.load(path)\nnumpy.save(path, array, allow_pickle=False)\n"
        "subprocess.run(words)\nmodel.eval()\nre.compile(text)\nif compile:\n    torch.compile(model)\n"
        "from torch import load\nload(path, weights_only=True)\nfrom safetensors.torch import save"
    )

    assert list(problems(ast.parse(code), "compress/example.py")) == []


@pytest.mark.parametrize("source", [path for path in SOURCES if path.parts[0] == "encoders"], ids=str)
def test_encoders_import_only_torch_the_standard_library_and_each_other(source: Path):
    tree = ast.parse((ROOT / source).read_text(encoding="utf-8"))
    tops = {module.split(".")[0] for node in ast.walk(tree) for module in _imported(node)}

    # torch brings triton along wherever it can use a GPU; kernels are in files that nothing else needs.
    kernels = {"triton"} if source.name == "in_triton.py" else set()
    assert tops - set(sys.stdlib_module_names) - {"torch", "encoders"} - kernels == set()
