"""The routes of the service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest
from starlette.exceptions import HTTPException
from starlette.responses import Response

from compress.collection import Match
from compress.errors import CompressError, UsageError
from compress.serve.access import Access
from compress.serve.answers import Json, failure, failure_of
from compress.serve.beside import compared
from compress.serve.bodies import (
    AddBody,
    Answers,
    Compared,
    DeleteBody,
    Failure,
    Found,
    Ids,
    K,
    Offset,
    SearchBody,
    Video,
    Where,
)
from compress.serve.gate import Gate
from compress.serve.scans import MOST_QUERIES, Scans
from compress.serve.searching import at_once, by_vectors, like, within
from compress.serve.shelf import Shelf

_PAGE = Path(__file__).parent / "page"
_STATIC = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}
_ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": Failure, "description": "a request that makes no sense"},
    404: {"model": Failure, "description": "no such video"},
    503: {"model": Failure, "description": "too many requests at once; come again"},
}
_CHANGE_ERRORS = {**_ERRORS, 401: {"model": Failure, "description": "without the token"}}


def build_app(
    shelf: Shelf, access: Access, *, other: Shelf | None = None, pictures: tuple[str, ...] = ()
) -> Gate:
    """The whole application.

    Args:
        shelf: the collection.
        access: who may ask.
        other: a second collection of the same videos, to look at beside the first.
        pictures: origins of thumbnails.
    """
    registry = CollectorRegistry()
    batches = Histogram(
        "compress_queries_per_scan",
        "Queries that one scan answered.",
        registry=registry,
        buckets=(1, 2, 4, 8, 16, 32, MOST_QUERIES),
    )
    for name, text, value in (
        ("videos", "Videos that can be found.", lambda: len(shelf.collection)),
        ("generation", "Commits of the collection.", lambda: shelf.collection.generation),
    ):
        Gauge(f"compress_{name}", text, registry=registry).set_function(value)
    shelves = [shelf] if other is None else [shelf, other]
    scans = {each: Scans(each.collection, batches) for each in shelves}

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        for each in shelves:
            each.watch()
        yield
        for each in shelves:
            each.close()
            scans[each].close()

    app = FastAPI(
        title="compress serve",
        description="Similar videos of one collection.",
        version=version("compress-video-embeddings"),
        docs_url=None,  # both load scripts of others
        redoc_url=None,
        redirect_slashes=False,
        default_response_class=Json,
        lifespan=life,
    )
    _answer_failures(app, {str(each.collection.folder) for each in shelves})
    _serve_files(app)
    _serve_searches(app, shelf, scans)
    _serve_changes(app, shelf, scans[shelf])
    if other is not None:
        _serve_beside(app, shelf, other, scans)

    @app.get("/healthz")
    async def healthz() -> Json:
        """Whether the newest commit is served."""
        return Json({"status": "stale" if shelf.problem else "ok", "generation": shelf.collection.generation})

    @app.get("/metrics")
    async def metrics() -> Response:
        """Counts for Prometheus."""
        return Response(generate_latest(registry), media_type="text/plain; version=0.0.4")

    @app.get("/v1/about")
    async def about() -> Json:
        """What is served, and what it is compared with."""
        theirs = None if other is None else other.about()
        return Json({**shelf.about(), "beside": theirs, "changes": access.token is not None})

    return Gate(app, access, pictures, registry)


def _answer_failures(app: FastAPI, folders: set[str]) -> None:
    @app.exception_handler(CompressError)
    async def ours(_: Request, error: Any) -> Json:
        return failure_of(error, folders)

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: Any) -> Json:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"][1:])
        return failure(400, f"{place}: {first['msg']}" if place else str(first["msg"]))

    @app.exception_handler(HTTPException)
    async def other(_: Request, error: Any) -> Json:
        return failure(error.status_code, error.detail, **dict(error.headers or {}))


def _serve_files(app: FastAPI) -> None:
    for path, (name, kind) in _STATIC.items():
        content = (_PAGE / name).read_bytes()
        app.add_api_route(path, partial(_file, content, kind), include_in_schema=False, response_model=None)


async def _file(content: bytes, kind: str) -> Response:
    return Response(content, media_type=kind)


def _serve_searches(app: FastAPI, shelf: Shelf, scans: dict[Shelf, Scans]) -> None:
    @app.get("/v1/search", response_model=Found, responses=_ERRORS)
    async def search(
        id: Ids,
        k: K = 10,
        where: Where = None,
        offset: Offset = 0,
        exclude: Annotated[list[str], Query(description="Do not find these.")] = [],  # noqa: B006
        min_score: float | None = None,
    ) -> Json:
        """The videos most similar to one, or to the mean of several; these themselves are left out."""
        within(k, offset, 1)
        found = await like(shelf, scans[shelf], id, k + offset, where, exclude, min_score)
        return Json({"matches": shelf.shown(found[offset:])})

    @app.post("/v1/search", response_model=Answers, responses=_ERRORS)
    async def search_many(body: SearchBody) -> Json:
        """An answer for each of several videos and embeddings."""
        k = body.k + body.offset
        within(body.k, body.offset, len(body.video_ids) + len(body.vectors))
        filters = (body.where, body.exclude, body.min_score)
        jobs = [like(shelf, scans[shelf], [video], k, *filters) for video in body.video_ids]
        answers: list[list[Match]] = list(await at_once(jobs))
        if body.vectors:
            answers += await by_vectors(shelf, scans[shelf], body, k)
        return Json({"answers": [{"matches": shelf.shown(each[body.offset :])} for each in answers]})

    @app.get("/v1/videos/{video_id:path}", response_model=Video, responses=_ERRORS)
    async def video(video_id: str) -> Json:
        """One video."""
        return Json(shelf.shown([shelf.collection.video(video_id)])[0])

    @app.get("/v1/ids")
    async def ids(prefix: str = "", k: K = 10) -> Json:
        """Ids that begin so."""
        return Json({"ids": await asyncio.wrap_future(scans[shelf].alone(lambda: shelf.ids(prefix, k)))})


def _serve_changes(app: FastAPI, shelf: Shelf, scans: Scans) -> None:
    one_at_a_time = asyncio.Lock()

    async def change(function: Callable[[], Any]) -> Json:
        async with one_at_a_time:
            return Json(asdict(await asyncio.wrap_future(scans.alone(function))))

    @app.post("/v1/videos", responses=_CHANGE_ERRORS)
    async def add(body: AddBody) -> Json:
        """Add videos in one commit; with the token."""
        widths = {len(vector) for vector in body.vectors}
        if len(widths) != 1 or len(body.vectors) != len(body.video_ids):
            raise UsageError("one row of the same length is needed for each id", where="vectors")
        with np.errstate(over="ignore"):
            rows = np.array(body.vectors, np.float64).astype(np.float32)
        more: dict[str, Any] = {
            "labels": body.labels,
            "metadata": body.metadata,
            "raw": body.raw,
            "replace": body.replace,
        }
        return await change(partial(shelf.collection.add, rows, body.video_ids, **more))

    @app.delete("/v1/videos", responses=_CHANGE_ERRORS)
    async def delete(body: DeleteBody) -> Json:
        """Delete videos in one commit; with the token."""
        return await change(partial(shelf.collection.delete, body.video_ids))


def _serve_beside(app: FastAPI, shelf: Shelf, other: Shelf, scans: dict[Shelf, Scans]) -> None:
    @app.get("/v1/beside", response_model=Compared, responses=_ERRORS)
    async def beside(id: str, k: K = 10, where: Where = None) -> Json:
        """The same query in both collections, and how far the answers agree."""
        query = shelf.collection.video(id)
        here, there = await at_once([like(each, scans[each], [id], k, where) for each in (shelf, other)])
        return Json(
            {
                "query": shelf.shown([query])[0],
                "here": {"about": shelf.about(), "matches": shelf.shown(here)},
                "there": {"about": other.about(), "matches": other.shown(there)},
                **compared(query, here, there),
            }
        )
