"""What the service answers is what the collection says, and the client reads it."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path

import numpy as np
import pytest

import compress
from compress.errors import CompressError, NotFoundError, UnavailableError, UsageError
from compress.jobs.serve import serve_collection
from compress.serve.client import Client
from compress.workspace import Workspace
from tests.serve.conftest import DIM, ODD, TOKEN, get, serving


@pytest.fixture(scope="module")
def videos(folder):
    return compress.Collection.open(folder)


@pytest.fixture
def client(port):
    return Client(f"http://127.0.0.1:{port}/")


def agree(found, wanted):
    """The same videos in the same order, with scores that differ in rounding at most."""
    assert [match.video_id for match in found] == [match.video_id for match in wanted]
    assert [match.score for match in found] == pytest.approx([match.score for match in wanted], abs=1e-5)


def test_a_search_by_id_is_that_of_the_collection(client, videos):
    for name in ("v0001", *ODD):
        agree(client.search_like(name, 7), videos.search_like(name, 7))
    where = "seconds < 50 AND '<b>Cars</b>' IN labels"
    agree(client.search_like("v0001", 9, where=where), videos.search_like("v0001", 9, where=where))
    agree(client.search_like(["v0001", "v0002"]), videos.search_like(["v0001", "v0002"]))


def test_pages_follow_each_other(client):
    whole = client.search_like("v0001", 20)
    assert client.search_like("v0001", 5) + client.search_like("v0001", 15, offset=5) == whole


def test_a_search_by_vectors_is_that_of_the_collection(client, videos):
    queries = np.random.default_rng(1).standard_normal((5, DIM))
    for found, wanted in zip(client.search(queries, 6), videos.search(queries, 6), strict=True):
        agree(found, wanted)
    filters = {"where": "seconds > 200", "exclude": ["v0250"], "min_score": 0.2}
    filtered = videos.search(queries, 6, **filters)
    for found, wanted in zip(client.search(queries, 6, **filters), filtered, strict=True):
        agree(found, wanted)


def test_searches_at_the_same_time_get_their_own_answers(client, videos):
    names = [f"v{number:04d}" for number in range(60)]
    found = {}

    def one(name):
        found[name] = client.search_like(name, 5 + int(name[1:]) % 2)

    threads = [threading.Thread(target=one, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in names:
        agree(found[name], videos.search_like(name, 5 + int(name[1:]) % 2))


def test_videos_come_and_go_with_the_token(tmp_path):
    videos = compress.Collection.create(tmp_path / "living", codec="float32")
    with serving(videos.folder) as (there, _):
        client = Client(f"http://localhost:{there}", token=TOKEN)
        assert client.search([[1.0, 2.0]]) == [[]]
        rows = np.eye(3)
        assert (
            client.add(rows, ["a", "b", "<c>"], labels=[["x"], [], ["y"]], metadata=[{"n": 1}, {}, {"n": 3}])
            == 3
        )
        assert [hit.video_id for hit in client.search([[0.1, 1.0, 0.0]], 2)[0]] == ["b", "a"]
        assert client.video("<c>").labels == ("y",)
        assert client.video("<c>").metadata == {"n": 3}
        assert client.delete("b") == 1
        with pytest.raises(NotFoundError):
            client.video("b")
        assert client.ids() == ["<c>", "a"]
    assert sorted(compress.Collection.open(videos.folder).ids()) == ["<c>", "a"]


def test_ids_are_completed(client, videos):
    assert client.ids("v000", 4) == ["v0000", "v0001", "v0002", "v0003"]
    assert client.ids("<", 10) == ["<script>alert(1)</script>"]
    assert client.ids("zzz") == []
    assert client.ids("x" * 2000) == []
    assert client.ids("", 1000) == sorted(videos.ids(), key=str.encode)


def test_the_client_tells_errors_as_the_package_does(client, port):
    with pytest.raises(NotFoundError, match="nope"):
        client.video("nope")
    with pytest.raises(UsageError, match="where"):
        client.search_like("v0001", where="nonsense(")
    with pytest.raises(UsageError, match="token"):
        client.delete("v0001")
    with pytest.raises(UnavailableError, match="compress serve"):
        Client("http://127.0.0.1:9/").about()
    with pytest.raises(UsageError):
        Client("file:///etc/passwd")


def test_two_answers_to_one_query_are_compared(port):
    found = json.loads(get(port, "/v1/beside?id=v0001&k=8")[2])

    assert found["overlap"] == 1.0
    assert found["same"] == [match["video_id"] for match in found["there"]["matches"]]
    assert found["here"]["about"]["bytes_per_video"] == 4 * DIM
    assert found["labels_here"] == found["labels_there"] == 1.0


def test_the_document_of_the_api_has_examples_and_no_page_of_others(port):
    document = json.loads(get(port, "/openapi.json")[2])

    assert {"/v1/search", "/v1/videos/{video_id}", "/v1/videos", "/v1/ids", "/healthz"} <= set(
        document["paths"]
    )
    for name in ("SearchBody", "AddBody", "DeleteBody", "Found", "Failure"):
        assert document["components"]["schemas"][name]["examples"]
    assert get(port, "/docs")[0] == 404


def test_counts_are_told_to_prometheus(port):
    get(port, "/v1/search?id=nope")
    text = get(port, "/metrics")[2].decode()

    assert re.search(r'compress_requests_total\{route="/v1/search",status="404"\} [1-9]', text)
    assert "compress_videos 300.0" in text


def refused(folder, **options):
    """How a service that cannot start says so."""
    with pytest.raises(CompressError) as refusal:
        serve_collection(
            Workspace(folder.parent), folder=folder, started=pytest.fail, **{"port": 0, **options}
        )
    return refusal.value


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ({"host": "0.0.0.0"}, 2, "add --allow-remote"),
        ({"allow_remote": True}, 2, "--token-file"),
        ({"token_file": Path("nowhere")}, 66, "nowhere"),
        ({"host": "no address", "allow_remote": True, "token_file": "TOKEN"}, 2, "--host"),
        ({"link": "javascript:alert({id})"}, 2, "--link"),
        ({"thumbnail": "https://example.org/x.jpg"}, 2, "--thumbnail"),
        ({"thumbnail": "https://example.org;script-src/{id}"}, 2, "--thumbnail"),
        ({"beside": Path("nowhere")}, 66, "nowhere"),
    ],
)
def test_what_cannot_be_served_is_said_in_one_line(folder, tmp_path, options, code, message):
    if options.get("token_file") == "TOKEN":
        (tmp_path / "token").write_text(TOKEN + "\n")
        options = {**options, "token_file": tmp_path / "token"}
    error = refused(folder, **options)

    assert error.exit_code == code
    assert message in str(error)


def test_a_port_in_use_is_said_in_one_line(folder, port):
    assert "in use" in str(refused(folder, port=port))


def test_a_short_token_is_refused(folder, monkeypatch):
    monkeypatch.setenv("COMPRESS_TOKEN", "short")
    assert "at least 16" in str(refused(folder))
