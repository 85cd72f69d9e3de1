"""Small random workspaces: a chain of commands, and the folder before and after each of them."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from tests.soak.children import Child, Ended, call

Tree = dict[str, str]
Words = list[str]

# Not the work's own: when a report was made, how long something took and so the seals over that (readers
# check them), and which inodes were hashed.
_VOLATILE = [
    re.compile(rb'"(cpu_)?seconds": [0-9.e+-]+,?\s*'),
    re.compile(rb'"seal": "sha256:[0-9a-f]{64}",?\s*'),
    re.compile(rb'"(generated|made|measured_on)": "[^"]*",?\s*'),
]
_OF_THIS_COPY = {"cache/hashed.json"}
_TOOK = re.compile(r"^took .*\n", re.MULTILINE)
_TIMED = re.compile(r"reports/tradeoff\..*|cache/timings?\.json")


@dataclass(frozen=True)
class Step:
    """One command of a chain: the folder before and after it, undisturbed, and how long it took."""

    words: Words
    before: Path
    after: Path
    seconds: float

    @property
    def command(self) -> str:
        return self.words[0]

    @property
    def promise(self) -> str:
        return {"train": "R2", "index": "R3"}.get(self.command, "R1")


@dataclass(frozen=True)
class History:
    """A chain of commands in the folder `at`; states are copies of it."""

    at: Path
    steps: list[Step]

    @property
    def finished(self) -> Path:
        return self.steps[-1].after


def chain(random: Random) -> list[Words]:
    """Some commands of every kind, with random sizes, encoders and codecs; the first make the workspace.

    Those at the end make anew what is there: these are the ones of which a reader could see a mix.
    """
    dim, classes = random.choice((8, 12, 16)), str(random.randint(6, 12))
    trained = random.choice(
        [
            f"linear --dim {dim} --nested {dim // 2} --epochs 2 --batch-size 32",
            f"residual_cnn --dim {dim} --epochs 1 --set warm_epochs=0 --set width=0.05",
            f"lstm --dim {dim} --epochs 1",
            f"pca --dim {dim}",
        ]
    )
    encoder = trained.split()[0]
    name, of_frames, has_head = f"{encoder}-{dim}", encoder == "lstm", encoder != "pca"
    codec = random.choice(["int8", "int4", "binary", "float16", "rabitq2"])
    heads = "--no-retrieval --heads"
    videos = f"--videos {random.randint(140, 200)} --num-classes {classes} --seed {random.randint(0, 99)}"

    lines = [f"data sample . {videos}"]
    where = "--train train*.tfrecord --validate validate*.tfrecord"
    if of_frames:
        for part in ("train", "validate"):
            lines.append(f"data sample frames/{part} --from {part}*.tfrecord --frames 2 4")
        where += " --train-frames frames/train/*.tfrecord --validate-frames frames/validate/*.tfrecord"
    lines.append(f"init {where} --vocabulary vocabulary.csv --num-classes {classes}")
    lines += [f"train --encoder {trained}", f"encode --name {name}", f"index --name {name}"]
    evaluates = random.random() < 0.6
    if evaluates:
        lines += ["train --encoder identity", "encode --name original"]
        lines += [f"evaluate --name {each} {heads} ridge" for each in ("original", name)]
    if random.random() < 0.4:
        lines += [f"encode --name {name} --codec {codec}", f"index --name {name}-{codec}"]
    if has_head and random.random() < 0.4:
        lines.append(f"evaluate --run {name}")
    if has_head and random.random() < 0.4:
        weights = random.choice(["int8", "float16", "int8 --prune 0.5 --epochs 1"])
        lines.append(f"shrink --name {name} --weights {weights}")
    if has_head and random.random() < 0.4:
        unseen = "frames/validate/*.tfrecord" if of_frames else "validate*.tfrecord"
        predict = f"predict --run {name} {unseen} --output labels.csv --replace"
        lines += [predict, f"{predict} --top 2"]
    if evaluates and random.random() < 0.4:
        points = f"--run {name} --dims {dim} --codecs int8 --controls none"
        lines.append(f"tradeoff {points} {heads} ridge")
    if can_extract() and random.random() < 0.3:
        lines.append("extract clips shards --workers 1")
    lines.append(f"index --name {name} --factory IVF{random.choice((2, 4))},Flat --replace")
    if evaluates:
        lines.append("report")
        lines += [f"evaluate --name {each} {heads} knn" for each in ("original", name)]
        lines.append("report")
    if random.random() < 0.4:
        lines.append(f"train --encoder {trained} --fresh --seed 1")
        lines += [f"encode --name {name}", f"index --name {name} --replace"]
    return [line.split() for line in lines]


def can_extract() -> bool:
    """Whether PyAV is there."""
    return importlib.util.find_spec("av") is not None


def _make_clips(folder: Path) -> None:
    from tests.extract.clips import clip, scene

    for number in range(12):
        made = clip(folder / "clips" / f"{number}.avi", frames=20, rate=5, paint=scene(number))
        os.utime(made, (1e9, 1e9))  # it is kept with the features


def readers(folder: Path) -> dict[str, Words]:
    """Commands that only read a workspace, by name."""
    found = {
        "report": ["report", "--output", "../read"],
        "select": ["select", "--max-gap-drop", "60", "--output", "../read", "--json"],
    }
    for index in sorted((folder / "embeddings").glob("*.index")):
        found[f"search {index.stem}"] = ["search", "--name", index.stem, "--row", "3", "--json"]
    return found


def live(
    folder: Path, commands: Callable[[Random], list[Words]] | None = None, start: type[Child] = Child
) -> History:
    """Run a chain undisturbed in `folder`/w, and keep a copy of it after each command.

    The name of the folder is the seed. Where it has been lived in before, that history is taken.
    """
    at, kept = folder / "w", folder / "states"
    written = kept / "history.json"
    if written.is_file():
        return _history(at, json.loads(written.read_text(encoding="utf-8")))
    for each in (at, kept):
        shutil.rmtree(each, ignore_errors=True)
        each.mkdir(parents=True)
    lines = (commands or chain)(Random(folder.name))
    if any(words[0] == "extract" for words in lines):
        _make_clips(at)
    steps: list[dict[str, Any]] = []
    before = copy(at, kept / "0")
    for number, words in enumerate(lines, start=1):
        ended = call([*words, "--quiet"], at, start)
        if ended.code:
            raise AssertionError(f"compress {' '.join(words)}: {ended.code} {ended.err}")
        after = copy(at, kept / str(number))
        if words[0] not in ("data", "init"):  # making the workspace is setup, not what is tried
            states = {"before": str(before), "after": str(after)}
            steps.append({"words": words, **states, "seconds": ended.seconds})
        before = after
    written.write_text(json.dumps(steps), encoding="utf-8")
    return _history(at, steps)


def _history(at: Path, steps: list[dict[str, Any]]) -> History:
    made = [Step(each["words"], Path(each["before"]), Path(each["after"]), each["seconds"]) for each in steps]
    return History(at, made)


def copy(folder: Path, to: Path) -> Path:
    """An exact copy in place of `to`; where `to` is a mounted disk, its contents are replaced."""
    to.mkdir(parents=True, exist_ok=True)
    for entry in os.scandir(to):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)
    shutil.copytree(folder, to, symlinks=True, dirs_exist_ok=True)
    return to


def tree(folder: Path) -> Tree:
    """The sha256 of every file below a folder, lock files included, without what is volatile in it."""
    found = {}
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        if name in _OF_THIS_COPY or _TIMED.fullmatch(name) or name.startswith("lost+found"):
            continue
        found[name] = f"link {os.readlink(path)}" if path.is_symlink() else _digest(path)
    return found


def _files(folder: Path) -> Iterator[Path]:
    for base, _, names in os.walk(folder):
        yield from (Path(base, name) for name in sorted(names))


def _digest(path: Path) -> str:
    data = path.read_bytes()
    if path.suffix in (".json", ".jsonl"):
        for pattern in _VOLATILE:
            data = pattern.sub(b"", data)
    return hashlib.sha256(data).hexdigest()


def difference(found: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    """In words, how one tree differs from another; empty when they are equal."""
    missing = [f"missing: {name}" for name in sorted(wanted.keys() - found.keys())]
    more = [f"left over: {name}" for name in sorted(found.keys() - wanted.keys())]
    both = sorted(found.keys() & wanted.keys())
    return missing + more + [f"changed: {name}" for name in both if found[name] != wanted[name]]


Answer = tuple[int, str]


class Readers:
    """Commands that only read, and what they say of each state of a history; each is asked once."""

    def __init__(self, history: History) -> None:
        self._at = history.at
        self._known: dict[tuple[Path, str], Answer] = {}

    def choose(self, step: Step, random: Random, most: int = 2) -> dict[str, tuple[Words, list[Answer]]]:
        """Some readers, each with what it says before a step and after it. The folder is overwritten."""
        asked = {**readers(step.before), **readers(step.after)}
        names = random.sample(sorted(asked), min(most, len(asked)))
        states = (step.before, step.after)
        return {
            name: (asked[name], [self._of(state, name, asked[name]) for state in states]) for name in names
        }

    def faults(self, chosen: Mapping[str, tuple[Words, list[Answer]]]) -> list[str]:
        """Ask about the folder as it is now: each must say what it said before the step, or after it."""
        return [fault for name, asked in chosen.items() for fault in self._faults(name, *asked)]

    def _faults(self, name: str, words: Words, allowed: list[Answer]) -> list[str]:
        ended, answer = ask(words, self._at)
        return judge(name, ended, answer, allowed)

    def _of(self, state: Path, name: str, words: Words) -> Answer:
        if (state, name) not in self._known:
            copy(state, self._at)
            self._known[state, name] = ask(words, self._at)[1]
        return self._known[state, name]


def judge(name: str, ended: Ended, answer: Answer, allowed: list[Answer]) -> list[str]:
    """What is wrong with a reader's answer."""
    if not ended.clean:
        return [f"{name}: exit {ended.code}: {ended.last_line}"]
    codes = sorted({code for code, _ in allowed})
    refused = ended.code != 0 and ended.code in codes  # for the same reason, perhaps in other words
    if answer in allowed or refused:
        return []
    return [f"{name}: exit {ended.code}, neither the answer before nor after ({codes}): {ended.last_line}"]


def ask(words: Words, at: Path) -> tuple[Ended, Answer]:
    """Run a reader; its exit code and all that it says."""
    read = at.with_name("read")
    shutil.rmtree(read, ignore_errors=True)
    ended = call(words if "--json" in words else [*words, "--quiet"], at)
    return ended, answer_of(ended, read)


def answer_of(ended: Ended, read: Path) -> Answer:
    """What a reader said: its exit code, what it printed, and what it wrote into the folder `read`."""
    written = json.dumps(tree(read), sort_keys=True) if read.is_dir() else ""
    said = (_TOOK.sub("", ended.out) + (ended.last_line if ended.code else "")).replace(read.name, "read")
    return ended.code, said + written
