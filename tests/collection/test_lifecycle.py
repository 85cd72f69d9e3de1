"""Videos come, are replaced, go and are found; what is wrong changes nothing and says what to do."""

from __future__ import annotations

import datetime
import threading

import numpy as np
import pytest

import compress
from compress.artifacts.lock import exclusive
from compress.artifacts.manifest import MANIFEST
from compress.collection import Added, Deleted
from compress.errors import (
    CorruptArtifactError,
    DataError,
    LockedError,
    NotFoundError,
    RecordError,
    SchemaError,
    UsageError,
)

DIM = 12


def rows(count, seed=0):
    return np.random.default_rng(seed).normal(size=(count, DIM)).astype(np.float32)


def names(count, start=0):
    return [f"v{number}" for number in range(start, start + count)]


def brute_force(base, ids, query, k, metric="cosine"):
    """Ids of the k best, equal scores by id."""
    base, query = base.astype(np.float64), query.astype(np.float64)
    scores = base @ query
    if metric == "cosine":
        lengths = np.linalg.norm(base, axis=1)
        scores = scores / np.where(lengths == 0, 1, lengths) / np.linalg.norm(query)
    order = sorted(range(len(ids)), key=lambda row: (-round(scores[row], 5), ids[row].encode()))
    return [ids[row] for row in order[:k]]


@pytest.mark.parametrize("metric", ["cosine", "ip"])
@pytest.mark.parametrize("codec", ["float32", "float16", "int8", "int4", "binary", "pq4", "opq4", "rq4"])
def test_every_codec_finds_what_a_comparison_with_every_decoded_row_finds(tmp_path, codec, metric):
    videos = compress.Collection.create(tmp_path / "c", codec=codec, metric=metric)
    videos.add(rows(300), names(300))
    videos.add(rows(20, seed=1), names(20, 300))
    videos.delete(names(5))
    left = videos.ids()
    base = videos.embeddings(left)
    for query in rows(3, seed=2):
        found = [match.video_id for match in videos.search(query, 8)[0]]
        assert found == brute_force(base, left, query, 8, metric)


def test_many_queries_at_once_find_what_each_finds_alone(videos):
    videos.add(rows(500), names(500))
    videos.add(rows(100, seed=1), names(100, 500))
    videos.delete(names(50, 30))
    queries = rows(70, seed=2)
    together = videos.search(queries, 5)
    alone = [videos.search(query, 5)[0] for query in queries]
    assert [[m.video_id for m in found] for found in together] == [
        [m.video_id for m in found] for found in alone
    ]


def test_what_was_added_is_told_by_id(videos):
    day = datetime.date(2024, 2, 29)
    columns = {"title": ["a", "b", None], "seconds": [1.5, None, 3.0], "day": [day, None, day]}
    done = videos.add(rows(3), names(3), labels=[["cat"], [], ["dog", "cat"]], metadata=columns)
    assert done == Added(3, 0)
    assert videos.vocabulary() == {0: "cat", 1: "dog"}
    found = videos.video("v2")
    assert (found.video_id, found.score, found.labels) == ("v2", 1.0, (0, 1))
    assert found.metadata == {"title": None, "seconds": 3.0, "day": day}
    assert np.array_equal(videos.embeddings(["v2", "v0"]), rows(3)[[2, 0]])
    about = videos.stats()
    assert about.columns == {"title": "VARCHAR", "seconds": "DOUBLE", "day": "DATE"}
    assert (about.videos, about.deleted, about.num_classes, about.dim) == (3, 0, 2, DIM)


def test_later_additions_may_have_other_columns_and_labels(videos):
    videos.add(rows(2), ["a", "b"], labels=["cat", "dog"], metadata={"seconds": [1, 2]})
    videos.add(rows(1, 1), ["c"], labels=["emu"], metadata={"seconds": [2.5], "lang": ["fr"]})
    videos.add(rows(1, 2), ["d"])
    assert videos.vocabulary() == {0: "cat", 1: "dog", 2: "emu"}
    for look in (videos, compress.Collection.open(videos.folder)):
        assert look.video("a").metadata == {"seconds": 1.0, "lang": None}
        assert look.video("c").metadata == {"seconds": 2.5, "lang": "fr"}
        assert look.video("d").metadata == {"seconds": None, "lang": None}
        assert look.video("c").labels == (2,)
    videos.compact()
    assert videos.video("a").metadata == {"seconds": 1.0, "lang": None}
    assert videos.video("c").labels == (2,)


def test_a_replaced_video_has_the_new_embedding_labels_and_metadata(videos):
    videos.add(rows(3), names(3), labels=[[0], [1], [2]], metadata={"n": [1, 2, 3]})
    new = rows(1, seed=7)
    assert videos.add(new, ["v1"], labels=[[5]], metadata={"n": [9]}, replace=True) == Added(1, 1)
    assert len(videos) == 3
    assert videos.video("v1").metadata == {"n": 9}
    assert videos.video("v1").labels == (5,)
    assert videos.search(new[0], 1)[0][0].video_id == "v1"
    assert videos.search(rows(3)[1], 3)[0][0].score < 0.999


@pytest.mark.parametrize(
    "name", ["-abc", "a b", "ünï", "<script>", "x" * 1024, "é" * 512, "\n", "'; DROP TABLE", "🦆", "1e5"]
)
def test_ids_are_any_text(videos, name):
    videos.add(rows(3), ["a", name, "zz"])
    videos.add(rows(1, 3), ["later"])
    assert videos.video(name).video_id == name
    assert videos.search(rows(3)[1], 1)[0][0].video_id == name
    assert name not in [match.video_id for match in videos.search_like(name, 3)]
    videos.compact()
    assert videos.delete([name]) == Deleted(1)
    assert name not in videos.ids()


def test_a_deleted_video_is_in_no_answer_and_comes_back_only_by_add(videos):
    videos.add(rows(20), names(20))
    videos.delete(["v3", "v4"])
    for look in (videos, compress.Collection.open(videos.folder)):
        assert not {"v3", "v4"} & {match.video_id for match in look.search(rows(20)[3], 20)[0]}
        assert len(look.search(rows(20)[3], 20)[0]) == 18
        with pytest.raises(NotFoundError) as error:
            look.video("v3")
        assert "v4" not in str(error.value)
    with pytest.raises(NotFoundError, match="no video 'v3'"):
        videos.delete(["v5", "v3"])
    assert videos.video("v5").video_id == "v5"
    assert videos.add(rows(1, 9), ["v3"]) == Added(1, 0)


def test_search_like_several_takes_their_mean_and_leaves_them_out(videos):
    base = rows(40)
    videos.add(base, names(40))
    unit = base / np.linalg.norm(base, axis=1, keepdims=True)
    wanted = brute_force(base[3:], names(37, 3), unit[:3].mean(axis=0), 5)
    assert [match.video_id for match in videos.search_like(names(3), 5)] == wanted
    assert [match.video_id for match in videos.search_like(names(3), 5, exclude=wanted[0])] == [
        *wanted[1:],
        *brute_force(base[3:], names(37, 3), unit[:3].mean(axis=0), 6)[5:],
    ]


def test_a_minimum_score_and_exclusion_leave_out(videos):
    videos.add(rows(30), names(30))
    whole = videos.search(rows(30)[0], 30)[0]
    least = whole[4].score
    assert [m.video_id for m in videos.search(rows(30)[0], 30, min_score=least)[0]] == [
        m.video_id for m in whole[:5]
    ]
    left = videos.search(rows(30)[0], 3, exclude=["v0", "not there"])[0]
    assert [m.video_id for m in left] == [m.video_id for m in whole[1:4]]


def test_all_may_go_and_new_ones_come(videos):
    videos.add(rows(5), names(5), metadata={"n": range(5)})
    videos.delete(names(5))
    assert (len(videos), videos.ids(), videos.search(rows(1)[0], 3)) == (0, [], [[]])
    videos.compact()
    videos.add(rows(2, 1), ["a", "b"])
    assert compress.Collection.open(videos.folder).ids() == ["a", "b"]


def test_zero_vectors_are_similar_to_nothing(videos):
    videos.add(np.concatenate([rows(2), np.zeros((1, DIM), np.float32)]), ["a", "b", "zero"])
    scores = {match.video_id: match.score for match in videos.search(rows(1, 5)[0], 3)[0]}
    assert scores["zero"] == 0
    with pytest.raises(RecordError, match="no cosine"):
        videos.search_like("zero")


def test_small_additions_become_few_segments_and_answers_stay(videos):
    for start in range(30):
        videos.add(rows(2, seed=start), names(2, 2 * start), metadata={"n": [start, start]})
    assert len(videos.stats().segments) <= 8
    assert sorted(videos.ids()) == sorted(names(60))
    assert videos.video("v31").metadata == {"n": 15}
    base = np.concatenate([rows(2, seed=start) for start in range(30)])
    assert [m.video_id for m in videos.search(base[7], 4)[0]] == brute_force(base, names(60), base[7], 4)


def test_many_deletions_write_a_segment_anew(videos):
    videos.add(rows(100), names(100))
    videos.delete(names(20))
    assert videos.stats().deleted == 20
    videos.delete(["v50"])
    assert (videos.stats().deleted, len(videos)) == (0, 79)


def test_compact_leaves_one_segment_and_no_bytes_of_the_deleted(videos):
    ids = [f"video-{number:02}-number" for number in range(40)]
    base = rows(40)
    for start in range(0, 40, 10):
        part = slice(start, start + 10)
        videos.add(base[part], ids[part], metadata={"title": [f"title of {name}" for name in ids[part]]})
    gone = [ids[number] for number in (3, 17, 38)]
    videos.delete(gone)
    traces = [name.encode() for name in gone] + [base[number].tobytes() for number in (3, 17, 38)]
    assert all(any(trace in path.read_bytes() for path in videos.folder.iterdir()) for trace in traces)
    done = videos.compact()
    assert (done.videos, done.removed) == (37, 3)
    assert len(videos.stats().segments) == 1
    for path in videos.folder.iterdir():
        assert not [trace for trace in traces if trace in path.read_bytes()], path
    again = compress.Collection.open(videos.folder)
    assert {again.video(name).metadata["title"] for name in again.ids()} == {
        f"title of {name}" for name in ids if name not in gone
    }


def test_adding_a_few_does_not_write_the_rest_again(videos):
    videos.add(rows(5000), names(5000))
    before = {path.name: path.stat().st_mtime_ns for path in videos.folder.iterdir()}
    videos.add(rows(3, 1), names(3, 5000))
    videos.delete(["v77"])
    after = {path.name: path.stat().st_mtime_ns for path in videos.folder.iterdir()}
    kept = {name for name in before if name != MANIFEST}
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}


def test_a_reader_keeps_its_state_while_others_write(videos):
    videos.add(rows(10), names(10), metadata={"n": range(10)})
    reader = compress.Collection.open(videos.folder)
    videos.delete(["v0"])
    videos.compact()
    assert reader.search(rows(10)[0], 1, where="n = 0")[0][0].video_id == "v0"
    assert reader.video("v0").metadata == {"n": 0}
    assert reader.refresh()
    assert not reader.refresh()
    assert reader.generation == videos.generation
    assert "v0" not in reader.ids()
    with pytest.raises(NotFoundError):
        reader.video("v0")


def test_a_second_writer_is_refused_and_the_first_writes_on_what_others_wrote(videos):
    other = compress.Collection.open(videos.folder)
    videos.add(rows(3), names(3))
    other.add(rows(2, 1), ["x", "y"])
    assert sorted(other.ids()) == ["v0", "v1", "v2", "x", "y"]
    with pytest.raises(RecordError, match="'x' is in the collection already"):
        videos.add(rows(1), ["x"])
    with exclusive(videos.folder / MANIFEST), pytest.raises(LockedError):
        videos.delete(["x"])


def test_searches_in_threads_see_whole_states(videos):
    base = rows(200)
    videos.add(base, names(200), metadata={"n": range(200)})
    wrong: list[object] = []
    stop = threading.Event()

    def look():
        while not stop.is_set():
            try:
                found = videos.search(base[:3], 4, where="n < 150")
                if any(len(each) != 4 for each in found):
                    wrong.append(found)
            except Exception as error:
                wrong.append(error)

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(8):
        videos.delete([f"v{150 + number}"])
        videos.add(rows(1, number), [f"new{number}"], metadata={"n": [1000]})
    videos.compact()
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_damaged_file_is_found(videos):
    videos.add(rows(30), names(30), labels=[[1]] * 30, metadata={"n": range(30)})
    videos.delete(["v1"])
    for path in sorted(videos.folder.iterdir()):
        data = path.read_bytes()
        for place in (len(data) // 3, len(data) - 1):
            path.write_bytes(data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :])
            with pytest.raises(CorruptArtifactError):
                compress.Collection.open(videos.folder)
            with pytest.raises(CorruptArtifactError):
                videos.verify()
        path.write_bytes(data)
    videos.verify()


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda c: c.add(rows(2), ["a"]), SchemaError, "1 ids for 2 videos"),
        (lambda c: c.add(rows(2), ["a", "a"]), SchemaError, "twice"),
        (lambda c: c.add(rows(1), ["v1"]), RecordError, "in the collection already"),
        (lambda c: c.add(rows(1)[:, :5], ["a"]), SchemaError, "embeddings of 12"),
        (lambda c: c.add(rows(1) * np.nan, ["a"]), DataError, "no finite"),
        (lambda c: c.add(rows(1), [""]), DataError, "is empty"),
        (lambda c: c.add(rows(1), ["x" * 1025]), DataError, "1024 bytes"),
        (lambda c: c.add(rows(1), ["\ud800"]), DataError, "not UTF-8"),
        (lambda c: c.add(rows(1), None), UsageError, "need ids"),
        (lambda c: c.add(rows(0), []), SchemaError, "empty"),
        (lambda c: c.add(rows(1), ["a"], raw=True), UsageError, "no encoder"),
        (lambda c: c.add(rows(1), ["a"], labels=[[0], [1]]), SchemaError, "labels"),
        (lambda c: c.add(rows(1), ["a"], metadata={"n": ["text"]}), SchemaError, "'n'"),
        (lambda c: c.add(rows(1), ["a"], metadata={"N": [1]}), SchemaError, "one in SQL"),
        (lambda c: c.add(rows(1), ["a"], metadata={"n": [1, 2]}), SchemaError, "2 rows for 1"),
        (lambda c: c.add(rows(1), ["a"], metadata={"video_id": [1]}), SchemaError, "rename"),
        (lambda c: c.add(rows(1), ["a"], metadata={"m": [{"x": 1}]}), SchemaError, "'m'"),
        (lambda c: c.add(rows(1), ["a"], metadata=3), SchemaError, "pass {name: values}"),
        (lambda c: c.delete(["nope"]), NotFoundError, "no video 'nope'"),
        (lambda c: c.search(rows(1)[0][:5]), SchemaError, "embeddings of 12"),
        (lambda c: c.search(np.zeros(DIM)), RecordError, "all zeros"),
        (lambda c: c.search(rows(1)[0], 0), UsageError, "at least 1"),
        (lambda c: c.search(rows(1)[0], min_score=float("nan")), UsageError, "min_score"),
        (lambda c: c.search(rows(1)[0], exclude=[3.5]), UsageError, "no text"),
        (lambda c: c.search_like([]), UsageError, "no video"),
    ],
)
def test_what_is_wrong_changes_nothing_and_says_so(videos, change, error, words):
    videos.add(rows(3), names(3), metadata={"n": [1, 2, 3]})
    before = {path.name: path.read_bytes() for path in videos.folder.iterdir()}
    with pytest.raises(error, match=words):
        change(videos)
    assert {path.name: path.read_bytes() for path in videos.folder.iterdir()} == before
    assert len(videos) == 3


def test_a_folder_that_holds_something_is_not_taken(tmp_path, videos):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("mine")
    for folder in (tmp_path / "notes", videos.folder):
        with pytest.raises(UsageError, match="holds"):
            compress.Collection.create(folder)
    (videos.folder / MANIFEST).write_bytes(b"{")
    with pytest.raises(UsageError, match="holds"):
        compress.Collection.create(videos.folder)
    with pytest.raises(CorruptArtifactError):
        videos.add(rows(1), ["a"])
    with pytest.raises(NotFoundError):
        compress.Collection.open(tmp_path / "nothing")
    for options in ({"codec": "zip"}, {"metric": "l2"}, {"vocabulary": {"a": "b"}}):
        with pytest.raises(UsageError):
            compress.Collection.create(tmp_path / "new", **options)
    assert not (tmp_path / "new").exists()


def test_a_given_vocabulary_refuses_other_names(tmp_path):
    videos = compress.Collection.create(tmp_path / "c", vocabulary={0: "cat", 7: "dog"})
    videos.add(rows(2), ["a", "b"], labels=["dog", "cat"])
    assert videos.video("a").labels == (7,)
    with pytest.raises(DataError, match="'cow' is not among the 2 classes"):
        videos.add(rows(1), ["c"], labels=["cow"])


def test_the_codec_is_calibrated_on_the_first_addition_and_stays(tmp_path):
    videos = compress.Collection.create(tmp_path / "c", codec="pq4")
    with pytest.raises(DataError, match="at least 256 videos"):
        videos.add(rows(10), names(10))
    videos.add(rows(300), names(300))
    before = videos.embeddings(["v7"])
    videos.delete(names(100, 100))
    videos.add(rows(50, 1) * 5, names(50, 300))
    videos.compact()
    assert np.array_equal(videos.embeddings(["v7"]), before)


@pytest.fixture(scope="module")
def encoder():
    return compress.Encoder.fit("pca", np.random.default_rng(0).normal(size=(60, 20)), dim=5)


def test_raw_features_and_embeddings_are_told_apart_by_their_width(tmp_path, encoder):
    features = np.random.default_rng(1).normal(size=(9, 20)).astype(np.float32)
    videos = compress.Collection.create(tmp_path / "c", encoder=encoder, codec="float32")
    assert videos.stats().dim == 5
    videos.add(features[:6], names(6))
    videos.add(encoder.encode(features[6:]), names(3, 6))
    again = compress.Collection.open(videos.folder)
    assert np.allclose(again.embeddings(names(9)), encoder.encode(features), atol=1e-6)
    for query in (features[7], encoder.encode(features[7:8])[0]):
        assert again.search(query, 1)[0][0].video_id == "v7"
    with pytest.raises(SchemaError, match="embeddings of 5 and features of 20"):
        again.search(features[7][:9])


def test_one_width_for_both_has_to_be_said(tmp_path):
    features = np.random.default_rng(0).normal(size=(60, 8))
    square = compress.Encoder.fit("pca", features, dim=8)
    videos = compress.Collection.create(tmp_path / "c", encoder=square)
    with pytest.raises(UsageError, match="may be features or embeddings"):
        videos.add(features, names(60))
    videos.add(features, names(60), raw=True)
    assert videos.search(features[0], 1, raw=True)[0][0].video_id == "v0"
