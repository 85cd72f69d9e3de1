"""Answers: JSON that any text and number fits in, and errors as one line with a status."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Collection, Mapping
from typing import Any

from starlette.responses import JSONResponse

from compress.errors import (
    CompressError,
    CorruptArtifactError,
    LockedError,
    NotFoundError,
    StorageError,
    UnavailableError,
)

LOG = logging.getLogger("compress.serve")
_STATUS: tuple[tuple[type[CompressError], int], ...] = (
    (NotFoundError, 404),
    (LockedError, 409),
    (CorruptArtifactError, 503),
    (StorageError, 503),
    (UnavailableError, 503),
)
_OWN_FAULT = "the service cannot read or write its collection now; its log says why"


class Json(JSONResponse):
    """As ASCII: an id may hold what is no text in any encoding."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode()


def failure(status: int, message: str, **headers: str) -> Json:
    """An error as `{"error": message}`."""
    return Json({"error": message}, status, headers)


def failure_of(error: CompressError, folders: Collection[str]) -> Json:
    """What a request gets that failed: 4xx where it is to blame. The names of `folders` stay here."""
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 400)
    if status == 503:
        LOG.error("%s", error)
        return failure(status, _OWN_FAULT, **{"retry-after": "10"})
    if status == 409:
        return failure(status, "another process writes the collection now", **{"retry-after": "1"})
    place = "" if error.where in folders else f"{error.where.removeprefix('--')}: " if error.where else ""
    return failure(status, f"{place}{error.what}{f'; {error.hint}' if error.hint else ''}")


def plain(value: Any) -> Any:
    """A value of a column as JSON knows it: times and exact numbers as text, no NaN."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value)
