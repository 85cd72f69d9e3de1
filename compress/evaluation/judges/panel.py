"""The panel: every judge is asked, and the best one speaks for the row."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compress.artifacts.folder import commit_folder, load_folder
from compress.artifacts.lock import exclusive
from compress.artifacts.manifest import Manifest
from compress.doors.npy import read_npz
from compress.errors import CorruptArtifactError, NewerVersionError, NotFoundError, SchemaError
from compress.evaluation.judges.cost import cost_in_words
from compress.evaluation.judges.names import title_of
from compress.evaluation.judges.nearest import NearestNeighbours
from compress.evaluation.judges.opinion import Opinion, opinion_from, opinion_json
from compress.evaluation.judges.question import Judge, Question, Search
from compress.evaluation.judges.ridge import Ridge
from compress.evaluation.judges.trained import Trained
from compress.metrics import TopScores
from compress.progress import Note, Reporter, silent
from compress.training.inputs import fingerprint
from compress.training.run import remove_runs
from compress.training.set_aside import count_set_aside

_PLAIN = ({"mixup": 0.4}, {"mixup": 0.0})
JUDGES: Mapping[str, Judge] = {
    judge.name: judge
    for judge in (
        Trained("moe", title_of("moe"), _PLAIN),
        Trained("logistic", title_of("logistic"), _PLAIN),
        Trained("mlp", title_of("mlp"), _PLAIN),
        Ridge(),
        NearestNeighbours(),
    )
}
"""Every judge by name, in the order of `names.TITLES`."""

_KIND, _FILE = "opinion", "top.npz"


@dataclass(frozen=True)
class Panel:
    """What the judges found, by name, in the order of `JUDGES`."""

    opinions: Mapping[str, Opinion]

    @property
    def best(self) -> str:
        """The judge with the highest GAP on the training videos that were set aside; it speaks for the row.

        Not the highest on the validation videos: the best of several on the videos that are reported looks
        better than it is.
        """
        return max(self.opinions, key=lambda name: self.opinions[name].aside_gap)


def panel_recipe(names: Sequence[str], search: Search, ids: np.ndarray) -> dict[str, Any]:
    """What makes two panels alike, JSON: the judges, and how each looks for its best form.

    Args:
        names: of the judges.
        search: of all of them.
        ids: of the training videos, bytes (N,).
    """
    videos = len(ids) - count_set_aside(len(ids))
    return {name: JUDGES[name].recipe(search, videos) for name in names} | {"seed": search.seed}


def ask_panel(names: Sequence[str], question: Question, folder: Path, report: Reporter = silent) -> Panel:
    """Ask some judges, or read what they answered before.

    Args:
        names: of the judges.
        question: the videos.
        folder: keeps the answer of each judge, and what a continued call needs.
        report: gets progress and notes.

    Raises:
        DivergedError: a training diverged.
        Interrupted: on request; finished answers are kept, and the training that runs is continued next time.
    """
    videos = {
        "fit": fingerprint(question.fit),
        "aside": fingerprint(question.aside),
        "validation": fingerprint(question.validation),
    }
    identities = {
        name: {
            "recipe": JUDGES[name].recipe(question.search, len(question.fit)),
            "videos": videos,
            "full_map": question.full_map,
        }
        for name in names
    }
    missing = [JUDGES[name] for name in names if _kept(folder / name, identities[name]) is None]
    if missing and report is not silent:
        report(Note(cost_in_words(missing, question), once=True))
    opinions = {}
    for name in names:
        with exclusive(folder / name, waits_for=f"the answer of the {JUDGES[name].title}", report=report):
            opinions[name] = _asked(JUDGES[name], question, folder, identities[name], report)
    return Panel(opinions)


def _asked(
    judge: Judge, question: Question, folder: Path, identity: dict[str, Any], report: Reporter
) -> Opinion:
    kept, work = folder / judge.name, folder / f"{judge.name}-training"
    if (found := _kept(kept, identity)) is not None:
        return found
    report(Note(f"asking the {judge.title}", passing=True))
    opinion = judge.ask(question, work, report)
    report(Note(f"{judge.title}: {opinion.in_words()}"))
    buffer = io.BytesIO()
    np.savez(buffer, **opinion.top.to_arrays())  # type: ignore[arg-type]
    commit_folder(kept, _KIND, {_FILE: buffer.getvalue()}, {"of": identity, "opinion": opinion_json(opinion)})
    remove_runs(work)  # the weights of a judge are a by-product
    return opinion


def _kept(folder: Path, identity: dict[str, Any]) -> Opinion | None:
    """The answer to the same question, if it was kept; a damaged one is given again."""
    try:
        return load_folder(folder, _KIND, lambda manifest: _opinion(manifest, identity))
    except (NotFoundError, CorruptArtifactError, NewerVersionError, SchemaError, KeyError, ValueError):
        return None


def _opinion(manifest: Manifest, identity: dict[str, Any]) -> Opinion | None:
    if manifest.metadata["of"] != identity:
        return None
    arrays = read_npz(manifest.path(_FILE), error=CorruptArtifactError)
    return opinion_from(TopScores.from_arrays(arrays), manifest.metadata["opinion"])
