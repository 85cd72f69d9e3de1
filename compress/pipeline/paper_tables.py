"""`compress report --run`: the rows of the papers' tables.

A row of Tables 2, 3 and QRNN is a run, measured with the head it was trained with. A row of Table 4 is a
store of a run's embeddings, judged by a fresh head.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from compress.artifacts.atomic import read_bytes
from compress.artifacts.folder import read_folder
from compress.datasets.policy import OnCorrupt
from compress.datasets.schema import FeatureSchema
from compress.errors import DataError, NotFoundError, UsageError
from compress.evaluation.models.row import read_model
from compress.evaluation.row_file import read_row
from compress.jobs.names import run_name, store_name
from compress.jobs.paper_runs import unlike_run
from compress.jobs.sources import schemas
from compress.papers import Catalogue, CatalogueRow, StandIn, published, row_settings
from compress.papers import catalogue as known_rows
from compress.pipeline import engine
from compress.pipeline.engine import Failure, Planned, State, Status, Step, Target, Work
from compress.pipeline.maker import FreshHead, Maker, Training
from compress.progress import Reporter, silent
from compress.reports.models.table import unlike_row
from compress.workspace import Workspace

if TYPE_CHECKING:
    from compress.pipeline.costs import Costs

TIMING_SECONDS = 2.0
"""Of timed steps of each training, while a plan is made."""


@dataclass(frozen=True)
class TableRow(Target):
    """One row; `level` is that of the data its encoder reads, `levels` has what the workspace's shards hold.

    A row of Table 4 has a `codec` for the run's embeddings and, where the paper prints it, the line that it
    `answers`; rows of the other tables have neither.
    """

    tells: ClassVar = ("state", "epochs_done", "seconds", "weights_bytes", "reason")

    table: str
    title: str
    level: str
    training: Training
    maker: Maker
    levels: Mapping[str, FeatureSchema]
    catalogue: Catalogue
    codec: str | None = None
    answers: str | None = None

    @property
    def run(self) -> str:
        """The run that is trained."""
        return self.training.run

    @property
    def name(self) -> str:
        return self.run if self.codec is None else store_name(self.run, self.codec)

    @property
    def label(self) -> str:
        return f"{self.name}: {self.title}"

    @property
    def facts(self) -> dict[str, Any]:
        epochs = self.training.epochs
        return {"row": self.name, "table": self.table, "title": self.title, "epochs": epochs}

    @property
    def key(self) -> dict[str, str]:
        return {"table": self.table, "row": self.name}  # Tables 3 and 4 may have rows of the same name

    def status(self) -> Status:
        """How far it is.

        A row whose run was trained again since it was measured, or whose evaluation is damaged, is `TRAINED`;
        one whose name belongs to another model, a run or an evaluation, is `ANOTHER_MODEL`.
        """
        if differences := self._another_model():
            what = f"the run is another model ({', '.join(differences)})"
            hint = "use another workspace, or train it again with --fresh"
            return Status(State.ANOTHER_MODEL, reason=f"{what}: {hint}")
        if self._run_is_measured() if self.codec is None else self._store_is_measured():
            return Status(State.MEASURED)
        if reason := self._misfit():
            return Status(State.DOES_NOT_FIT, reason=reason)
        if _is_finished(self.maker.workspace, self.run):
            return Status(State.TRAINED)
        folder = self.maker.workspace.run(self.run)
        epochs = _logged_epochs(folder / "log.jsonl")
        if epochs or (folder / "checkpoint" / "manifest.json").exists():
            return Status(State.PARTLY_TRAINED, epochs)
        return Status(State.TO_DO)

    def work(self, status: Status, costs: Costs) -> Iterable[Work]:
        cost = costs.training(self.training)
        left = 0.0 if status.state is State.TRAINED else cost.seconds(status.epochs_done)
        training = Work(f"runs/{self.run}", left, cost.weights_bytes)
        if self.codec is None:
            return training, Work(f"evaluation/models/{self.run}", cost.validation)
        dim = self.training.dim or self.levels["video"].dim
        return (
            training,
            Work(f"embeddings/{self.name}", costs.encoding(self.training)),
            Work(f"evaluation/{self.name}", costs.head(dim) + costs.resampling),
        )

    def steps(self, status: Status) -> Iterator[Step]:
        if status.state is not State.TRAINED:
            yield self.maker.train(self.training)
        if self.codec is None:
            yield self.maker.evaluate_run(self.run)
        else:
            yield self.maker.encode(self.run, self.codec)
            yield self.maker.evaluate_store(self.name, FreshHead())

    def _misfit(self) -> str:
        has = " and ".join(f"{level}-level" for level in self.levels)
        if self.level not in self.levels:
            return f"it reads {self.level}-level data, the shards are {has}"
        if self.codec is not None and "video" not in self.levels:
            return f"it is compared with the original video-level features, the shards are {has}"
        return ""

    def _another_model(self) -> list[str]:
        row = next((row for row in self.catalogue.rows if row.run == self.run), None)
        if self.codec is not None or row is None:
            return []
        path = self._evaluations / f"{self.run}.json"
        try:
            found = unlike_row(row, read_model(path)) if path.exists() else []
        except (DataError, NotFoundError):
            found = []  # a damaged one is measured again
        return found or unlike_run(self.maker.workspace, row, self.catalogue)

    def _run_is_measured(self) -> bool:
        row, scores = self._evaluations / f"{self.run}.json", self._evaluations / "scores" / self.run
        if not (row.exists() and (scores / "manifest.json").exists()):
            return False
        try:
            measured = read_model(row)
            if not _is_finished(self.maker.workspace, self.run):
                return True  # the run was removed to save the disk, after it was measured
            model = self.maker.workspace.run(self.run) / "model"
            weights = read_folder(model, "model", verify=False).files["model.safetensors"]
        except (DataError, NotFoundError, KeyError):
            return False
        return measured.model_sha256 == (weights.sha256,)

    def _store_is_measured(self) -> bool:
        """Whether a measured row has its name, or answers the same line of Table 4."""
        for path in self._evaluations.glob("*.json"):
            try:
                row = read_row(path)
            except DataError:
                continue  # a damaged one is measured again, or named by the report
            if row.row == self.name or (self.answers is not None and row.table4_row == self.answers):
                return True
        return False

    @property
    def _evaluations(self) -> Path:
        folder = self.maker.workspace.evaluation
        return folder / "models" if self.codec is None else folder


def plan_tables(
    workspace: Workspace,
    *,
    tables: Sequence[str],
    rows: Sequence[str] = (),
    epochs: int | None = None,
    on_corrupt: OnCorrupt = "fail",
    seed: int = 0,
    threads: int = 0,
    device: str = "auto",
    catalogue: Catalogue | None = None,
    report: Reporter = silent,
) -> list[Planned[TableRow]]:
    """The rows in the order of the tables; the missing ones are timed for some seconds each.

    Args:
        workspace: where everything lies.
        tables: of "2", "3", "qrnn" and "4".
        rows: names of rows; none means all of these tables.
        epochs: in place of each row's.
        on_corrupt: what happens to unusable records.
        seed: >= 0. threads: 0 for all. device: "auto", "cpu" or "cuda".
        catalogue: in place of the papers' rows.
        report: gets progress and notes.

    Raises:
        UsageError: a name that no row has, or a workspace without shards.
        NotFoundError, DataError: the shards are gone or damaged.
        Interrupted: on request.
    """
    maker = Maker(workspace, on_corrupt, seed, threads, device)
    offered = table_rows(maker, tables, epochs, catalogue or known_rows())
    names = [row.name for row in offered]
    for name in rows:
        if name not in names:
            raise UsageError(f"no row {name!r}", where="--rows", hint="choose from " + ", ".join(names))

    def costs() -> Costs:
        # Not before: it imports torch, and a wrong name should be answered at once.
        from compress.pipeline.costs import Costs

        return Costs(maker, report, FreshHead(), TIMING_SECONDS)

    return engine.plan([row for row in offered if not rows or row.name in rows], costs)


def table_rows(maker: Maker, tables: Sequence[str], epochs: int | None, rows: Catalogue) -> list[TableRow]:
    """Every row of some tables."""
    levels = schemas(maker.workspace, maker.on_corrupt)
    found: list[TableRow] = []
    for table in tables:
        if table == "4":
            found += _stored_rows(maker, epochs, levels, rows)
            continue
        for row in rows.of(table):
            stand_in = rows.stand_in(row, levels[row.level].dim) if row.level in levels else None
            training = row_training(row, stand_in, epochs)
            found.append(TableRow(table, row.title, row.level, training, maker, levels, rows))
    return found


def _stored_rows(
    maker: Maker, epochs: int | None, levels: Mapping[str, FeatureSchema], rows: Catalogue
) -> list[TableRow]:
    """Of Table 4: the original features first, then the paper's rows, then the controls of their sizes."""

    def row(title: str, level: str, training: Training, codec: str, answers: str | None = None) -> TableRow:
        return TableRow("4", title, level, training, maker, levels, rows, codec, answers)

    paper, by_run = published(), {row.run: row for row in rows.rows}
    of_paper = []
    for line in paper.rows:
        source = by_run.get(paper.runs[line.name])
        if source is None:
            continue  # a smaller catalogue
        training = row_training(source, None, epochs)
        default = run_name(source.encoder, source.dim, None)
        if _is_finished(maker.workspace, default) and not _is_finished(maker.workspace, source.run):
            training = replace(training, name=default)  # somebody has trained it by `compress train --dim`
        of_paper.append(row(line.name, source.level, training, "float32", line.name))
    sizes: list[int | None] = [*sorted(one.training.dim for one in of_paper if one.training.dim is not None)]
    original: list[TableRow] = []
    controls: list[TableRow] = []
    for control in paper.controls:
        for size in sizes if control.each_size else [None]:
            title = control.title.format(size=size)
            one = row(title, "video", Training(control.encoder, size), control.codec)
            (controls if control.each_size else original).append(one)
    return [*original, *of_paper, *controls]


def row_training(row: CatalogueRow, stand_in: StandIn | None = None, epochs: int | None = None) -> Training:
    """The training of a row of the catalogue, with what stands in on these data for what they lack."""
    settings = row_settings(row, stand_in)
    return Training(row.encoder, row.dim, row.run, row.preset, epochs or row.epochs, settings)


def why_not_made(
    planned: Sequence[Planned[TableRow]], failures: Sequence[Failure]
) -> tuple[dict[str, list[str]], list[str]]:
    """Why rows are missing that do not fit the data, or that failed.

    Returns: for rows of Tables 2, 3 and QRNN notes by run, and for rows of Table 4 one sentence each.
    """
    unfit = [one for one in planned if one.status.state is State.DOES_NOT_FIT]
    reasons = [("Not run", one.target, one.status.reason) for one in unfit]
    reasons += [("Failed", one.target, one.reason) for one in failures if isinstance(one.target, TableRow)]
    notes = {row.run: [f"{what}: {why}."] for what, row, why in reasons if row.codec is None}
    return notes, [f"{what}: {row.name}, {why}." for what, row, why in reasons if row.codec is not None]


def _is_finished(workspace: Workspace, run: str) -> bool:
    return (workspace.run(run) / "model" / "manifest.json").exists()


def _logged_epochs(log: Path) -> int:
    return sum(line.endswith(b"\n") for line in read_bytes(log).splitlines(True)) if log.exists() else 0
