"""Drawings as a file of their own: what a page gives them, its colours above all, is put inside."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

NAMESPACE = "http://www.w3.org/2000/svg"
AIR = 16.0  # around everything


def standalone(drawings: Sequence[str], width: float, height: float, gap: float) -> str:
    """An SVG file of drawings side by side; it follows the reader's choice of a light or a dark page.

    Args:
        drawings: as `Drawing.render` gives them.
        width, height: of each of them.
        gap: between two.
    """
    whole = len(drawings) * width + (len(drawings) - 1) * gap + 2 * AIR
    parts = [
        f"<style>{_style()}</style>",
        f'<rect class="ground" width="{whole:g}" height="{height + 2 * AIR:g}"/>',
    ]
    for number, drawing in enumerate(drawings):
        place = f'x="{AIR + number * (width + gap):g}" y="{AIR:g}" width="{width:g}" height="{height:g}"'
        parts.append(drawing.replace("<svg ", f"<svg {place} ", 1))
    box = f"0 0 {whole:g} {height + 2 * AIR:g}"
    return f'<svg xmlns="{NAMESPACE}" viewBox="{box}">\n' + "\n".join(parts) + "\n</svg>\n"


@cache
def _style() -> str:
    """What report.css says about drawings: colours by day and by night, and the rules that begin with svg."""
    css = files("compress.reports").joinpath("templates/report.css").read_text(encoding="utf-8")
    day = re.search(r"^:root \{.*?^\}", css, re.DOTALL | re.MULTILINE)
    night = re.search(r"^@media \(prefers-color-scheme: dark\) \{.*?^\}", css, re.DOTALL | re.MULTILINE)
    rules = re.findall(r"^svg .*$", css, re.MULTILINE)
    blocks = [found[0] for found in (day, night) if found]
    return "\n".join([*blocks, *rules, ".ground { fill: var(--page); }"]).replace("<", "&lt;")
