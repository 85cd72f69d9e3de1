"""A client of the service, of the standard library only."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

from compress.errors import CompressError, LockedError, NotFoundError, UnavailableError, UsageError

_KINDS: Mapping[int, type[CompressError]] = {404: NotFoundError, 409: LockedError}


@dataclass(frozen=True)
class Hit:
    """A video that the service found; `labels` are names where classes have names."""

    video_id: str
    score: float
    labels: tuple[str, ...]
    metadata: Mapping[str, Any]
    link: str | None = None
    thumbnail: str | None = None


class Client:
    """Asks a service that `compress serve` runs.

    Args:
        url: of its page, such as "http://127.0.0.1:8000/".
        token: for changes, and for services that other machines may ask.
        seconds: how long to wait for an answer.

    Raises:
        NotFoundError: no such video. UsageError: a request that makes no sense, or without the token.
        UnavailableError: nobody answers there, or too many ask at once. LockedError: another process writes.

    Example:
        >>> Client("http://127.0.0.1:8000/")
        Client('http://127.0.0.1:8000')
    """

    def __init__(self, url: str, *, token: str | None = None, seconds: float = 30.0) -> None:
        if not url.startswith(("http://", "https://")):
            raise UsageError(f"{url!r} does not begin with http:// or https://", where="url")
        self.url, self._token, self._seconds = url.rstrip("/"), token, seconds

    def __repr__(self) -> str:
        return f"Client({self.url!r})"

    def about(self) -> Mapping[str, Any]:
        """What is served."""
        return self._ask("GET", "/v1/about")

    def search_like(
        self, video_ids: str | Iterable[str], k: int = 10, *, offset: int = 0, where: str | None = None
    ) -> list[Hit]:
        """The k videos most similar to one, or to the mean of several; see `Collection.search_like`."""
        ids = [video_ids] if isinstance(video_ids, str) else list(video_ids)
        query = [("id", name) for name in ids] + [("k", str(k)), ("offset", str(offset))]
        query += [] if where is None else [("where", where)]
        return _hits(self._ask("GET", f"/v1/search?{urlencode(query)}"))

    def search(
        self,
        vectors: Sequence[Sequence[float]],
        k: int = 10,
        *,
        where: str | None = None,
        exclude: Iterable[str] = (),
        min_score: float | None = None,
    ) -> list[list[Hit]]:
        """The k most similar videos of each vector; see `Collection.search`. Arrays are passed as lists."""
        body = {"vectors": _rows(vectors), "k": k, "where": where, "exclude": list(exclude)}
        found = self._ask("POST", "/v1/search", {**body, "min_score": min_score})
        return [_hits(answer) for answer in found["answers"]]

    def video(self, video_id: str) -> Hit:
        """One video."""
        return _hit(self._ask("GET", f"/v1/videos/{quote(video_id, safe='')}"))

    def ids(self, prefix: str = "", k: int = 10) -> list[str]:
        """The first ids that begin so."""
        return list(self._ask("GET", f"/v1/ids?{urlencode({'prefix': prefix, 'k': k})}")["ids"])

    def add(
        self,
        vectors: Sequence[Sequence[float]],
        video_ids: Iterable[str],
        *,
        labels: Sequence[Sequence[str]] | Sequence[Sequence[int]] | None = None,
        metadata: Sequence[Mapping[str, Any]] | None = None,
        replace: bool = False,
    ) -> int:
        """Add videos in one commit; how many came. A request has at most 64 KiB."""
        body = {"video_ids": list(video_ids), "vectors": _rows(vectors), "replace": replace}
        return int(self._ask("POST", "/v1/videos", {**body, "labels": labels, "metadata": metadata})["added"])

    def delete(self, video_ids: str | Iterable[str]) -> int:
        """Delete videos in one commit; how many went."""
        ids = [video_ids] if isinstance(video_ids, str) else list(video_ids)
        return int(self._ask("DELETE", "/v1/videos", {"video_ids": ids})["deleted"])

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"content-type": "application/json"}
        if self._token is not None:
            headers["authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        try:
            request = Request(self.url + path, data, headers, method=method)
            with urlopen(request, timeout=self._seconds) as answer:
                return json.load(answer)
        except HTTPError as error:
            message = _message(error)
            kind = UnavailableError if error.code >= 500 else _KINDS.get(error.code, UsageError)
            raise kind(message, where=self.url) from error
        except (URLError, OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise UnavailableError(
                f"gives no answer: {reason}", where=self.url, hint="start it with `compress serve FOLDER`"
            ) from error


def _message(error: HTTPError) -> str:
    try:
        return str(json.load(error)["error"])
    except (ValueError, KeyError, TypeError, OSError):
        return f"answers {error.code} {error.reason}"


def _rows(vectors: Any) -> list[list[float]]:
    return [[float(number) for number in row] for row in vectors]


def _hits(answer: Mapping[str, Any]) -> list[Hit]:
    return [_hit(video) for video in answer["matches"]]


def _hit(video: Mapping[str, Any]) -> Hit:
    return Hit(**{**video, "labels": tuple(video["labels"])})
