"""Compiles what is written in C: each folder called `native` becomes one small shared library there.

Run by the build backend for wheels and for editable installs, and by hand after a change: `make native`. A
machine without a C compiler gets the same package without the libraries; `compress doctor` then says that the
slower Python code runs. The libraries know nothing of Python (ctypes calls them), so one fits every version.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))

from compress import native  # noqa: E402

FLAGS = (
    "-std=gnu11",
    "-O3",
    "-fPIC",
    "-shared",
    "-fvisibility=hidden",
    "-fno-math-errno",
    "-fno-trapping-math",
)
STAMP = '__attribute__((visibility("default"))) const char *sources(void) {{ return "{}"; }}\n'


class NotCompiled(Exception):
    """Why there is no library."""


def compile_all() -> list[Path]:
    """Compile every `native` folder of the packages beside this file; the libraries.

    Raises:
        NotCompiled: no compiler for this system, or it refuses.
    """
    if sys.platform == "win32":
        raise NotCompiled("Windows is not supported by the C code")
    compiler = _compiler()
    return [_compile(compiler, folder) for folder in native.folders()]


def _compiler() -> list[str]:
    wanted = os.environ.get("CC")
    for name in [wanted] if wanted else [sysconfig.get_config_var("CC"), "cc", "gcc", "clang"]:
        words = shlex.split(name or "")
        if words and shutil.which(words[0]):
            return words
    if wanted:
        raise NotCompiled(f"there is no {wanted!r}, which CC asks for")
    raise NotCompiled("there is no C compiler (looked for cc, gcc and clang)")


def _compile(compiler: list[str], folder: Path) -> Path:
    library = folder / native.LIBRARY
    # Not in the source tree: a compile that is killed would leave its files there.
    with tempfile.TemporaryDirectory() as scratch:
        stamp, result = Path(scratch, "stamp.c"), Path(scratch, native.LIBRARY)
        stamp.write_text(STAMP.format(native.source_hash(folder)), encoding="ascii")
        sources = [str(path) for path in sorted(folder.glob("*.c"))]
        command = [*compiler, *FLAGS, *sources, str(stamp), "-o", str(result), "-lm"]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode:
            raise NotCompiled(f"{shlex.join(command)}\n{ended.stderr[-2000:]}")
        _place(result, library)
    return library


def _place(built: Path, library: Path) -> None:
    """Copy beside the library, then rename, so that no process ever loads half of it."""
    copy = library.with_suffix(f".so.{os.getpid()}")
    try:
        shutil.copy2(built, copy)
        os.replace(copy, library)
    finally:
        copy.unlink(missing_ok=True)


def _wheel_tag() -> str:
    return "py3-none-" + sysconfig.get_platform().replace("-", "_").replace(".", "_")


try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run by hand where the build backend is not installed
    pass
else:

    class NativeBuildHook(BuildHookInterface):  # type: ignore[type-arg]
        """What hatchling calls before it packs a wheel."""

        def initialize(self, version: str, build_data: dict[str, object]) -> None:
            """Compile in place; a failure is told and leaves a wheel of pure Python."""
            try:
                libraries = compile_all()
            except NotCompiled as reason:
                self.app.display_warning(
                    f"the C code was not compiled, slower Python code will run: {reason}"
                )
                return
            build_data["artifacts"] = [str(path.relative_to(self.root)) for path in libraries]
            build_data["pure_python"] = False
            build_data["tag"] = _wheel_tag()


if __name__ == "__main__":
    try:
        for built in compile_all():
            print(built.relative_to(ROOT))
    except NotCompiled as reason:
        sys.exit(f"error: {reason}")
