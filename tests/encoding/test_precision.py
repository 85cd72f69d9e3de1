"""In which precision a store is computed, what it says of it, and what becomes of stores of another one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from compress.datasets.source import Source
from compress.errors import UsageError
from compress.progress import Event, Note
from compress.store.reader import Store, open_store
from compress.training.precision import choose_precision, computes_bf16, precision_note
from compress.training.run import load_model
from tests.artifacts.faulty import KILLED, run_under_fault
from tests.encoding.examples import encoded, encoder_run, videos

EVERYONE = videos(30) + videos(11, 100)


@pytest.fixture(params=[True, False], ids=["bf16 machine", "old machine"])
def native(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr("compress.training.precision.computes_bf16", lambda device: request.param)
    return bool(request.param)


def stored(root: Path, splits: dict[str, Source], run: Path, **options) -> tuple[Store, list[str]]:
    said: list[str] = []

    def report(event: Event) -> None:
        if isinstance(event, Note):
            said.append(event.text)

    return open_store(encoded(root, splits, run, report=report, **options).path), said


def embedded(run: Path, precision: str) -> np.ndarray:
    model, _ = load_model(run)
    features = torch.from_numpy(np.stack([record.features for record in EVERYONE]))
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        return model.embed(features).float().numpy()


@pytest.mark.parametrize("trained", ["fp32", "bf16"])
@pytest.mark.parametrize("wanted", ["fp32", "bf16", "auto"])
def test_a_store_holds_and_names_the_precision_that_was_used(tmp_path, splits, native, trained, wanted):
    run = encoder_run(tmp_path / "run", precision=trained)
    store, said = stored(tmp_path, splits, run, precision=wanted)
    used = wanted if wanted != "auto" else "bf16" if trained == "bf16" and native else "fp32"
    assert store.metadata["precision"] == used
    np.testing.assert_array_equal(store.decode(0, 41), embedded(run, used))
    assert not np.array_equal(embedded(run, "fp32"), embedded(run, "bf16"))
    notes = [text for text in said if "computing in" in text]
    assert notes == ([] if (wanted, used, trained) == ("auto", "fp32", "fp32") else notes[:1])
    assert all(f"computing in {used}" in text for text in notes)


def test_a_machine_without_bf16_says_why_it_computes_in_fp32(tmp_path, splits, monkeypatch):
    monkeypatch.setattr("compress.training.precision.computes_bf16", lambda device: False)
    said = stored(tmp_path, splits, encoder_run(tmp_path / "run", precision="bf16"))[1]
    assert any("trained in bf16, for which this machine has no arithmetic" in text for text in said)


def test_a_store_of_another_precision_is_encoded_again_and_that_is_said(tmp_path, splits):
    run = encoder_run(tmp_path / "run")
    first, _ = stored(tmp_path, splits, run, precision="fp32")
    second, said = stored(tmp_path, splits, run, precision="bf16")
    assert any("was computed in fp32; encoding it again in bf16" in text for text in said)
    assert not np.array_equal(first.decode(0, 41), second.decode(0, 41))
    assert any("up to date" in text for text in stored(tmp_path, splits, run, precision="bf16")[1])


def test_an_unfinished_store_of_another_precision_is_not_continued(tmp_path, splits, monkeypatch):
    monkeypatch.setattr("compress.encoding.filling.BLOCK_ROWS", 8)
    run = encoder_run(tmp_path / "run")

    def work() -> None:
        encoded(tmp_path, splits, run, batch_size=4, precision="bf16")

    assert run_under_fault(work, "kill@30") == KILLED
    done = encoded(tmp_path, splits, run, batch_size=4, precision="fp32")
    assert done.resumed_rows == 0
    assert open_store(done.path).metadata["precision"] == "fp32"


def test_a_finished_store_of_other_batches_is_kept_unless_they_are_asked_for(tmp_path, splits):
    run = encoder_run(tmp_path / "run")
    stored(tmp_path, splits, run, batch_size=7)
    store, said = stored(tmp_path, splits, run)
    assert any("up to date" in text for text in said)
    assert store.metadata["batch_size"] == 7
    assert stored(tmp_path, splits, run, batch_size=8)[0].metadata["batch_size"] == 8


def test_another_word_is_refused(tmp_path, splits):
    with pytest.raises(UsageError, match="fp64"):
        encoded(tmp_path, splits, encoder_run(tmp_path / "run"), precision="fp64")


@pytest.mark.parametrize(
    ("capabilities", "native"),
    [
        ({"avx512_bf16": True}, True),
        ({"amx_bf16": True}, True),
        ({"bf16": True, "architecture": "aarch64"}, True),
        ({"avx512_f": True, "avx512_bf16": False}, False),
        ({}, False),
    ],
)
def test_what_a_processor_says_of_itself_decides(monkeypatch, capabilities: dict, native: bool):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert computes_bf16("cpu") is native


def test_a_torch_that_cannot_tell_counts_as_a_processor_without(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert not computes_bf16("cpu")
    assert choose_precision("auto", "bf16", "cpu") == "fp32"


def test_there_is_nothing_to_say_of_fp32_as_trained():
    assert precision_note("auto", "fp32", "fp32") == ""
    assert precision_note("bf16", "fp32", "bf16") == "computing in bf16, trained in fp32"
    assert precision_note("fp32", "fp32", "fp32") == "computing in fp32"
