"""A small SVG writer; classes leave the colours to the page's CSS, so light and dark share one drawing."""

from __future__ import annotations

from xml.etree import ElementTree


class Drawing:
    """An SVG of `width` x `height` units with a title and a description for those who do not see it.

    All text goes through ElementTree, so it is escaped and the result is well-formed XML.
    """

    def __init__(self, width: float, height: float, *, title: str, description: str, name: str) -> None:
        self.width, self.height = width, height
        self._root = ElementTree.Element(
            "svg",
            {
                "viewBox": f"0 0 {_number(width)} {_number(height)}",
                "role": "img",
                "aria-labelledby": f"{name}-title {name}-description",
                "class": "plot",
            },
        )
        ElementTree.SubElement(self._root, "title", {"id": f"{name}-title"}).text = title
        ElementTree.SubElement(self._root, "desc", {"id": f"{name}-description"}).text = description

    def line(self, x1: float, y1: float, x2: float, y2: float, style: str) -> None:
        """A straight line; `style` is a CSS class, here and below."""
        ends = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
        self._add("line", {key: _number(value) for key, value in ends.items()} | {"class": style})

    def rect(self, x: float, y: float, width: float, height: float, style: str) -> None:
        """A rectangle by its left upper corner."""
        box = {"x": x, "y": y, "width": width, "height": height}
        self._add("rect", {key: _number(value) for key, value in box.items()} | {"class": style})

    def polyline(self, points: list[tuple[float, float]], style: str) -> None:
        """Connected straight lines."""
        text = " ".join(f"{_number(x)},{_number(y)}" for x, y in points)
        self._add("polyline", {"points": text, "class": style})

    def text(self, x: float, y: float, text: str, style: str, anchor: str = "start") -> None:
        """Text with its baseline at y; `anchor` start, middle or end."""
        self._add(
            "text", {"x": _number(x), "y": _number(y), "class": style, "text-anchor": anchor}
        ).text = text

    def marker(self, x: float, y: float, shape: str, style: str, hint: str) -> None:
        """A circle, square or diamond about 9 units wide; `hint` shows when pointed at."""
        if shape == "circle":
            element = self._add("circle", {"cx": _number(x), "cy": _number(y), "r": "4.5", "class": style})
        else:
            reach = 5.5 if shape == "diamond" else 4.2
            corners = (
                [(0, -1), (1, 0), (0, 1), (-1, 0)]
                if shape == "diamond"
                else [(-1, -1), (1, -1), (1, 1), (-1, 1)]
            )
            text = " ".join(f"{_number(x + reach * dx)},{_number(y + reach * dy)}" for dx, dy in corners)
            element = self._add("polygon", {"points": text, "class": style})
        ElementTree.SubElement(element, "title").text = hint

    def render(self) -> str:
        """The SVG element as text, for a page that holds it inline."""
        return ElementTree.tostring(self._root, encoding="unicode")

    def _add(self, tag: str, attributes: dict[str, str]) -> ElementTree.Element:
        return ElementTree.SubElement(self._root, tag, attributes)


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0") if abs(value) >= 0.05 else "0"
