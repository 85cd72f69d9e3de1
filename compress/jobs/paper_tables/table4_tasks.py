"""What makes the rows of Table 4: stores, each judged by a fresh head; the baseline first."""

from __future__ import annotations

from dataclasses import replace

from compress.jobs.names import run_name
from compress.jobs.paper_tables.tasks import TablesRequest, Task, Training, row_training
from compress.reports import Catalogue, published
from compress.workspace import Workspace


def store_tasks(workspace: Workspace, known: Catalogue, request: TablesRequest) -> list[Task]:
    """The original features, the paper's rows, and the controls of their sizes.

    Args:
        workspace: a run that has the default name of a paper's row (residual_cnn-320) and is trained already
            is stored in place of the one of Table 2 or 3.
        known: has the rows of Tables 2 and 3 that Table 4 is made from.
        request: seed, epochs and so on.
    """
    paper = published()
    runs = {row.run: row for row in known.rows}
    of_paper = []
    for row in paper.rows:
        source = runs.get(paper.runs[row.name])
        if source is None:
            continue  # a smaller catalogue
        training = row_training(source, None, request)
        trained = run_name(source.encoder, source.dim, None)
        if _finished(workspace, trained) and not _finished(workspace, source.run):
            training = replace(training, name=trained)
        of_paper.append(Task("4", row.name, source.level, training, "float32", row.name))
    sizes = sorted(dim for task in of_paper if (dim := task.training.dim) is not None)
    original: list[Task] = []
    controls: list[Task] = []
    for control in paper.controls:
        for size in sizes if control.each_size else [None]:
            training = Training(encoder=control.encoder, dim=size)
            task = Task("4", control.title.format(size=size), "video", training, control.codec)
            (controls if control.each_size else original).append(task)
    return [*original, *of_paper, *controls]


def _finished(workspace: Workspace, run: str) -> bool:
    return (workspace.run(run) / "model" / "manifest.json").exists()
