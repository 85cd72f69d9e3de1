"""What a command used, in a process of its own; and the reports that are made of that."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import end_to_end, scale
from benchmarks.children import Used, run
from benchmarks.end_to_end import Stage
from benchmarks.machine import ROOT
from benchmarks.scale import Step
from compress.errors import DataError


def test_time_memory_and_words_of_a_command_are_kept():
    text = "import sys; kept = b'1' * 40_000_000; print('out'); print('told', file=sys.stderr)"

    used = run(("-c", text), project=ROOT, threads=1)

    assert used.peak >= 40_000_000
    assert used.wall > 0
    assert used.cpu > 0
    assert (used.output, used.told) == ("out\n", "told\n")


def test_a_command_sees_the_checkout_it_was_given_and_its_threads():
    text = "import os, compress; print(compress.__file__, os.environ['OMP_NUM_THREADS'])"

    used = run(("-c", text), project=ROOT, threads=3)

    assert used.output.split() == [str(ROOT / "compress" / "__init__.py"), "3"]


def test_a_command_that_fails_is_an_error_with_the_last_line_it_told():
    with pytest.raises(DataError, match="failed: error: no such thing"):
        run(("-c", "import sys; sys.exit('first\\nerror: no such thing')"), project=ROOT, threads=1)


def _used(cpu: float, memory: int) -> Used:
    return Used(wall=cpu, cpu=cpu, peak=2 * memory, anonymous=memory, told="", output="")


def test_scale_compares_the_largest_size_with_the_smallest_and_leaves_the_index_out():
    steps = [
        Step("index", 100, _used(1.0, 100_000_000), result=10_000_000, estimate="Building Flat"),
        Step("index", 10_000, _used(50.0, 1_090_000_000), result=1_000_000_000),
    ]

    lines = scale.render(steps).splitlines()

    assert lines[1].split()[:4] == ["index", "100", "1.0", "10000"]
    assert "index, 100 times the videos: 0.50 times the cost of a video" in lines[3]
    assert "1.00 times the memory (goal 1.25)" in lines[3]
    assert lines[4] == "Building Flat"


def test_end_to_end_sets_two_checkouts_side_by_side_stage_by_stage():
    old, new = Path("/old"), Path("/new")
    stages = [Stage(name, str(old), _used(4.0, 1)) for name in end_to_end.STAGES]
    stages += [Stage(name, str(new), _used(2.0, 1)) for name in end_to_end.STAGES]

    lines = end_to_end.render(stages, [old, new]).splitlines()

    assert lines[0].split() == [
        "stage",
        "before",
        "after",
        "CPU",
        "before",
        "CPU",
        "after",
        "times",
        "faster",
    ]
    assert lines[-1].split() == ["all", "16.0", "8.0", "16.0", "8.0", "2.00x"]


@pytest.mark.slow
def test_scale_runs_on_few_videos(capsys: pytest.CaptureFixture[str]):
    assert scale.main(["--largest", "1000"]) == 0

    out = capsys.readouterr().out
    assert all(f"{step}, 100 times the videos" in out for step in ("table", "encode", "index", "evaluate"))
