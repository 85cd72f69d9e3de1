"""The generated messages are those of the .proto, and live beside TensorFlow's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from compress.datasets import features_pb2 as messages

ROOT = Path(messages.__file__).parents[2]
PROTO = "compress/datasets/features.proto"


def test_generating_again_gives_the_committed_files(tmp_path: Path) -> None:
    protoc = pytest.importorskip("grpc_tools.protoc", reason="grpcio-tools is not installed")
    options = [f"--proto_path={ROOT}", f"--python_out={tmp_path}", f"--pyi_out={tmp_path}"]
    assert protoc.main(["protoc", *options, str(ROOT / PROTO)]) == 0

    def descriptor(text: str) -> str:
        # Comments and the version check differ from one version of the generator to the next.
        return re.search(r"AddSerializedFile\((.*)\)", text)[1]

    made = (tmp_path / "compress" / "datasets" / "features_pb2.py").read_text()
    assert descriptor(made) == descriptor(Path(messages.__file__).read_text())


def test_the_package_name_is_our_own() -> None:
    assert messages.DESCRIPTOR.package == "compress.datasets"
    assert messages.Example.DESCRIPTOR.full_name == "compress.datasets.Example"


def test_the_generator_was_old_enough_for_the_declared_runtime() -> None:
    version = re.search(r"Protobuf Python Version: (\d+)", Path(messages.__file__).read_text())
    assert version[1] == "6"
