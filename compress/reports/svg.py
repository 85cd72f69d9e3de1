"""Drawings by matplotlib as SVG for a page: in the page's colours, without ids, with words for every mark."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HINT = "hint:"
"""What the gid of an artist begins with when the rest of it are the words that show when it is pointed at."""
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Liberation Sans', Arial, sans-serif"
HALO = {"stroke": "var(--page)", "stroke-width": "3", "stroke-linejoin": "round", "paint-order": "stroke"}
AIR = 16.0  # around the drawings of a file, and between them


@dataclass(frozen=True)
class Look:
    """A colour of page.css and a shape: "o" circle, "s" square, "D" diamond."""

    colour: str
    shape: str = "o"
    hollow: bool = False


@cache
def colours() -> Mapping[str, str]:
    """The colours of templates/page.css by name, as they are on a light page: "encoder" -> "#1b5faa"."""
    return dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6})", _blocks()[0]))


def draw(plot: Callable[[Figure], None], width: float, height: float, *, title: str, description: str) -> str:
    """An SVG element for a page that holds it inline; the same plot gives the same text.

    `plot` draws in `colours` alone; one pixel of its figure is one CSS pixel at full size.
    """
    # Not before it is needed: it takes half a second to import.
    import matplotlib
    from matplotlib.figure import Figure

    # Or it tells everybody's terminal about its cache of fonts.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    text = io.StringIO()
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # whatever the user's own matplotlibrc says
        matplotlib.rcParams.update(_style())
        figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        figure.patch.set_visible(False)
        plot(figure)
        figure.savefig(text, format="svg", metadata={"Date": None})
    root = ElementTree.Element(
        "svg", {"viewBox": f"0 0 {width:g} {height:g}", "role": "img", "aria-label": title, "class": "plot"}
    )
    ElementTree.SubElement(root, "title").text = title
    ElementTree.SubElement(root, "desc").text = description
    drawn = ElementTree.fromstring(text.getvalue())
    leaves = list(_leaves(drawn, {shape.get("id", ""): shape for shape in drawn.iter(_svg("path"))}))
    root.extend(leaf for leaf in leaves if leaf.tag != "text")
    words = ElementTree.SubElement(root, "g", {"font-family": FONT, **HALO})
    words.extend(leaf for leaf in leaves if leaf.tag == "text")
    return ElementTree.tostring(root, encoding="unicode")


def legend_mark(look: Look) -> str:
    """A mark as charts draw it, for a legend beside them."""
    outline = {
        "o": '<circle cx="8" cy="7" r="4.5"',
        "s": '<rect x="3.8" y="2.8" width="8.4" height="8.4"',
        "D": '<polygon points="8,1.5 13.5,7 8,12.5 2.5,7"',
    }[look.shape]
    colour = f"var(--{look.colour})"
    style = f'fill="{"none" if look.hollow else colour}" stroke="{colour}" stroke-width="1.4"'
    return f'<svg viewBox="0 0 16 14" aria-hidden="true">{outline} {style}/></svg>'


def standalone(drawings: Sequence[str]) -> str:
    """An SVG file of drawings side by side; it follows the reader's choice of a light or a dark page."""
    boxes = [re.search(r'viewBox="0 0 (\S+) (\S+)"', drawing) for drawing in drawings]
    sizes = [(float(box[1]), float(box[2])) for box in boxes if box]
    width = sum(w + AIR for w, _ in sizes) + AIR
    height = max(h for _, h in sizes) + 2 * AIR
    style = "\n".join(_blocks()).replace("<", "&lt;")
    parts = [f"<style>{style}</style>", f'<rect width="{width:g}" height="{height:g}" fill="var(--page)"/>']
    left = AIR
    for drawing, (w, h) in zip(drawings, sizes, strict=True):
        place = f'x="{left:g}" y="{AIR:g}" width="{w:g}" height="{h:g}"'
        parts.append(drawing.replace("<svg ", f"<svg {place} ", 1))
        left += w + AIR
    inside = "\n".join(parts)
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}">\n{inside}\n</svg>\n'


@cache
def _blocks() -> tuple[str, str]:
    """The parts of page.css that set colours: by day and by night."""
    css = files("compress.reports").joinpath("templates/page.css").read_text(encoding="utf-8")
    day = re.search(r"^:root \{.*?^\}", css, re.DOTALL | re.MULTILINE)
    night = re.search(r"^@media \(prefers-color-scheme: dark\) \{.*?^\}", css, re.DOTALL | re.MULTILINE)
    assert day is not None
    assert night is not None
    return day[0], night[0]


@cache
def _style() -> dict[Any, Any]:
    colour = colours()
    return {
        "svg.fonttype": "none",  # text stays text
        "svg.hashsalt": "compress",
        "text.parse_math": False,  # a dollar sign in a name is a dollar sign
        "font.size": 12,
        "text.color": colour["text"],
        "axes.axisbelow": True,
        "axes.edgecolor": colour["ink"],
        "axes.formatter.useoffset": False,
        "axes.labelcolor": colour["text"],
        "axes.labelsize": 12,
        "axes.spines.left": False,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "grid.color": colour["rule"],
        "grid.linewidth": 0.6,
        "xtick.color": colour["muted"],
        "ytick.color": colour["muted"],
        "ytick.major.size": 0,
    }


def _svg(tag: str) -> str:
    return "{http://www.w3.org/2000/svg}" + tag


def _leaves(
    parent: ElementTree.Element, shapes: Mapping[str, ElementTree.Element]
) -> Iterator[ElementTree.Element]:
    """What is seen, flat; what has words stays together in a group with them.

    Markers are drawn by reference to a shape with an id. A page holds several drawings, some of them hidden,
    so each marker gets its shape.
    """
    for child in parent:
        if child.tag == _svg("g"):
            inside = _leaves(child, shapes)
            name = child.get("id", "")
            if not name.startswith(HINT):
                yield from inside
                continue
            group = ElementTree.Element("g")
            ElementTree.SubElement(group, "title").text = name.removeprefix(HINT)
            group.extend(inside)
            yield group
        elif child.tag == _svg("use"):
            shape = shapes[child.get("{http://www.w3.org/1999/xlink}href", "")[1:]]
            style = f"{child.get('style')}; {shape.get('style')}"
            place = f"translate({child.get('x')} {child.get('y')})"
            yield _leaf("path", {"d": shape.get("d", ""), "transform": place, "style": style})
        elif child.tag == _svg("path"):
            yield _leaf("path", {"d": child.get("d", ""), "style": child.get("style", "")})
        elif child.tag == _svg("text"):
            leaf = _leaf("text", dict(child.attrib))
            leaf.text = child.text
            yield leaf


def _leaf(tag: str, attributes: Mapping[str, str]) -> ElementTree.Element:
    """An element whose style is attributes in the page's colours, and whose places have one decimal."""
    names = {value: name for name, value in colours().items()}
    found = {}
    for key in ("d", "x", "y", "transform"):
        if key in attributes and not attributes[key].startswith("rotate(-0"):
            short = re.sub(r"-?\d+\.\d+", lambda n: f"{round(float(n[0]), 1) + 0.0:g}", attributes[key])
            found[key] = " ".join(short.split())
    for rule in filter(None, attributes["style"].split("; ")):
        key, value = rule.split(": ", 1)
        if key != "font-family":
            found[key] = f"var(--{names[value]})" if value in names else value
    return ElementTree.Element(tag, found)
