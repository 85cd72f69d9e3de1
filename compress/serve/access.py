"""Who may ask: the Host names that a request may carry, and the token."""

from __future__ import annotations

import hmac
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

from compress.artifacts.atomic import read_bytes
from compress.errors import DataError, UsageError

TOKEN_VARIABLE = "COMPRESS_TOKEN"
SHORTEST_TOKEN = 16
_MAKE_ONE = "`openssl rand -hex 24 > token.txt` makes one"
_LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Access:
    """Who may ask.

    Args:
        hosts: names that the header Host may have, in lower case, without a port.
        token: what changes need, and with `remote` every request but those for the page; None: no changes.
        remote: other machines may ask. A Host that is an IP address is then allowed too: it is names that
            somebody else can point at this machine.
    """

    hosts: frozenset[str]
    token: bytes | None = None
    remote: bool = False

    def knows_host(self, header: bytes) -> bool:
        """Whether a Host header names this service."""
        text = header.decode("latin-1").strip().lower()
        host, colon, port = text.rpartition(":")
        if not colon or text.endswith("]"):
            host, port = text, "0"
        host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        return port.isdecimal() and (host in self.hosts or (self.remote and _is_address(host)))

    def knows_token(self, header: bytes) -> bool:
        """Whether an Authorization header holds the token; takes the same time for any that does not."""
        scheme, _, given = header.partition(b" ")
        right = self.token is not None and hmac.compare_digest(given.strip(), self.token)
        return right and scheme.lower() == b"bearer"


def access_for(
    host: str, *, allow_remote: bool, allow_hosts: tuple[str, ...] = (), token_file: Path | None = None
) -> Access:
    """Who may ask a service that listens on `host`.

    Raises:
        UsageError: another address than this machine's without `allow_remote`, or that without a token.
        NotFoundError: no such file. DataError: no token in it, or a short one.
    """
    token = read_token(token_file)
    if host not in _LOCAL and not allow_remote:
        raise UsageError(
            f"{host} can be reached from other machines", where="--host", hint="add --allow-remote"
        )
    if allow_remote and token is None:
        raise UsageError(
            "needs a token", where="--allow-remote", hint=f"add --token-file token.txt; {_MAKE_ONE}"
        )
    names = (*_LOCAL, host, *allow_hosts)
    return Access(frozenset(name.lower() for name in names), token, allow_remote)


def read_token(path: Path | None) -> bytes | None:
    """The token in a file, otherwise in the environment variable COMPRESS_TOKEN, otherwise None."""
    if path is None and TOKEN_VARIABLE not in os.environ:
        return None
    where = TOKEN_VARIABLE if path is None else str(path)
    found = os.environ[TOKEN_VARIABLE].encode() if path is None else read_bytes(path)
    token = found.strip()
    if len(token) < SHORTEST_TOKEN or any(not 33 <= byte <= 126 for byte in token):
        raise DataError(
            f"is no token of at least {SHORTEST_TOKEN} letters without spaces", where=where, hint=_MAKE_ONE
        )
    return token


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
