"""Filters: exact for every share of the videos, and blind to everything but their columns."""

from __future__ import annotations

import numpy as np
import pytest

import compress
from compress.collection.where import parse_where
from compress.errors import UsageError

DIM, COUNT = 8, 2000


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    rng = np.random.default_rng(3)
    videos = compress.Collection.create(tmp_path_factory.mktemp("where") / "c", codec="int8")
    base = rng.normal(size=(COUNT, DIM)).astype(np.float32)
    ids = [f"v{number}" for number in range(COUNT)]
    seconds = rng.integers(0, 10_000, COUNT)
    labels = [["Cooking"] if number % 3 else ["Cooking", "Pets"] for number in range(COUNT)]
    for part in (slice(0, 1500), slice(1500, COUNT)):
        columns = {"seconds": seconds[part], "title": [f"t{n}" if n % 2 else None for n in seconds[part]]}
        videos.add(base[part], ids[part], labels=labels[part], metadata=columns)
    videos.delete(ids[:40])
    return videos, ids, seconds


@pytest.mark.parametrize("share", [0, 0.0005, 0.01, 0.3, 0.74, 0.76, 0.999, 1])
def test_what_passes_is_searched_exactly_whatever_its_share(filled, share):
    videos, ids, seconds = filled
    bound = int(10_000 * share)
    living = [name for name, value in zip(ids[40:], seconds[40:], strict=True) if value < bound]
    queries = np.random.default_rng(1).normal(size=(3, DIM)).astype(np.float32)
    found = videos.search(queries, 12, where=f"seconds < {bound}")
    if not living:
        assert found == [[], [], []]
        return
    base = videos.embeddings(living).astype(np.float64)
    base /= np.linalg.norm(base, axis=1, keepdims=True)
    for query, matches in zip(queries.astype(np.float64), found, strict=True):
        scores = base @ query / np.linalg.norm(query)
        best = np.argsort(-scores, kind="stable")[:12]
        assert [match.video_id for match in matches] == [living[row] for row in best]
        assert np.allclose([match.score for match in matches], scores[best], atol=1e-5)


@pytest.mark.parametrize(
    ("where", "python"),
    [
        ("list_contains(labels, 'Pets') AND seconds > 5000", lambda n, s: n % 3 == 0 and s > 5000),
        ("'Pets' IN labels", lambda n, s: n % 3 == 0),
        ("video_id LIKE 'v12%'", lambda n, s: str(n).startswith("12")),
        ("title IS NULL", lambda n, s: s % 2 == 0),
        ("title = 't' || seconds -- a comment", lambda n, s: s % 2 == 1),
        ("title > 't5'", lambda n, s: s % 2 == 1 and f"t{s}" > "t5"),
        ('"SECONDS" % 7 = 0', lambda n, s: s % 7 == 0),
        ("len(list_filter(labels, lambda x: x = 'Pets')) = 1", lambda n, s: n % 3 == 0),
        ("CASE WHEN seconds < 10 THEN true ELSE false END", lambda n, s: s < 10),
        ("true", lambda n, s: True),
        ("1 = 0", lambda n, s: False),
        ("NULL", lambda n, s: False),
    ],
)
def test_sql_means_what_it_says(filled, where, python):
    videos, ids, seconds = filled
    wanted = {name for n, name in enumerate(ids) if n >= 40 and python(n, int(seconds[n]))}
    found = videos.search(np.ones(DIM), COUNT, where=where)[0]
    assert {match.video_id for match in found} == wanted


def test_labels_are_numbers_where_classes_have_no_names(videos):
    videos.add(np.eye(3), ["a", "b", "c"], labels=[[1, 5], [], [5]])
    assert {m.video_id for m in videos.search(np.ones(3), where="5 IN labels")[0]} == {"a", "c"}


@pytest.mark.parametrize("quoted", ["{path}", "file://{path}"])
@pytest.mark.parametrize(
    "template",
    [
        "seconds IN (SELECT 1)",
        "EXISTS (SELECT * FROM read_csv('{file}'))",
        "seconds > (SELECT count(*) FROM '{file}')",
        "(SELECT content FROM read_text('{file}')) LIKE '%secret%'",
        "read_text('{file}') IS NOT NULL",
        "read_csv('{file}') IS NOT NULL",
        "true) UNION SELECT 1 FROM read_csv('{file}') --",
        "true); COPY videos TO '{file}.copy'; --",
        "true; ATTACH '{file}.db'",
        "true FROM read_csv('{file}')",
        "true; INSTALL httpfs",
        "true; LOAD '{file}'",
        "true; PRAGMA database_list",
        "true; SET threads = 2",
        "getenv('HOME') IS NOT NULL",
        "current_setting('threads') = 1",
        "getvariable('x') IS NULL",
        "sleep_ms(1) IS NULL",
        "random() < 0.5",
        "write_log('x') IS NULL",
        "nextval('x') = 1",
        "count(*) > 1",
        "row_number() OVER () > 1",
        "COLUMNS('s.*') > 1",
        "*",
        "seconds, title",
        "seconds AS title",
        "$1 = 1",
        "? = 1",
        "#1 = 1",
        "nothing > 1",
        "seconds > 'x'",
        "title",
        "seconds >",
        "",
        "  ",
        "-- nothing",
        "\x00",
        "\ud800",
        "(" * 3000,
        "1" + "+1" * 4900,
        "x" * 10_001,
        "repeat('x', 9999999999) = title",
        "len(range(99999999999)) = 1",
    ],
)
def test_a_filter_reads_columns_and_nothing_else(filled, tmp_path, template, quoted, monkeypatch):
    videos, _, _ = filled
    canary = tmp_path / "canary.csv"
    canary.write_text("word\nsecret-of-the-canary\n")
    monkeypatch.setenv("CANARY", "secret-of-the-canary")
    where = template.replace("{file}", quoted.format(path=canary))
    with pytest.raises(UsageError) as error:
        videos.search(np.ones(DIM), where=where)
    assert "secret-of-the-canary" not in str(error.value)
    assert "\n" not in str(error.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["canary.csv"]
    assert videos.search(np.ones(DIM), 1, where="seconds >= 0")[0], "the next filter works"


def test_a_filter_sees_no_variables_of_python(filled):
    secrets = filled[0].stats()
    for where in ("secrets IS NOT NULL", "EXISTS (FROM secrets)", "seconds IN secrets"):
        with pytest.raises(UsageError):
            filled[0].search(np.ones(DIM), where=where)
    assert secrets


def test_a_filter_that_takes_too_long_is_stopped(filled, monkeypatch):
    monkeypatch.setattr("compress.collection.where.SECONDS", 0.05)
    with pytest.raises(UsageError, match=r"longer than 0\.05 seconds"):
        filled[0].search(
            np.ones(DIM), where="list_sum(list_transform(range(3000000), lambda x: x % 7)) > seconds"
        )


def test_the_names_in_a_filter_are_those_of_columns():
    assert parse_where("Seconds > 1 AND list_contains(labels, 'x')").names == {"seconds", "labels"}


def test_a_filter_of_an_empty_collection_is_looked_at_too(videos):
    assert videos.search(np.ones(3), where="n > 1") == [[]]
    with pytest.raises(UsageError):
        videos.search(np.ones(3), where="n >")
