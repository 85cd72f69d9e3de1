"""Binds the socket and runs until somebody asks it to stop."""

from __future__ import annotations

import contextlib
import logging
import socket
from collections.abc import Callable, Generator
from typing import Any

import uvicorn

from compress.errors import UsageError
from compress.progress import check_interrupt, interrupt_requested
from compress.serve.deadline import Deadline

MOST_CONNECTIONS = 512
_CLOSE_SECONDS = 3


class _Server(uvicorn.Server):
    """Stops when `compress.progress` is asked to, and leaves signals to whoever handles them there."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def on_tick(self, counter: int) -> bool:
        return interrupt_requested() is not None or await super().on_tick(counter)


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens; UsageError where the address is not this machine's, or in use."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind)
    except (OSError, UnicodeError, OverflowError) as error:
        raise UsageError(f"{host} is no address of this machine", where="--host") from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(256)
    except OSError as error:
        listening.close()
        reason = (error.strerror or str(error)).lower()
        raise UsageError(
            f"cannot listen on {host} at port {port}: {reason}",
            where="--port",
            hint="another port; 0 takes any that is free",
        ) from error
    return listening


def address_of(listening: socket.socket) -> str:
    """The URL of a socket."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def run(app: Any, listening: socket.socket, started: Callable[[str], None]) -> None:
    """Answer until a stop is requested.

    Args:
        app: the application.
        listening: from `bound`; closed at the end.
        started: called with the URL, once connections are taken.

    Raises:
        Interrupted: on request, when the requests of then were answered.
    """
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    config = uvicorn.Config(
        app,
        http=Deadline,
        ws="none",
        log_config=None,
        access_log=False,
        lifespan="on",
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=_CLOSE_SECONDS,
        h11_max_incomplete_event_size=32 * 1024,
        server_header=False,
    )
    with listening:
        started(address_of(listening))
        _Server(config).run(sockets=[listening])
    check_interrupt("start it again with the same command")
