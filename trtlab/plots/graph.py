"""A static picture of a model's graph: what a saved notebook, a report and a page without widgets show."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trtlab._format import plural, shorten_middle
from trtlab.plots.graph_choice import (
    BY_BUILDER,
    BY_PARSER,
    NOT_LOOKED_AT,
    SUPPORTED,
    UNKNOWN,
    Box,
    Choice,
    ShownGraph,
    choose,
)
from trtlab.plots.graph_layers import BOX_WIDTH, lay_out

# Okabe and Ito's colours for colour-blind readers (https://jfly.uni-koeln.de/color/), darker where they are text on white.
_SURFACE, _TEXT, _MUTED, _LINE, _PLAIN = "#ffffff", "#1b1b1b", "#555555", "#7a7a7a", "#f4f4f4"
_BLUE, _SKY = "#0069a5", "#e3f2fb"
# Colour of the outline and of the words, fill, sign, words.
_STATES = {
    NOT_LOOKED_AT: ("#6b6b6b", _PLAIN, "○", "not looked at"),
    SUPPORTED: ("#00735a", "#e6f4ef", "✓", "supported"),
    BY_PARSER: ("#b34200", "#fde9dd", "✕", "refused by the parser"),
    BY_BUILDER: ("#944671", "#f8e8f1", "✕", "refused by the builder"),
    UNKNOWN: ("#8a5c00", "#fcf0d4", "?", "could not be judged"),
}
_MOST_EDGES = 240
_MARGIN, _HEADING, _LEGEND, _SMALLEST_WIDTH = 20.0, 56.0, 34.0, 680.0
_LINE_HEIGHT, _BOX_HEIGHT, _SMALL_BOX_HEIGHT = 16.0, 46.0, 26.0
_LONGEST_TIP = 400
_LONGEST_TEXT = 4000
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"
_ARROW = (
    '<defs><marker id="trtlab-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    f'<path d="M0 0.5 8 4 0 7.5z" fill="{_LINE}"/></marker></defs>'
)
# XML 1.0 forbids these even as entities: one of them in a name would make the whole picture unreadable.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def graph_picture(
    graph: Mapping[str, Any], *, status: Mapping[str, Any] | None = None, around: int | None = None, most: int = 60
) -> str:
    """Return a picture of a graph as one SVG document, with a background of its own for light and dark pages.

    A small graph is shown whole. Of a larger one, the surroundings of its first problem are shown; of one without problems, its
    groups.

    Args:
        graph: The graph as `trtlab.widgets.graph_data.graph_trait` makes it; `{}` shows that there is none.
        status: What is known of each node, as in the graph panel's trait `status`.
        around: Number of the node to show, instead of the first problem.
        most: The most boxes.

    Raises:
        IndexError: There is no node `around`.
    """
    shown = ShownGraph(graph, status)
    title = str(graph.get("title", "")) or "no model"
    if around is not None and not 0 <= around < len(shown.names):
        raise IndexError(f"The graph has no node {around}: it has {plural(len(shown.names), 'node')}.")
    if not shown.names:
        return _Frame(title, "There are no nodes to show.").around([], 0.0, 0.0)
    centre = around if around is not None else shown.first_problem()
    choice = choose(shown, centre, max(most, 1))
    edges, note = choice.edges, f"{_context(shown, centre)} {choice.note}".strip()
    if len(edges) > _MOST_EDGES:
        note = f"{note} {len(edges) - _MOST_EDGES} edges of {len(edges)} are left out.".strip()
        edges = edges[:_MOST_EDGES]
    layout = lay_out([_height(box) for box in choice.boxes], edges)
    pieces = [_edge(line) for line in layout.lines]
    pieces += [_box(box, *corner) for box, corner in zip(choice.boxes, layout.boxes, strict=True)]
    heading = _heading(shown, centre)
    return _Frame(title, heading, note, _states_in(choice)).around(pieces, layout.width, layout.height)


def _heading(shown: ShownGraph, centre: int | None) -> str:
    """Return what the picture says, in a line."""
    count = plural(len(shown.names), "node")
    if centre is None:
        all_fine = all(state == SUPPORTED for state in shown.states)
        return f"{count}, all supported" if all_fine else f"{count}, no problem known"
    name = shown.names[centre]
    called = (
        f"'{shorten_middle(name, 50)}' ({shown.operator(centre)})" if name else f"#{centre} ({shown.operator(centre)})"
    )
    state = shown.states[centre]
    said = f": {_STATES[state][3]}" if state != NOT_LOOKED_AT else ""
    return f"Node {called}{said}"


def _context(shown: ShownGraph, centre: int | None) -> str:
    """Return where the node stands, and what else is wrong in the model."""
    if centre is None:
        return ""
    scope = shown.scope_title(shown.scopes[centre])
    others = sum(state >= BY_PARSER for number, state in enumerate(shown.states) if number != centre)
    said = [f"In {scope}."] if scope else []
    said += [f"{plural(others, 'other problem')} in {plural(len(shown.names), 'node')}."] if others else []
    return " ".join(said)


def _states_in(choice: Choice) -> tuple[int, ...]:
    return tuple(sorted({box.state for box in choice.boxes if box.kind in ("node", "group")}))


def _height(box: Box) -> float:
    if box.kind == "more":
        return _SMALL_BOX_HEIGHT
    return _BOX_HEIGHT + (_LINE_HEIGHT if _words(box) else 0.0)


def _words(box: Box) -> str:
    """Return the third line of a box: what is wrong."""
    sign, word = _STATES[box.state][2:]
    if box.kind == "group" and box.problems:
        return f"{sign} {plural(box.problems, 'problem')} inside"
    if box.kind == "node" and box.state >= BY_PARSER:
        return f"{sign} {word}"
    if box.kind == "node" and box.problems:
        return f"✕ {plural(box.problems, 'problem')} inside"
    return ""


def _box(box: Box, x: float, y: float) -> str:
    height = _height(box)
    colour, fill, sign, word = _STATES[box.state]
    is_terminal = box.kind in ("input", "output")
    if is_terminal:
        colour, fill, sign, word = _BLUE, _SKY, "", box.kind
    elif box.problems and box.state < BY_PARSER:
        colour = _STATES[BY_PARSER][0]
    parts = [f"<g><title>{_escape(_tip(box, word))}</title>"]
    if box.kind == "more":
        parts.append(_text(x + BOX_WIDTH / 2, y + 17, f"⋯ {box.title}", 11, fill=_MUTED, text_anchor="middle"))
        return "".join([*parts, "</g>"])
    if box.kind == "group":  # a second sheet behind says that there is more inside
        parts.append(_rectangle(x + 4, y + 4, BOX_WIDTH, height, rx=5, fill=_PLAIN, stroke=colour))
    if box.is_centre:
        ring = _rectangle(x - 5, y - 5, BOX_WIDTH + 10, height + 10, rx=9, fill="none", stroke=_BLUE, stroke_width=2)
        parts.append(ring)
    width = 2.4 if box.state >= BY_PARSER else 1.2
    dashes = "5 3" if box.state == UNKNOWN else ""
    look = {"fill": fill, "stroke": colour, "stroke_width": width, "stroke_dasharray": dashes}
    parts.append(_rectangle(x, y, BOX_WIDTH, height, rx=20 if is_terminal else 5, **look))
    left, room = x + 12, BOX_WIDTH - 24
    if sign:
        mark = _text(x + room + 12, y + 19, sign, 13, fill=_STATES[box.state][0], text_anchor="end", font_weight="bold")
        parts.append(mark)
    parts.append(_text(left, y + 19, _fit(box.title, room - 14, 7.4), 13, fill=_TEXT, font_weight="bold"))
    parts.append(_text(left, y + 36, _fit(box.name, room, 6.2), 11, fill=_MUTED))
    words = _words(box)
    if words:
        parts.append(_text(left, y + 53, words, 11, fill=colour, font_weight="bold"))
    return "".join([*parts, "</g>"])


def _tip(box: Box, word: str) -> str:
    return shorten_middle(
        f"{box.title} {box.name}: {word}" if box.kind != "more" else f"{box.title} in the model", _LONGEST_TIP
    )


def _attributes(**values: object) -> str:
    """Return XML attributes; none of the values comes from a model."""
    return " ".join(f'{name.replace("_", "-")}="{value}"' for name, value in values.items() if value not in ("", None))


def _rectangle(x: float, y: float, width: float, height: float, **look: object) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:g}" height="{height:g}" {_attributes(**look)}/>'


def _text(x: float, y: float, text: str, size: float, **look: object) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" {_attributes(**look)}>{_escape(text)}</text>'


def _edge(points: Sequence[tuple[float, float]]) -> str:
    """Return an edge: steep curves between layers, straight lines inside them."""
    (x, y), *rest = points
    path = [f"M{x:.1f} {y:.1f}"]
    for next_x, next_y in rest:
        if abs(next_x - x) < 0.5 or abs(next_y - y) < 0.5:  # noqa: PLR2004 - half a pixel is straight
            path.append(f"L{next_x:.1f} {next_y:.1f}")
        else:
            middle = (y + next_y) / 2
            path.append(f"C{x:.1f} {middle:.1f} {next_x:.1f} {middle:.1f} {next_x:.1f} {next_y:.1f}")
        x, y = next_x, next_y
    return (
        f'<path d="{" ".join(path)}" fill="none" stroke="{_LINE}" stroke-width="1.3" marker-end="url(#trtlab-arrow)"/>'
    )


@dataclass(frozen=True)
class _Frame:
    """What stands around the boxes: what the picture is of, what it says, how it was chosen, which states there are."""

    title: str
    heading: str
    note: str = ""
    states: tuple[int, ...] = ()

    def around(self, pieces: Sequence[str], width: float, height: float) -> str:
        """Return the whole document."""
        across = max(width + 2 * _MARGIN, _SMALLEST_WIDTH)
        room = across - 2 * _MARGIN
        top = _MARGIN + _HEADING + (_LINE_HEIGHT if self.note else 0.0)
        down = top + height + _MARGIN + (_LEGEND if self.states else 0.0)
        size = f'width="{across:.0f}" height="{down:.0f}" viewBox="0 0 {across:.0f} {down:.0f}"'
        name = f"{_escape(shorten_middle(self.title, _LONGEST_TIP))}: {_escape(self.heading)}"
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{_FONT}" role="img"><title>{name}</title>',
            _ARROW,
            _rectangle(0.5, 0.5, round(across - 1), round(down - 1), rx=6, fill=_SURFACE, stroke="#d0d0d0"),
            _text(_MARGIN, _MARGIN + 12, _fit(self.title, room, 7.0), 12, fill=_MUTED),
            _text(_MARGIN, _MARGIN + 34, _fit(self.heading, room, 9.0), 15, fill=_TEXT, font_weight="bold"),
            _text(_MARGIN, _MARGIN + 54, _fit(self.note, room, 6.4), 12, fill=_MUTED),
            f'<g transform="translate({(across - width) / 2:.1f} {top:.1f})">',
            *pieces,
            "</g>",
        ]
        x = _MARGIN
        for state in self.states:
            colour, _, sign, word = _STATES[state]
            parts.append(_text(x, down - 16, f"{sign} {word}", 12, fill=colour))
            x += 34 + 6.4 * len(word)
        return "".join([*parts, "</svg>"])


def _fit(text: str, pixels: float, letter: float) -> str:
    """Return a text shortened in its middle to a width, for letters of a mean width; wide letters count twice."""
    text = " ".join(text[:_LONGEST_TEXT].split())
    room = int(pixels / letter)
    limit = len(text)
    shown = text
    while limit > 1 and sum(1 + (unicodedata.east_asian_width(each) in "WF") for each in shown) > room:
        limit = min(limit - 1, room)
        shown = shorten_middle(text, limit)
    return shown


def _escape(text: str) -> str:
    return html.escape(_FORBIDDEN.sub("\ufffd", text))
