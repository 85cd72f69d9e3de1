"""The model card of a packed encoder: Markdown behind YAML front matter, as Hugging Face reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from compress.errors import CompressError
from compress.evaluation.models.row import read_model
from compress.evaluation.row_file import read_row
from compress.foreign_text import one_line
from compress.metrics import METRICS, Intervals
from compress.store.reader import open_store
from compress.training.run import model_sha256
from compress.workspace import Workspace

_UNKNOWN = "unknown"


def model_card(
    workspace: Workspace, run: str, facts: Mapping[str, Any], file: str, data_license: str | None
) -> str:
    """The card of a run's encoder.

    Args:
        workspace: has the rows of its evaluations; those of another training of this name are left out.
        run: its name.
        facts: as `compress.training.packed.encoder_parts` gives them.
        file: name of the packed file.
        data_license: of the training data; None where it is not known.
    """
    config, schema = facts["model_config"], facts["schema"]
    dim, width, level = config["encoder_options"]["dim"], sum(schema["dims"]), schema["level"]
    features = ", ".join(f"{name} ({n})" for name, n in zip(schema["names"], schema["dims"], strict=True))
    reads = f"(n, {width}) features" if level == "video" else f"(t, {width}) frames of each video"
    rows = list(_rows(workspace, run))
    figures = [f"| {what} | {title} | {text} |" for what, title, text in rows]
    table = ["| of | figure | value, 95 % interval |", "|---|---|---|", *figures]
    front = {
        "library_name": "compress-video-embeddings",
        "pipeline_tag": "feature-extraction",
        "tags": ["video", "embeddings", "compression"],
    }
    lines = [
        "---",
        *(f"{name}: {json.dumps(value)}" for name, value in front.items()),
        "---",
        "",
        f"# {_plain(run)}",
        "",
        f"An encoder of videos: {reads} to embeddings of {dim} numbers. "
        f"Encoder `{config['encoder']}`, {facts['parameters']['encoder']:,} parameters. "
        "The classifier that it was trained with is not here.",
        "",
        "## How to use",
        "",
        "```python",
        "import compress",
        "",
        f"encoder = compress.load({json.dumps(file)})",
        f"embeddings = encoder.encode(X)  # X: {reads}; float32 (n, {dim})",
        "```",
        "",
        "`pip install compress-video-embeddings` brings the package.",
        "",
        "## Data",
        "",
        f"Trained on {facts['train_videos']:,} videos with {config['num_classes']:,} classes. "
        f"Features, in this order: {_plain(features)}.",
        "",
        f"Licence of the data: {_plain(data_license or _UNKNOWN)}.",
        "",
        "## Figures",
        "",
        *(table if rows else ["Not measured: `compress evaluate` had not been run on it."]),
        "",
        *(["Figures are on held-out videos; intervals are over videos."] if rows else []),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _rows(workspace: Workspace, run: str) -> Iterator[tuple[str, str, str]]:
    sha256 = model_sha256(workspace.run(run))
    for path in sorted((workspace.evaluation / "models").glob("*.json")):
        model = _read(read_model, path)
        if model is not None and model.model_sha256 == (sha256,):
            yield from _figures("the run with its own classifier", model.figures)
    for path in sorted(workspace.evaluation.glob("*.json")):
        row = _read(read_row, path)
        if row is not None and _made_by(workspace.store(row.row), sha256):
            what = f"a new classifier ({row.head}) on {row.codec} embeddings, {row.bytes_per_video} bytes"
            yield from _figures(what, row.figures)


def _figures(what: str, figures: Intervals) -> Iterator[tuple[str, str, str]]:
    for metric in METRICS:
        if metric.name in figures:
            found = figures[metric.name]
            yield _plain(what), metric.title, f"{found.value:.4f} [{found.low:.4f}, {found.high:.4f}]"


def _read(read: Any, path: Path) -> Any:
    """A row, or None where it is damaged or of another version: the card tells what is there."""
    try:
        return read(path)
    except CompressError:
        return None


def _made_by(store: Path, sha256: str) -> bool:
    try:
        return open_store(store, verify=False).metadata.get("model_sha256") == sha256
    except CompressError:
        return False


def _plain(text: str) -> str:
    """Foreign text that is no markup."""
    return "".join(f"\\{one}" if one in "\\`*_[]<>|#$&" else one for one in one_line(text))
