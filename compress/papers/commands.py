"""The commands that make one row of Tables 2, 3 and QRNN."""

from __future__ import annotations

import json
from typing import Any

from compress.command_line import command_line, command_words, unless
from compress.papers.catalogue import CatalogueRow, StandIn


def row_command(row: CatalogueRow, stand_in: StandIn | None = None, epochs: int | None = None) -> str:
    """`compress train --name ... && compress evaluate --run ...`.

    Args:
        row: of the catalogue.
        stand_in: what replaces some of its options on these data.
        epochs: in place of the row's.
    """
    options = {
        "name": row.run,
        "encoder": row.encoder,
        "dim": row.dim,
        "preset": unless(row.preset, "best"),
        "epochs": epochs or row.epochs,
        "set": row_settings(row, stand_in),
    }
    return command_line(command_words("train", options), command_words("evaluate", {"run": row.run}))


def row_settings(row: CatalogueRow, stand_in: StandIn | None = None) -> tuple[str, ...]:
    """The values of --set; the head among them where `compress train` would take another one."""
    options = {**row.options, **(stand_in.options if stand_in else {})}
    # Without a head named, `identity` is not trained at all.
    head = {} if row.head == "moe" and row.encoder != "identity" else {"head": row.head}
    return tuple(f"{key}={_text(value)}" for key, value in {**head, **options}.items())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
