"""`compress serve`: a collection over HTTP, with a page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from compress.artifacts.hashed import HashedFiles
from compress.collection import Collection
from compress.errors import UnavailableError
from compress.jobs.searchable import remember
from compress.progress import Reporter, silent
from compress.workspace import Workspace

EXTRA = "compress-video-embeddings[serve]"


@dataclass(frozen=True)
class Serving:
    """A service that answers: its URL, how many videos it can find, and whether it takes changes."""

    url: str
    videos: int
    changes: bool


def serve_collection(
    workspace: Workspace,
    *,
    folder: Path,
    beside: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 8000,
    allow_remote: bool = False,
    allow_hosts: tuple[str, ...] = (),
    token_file: Path | None = None,
    link: str | None = None,
    thumbnail: str | None = None,
    started: Callable[[Serving], None],
    report: Reporter = silent,
) -> None:
    """Serve a collection until a stop is requested.

    Args:
        workspace: remembers which files were hashed.
        folder: of the collection.
        beside: folder of another one of the same videos, to compare answers with.
        host: the address to listen on.
        port: 0 takes any that is free.
        allow_remote: `host` may be reached from other machines; needs a token.
        allow_hosts: more names that the header Host may have.
        token_file: the token that changes need; None takes the variable COMPRESS_TOKEN, if there is one.
        link, thumbnail: templates of URLs of a video and of its picture, with {id}.
        started: called once the service takes connections.
        report: gets notes.

    Raises:
        UnavailableError: the extra [serve] is not installed.
        UsageError: options that are not safe, or an address in use.
        NotFoundError, CorruptArtifactError: no collection, or a damaged one.
        Interrupted: on request.
    """
    missing = [name for name in ("fastapi", "uvicorn", "prometheus_client") if find_spec(name) is None]
    if missing:
        raise UnavailableError(f"{missing[0]} is not installed", hint=f"pip install '{EXTRA}'")
    from compress.serve.access import access_for
    from compress.serve.app import build_app
    from compress.serve.links import template
    from compress.serve.server import bound, run
    from compress.serve.shelf import Shelf

    access = access_for(host, allow_remote=allow_remote, allow_hosts=allow_hosts, token_file=token_file)
    links = (template(link, "--link"), template(thumbnail, "--thumbnail"))
    hashed = HashedFiles(workspace.cache / "hashed.json")
    try:
        shelf = Shelf(Collection.open(folder, verify=hashed), *links)
        other = None if beside is None else Shelf(Collection.open(beside, verify=hashed), *links)
    finally:
        remember(hashed, report)
    pictures = () if links[1] is None else (links[1].origin,)
    app = build_app(shelf, access, other=other, pictures=pictures)
    videos, changes = len(shelf.collection), access.token is not None
    run(app, bound(host, port), lambda url: started(Serving(url, videos, changes)))
