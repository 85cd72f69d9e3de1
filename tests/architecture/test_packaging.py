"""What is installed: three packages and nothing else; and exact pins for everything that is asked for."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def _name(requirement: str) -> str:
    return re.split(r"[ <>=!~;\[]", requirement)[0].lower().replace("_", "-")


def _pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line.split(";")[0].strip() for line in lines if line and not line.startswith("#")]
    return {_name(pin): pin.split("==")[1] for pin in pins}


def test_every_direct_dependency_has_an_exact_pin():
    wanted = [
        *PROJECT["dependencies"],
        *(item for extra in PROJECT["optional-dependencies"].values() for item in extra),
    ]

    assert {_name(item) for item in wanted} - set(_pins()) == set()


def test_every_dependency_is_imported_somewhere():
    names = {
        "faiss-gpu": "faiss",
        "faiss-cpu": "faiss",
        "protobuf": "google.protobuf",
        "scikit-learn": "sklearn",
    }
    code = "\n".join(
        path.read_text("utf-8") for name in PROJECT_PACKAGES for path in (ROOT / name).rglob("*.py")
    )
    for wanted in map(_name, PROJECT["dependencies"]):
        module = re.escape(names.get(wanted, wanted.replace("-", "_")))
        assert re.search(rf"^\s*(import|from) {module}\b", code, re.MULTILINE), wanted


def test_pins_name_no_local_build():
    assert [pin for pin in _pins().values() if "+" in pin] == []


def test_exactly_one_faiss_is_asked_for_on_any_machine():
    from packaging.requirements import Requirement

    faiss = [Requirement(item) for item in PROJECT["dependencies"] if item.startswith("faiss")]
    machines = [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"), ("win32", "AMD64")]
    for system, machine in machines:
        place = {"sys_platform": system, "platform_machine": machine}
        chosen = [item.name for item in faiss if item.marker and item.marker.evaluate(place)]
        assert chosen == (["faiss-gpu"] if (system, machine) == ("linux", "x86_64") else ["faiss-cpu"])


@pytest.mark.slow
def test_the_wheel_holds_three_packages_their_templates_and_no_tests(tmp_path: Path):
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)],
        check=True,
        capture_output=True,
    )
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        names = wheel.namelist()
        scripts = next(wheel.read(name).decode() for name in names if name.endswith("entry_points.txt"))
    code = {name for name in names if ".dist-info/" not in name}
    tracked = subprocess.run(
        ["git", "ls-files", *PROJECT_PACKAGES], cwd=ROOT, check=True, capture_output=True, text=True
    )

    assert {name.split("/")[0] for name in code} == set(PROJECT_PACKAGES)
    assert set(tracked.stdout.split()) <= code
    assert any(name.endswith("LICENSE") for name in names)
    assert "compress = cli.main:run" in scripts


PROJECT_PACKAGES = ("cli", "compress", "encoders")
