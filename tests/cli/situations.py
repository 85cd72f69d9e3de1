"""Situations in which the program gives advice, and what is typed then; test_hints.py goes through them."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import numpy as np

from compress.datasets.formats.framing import frame
from tests.datasets.messages import example, sequence


@dataclass(frozen=True)
class Situation:
    """A command that gives advice, and the advice taken.

    Args:
        typed: after `compress`.
        advice: of the error, or of what it says as it succeeds; a regular expression.
        then: what is typed next, with `{1}`, `{2}` ... for the groups of `advice`, and `{typed}`.
        files: what is there, by name.
        fails: an error gives the advice.
    """

    typed: str
    advice: str
    then: tuple[str, ...]
    files: dict[str, bytes | str | np.ndarray] = field(default_factory=dict)
    fails: bool = True


X = np.arange(24, dtype=np.float32).reshape(6, 4)
LABELS = "id,labels\n" + "".join(f"-v{row},{row % 2}\n" for row in range(6))
LABELLED = {"x.npy": X, "l.csv": LABELS}
THREE = {"a.npy": X, "b.npy": X, "c.npy": X}


def shard(*records: dict[str, list[bytes] | list[float]]) -> bytes:
    """Records of one label as a TFRecord shard."""
    return b"".join(frame(example(labels=[number % 2], **each)) for number, each in enumerate(records))


def archive(**arrays: np.ndarray) -> bytes:
    """Arrays as a .npz file."""
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def named(first: int, **sizes: int) -> bytes:
    """A shard of six videos with features of these names; ids and values count from `first`."""
    rows = range(first, first + 6)
    values = {row: {name: [float(row)] * size for name, size in sizes.items()} for row in rows}
    return shard(*({"id": [b"v%d" % row], **its} for row, its in values.items()))


def video(lists: dict[str, list[bytes] | list[float]], **context: list[int] | list[float]) -> bytes:
    """A shard of one video of two frames; the lists hold a frame."""
    steps = {name: [values] * 2 for name, values in lists.items()}
    return frame(sequence({"id": [b"v"], "labels": [1], **context}, steps))


SHARD = shard(*({"id": [b"v%d" % row], "mean_rgb": [float(row), 1.0]} for row in range(4)))

SEGMENTS = {
    "segment_start_times": [0],
    "segment_end_times": [1],
    "segment_labels": [1],
    "segment_scores": [1.0],
}
SEGMENTED = {"t.tfrecord": video({"rgb": [b"abc"]}, **SEGMENTS)}

SITUATIONS = [
    # ids and paths
    Situation("search -v1 --name store", "given as (--id=-v1)", ("search {1} --name store",)),
    Situation("search --v1234567a", "given as (--id=--v1234567a)", ("search --row 0 --name store",)),
    Situation(
        "search --name store -- -v1 --k 3",
        "options go before --",
        ("search --name store --k 3 -- -v1",),
    ),
    Situation(
        "search --name store",
        r"VIDEO_ID \(or several\), (--row) N, (--vector)",
        ("{typed} {1} 0", "{typed} {2} q.npy"),
        {"q.npy": X[0]},
    ),
    Situation(
        "search --name store --vector x.npy",
        r"give (--output hits\.parquet) \(or \.csv, \.jsonl\) to answer all",
        ("{typed} {1}",),
        {"x.npy": X},
    ),
    Situation("data inspect -x.npy", r"given as (\./-x\.npy)", ("data inspect {1}",), {"-x.npy": X}),
    Situation(
        "encode --input a.npy b.npy --name store --output new.h5",
        r"expand it: (--input '\*\.npy')",
        ("encode {1} --name store --output new.h5",),
        {"a.npy": X, "b.npy": X},
    ),
    # a store and its index
    Situation("search --name bare --row 0", "`compress (index --name bare)` builds it", ("{1}", "{typed}")),
    Situation("search --name store.h5 --row 0", "did you mean (--name store)", ("search {1} --row 0",)),
    # what is in the files
    Situation("data import x.npy out", "give (--num-classes) N", ("{typed} {1} 2",), {"x.npy": X}),
    Situation(
        "data import x.npy out",
        r"name the labels file with (--labels)",
        ("{typed} {1} x.labels.csv",),
        {"x.npy": X, "x.labels.csv": LABELS, "x.labels.npz": ""},
    ),
    Situation(
        "data import x.npy out --labels l.csv",
        "(--labels FILE):ID:LABELS",
        ("data import x.npy out --labels l.csv:clip:what",),
        {"x.npy": X, "l.csv": LABELS.replace("id,labels", "clip,what")},
    ),
    Situation(
        "data import x.npy out --labels l.csv",
        "say (--label-separator ' '), or (--label-separator none) if it is one",
        ("{typed} {2}", "data import x.npy other --labels l.csv {1}"),
        {"x.npy": X, "l.csv": LABELS.replace(",1", ",playing guitar")},
    ),
    Situation(
        "data import x.npy out --labels l.csv",
        "with (--on-corrupt skip) or (--on-corrupt quarantine)",
        ("{typed} {1}", "data import x.npy other --labels l.csv {2}"),
        {**LABELLED, "x.npy": np.where(X == 4, np.nan, X)},
    ),
    Situation(
        "data inspect x.npy --labels l.csv",
        "with (--on-corrupt skip) or (--on-corrupt quarantine)",
        ("{typed} {1}", "{typed} {2}"),
        {**LABELLED, "x.npy": np.where(X == 4, np.nan, X)},
    ),
    Situation(
        "data import x.npy out --labels l.csv --num-classes 1",
        "give (--num-classes) N, .*, when the data have more",
        ("data import x.npy out --labels l.csv {1} 2",),
        LABELLED,
    ),
    Situation(
        "init new --train x.npy --labels l.csv",
        "give (--validate) 'PATTERN', or (--validate-fraction 0.1)",
        ("{typed} {1} x.npy", "init two --train x.npy --labels l.csv --validate-fraction 0.5"),
        {**LABELLED, "new/_": "", "two/_": ""},
    ),
    Situation(
        "init new --train x.npy --labels l.csv --validate x.npy --validate-fraction 0.5",
        "leave one of the two out",
        ("init new --train x.npy --labels l.csv --validate-fraction 0.5",),
        {**LABELLED, "new/_": ""},
    ),
    Situation(
        "init new --train x.npy --labels l.csv --validate-fraction 0.001",
        "choose another fraction, or give (--validate)",
        ("init new --train x.npy --labels l.csv {1} x.npy",),
        {**LABELLED, "new/_": ""},
    ),
    Situation(
        "init new --train x.npy --labels l.csv --validate x.npy --group-duplicates 1",
        "give (--validate-fraction) 0.1 too",
        ("init new --train x.npy --labels l.csv --group-duplicates 1 {1} 0.5",),
        {**LABELLED, "new/_": ""},
    ),
    Situation(
        "init new --train x.npy --labels l.csv --validate x.npy --vocabulary v.csv --num-classes 2",
        "or (--num-classes 3)",
        ("init new --train x.npy --labels l.csv --validate x.npy --vocabulary v.csv {1}",),
        {**LABELLED, "new/_": "", "v.csv": "index,name\n0,a\n2,c\n"},
    ),
    Situation(
        "init new --train x.npy --validate x.npy --train-frames x.npy --num-classes 2",
        "(--train-frames) and (--validate-frames) need each other",
        ("{typed} {2} x.npy",),
        {"x.npy": X, "new/_": ""},
    ),
    Situation(
        "train --encoder linear --dim 2",
        "give (--train) 'PATTERN', or make a workspace with `compress (init)`",
        ("{2} two --train x.npy --labels l.csv --validate-fraction 0.5", "data inspect two"),
        {**LABELLED, "two/_": "", "compress.toml": ""},
    ),
    Situation(
        "data inspect t.tfrecord",
        "fetch it again, or leave .* with (--on-corrupt skip) or (--on-corrupt quarantine)",
        ("{typed} {1}", "{typed} {2}"),
        {"t.tfrecord": SHARD[:-1] + bytes([SHARD[-1] ^ 1])},
    ),
    Situation(
        "data inspect t.tfrecord",
        "leave such records out with (--on-corrupt skip) or (--on-corrupt quarantine)",
        ("{typed} {1}", "{typed} {2}"),
        {"t.tfrecord": SHARD + shard({"id": [b"x"], "mean_rgb": [1.0]})},
    ),
    Situation(
        "data inspect t.tfrecord",
        "(--on-corrupt skip) leaves out all but the first video of an id",
        ("{typed} {1}",),
        {"t.tfrecord": SHARD + SHARD},
    ),
    Situation(
        "data inspect t.tfrecord --features other",
        "(--features) takes names that the file has",
        ("data inspect t.tfrecord {1} mean_rgb",),
        {"t.tfrecord": SHARD},
    ),
    Situation(
        "data inspect t.tfrecord",
        "say which, in order, such as (--features a,b)",
        ("{typed} {1}",),
        {"t.tfrecord": shard({"id": [b"v"], "a": [1.0, 2.0], "b": [3.0, 4.0]})},
    ),
    Situation(
        "data inspect t.tfrecord --level frame",
        "of a frame, which (--level) frame asks for",
        ("data inspect t.tfrecord {1} video",),
        {"t.tfrecord": SHARD},
    ),
    Situation(
        "data import x.npy out --labels l.csv",
        "or give (--replace)",
        ("{typed} {1}",),
        {**LABELLED, "out/train0000.tfrecord": SHARD},
    ),
    Situation("data download --part 3/2", "write (1/100)", ("data download --part {1}",)),
    # what is told of files that can be read
    Situation(
        "data inspect x.npy",
        r"features, as shards of `compress (init)` and `(encode --input)`, with x\.labels\.csv beside it "
        r"\(header (id,labels)\) or (--num-classes) N; "
        r"`compress (search --queries x\.npy --output hits\.csv)`",
        (
            "{1} new --train x.npy --validate x.npy {4} 2",
            "{2} x.npy --name store --output new.h5",
            "{5} --name store",
            "data inspect x.npy {4} 2",
        ),
        {"x.npy": X, "new/_": ""},
        fails=False,
    ),
    Situation(
        "data inspect d --num-classes 2",
        "its rows are frames; say (--level video) if each row is a video",
        ("{typed} {1}",),
        {f"d/{rows}.npy": X[:rows] for rows in (2, 3, 4)},
        fails=False,
    ),
    Situation(
        "data import t.tfrecord out",
        "not used: std_rgb .*; (--features), --id and --labels choose what is used",
        ("data import t.tfrecord other {1} mean_rgb,std_rgb --id id --labels labels",),
        {"t.tfrecord": named(0, mean_rgb=2, mean_audio=1, std_rgb=1)},
        fails=False,
    ),
    Situation(
        "data inspect t.tfrecord --num-classes 2",
        "segments with labels of their own are there: (--segments) makes them rows",
        ("{typed} {1}",),
        SEGMENTED,
        fails=False,
    ),
    # which features, and what a row is
    Situation(
        "data inspect t.tfrecord --segments",
        r"t\.tfrecord: (--segments): has no segments",
        ("data inspect t.tfrecord",),
        {"t.tfrecord": SHARD},
    ),
    Situation(
        "data inspect t.tfrecord",
        "name the one that is the id, such as (--id vid)",
        ("{typed} {1}",),
        {"t.tfrecord": shard({"vid": [b"v"], "mean_rgb": [1.0]})},
    ),
    Situation(
        "data inspect m.npz --features a,b --num-classes 2",
        "(--features) takes features of one kind",
        ("data inspect m.npz {1} a --num-classes 2", "data inspect m.npz {1} b --num-classes 2"),
        {"m.npz": archive(a=X, b=np.stack([X, X], axis=1))},
    ),
    Situation(
        "data inspect t.tfrecord --features rgb,audio --num-classes 2",
        "name features of one kind with (--features)",
        ("data inspect t.tfrecord {1} rgb --num-classes 2",),
        {"t.tfrecord": video({"rgb": [b"abc"], "audio": [0.5]})},
    ),
    Situation(
        "data inspect d --num-classes 2",
        "say (--level frame) if a file is a video, (--level video) if a row is",
        ("{typed} {1}", "{typed} {2}"),
        {"d/a.npy": X, "d/b.npy": X},
    ),
    Situation(
        "data inspect m.npz --num-classes 2",
        "say (--level frame) if each is one video, or (--features a) if its rows are videos",
        ("{typed} {1}", "{typed} {2}"),
        {"m.npz": archive(a=X, b=X + 1)},
    ),
    Situation(
        "data import t.tfrecord out --num-classes 2",
        "frames are read where they are: compress (init --train) PATTERN",
        ("{1} t.tfrecord --validate t.tfrecord --num-classes 2 two",),
        {"t.tfrecord": video({"rgb": [b"abc"]}), "two/_": ""},
    ),
    # the features of a run
    Situation(
        "encode --name named --input t.tfrecord --output new.h5",
        "if they are the same under other names, say so in this order: (--features c,d)",
        ("{typed} {1}",),
        {"t.tfrecord": named(0, c=2, d=1)},
    ),
    Situation(
        "encode --name named --input t.tfrecord --output new.h5",
        "under other names, (--features) takes these in the same order",
        ("{typed} {1} d,e",),
        {"t.tfrecord": named(0, c=2, d=2, e=1)},
    ),
    Situation(
        "encode --name named --input t.tfrecord --output new.h5 --features d,e",
        "d, e is read as a, b, as (--features) says",
        ("encode --name named --input t.tfrecord --output other.h5 {1} c,e",),
        {"t.tfrecord": named(0, c=2, d=2, e=1)},
        fails=False,
    ),
    Situation(
        "encode --name store --input t.tfrecord --output new.h5",
        "the run was trained on one array; say what it joined, in order: (--features c,d)",
        ("{typed} {1}",),
        {"t.tfrecord": named(0, c=2, d=2)},
    ),
    Situation(
        "evaluate --run named",
        "measure it in its own workspace, or give the shards by (--validate)",
        ("{typed} {1} v.tfrecord",),
        {"v.tfrecord": named(0, a=2, b=1), "compress.toml": 'validate = "v.tfrecord"\nnum_classes = 5\n'},
    ),
]
