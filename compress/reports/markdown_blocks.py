"""Commands and provenance in Markdown."""

from __future__ import annotations

import re

from compress.reports.markdown_table import escape
from compress.reports.provenance import Provenance


def command_block(title: str, command: str) -> str:
    """A command under what it makes."""
    return f"{escape(title)}:\n\n{fenced(command)}"


def provenance_blocks(provenance: Provenance) -> list[str]:
    """When, with which versions and by which command a report was made."""
    versions = ", ".join(f"{name} {version}" for name, version in sorted(provenance.versions.items()))
    return [escape(f"Generated {provenance.generated} with {versions}."), fenced(provenance.command)]


def fenced(command: str) -> str:
    """A code block that its text cannot end."""
    longest = max((len(run) for run in re.findall("`+", command)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{command}\n{fence}"
