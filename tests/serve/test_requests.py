"""R19: what a stranger may send. No input makes a 5xx, a path, or an end of the service."""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from urllib.parse import quote

import pytest

import compress
from tests.serve.conftest import DIM, ODD, TOKEN, ask, get, serving

BEARER = f"Authorization: Bearer {TOKEN}"
REMOTE = ("--allow-remote", "--allow-host", "videos.example")
ONE = [0.5] * DIM

PATHS = [
    "/../",
    "/%2e%2e/",
    "/..%2f..%2fetc/passwd",
    "/page.js/../page.py",
    "/%00",
    "/page.css%00",
    "/\\..\\",
    "//etc/passwd",
    "/etc/passwd",
    "/page/",
    "/page/page.js",
    "/.",
    "/static/x",
    "/docs",
    "/redoc",
    "/v1",
    "/v1/ids/",
    "/page.html",
]
QUERIES = [
    "k=0",
    "k=-1",
    "k=1000000000",
    "k=1e3",
    "k=NaN",
    "k=",
    "offset=-1",
    "k=600&offset=600",
    "min_score=nan",
    "where=",
    "where=%00",
    "where=1;drop",
    "where=read_text('/etc/passwd')%20is%20not%20null",
    "where=(select%201)",
    "exclude=%ff&min_score=x",
    "where=" + "(" * 600,
]
BODIES = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"{}",
    b'"x"',
    b"\xff\xfe",
    b"[" * 60_000,
    b'{"vectors": [[NaN]]}',
    b'{"vectors": [[Infinity,0,0,0,0,0,0,0]]}',
    b'{"vectors": [[1e300,0,0,0,0,0,0,0]]}',
    b'{"vectors": [[1]]}',
    b'{"vectors": [[]]}',
    b'{"vectors": [[1],[1,2]]}',
    b'{"vectors": [[0,0,0,0,0,0,0,0]]}',
    b'{"vectors": [["a","b"]]}',
    b'{"vectors": 1}',
    b'{"video_ids": ["\\ud800"]}',
    b'{"video_ids": ["\\u0000"]}',
    b'{"video_ids": [""]}',
    b'{"video_ids": [null]}',
    b'{"video_ids": ["v0001"], "k": 0}',
    b'{"video_ids": ["v0001"], "k": 1e99}',
    b'{"video_ids": ["v0001"], "other": 1}',
    b'{"video_ids": ["v0001"], "where": "\\ud800"}',
    b'{"video_ids": ["v0001"], "exclude": ["\\ud800"], "k": -1}',
    b'{"video_ids": ["v0001"], "min_score": NaN}',
    b'{"video_ids": ["' + b'v0001","' * 2000 + b'"]}',
    b'{"video_ids": [' + b"9" * 5000 + b"]}",
    b'{"vectors": [[' + b"9" * 5000 + b"]]}",
]


@pytest.mark.parametrize("path", PATHS)
def test_no_path_leads_to_a_file(port, path):
    status, headers, body = get(port, path)

    assert status == 404
    assert headers["content-type"] == "application/json"
    assert set(json.loads(body)) == {"error"}


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_that_makes_no_sense_is_told_so(port, query):
    status, _, body = get(port, f"/v1/search?id=v0001&{query}")

    assert status == 400
    assert json.loads(body)["error"]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:40]))
def test_a_body_that_makes_no_sense_is_told_so(port, body):
    status, _, answer = get(
        port, "/v1/search", "localhost", "Content-Type: application/json", method="POST", body=body
    )

    assert status in (400, 404)
    assert json.loads(answer)["error"]


@pytest.mark.parametrize("name", ["nope", "", "..", "%00", "%ff", "../../etc/passwd", "x" * 3000])
def test_an_unknown_id_is_not_found_and_no_folder_is_named(port, folder, name):
    status, _, body = get(port, f"/v1/videos/{name}")

    assert status == 404
    assert str(folder) not in body.decode()


@pytest.mark.parametrize("name", ODD)
def test_odd_ids_are_found_and_escaped(port, name):
    status, _, body = get(port, f"/v1/videos/{quote(name, safe='')}")
    found = json.loads(body)

    assert status == 200
    assert found["video_id"] == name
    assert found["link"] == f"https://example.org/v/{quote(name, safe='')}"
    assert get(port, f"/v1/search?id={quote(name, safe='')}")[0] == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("127.0.0.1:9", 200),
        ("[::1]:1", 200),
        ("LOCALHOST", 200),
        ("evil.example", 400),
        ("", 400),
        ("localhost.evil.example", 400),
        ("localhost:x", 400),
        ("10.0.0.1", 400),
        ("[::1", 400),
        ("user@localhost", 400),
    ],
)
def test_only_names_of_this_machine_are_hosts(port, host, status):
    assert get(port, "/healthz", host)[0] == status


def test_a_request_without_a_host_or_with_two_is_refused(port):
    assert ask(port, b"GET / HTTP/1.1\r\n\r\n")[0] == 400
    assert ask(port, b"GET / HTTP/1.0\r\n\r\n")[0] == 400
    assert ask(port, b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")[0] == 400


def test_a_large_body_is_refused_before_it_is_read(port):
    head = b"POST /v1/search HTTP/1.1\r\nHost: localhost\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=5) as there:
        there.sendall(head + b"Content-Length: 65537\r\n\r\n")  # and not one byte of it
        assert b" 413 " in there.recv(100)
    chunk = b"4000\r\n" + b" " * 0x4000 + b"\r\n"
    assert ask(port, head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 5)[0] == 413
    assert get(port, "/v1/search", method="POST", body=b" " * 65536)[0] == 400


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_changes_need_the_token(port, method):
    body = json.dumps({"video_ids": ["nope"], "vectors": [ONE[:-1]]}).encode()
    for header in (
        "X: y",
        "Authorization: Bearer ",
        f"Authorization: Basic {TOKEN}",
        f"{BEARER}x",
        "Authorization: ÿ",
    ):
        assert get(port, "/v1/videos", "localhost", header, method=method, body=body)[0] == 401
    kind = "Content-Type: application/json"
    assert get(port, "/v1/videos", "localhost", BEARER, kind, method=method, body=body)[0] in (400, 404)


def test_every_answer_forbids_scripts_of_others(port):
    for path in ("/", "/nope", "/v1/ids"):
        headers = get(port, path)[1]
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
        assert headers["x-content-type-options"] == "nosniff"
    assert get(port, "/", "evil.example")[1]["content-security-policy"]


def test_it_listens_on_this_machine_only(port):
    local = f"0100007F:{port:04X}"
    with open("/proc/net/tcp") as table:
        listening = [line.split()[1] for line in table if line.split()[3] == "0A"]
    assert [address for address in listening if address.endswith(f":{port:04X}")] == [local]


def test_bytes_that_are_no_http_get_400_or_nothing(port):
    for data in (
        b"\x16\x03\x01\x02\x00",
        b"GET\r\n\r\n",
        b"\r\n\r\n" * 50,
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x00" * 999,
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 20_000 + b"\r\n",
    ):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as there:
            there.sendall(data)
            there.shutdown(socket.SHUT_WR)
            assert b" 5" not in there.recv(100)[:14]


def fuzzed(random_numbers: random.Random) -> bytes:
    """A request that was whole, until some of it was overwritten, cut or doubled."""
    choose = random_numbers.choice
    path = choose(
        [
            *PATHS,
            *(f"/v1/search?id=v0001&{query}" for query in QUERIES),
            "/v1/ids?prefix=",
            "/v1/beside?id=v1",
        ]
    )
    body = choose(BODIES)[:2000]
    method, header = choose(["GET", "POST", "DELETE", "PUT"]), choose([BEARER, "A: b"])
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{header}"
    data = bytearray(head.encode() + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    for _ in range(random_numbers.randrange(6)):
        at = random_numbers.randrange(len(data))
        what = random_numbers.randrange(3)
        if what == 0:
            data[at] = random_numbers.randrange(256)
        elif what == 1:
            del data[at : at + random_numbers.randrange(20)]
        else:
            data[at:at] = data[at : at + random_numbers.randrange(30)]
    return bytes(data)


@pytest.mark.slow
def test_a_thousand_broken_requests_make_no_5xx(port):
    random_numbers = random.Random(0)
    seen: dict[int, int] = {}
    for _ in range(1000):
        data = fuzzed(random_numbers)
        with socket.create_connection(("127.0.0.1", port), timeout=15) as there:
            try:
                there.sendall(data)
                there.shutdown(socket.SHUT_WR)
                head = there.recv(15)
            except ConnectionError:
                head = b""
        status = int(head[9:12]) if head else 0
        seen[status] = seen.get(status, 0) + 1
        assert status < 500, data
    assert len(seen) >= 4, seen
    assert get(port, "/healthz")[0] == 200


@pytest.mark.slow
def test_slow_clients_are_cut_off_and_others_do_not_wait(port):
    def slowly(first: bytes, ended: list[float]) -> None:
        started = time.monotonic()
        with socket.create_connection(("127.0.0.1", port), timeout=20) as there:
            there.sendall(first)
            there.settimeout(1)
            while time.monotonic() - started < 15:
                try:
                    there.sendall(b"a")
                    if there.recv(1000) == b"":
                        break
                except TimeoutError:
                    continue
                except ConnectionError:
                    break
        ended.append(time.monotonic() - started)

    ended: list[float] = []
    firsts = [
        b"GET / HTTP/1.1\r\nX: ",
        b"POST /v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n\r\n",
    ] * 20
    threads = [threading.Thread(target=slowly, args=(first, ended)) for first in firsts]
    for thread in threads:
        thread.start()
    started = time.monotonic()
    assert get(port, "/healthz")[0] == 200
    assert time.monotonic() - started < 3
    for thread in threads:
        thread.join()
    assert len(ended) == 40
    assert max(ended) < 11


@pytest.mark.slow
def test_200_connections_at_once_are_answered_or_told_to_come_again(port):
    seen: list[int] = []
    ready = threading.Barrier(200)

    def one() -> None:
        ready.wait()
        seen.append(get(port, "/v1/search?id=v0001&k=100&where=seconds%3E3")[0])

    threads = [threading.Thread(target=one) for _ in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(seen) <= {200, 503}
    assert len(seen) == 200
    assert 200 in seen
    assert get(port, "/healthz")[0] == 200


def test_a_service_for_other_machines_asks_everybody_for_the_token(folder):
    with serving(folder, "--host", "0.0.0.0", "--allow-remote", "--allow-host", "videos.example") as (
        there,
        _,
    ):
        assert get(there, "/")[0] == 200
        for path in ("/v1/ids", "/metrics", "/openapi.json", "/v1/search?id=v0001", "/v1/videos/v0001"):
            assert get(there, path)[0] == 401
            assert get(there, path, "videos.example", BEARER)[0] == 200
        assert get(there, "/", "10.1.2.3")[0] == 200
        assert get(there, "/", "evil.example")[0] == 400


def test_what_others_commit_is_found_soon_and_no_request_fails_meanwhile(folder, tmp_path):
    videos = compress.Collection.create(tmp_path / "living", codec="float32")
    videos.add([ONE, ONE[::-1]], ["one", "two"])
    with serving(videos.folder) as (there, _):
        videos.add([[float(n) for n in range(DIM)]], ["three"])
        deadline, statuses = time.monotonic() + 10, set()
        while "three" not in json.loads(get(there, "/v1/ids")[2])["ids"]:
            statuses.add(get(there, "/v1/search?id=one")[0])
            assert time.monotonic() < deadline
        videos.delete(["one"])
        while get(there, "/v1/videos/one")[0] == 200:
            assert time.monotonic() < deadline
    assert statuses <= {200}
