"""Backbones in ONNX files; a small TOML file beside one says what pictures it wants.

# model.toml, beside model.onnx
size = 224                       # width and height of the input
resize = 256                     # length of the shorter side before the middle is cut out
mean = [0.485, 0.456, 0.406]     # of values between 0 and 1, red, green, blue
std = [0.229, 0.224, 0.225]
interpolation = "bilinear"       # or "bicubic"                          (optional)
channels = "RGB"                 # or "BGR"                              (optional)
layout = "NCHW"                  # or "NHWC"                             (optional)
output = "features"              # which output; otherwise the only one  (optional)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from pathlib import Path

import numpy as np

from compress.artifacts import disk
from compress.artifacts.atomic import sha256_file
from compress.doors.guard import guarded
from compress.doors.toml import read_toml
from compress.errors import ConfigError, DataError, UnavailableError, UsageError
from compress.extract.backbones.backbone import Backbone, need
from compress.extract.backbones.onnx_references import refers_to_files
from compress.extract.pictures import Preprocessing

_KEYS = {field.name: field.default is MISSING for field in fields(Preprocessing)}


def load(path: Path, device: str) -> Backbone:
    """The backbone in an ONNX file.

    Raises:
        NotFoundError: no such file, or no TOML file beside it.
        ConfigError: the TOML file is wrong.
        UnavailableError: onnxruntime is not installed, or not for the GPU that is asked for.
        DataError: not an ONNX file, or it cannot take such pictures.
    """
    description = path.with_suffix(".toml")
    preprocessing, output = read_description(description)
    run = session(path, output, device).run
    blank = np.zeros((1, preprocessing.size, preprocessing.size, 3), dtype=np.uint8)

    def compute(pictures: np.ndarray) -> np.ndarray:
        return run(pictures).reshape(len(pictures), -1)

    dim = compute(preprocessing(blank)).shape[1]
    return Backbone(path.name, dim, preprocessing, sha256_file(path), compute)


def read_description(path: Path) -> tuple[Preprocessing, str | None]:
    """What the TOML file beside a model says: its preprocessing, and the name of its output."""
    content = read_toml(path, "no such file; it says what pictures the model wants")
    output = content.pop("output", None)
    unknown = sorted(content.keys() - _KEYS.keys())
    missing = [key for key, needed in _KEYS.items() if needed and key not in content]
    if unknown or missing:
        what = f"unknown key {unknown[0]!r}" if unknown else f"{missing[0]} is missing"
        raise ConfigError(what, where=path, hint=f"keys: {', '.join(_KEYS)}, output")
    try:
        for key in ("mean", "std"):
            content[key] = tuple(float(value) for value in content[key])
        return Preprocessing(**content), output
    except UsageError as error:
        raise ConfigError(error.what, where=path) from error
    except (TypeError, ValueError, OverflowError) as error:
        raise ConfigError(f"a value of the wrong kind ({error})", where=path) from error


def check_self_contained(content: bytes, path: Path) -> None:
    """DataError if a model is no ONNX model, or names other files that onnxruntime would read."""
    with guarded(path, "an ONNX model"):
        refers = refers_to_files(content)
    if refers:
        hint = "save it as one file: onnx.save(model, FILE, save_as_external_data=False)"
        raise DataError("keeps weights in other files, which are not read", where=path, hint=hint)


@dataclass(frozen=True)
class Session:
    """An ONNX model that runs: its one input -> its one output, or the one of that name.

    Args:
        run: the function.
        axes: of the input, as the model declares it.
    """

    run: Callable[[np.ndarray], np.ndarray]
    axes: int


def session(path: Path, output: str | None, device: str) -> Session:
    """Open a model.

    Raises:
        UnavailableError: onnxruntime is not installed, or not for the GPU that is asked for.
        DataError: it cannot be run.
        ConfigError: it leaves open which output is meant.
    """
    need("onnxruntime", "onnxruntime", f"{path.name}")
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    # Its errors have no base class of their own. Others, such as no memory, are no fault of the file.
    failures = tuple(
        kind for kind in vars(state).values() if isinstance(kind, type) and issubclass(kind, Exception)
    )

    with disk.reading(path):
        content = path.read_bytes()
    check_self_contained(content, path)
    there = onnxruntime.get_available_providers()
    wanted = ["CUDAExecutionProvider"] if device == "cuda" else []
    try:
        model = onnxruntime.InferenceSession(
            content, providers=[name for name in (*wanted, "CPUExecutionProvider") if name in there]
        )
    except failures as error:
        raise DataError(f"is not an ONNX model that can be run ({_first(error)})", where=path) from error
    if wanted and not {*wanted} & {*model.get_providers()}:
        what = f"onnxruntime cannot use the GPU here, so {path.name} would run on the CPU"
        raise UnavailableError(what, hint="pip install onnxruntime-gpu, or choose --device cpu")
    inputs, outputs = [each.name for each in model.get_inputs()], [each.name for each in model.get_outputs()]
    if len(inputs) != 1:
        raise DataError(f"has {len(inputs)} inputs, one expected", where=path)
    if (output or (outputs[0] if len(outputs) == 1 else "")) not in outputs:
        hint = f'write output = "NAME" into {path.with_suffix(".toml").name}; it has {", ".join(outputs)}'
        raise ConfigError("which output is meant?", where=path, hint=hint)

    def run(values: np.ndarray) -> np.ndarray:
        try:
            (found,) = model.run([output or outputs[0]], {inputs[0]: values})
        except failures as error:
            raise DataError(f"cannot take input {values.shape} ({_first(error)})", where=path) from error
        return np.asarray(found, dtype=np.float32)

    return Session(run, len(model.get_inputs()[0].shape))


def _first(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)[:200]
