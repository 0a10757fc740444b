"""Charts as SVG: for files and papers as matplotlib draws them, for pages with the page's own colours.

Colours are those of Okabe and Ito (2008), which people with any kind of colour blindness can tell apart;
series differ in marker too. In a page they are CSS variables, which have another value in the dark.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import matplotlib
from markupsafe import Markup
from matplotlib.figure import Figure

INK, FAINT, GROUND = "#1b1f24", "#d5d9de", "#ffffff"
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#666666")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<")
"""One more than colours, so that the 56 first series differ in either."""
_VARIABLES = {
    INK: "var(--ink)",
    FAINT: "var(--line)",
    GROUND: "var(--ground)",
    **{colour: f"var(--series-{number})" for number, colour in enumerate(SERIES)},
}
_SVG = "{http://www.w3.org/2000/svg}"
_XLINK = "{http://www.w3.org/1999/xlink}href"
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "learnact",
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.size": 9.0,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
}


def draw(paint: Callable[[Any], None], size: tuple[float, float]) -> tuple[str, bytes]:
    """SVG and PNG of what `paint` puts on a figure of this size (inches). Equal bytes for equal data."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        paint(figure)
        text, image = io.StringIO(), io.BytesIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
        figure.savefig(image, format="png", dpi=200, metadata={"Software": "learnact"})
    return text.getvalue(), image.getvalue()


def inline(svg: str, name: str, label: str) -> Markup:
    """The SVG as part of a page: colours of the page, no style of its own, ids that begin with `name`.

    `label` is what a screen reader says.
    """
    ElementTree.register_namespace("", "http://www.w3.org/2000/svg")
    root = ElementTree.fromstring(svg)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{_SVG}metadata", f"{_SVG}style"):
                parent.remove(child)
    for element in root.iter():
        _plain_attributes(element, name)
    _background_away(root)
    for size in ("width", "height"):
        root.attrib.pop(size, None)
    root.set("stroke-linejoin", "round")
    root.set("role", "img")
    root.set("aria-label", label)
    root.set("class", "chart")
    return Markup(ElementTree.tostring(root, encoding="unicode").replace("ns0:", "").replace(":ns0", ""))


def _plain_attributes(element: ElementTree.Element, name: str) -> None:
    """Attributes instead of a style, which a page's policy would not apply; ids of this chart alone."""
    for declaration in element.attrib.pop("style", "").split(";"):
        key, _, value = declaration.partition(":")
        key, value = key.strip(), value.strip()
        if key == "font":
            if size := re.search(r"([\d.]+)px", value):
                element.set("font-size", size[1])
        elif key and key != "font-family":
            element.set(key, value)
    for key in ("fill", "stroke"):
        value = element.get(key, "").lower()
        element.attrib |= {key: _VARIABLES[value]} if value in _VARIABLES else {}
    if element.tag == f"{_SVG}text" and "fill" not in element.attrib:
        element.set("fill", "var(--ink)")
    if "id" in element.attrib:
        element.set("id", f"{name}-{element.attrib['id']}")
    if (link := element.attrib.pop(_XLINK, None)) is not None:
        element.set("href", f"#{name}-{link[1:]}")
    if (clip := element.get("clip-path", "")).startswith("url(#"):
        element.set("clip-path", f"url(#{name}-{clip[5:]}")


def _background_away(root: ElementTree.Element) -> None:
    """The page's own ground shows through."""
    figure = root.find(f"{_SVG}g")
    for group in [] if figure is None else [figure, *figure.findall(f"{_SVG}g")]:
        for patch in group.findall(f"{_SVG}g"):
            path = patch.find(f"{_SVG}path")
            if "patch_" in patch.get("id", "") and path is not None and path.get("fill") == "var(--ground)":
                group.remove(patch)
                break
