"""The program as it is installed, in processes with nothing changed: long work, killed at random times."""

from __future__ import annotations

from pathlib import Path
from random import Random

from tests.soak.children import Process
from tests.soak.counts import Counts, Until
from tests.soak.harnesses import kills
from tests.soak.trials import Trials
from tests.soak.workspaces import Words, live

PROMISES = kills.PROMISES


def run(until: Until, random: Random, folder: Path) -> Counts:
    counts = Counts()
    if until():
        return counts
    trials = Trials(live(folder / f"long-{folder.name}", long_chain, Process), random, Process)
    while not until():
        kills.trial(trials, random, counts)
    return counts


def long_chain(random: Random) -> list[Words]:
    """Trainings and an evaluation that take tens of seconds each."""
    name = random.choice(["residual_cnn-64", "residual_cnn-48"])
    dim = name.partition("-")[2]
    lines = [
        "data sample . --videos 2500 --num-classes 100",
        "init --train train*.tfrecord --validate validate*.tfrecord --num-classes 100",
        f"train --dim {dim} --epochs 2 --set width=0.2",
        f"encode --name {name} --batch-size 8",
        f"index --name {name} --factory IVF16,Flat",
        "train --encoder identity",
        "encode --name original",
        "evaluate --name original --heads logistic,ridge",
        f"evaluate --name {name} --heads logistic,ridge",
        "report",
    ]
    return [line.split() for line in lines]
