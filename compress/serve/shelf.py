"""The collection that is served: kept fresh, its videos as JSON, its ids for completion."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from compress.collection import Collection, Match
from compress.errors import CompressError
from compress.serve.answers import LOG, plain
from compress.serve.links import Template

REFRESH_SECONDS = 0.5


class Shelf:
    """A collection with what the service says about it.

    Args:
        collection: is served; `watch` keeps it fresh.
        link, thumbnail: URLs of a video and of its picture; None for none.
    """

    def __init__(
        self, collection: Collection, link: Template | None = None, thumbnail: Template | None = None
    ) -> None:
        self.collection, self._link, self._thumbnail = collection, link, thumbnail
        self._ids: tuple[int, np.ndarray] = (-1, np.empty(0, "S1"))
        self._lock, self._stop = threading.Lock(), threading.Event()
        self.problem = ""  # why the newest commit could not be opened

    def watch(self) -> None:
        """See commits of other processes soon, in a thread; searches go on meanwhile with what was there."""
        threading.Thread(target=self._watch, name="refresh", daemon=True).start()

    def close(self) -> None:
        """Stop to watch."""
        self._stop.set()

    def _watch(self) -> None:
        while not self._stop.wait(REFRESH_SECONDS):
            try:
                self.collection.refresh()
                self.problem = ""
            except (CompressError, OSError) as error:
                if str(error) != self.problem:
                    LOG.error("the service goes on with what it has: %s", error)
                self.problem = str(error)

    def ids(self, prefix: str, most: int) -> list[str]:
        """Ids that begin so, in order."""
        generation = self.collection.generation
        with self._lock:
            if self._ids[0] != generation:
                names = [name.encode() for name in self.collection.ids()]
                self._ids = (generation, np.sort(np.array(names or [b""], np.bytes_)[: len(names)]))
            ids = self._ids[1]
        wanted = prefix.encode("utf-8", "replace")
        if len(wanted) > ids.dtype.itemsize or b"\0" in wanted:
            return []
        first = int(np.searchsorted(ids, np.bytes_(wanted)))
        found = ids[first : first + most].tolist()
        return [name.decode() for name in found if name.startswith(wanted)]

    def shown(self, matches: Iterable[Match]) -> list[dict[str, Any]]:
        """Videos as JSON: with names of their labels, and links."""
        names = self.collection.vocabulary()
        found = []
        for match in matches:
            video: dict[str, Any] = {
                "video_id": match.video_id,
                "score": plain(float(match.score)),
                "labels": [names.get(number, str(number)) for number in match.labels],
                "metadata": plain(match.metadata),
            }
            for key, form in (("link", self._link), ("thumbnail", self._thumbnail)):
                video[key] = None if form is None else form.url(match.video_id, match.metadata)
            found.append(video)
        return found

    def about(self) -> dict[str, Any]:
        """What is served; no path of this machine."""
        stats = self.collection.stats()
        return {
            "name": Path(self.collection.folder).name,
            "videos": stats.videos,
            "dim": stats.dim,
            "codec": stats.codec,
            "bytes_per_video": stats.bytes_per_video,
            "metric": stats.metric,
            "columns": dict(stats.columns),
            "encoder": stats.encoder,
            "generation": stats.generation,
        }
