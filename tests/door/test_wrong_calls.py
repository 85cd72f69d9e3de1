"""Wrong calls of everything public: each is refused by a `CompressError` of one sentence, never by a bare
TypeError, AttributeError, KeyError or IndexError of the code behind it, and never answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

import compress
from compress import Codec, CompressError, Compressor, Encoder, Index, judge
from tests.door.videos import make_videos

X, Y = make_videos(60)
X_test, Y_test = make_videos(30, seed=1)
S = np.random.default_rng(0).random(Y.shape).astype(np.float32)
IDS = [f"v{row}" for row in range(60)]


@dataclass
class Made:
    """One of everything, small."""

    folder: Path
    encoder: Encoder
    Z: np.ndarray
    codec: Codec
    codes: np.ndarray
    index: Index
    small: Compressor
    judged: Any

    @property
    def file(self) -> Path:
        return self.folder / "file"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("made")
    (folder / "file").write_text("x")
    encoder = Encoder.fit("linear", X, Y, dim=4, epochs=1, folder=folder / "run")
    Z = encoder.encode(X)
    codec = Codec.fit("int8", Z)
    small = Compressor(dim=4, encoder="pca").fit(X)
    judged = judge(X, Y, X_test, Y_test, heads="ridge")
    return Made(folder, encoder, Z, codec, codec.encode(Z), Index.build(Z, ids=IDS), small, judged)


def refusal(call: Callable[[], Any], *others: type[Exception]) -> str:
    """The sentence that a call is refused with; anything else fails."""
    with pytest.raises((CompressError, *others)) as caught:  # a warning is an error in this suite
        call()
    text = str(caught.value)
    if isinstance(caught.value, CompressError):
        assert text
        assert "\n" not in text
        assert len(text) < 500
    return text


class Odd:
    pass


NO_ARRAYS: dict[str, Any] = {
    "None": None,
    "a word": "abc",
    "bytes": b"abc",
    "a dict": {"a": 1},
    "a set": {1, 2},
    "a path": Path("x"),
    "an object": Odd(),
    "a function": len,
    "one number": 3,
    "one numpy number": np.float32(3),
    "an empty list": [],
    "a list of None": [None, None],
    "a list of dicts": [{}],
    "ragged": [[1, 2], [3]],
    "words": np.array([["a", "b"]]),
    "objects": np.full((60, 24), "a", dtype=object),
    "complex": X.astype(complex),
    "dates": np.zeros((60, 24), "M8[s]"),
    "records": np.zeros(3, dtype=[("a", "f4")]),
    "four dimensions": np.zeros((1, 1, 1, 1)),
    "masked": np.ma.masked_array(X, mask=X > 0),
    "a frame of words": pd.DataFrame({"a": ["x", "y"]}),
    "a complex tensor": torch.zeros(3, 24, dtype=torch.complex64),
    "a sparse tensor": torch.eye(24).to_sparse(),
    "a tensor without data": torch.zeros(3, 24, device="meta"),
}
NO_FEATURES = {
    **NO_ARRAYS,
    "NaN": X * np.nan,
    "infinity": np.where(X > 1, np.inf, X),
    "too large": X.astype(float) * 1e300,
    "one dimension": X[0],
    "no columns": X[:, :0],
    "sparse": sparse.csr_matrix(X),
}
READERS: dict[str, Callable[[Made, Any], Any]] = {
    "encode": lambda made, value: made.encoder.encode(value),
    "Encoder.fit": lambda made, value: Encoder.fit("linear", value, Y, dim=4, epochs=1),
    "Encoder.fit without labels": lambda made, value: Encoder.fit("pca", value, dim=1),
    "validation": lambda made, value: Encoder.fit("linear", X, Y, dim=4, validation=(value, Y_test)),
    "Codec.fit": lambda made, value: Codec.fit("int8", value),
    "codec.encode": lambda made, value: made.codec.encode(value),
    "codec.decode": lambda made, value: made.codec.decode(value),
    "Index.build": lambda made, value: Index.build(value),
    "Index.build of codes": lambda made, value: Index.build(value, codec=made.codec),
    "search": lambda made, value: made.index.search(value),
    "judge, train": lambda made, value: judge(value, Y, X_test, Y_test, heads="ridge"),
    "judge, test": lambda made, value: judge(X, Y, value, Y_test, heads="ridge"),
    "inverse_transform": lambda made, value: made.small.inverse_transform(value),
}


@pytest.mark.parametrize("reader", READERS)
def test_what_is_no_array_of_features_is_refused(reader: str, made: Made):
    for value in NO_FEATURES.values():
        refusal(lambda value=value: READERS[reader](made, value))


@pytest.mark.filterwarnings("ignore:X has feature names")
def test_the_estimator_refuses_it_too_partly_by_checks_of_scikit_learn(made: Made):
    for name, value in NO_FEATURES.items():
        checks = (TypeError, ValueError) if name in ("a list of dicts", "sparse") else (ValueError,)
        refusal(lambda value=value: Compressor(dim=1, encoder="pca").fit(value), *checks)
        refusal(lambda value=value: made.small.transform(value), *checks)


NO_LABELS = {
    **{name: value for name, value in NO_ARRAYS.items() if name not in ("None", "ragged")},
    "of other videos": Y[:7],
    "other numbers": Y * 3,
    "weights": sparse.csr_matrix(Y * 0.5),
    "negative": [[-1]] * 60,
    "half classes": [0.5] * 60,
    "NaN": [np.nan] * 60,
    "mixed": ["a", 1] * 30,
    "none in a list": [[None]] * 60,
}
LABELLED: dict[str, Callable[[Any], Any]] = {
    "Encoder.fit": lambda value: Encoder.fit("linear", X, value, dim=4, epochs=1),
    "Compressor.fit": lambda value: Compressor(dim=4, epochs=1).fit(X, value),
    "validation": lambda value: Encoder.fit("linear", X, Y, dim=4, epochs=1, validation=(X, value)),
    "judge, train": lambda value: judge(X, value, X_test, Y_test, heads="ridge"),
    "judge, test": lambda value: judge(X_test, Y_test, X, value, heads="ridge"),
    "gap": lambda value: compress.gap(S, value),
    "mean_average_precision": lambda value: compress.mean_average_precision(S, value),
    "hit_at_one": lambda value: compress.hit_at_one(S, value),
    "perr": lambda value: compress.perr(S, value),
}


@pytest.mark.parametrize("reader", LABELLED)
def test_what_are_no_labels_is_refused(reader: str):
    others = (ValueError,) if reader == "Compressor.fit" else ()
    for value in NO_LABELS.values():
        refusal(lambda value=value: LABELLED[reader](value), *others)


@pytest.mark.parametrize("metric", ["gap", "mean_average_precision", "hit_at_one", "perr"])
def test_what_are_no_scores_is_refused(metric: str):
    no_scores = {
        **NO_ARRAYS,
        "NaN": S * np.nan,
        "too large": S.astype(float) * 1e300,
        "one": S[0],
        "other": S.T,
    }
    for value in no_scores.values():
        refusal(lambda value=value: getattr(compress, metric)(value, Y))


def _fit(**changes: Any) -> Encoder:
    return Encoder.fit(**{"encoder": "linear", "X": X, "Y": Y, "dim": 4, "epochs": 1, **changes})


NO_COUNTS = (-1, "a", 2.5, True, [4], 2**70)
# Argument -> the call with a value, and further values that it refuses.
COUNTS: dict[str, tuple[Callable[[Made, Any], Any], tuple[Any, ...]]] = {
    "dim of encode": (lambda made, value: made.encoder.encode(X, dim=value), (0, 3)),
    "batch_size": (lambda made, value: made.encoder.encode(X, batch_size=value), (0,)),
    "dim": (lambda made, value: _fit(dim=value), (0, None, 10**9)),
    "dim of PCA": (lambda made, value: _fit(encoder="pca", dim=value), (0, None, 25)),
    "epochs": (lambda made, value: _fit(epochs=value), (0,)),
    "seed": (lambda made, value: _fit(seed=value), (None,)),
    "seed of PCA": (lambda made, value: _fit(encoder="random_projection", seed=value), (None,)),
    "k": (lambda made, value: made.index.search(made.Z, k=value), (0, None)),
    "k of GAP": (lambda made, value: compress.gap(S, Y, value), (0, None)),
    "k of MAP": (lambda made, value: compress.mean_average_precision(S, Y, value), (0, None)),
    "recall_queries": (lambda made, value: Index.build(made.Z, recall_queries=value), (0, None)),
    "exact_below": (lambda made, value: Index.build(made.Z, exact_below=value), (None,)),
    "seed of an index": (lambda made, value: Index.build(made.Z, seed=value), (None,)),
    "row": (lambda made, value: made.index.video_id(value), (60, None)),
    "seed of judge": (lambda made, value: judge(X, Y, X_test, Y_test, heads="ridge", seed=value), (None,)),
    "epochs of judge": (lambda made, value: judge(X, Y, X_test, Y_test, epochs=value), (0,)),
    "threads": (lambda made, value: judge(X, Y, X_test, Y_test, heads="ridge", threads=value), (None,)),
    "dim of Compressor": (lambda made, value: Compressor(dim=value, epochs=1).fit(X, Y), (0, None)),
    "epochs of Compressor": (lambda made, value: Compressor(dim=4, epochs=value).fit(X, Y), (0,)),
    "random_state": (lambda made, value: Compressor(dim=4, epochs=1, random_state=value).fit(X, Y), ()),
}


@pytest.mark.parametrize("argument", COUNTS)
def test_what_is_no_whole_number_in_range_is_refused(argument: str, made: Made):
    call, others = COUNTS[argument]
    unlimited = argument in ("k", "k of GAP", "k of MAP")
    for value in (*NO_COUNTS, *others):
        if not (unlimited and value == 2**70):
            refusal(lambda value=value: call(made, value))


def test_whole_numbers_of_numpy_are_taken(made: Made):
    assert made.index.search(made.Z[0], k=np.int64(2)).rows.shape == (1, 2)
    assert made.encoder.encode(X, dim=np.int32(4), batch_size=np.uint8(7)).shape == (60, 4)
    assert _fit(dim=np.int64(3), seed=np.int64(1), epochs=np.int16(1)).dim == 3


PATHS: dict[str, Callable[[Made, Any], Any]] = {
    "load": lambda made, path: compress.load(path),
    "open_store": lambda made, path: compress.open_store(path),
    "Codec.load": lambda made, path: Codec.load(path),
    "Codec.save": lambda made, path: made.codec.save(path),
    "Encoder.save": lambda made, path: made.encoder.save(path),
    "Encoder.fit": lambda made, path: _fit(folder=path or 3),
    "Index.open": lambda made, path: Index.open(path),
    "Index.save": lambda made, path: made.index.save(path),
}


@pytest.mark.parametrize("reader", PATHS)
def test_what_is_no_path_is_refused(reader: str, made: Made):
    paths = [
        None,
        3,
        b"x",
        {"a": 1},
        "",
        "a\0b",
        "x" * 300,
        "~nobody-of-this-name/x",
        made.file / "below a file",
    ]
    if "save" not in reader and reader != "Encoder.fit":
        paths += ["nothing", "~/nothing", made.file, made.folder, [None], []]
    for path in paths:
        refusal(lambda path=path: PATHS[reader](made, path))


def test_the_home_folder_is_found(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    made.encoder.save("~/run")
    made.index.save("~/index")
    made.codec.save("~/codec.npz")
    assert compress.load("~/run").dim == 4
    assert len(Index.open("~/index")) == 60
    assert Codec.load("~/codec.npz").name == "int8"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["codec.npz", "index", "run"]


OTHERS: dict[str, tuple[Callable[[Made], Any], str]] = {
    "no such codec": (lambda made: Codec.fit("int9", made.Z), "did you mean 'int8'"),
    "a codec that is no name": (lambda made: Codec.fit(None, made.Z), "named by a str"),  # type: ignore[arg-type]
    "too few rows": (lambda made: Codec.fit("pq2", made.Z), "at least 256 videos, there are only 60"),
    "more bytes than dimensions": (lambda made: Codec.fit("opq8", np.tile(made.Z, (5, 1))), "opq4 or fewer"),
    "no rows": (lambda made: Codec.fit("int8", made.Z[:0]), "empty"),
    "codes of another width": (lambda made: made.codec.decode(made.codes[:, :3]), r"int8 \(n, 4\)"),
    "codes of another codec": (
        lambda made: made.codec.decode(made.codes.view(np.uint8)),
        "encode makes codes",
    ),
    "codes as floats": (lambda made: made.codec.decode(made.codes.astype(float)), "encode makes codes"),
    "codes out of range": (
        lambda made: made.codec.decode(made.codes.astype(int) + 300),
        "encode makes codes",
    ),
    "codes of int8 for float16": (
        lambda made: Index.build(made.codes, codec=Codec.fit("float16", made.Z)),
        "codes of float16 are float16",
    ),
    "embeddings of another width": (lambda made: made.codec.encode(X), "24 dimensions, this codec is of 4"),
    "another width": (lambda made: made.encoder.encode(X[:, :9]), r"\(60, 9\).*\(n, 24\)"),
    "no such precision": (lambda made: made.encoder.encode(X, precision="fp16"), "fp32"),  # type: ignore[arg-type]
    "no such encoder": (lambda made: _fit(encoder="nonesuch"), "choose from"),
    "an encoder that is no name": (lambda made: _fit(encoder=["linear"]), "no encoder"),
    "no labels": (lambda made: _fit(Y=None), "learns from labels"),
    "one video": (lambda made: _fit(X=X[:1], Y=Y[:1]), "too few"),
    "no positives": (lambda made: _fit(Y=np.zeros_like(Y)), "no training video has a label"),
    "frames for an encoder of features": (lambda made: made.encoder.encode([X, X]), "frames"),
    "no device": (lambda made: compress.load(made.folder / "run", device="gpu"), '"cpu" or "cuda"'),
    "a pair that is none": (lambda made: _fit(validation=X), r"validation=\(X_val, Y_val\)"),
    "three in place of a pair": (lambda made: _fit(validation=(X, Y, Y)), "pair"),
    "validation of another width": (lambda made: _fit(validation=(X[:, :3], Y)), "3"),
    "validation of other classes": (lambda made: _fit(validation=(X, Y[:, :3])), "3 columns"),
    "no such setting": (lambda made: _fit(settings={"nonesuch": 1}), "no setting"),
    "settings that are none": (lambda made: _fit(settings="a"), "dict"),
    "a setting without a name": (lambda made: _fit(settings={1: 2}), "dict"),
    "a setting out of range": (lambda made: _fit(settings={"learning_rate": -1}), "learning_rate"),
    "a setting of another type": (lambda made: _fit(settings={"learning_rate": "a"}), "learning_rate"),
    "too few ids": (lambda made: Index.build(made.Z, ids=IDS[:5]), "5 ids for 60"),
    "ids twice": (lambda made: Index.build(made.Z, ids=["a"] * 60), "'a' is there twice"),
    "ids without order": (lambda made: Index.build(made.Z, ids=set(IDS)), "its order"),
    "one word for ids": (lambda made: Index.build(made.Z[:3], ids="abc"), "pass a list"),
    "one number for ids": (lambda made: Index.build(made.Z, ids=3), "pass a list"),  # type: ignore[arg-type]
    "fractions as ids": (lambda made: Index.build(made.Z, ids=np.arange(60) + 0.5), "no text"),
    "a column of ids": (lambda made: Index.build(made.Z, ids=np.arange(60)[:, None]), "no text"),
    "no metric": (lambda made: Index.build(made.Z, metric="l2"), 'use "cosine" or "ip"'),
    "no factory": (lambda made: Index.build(made.Z, factory="Nonsense"), "Nonsense"),
    "a factory that is no name": (lambda made: Index.build(made.Z, factory=3), "not a str"),  # type: ignore[arg-type]
    "the name of a codec": (lambda made: Index.build(made.codes, codec="int8"), r"Codec\.fit"),  # type: ignore[arg-type]
    "embeddings as codes": (lambda made: Index.build(made.Z, codec=made.codec), "encode makes codes"),
    "no recall": (lambda made: Index.build(made.Z, wanted_recall="a"), "not a number"),  # type: ignore[arg-type]
    "a split of an array": (lambda made: Index.build(made.Z, split="train"), "no split 'train'"),
    "an index of an index": (lambda made: Index.build(made.index), "one Index, not numbers"),
    "an index of an encoder": (lambda made: Index.build(made.encoder), "one Encoder, not numbers"),
    "zeros": (lambda made: Index.build(np.zeros((3, 4))), "all zeros"),
    "a query of zeros": (lambda made: made.index.search(np.zeros(4)), "all zeros"),
    "a query of another width": (lambda made: made.index.search(X[0]), "4 dimensions"),
    "an id as a query": (lambda made: made.index.search("v1"), "one str, not numbers"),
    "ids to leave out": (lambda made: made.index.search(made.Z[:2], exclude=["v1", "v2"]), "rows, not ids"),
    "rows to leave out": (lambda made: made.index.search(made.Z[:2], exclude=[1, 2, 3]), "each of 2 queries"),
    "halves to leave out": (lambda made: made.index.search(made.Z[:2], exclude=1.5), "each of 2 queries"),
    "no such query": (lambda made: made.index.search(made.Z[:2])[2], "no query 2"),
    "queries by name": (lambda made: made.index.search(made.Z[:2])["a"], "whole number"),  # type: ignore[index]
    "a slice of queries": (lambda made: made.index.search(made.Z)[:2], r"hits\.ids"),  # type: ignore[index]
    "class names for scores": (lambda made: compress.gap(S, ["a", "b"] * 30), "class numbers"),
    "a class without a score": (lambda made: compress.gap(S, [[6]] * 60), r"outside \[0, 6\)"),
    "labels of fewer columns": (lambda made: compress.gap(S, Y[:, :5]), "5 columns"),
    "logits": (lambda made: compress.perr(np.log(S), Y), "pass probabilities"),
    "no such empty": (lambda made: compress.mean_average_precision(S, Y, empty="x"), "skip"),  # type: ignore[arg-type]
    "other dimensions": (lambda made: judge(X, Y, X_test[:, :3], Y_test), "24 dimensions, Z_test has 3"),
    "other classes": (lambda made: judge(X, Y, X_test, Y_test[:, :3]), "6 columns, Y_test has 3"),
    "names and numbers": (lambda made: judge(X, ["a"] * 60, X_test, Y_test), "mix"),
    "one video to test": (lambda made: judge(X, Y, X_test[:1], Y_test[:1]), "an interval needs 2"),
    "judge without positives": (
        lambda made: judge(X, np.zeros_like(Y), X_test, Y_test, heads="ridge"),
        "no training video has a label",
    ),
    "test without positives": (
        lambda made: judge(X, Y, X_test, np.zeros_like(Y_test), heads="ridge"),
        "no validation video has a label",
    ),
    "no mixup": (lambda made: judge(X, Y, X_test, Y_test, heads="ridge", mixup="a"), "mixup"),  # type: ignore[arg-type]
    "minus nothing": (lambda made: made.judged.minus(None), "another judgement"),
    "minus a number": (lambda made: made.judged.minus(made.judged.gap), "another judgement"),
    "no such figure": (lambda made: made.judged["nonsense"], "only gap, map"),
    "no such output": (lambda made: Compressor(output=[]).fit(X, Y), "codes, embedding"),  # type: ignore[arg-type]
    "an estimator without a codec": (lambda made: Compressor(dim=4, codec=None).fit(X), "str"),  # type: ignore[arg-type]
    "an encoder of frames": (lambda made: Compressor(dim=4, encoder="lstm", epochs=1).fit(X, Y), "frame"),
}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.filterwarnings("ignore:no labels. PCA")
def test_a_wrong_call_is_refused_in_one_sentence(name: str, made: Made):
    call, message = OTHERS[name]
    with pytest.raises(CompressError, match=message) as caught:
        call(made)
    assert str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="has a GPU")
def test_a_gpu_that_is_not_there_is_asked_for(made: Made):
    for call in (
        lambda: compress.load(made.folder / "run", device="cuda"),
        lambda: _fit(device="cuda"),
        lambda: judge(X, Y, X_test, Y_test, device="cuda"),
        lambda: Index.build(made.Z, device="cuda"),
        lambda: Compressor(dim=4, device="cuda").fit(X, Y),
    ):
        assert "no GPU" in refusal(call)
