"""The lock, the list of components, and the check for known vulnerabilities."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from release.lock import lock
from release.pins import canonical, read_hashes, read_pins
from release.sbom import PROJECT, components, sbom
from release.vulnerabilities import Finding, check, main

ROOT = Path(__file__).resolve().parents[2]
LOCK, CONSTRAINTS = ROOT / "requirements.lock", ROOT / "constraints.txt"
MADE_LATER = {"faiss-cpu"}  # installed where faiss-gpu is not


def test_the_lock_holds_every_default_dependency_as_it_is_pinned_with_hashes():
    pins, wanted, hashes = read_pins(LOCK), read_pins(CONSTRAINTS), read_hashes(LOCK)
    assert {name: version for name, version in pins.items() if name in wanted} == {
        name: wanted[name] for name in pins if name in wanted
    }
    names = set(components()) - {PROJECT} - MADE_LATER
    assert names - set(pins) == set(), "run `make lock`"
    assert set(hashes) == set(pins)
    assert all(len(set(each)) == len(each) >= 1 for each in hashes.values())


def test_the_lock_names_no_place():
    text = LOCK.read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index-url" not in text
    assert not re.search(r"^-", text, re.MULTILINE)


def report(*files: tuple[str, str, str | None]) -> dict[str, Any]:
    install = [
        {
            "metadata": {"name": name, "version": version},
            "download_info": {"archive_info": {"hashes": {"sha256": digest} if digest else {}}},
        }
        for name, version, digest in files
    ]
    place = {"python_version": "3.11", "platform_system": "Linux", "platform_machine": "x86_64"}
    return {"install": install, "environment": place}


def test_reports_of_pip_are_joined(tmp_path: Path):
    text = lock([report(("A_b", "1.0", "1" * 64)), report(("a.b", "1.0", "2" * 64), ("c", "2", "3" * 64))])
    (tmp_path / "lock").write_text(text)
    assert read_pins(tmp_path / "lock") == {"a-b": "1.0", "c": "2"}
    assert read_hashes(tmp_path / "lock") == {"a-b": ["1" * 64, "2" * 64], "c": ["3" * 64]}
    assert "Python 3.11, Linux on x86_64" in text


@pytest.mark.parametrize(
    ("files", "telling"),
    [
        ([("a", "1", None)], "gives no sha256"),
        ([("a", "1", "1" * 64), ("a", "2", "2" * 64)], "1 in one report, 2"),
    ],
)
def test_what_cannot_be_locked_is_refused(files: list, telling: str):
    with pytest.raises(ValueError, match=telling):
        lock([report(*files)])


def test_the_components_are_what_is_installed():
    found = sbom(components(), {"numpy": ["1" * 64]})
    assert json.loads(json.dumps(found)) == found
    assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.5")
    assert found["metadata"]["component"]["name"] == PROJECT
    names = {one["name"]: one for one in found["components"]}
    assert {"torch", "numpy", "h5py", "safetensors", "filelock"} <= set(names)
    assert not {"pytest", "hypothesis", "ruff"} & set(names), "what only tests need is no part of it"
    assert names["numpy"]["hashes"] == [{"alg": "SHA-256", "content": "1" * 64}]
    references = {one["bom-ref"] for one in found["components"]} | {found["metadata"]["component"]["bom-ref"]}
    for one in found["dependencies"]:
        assert {one["ref"], *one["dependsOn"]} <= references


# -- vulnerabilities -------------------------------------------------------------------------------------


def record(name: str = "Some.Package", *, events: list | None = None, **more: object) -> dict[str, Any]:
    ranges = [] if events is None else [{"type": "ECOSYSTEM", "events": events}]
    affected = {"package": {"ecosystem": "PyPI", "name": name}, "ranges": ranges, **more}
    return {"id": "X-1", "summary": "reads elsewhere", "affected": [affected]}


@pytest.mark.parametrize(
    ("events", "hit"),
    [
        ([{"introduced": "0"}], True),
        ([{"introduced": "0"}, {"fixed": "1.5"}], False),
        ([{"introduced": "0"}, {"fixed": "1.5.1"}], True),
        ([{"introduced": "1.5"}, {"fixed": "2"}], True),
        ([{"introduced": "1.5.1"}, {"fixed": "2"}], False),
        ([{"introduced": "1.0"}, {"last_affected": "1.5"}], True),
        ([{"introduced": "1.0"}, {"last_affected": "1.4"}], False),
        ([{"introduced": "0"}, {"fixed": "1.2"}, {"introduced": "1.4"}, {"fixed": "1.6"}], True),
        ([{"introduced": "1.4"}, {"fixed": "1.6"}, {"introduced": "0"}, {"fixed": "1.2"}], True),
        ([{"introduced": "0"}, {"fixed": "1.2"}, {"introduced": "1.6"}, {"fixed": "1.7"}], False),
        ([{"introduced": "1.5rc1"}, {"fixed": "1.5"}], False),
        ([{"introduced": "1.10"}], False),
    ],
)
def test_a_version_is_within_its_ranges(events: list, hit: bool):
    found, read = check({"some-package": "1.5"}, [record(events=events)])
    assert read == 1
    assert found == ([Finding("some-package", "1.5", "X-1", "reads elsewhere")] if hit else [])


def test_listed_versions_other_packages_ecosystems_and_withdrawn_records():
    pins = {"some-package": "1.5"}
    assert check(pins, [record(versions=["1.5.0"])])[0]
    assert check(pins, [record(versions=["1.4"])]) == ([], 1)
    assert check(pins, [record("another", events=[{"introduced": "0"}])]) == ([], 1)
    assert check(pins, [{**record(events=[{"introduced": "0"}]), "withdrawn": "2026-01-01"}]) == ([], 1)
    npm = record(events=[{"introduced": "0"}])
    npm["affected"][0]["package"]["ecosystem"] = "npm"
    assert check(pins, [npm]) == ([], 0)


@pytest.mark.parametrize("form", ["folder", "zip", "list", "record"])
def test_every_form_of_a_database_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str):
    (tmp_path / "pins").write_text("# pins\nSome_Package==1.5 ; sys_platform == 'linux'\nother==1\n")
    data, path = record(events=[{"introduced": "0"}]), tmp_path / "database"
    if form == "folder":
        path.mkdir()
        (path / "X-1.json").write_text(json.dumps(data))
    elif form == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("X-1.json", json.dumps(data))
    else:
        path.write_text(json.dumps([data] if form == "list" else data))
    assert main([str(path), "--pins", str(tmp_path / "pins")]) == 1
    assert (
        "some-package==1.5  X-1  reads elsewhere\n1 findings for 2 pins in 1 records"
        in capsys.readouterr().out
    )


def test_a_database_without_python_packages_is_no_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "empty").mkdir()
    for name, telling in (("empty", "holds no record"), ("missing", "no such file")):
        assert main([str(tmp_path / name)]) == 2
        assert telling in capsys.readouterr().err


def test_the_pins_of_the_project_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "record.json").write_text(json.dumps(record("torch", events=[{"introduced": "0"}])))
    assert main([str(tmp_path)]) == 1
    assert f"torch=={read_pins(CONSTRAINTS)['torch']}  X-1" in capsys.readouterr().out
    assert canonical("A__b.C") == "a-b-c"


def test_the_release_tests_the_wheel_and_attests_what_it_made():
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    order = [
        "-m build",
        "--require-hashes -r requirements.lock",
        "pytest",
        "release.sbom",
        "attest-build-provenance",
        "gh release",
    ]
    places = [text.index(word) for word in order]
    assert places == sorted(places)
    assert "id-token: write" in text
