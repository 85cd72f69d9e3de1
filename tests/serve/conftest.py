"""A live service in a child process, and a client of raw sockets: others tidy up what they send."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

import compress

TOKEN = "a-token-of-some-length"
DIM = 8
ODD = ("<script>alert(1)</script>", "-abc", "a b", "ünï", "a/../b", "50%", "a&k=0", "'\"")
ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def serving(folder, *options):
    """The port and the process of a service."""
    words = [sys.executable, "-m", "cli", "serve", str(folder), "--port", "0", "--json", *map(str, options)]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "COMPRESS_TOKEN": TOKEN, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, cwd=folder.parent
    )
    try:
        text = ""
        while not text.endswith("}\n"):
            line = process.stdout.readline()
            assert line, process.stderr.read()
            text += line
        yield urlsplit(json.loads(text)["url"]).port, process
    finally:
        process.send_signal(signal.SIGTERM)
        process.stdout.close()
        process.stderr.close()
        assert process.wait(20) == 143


def ask(port, request: bytes, seconds: float = 15.0) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer to these bytes; status 0 where the connection just ended."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as there:
        with suppress(OSError):  # an answer may have come before everything was sent
            there.sendall(request)
        return answer_of(there)


def answer_of(there) -> tuple[int, dict[str, str], bytes]:
    data = b""
    try:
        while part := there.recv(65536):
            data += part
            head, found, body = data.partition(b"\r\n\r\n")
            if found:
                headers = dict(
                    line.lower().split(": ", 1)
                    for line in head.decode("latin-1").split("\r\n")[1:]
                    if ": " in line
                )
                if "content-length" in headers and len(body) >= int(headers["content-length"]):
                    return int(head.split()[1]), headers, body
    except ConnectionError:
        pass
    head, _, body = data.partition(b"\r\n\r\n")
    return (int(head.split()[1]) if head else 0), {}, body


def get(port, path: str, host: str = "localhost", *headers: str, method: str = "GET", body: bytes = b""):
    """A request in which nothing is tidied up."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *headers]
    lines += [f"Content-Length: {len(body)}"] if body else []
    return ask(port, "\r\n".join([*lines, "", ""]).encode("latin-1") + body)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A collection of 300 videos, some of them with odd ids."""
    rng = np.random.default_rng(0)
    ids = [*ODD, *(f"v{number:04d}" for number in range(300 - len(ODD)))]
    videos = compress.Collection.create(tmp_path_factory.mktemp("serve") / "videos", codec="float32")
    labels = [["Cooking"] if number % 3 else ["<b>Cars</b>", "Cooking"] for number in range(300)]
    metadata = {"seconds": list(range(300)), "title": [f"<i>{name}</i>" for name in ids]}
    videos.add(rng.standard_normal((300, DIM)).astype(np.float32), ids, labels=labels, metadata=metadata)
    return videos.folder


@pytest.fixture(scope="session")
def port(folder):
    with serving(folder, "--beside", folder, "--link", "https://example.org/v/{id}") as (found, _):
        yield found
