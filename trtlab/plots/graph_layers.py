"""A layered layout of a small graph, for a picture: top to bottom, few crossings, long ones broken into columns.

The classic steps (Sugiyama, Tagawa and Toda 1981): turn circles open, give each box a layer, let edges that pass layers have a
place in each, order each layer by the barycentre of its neighbours, then move boxes towards their neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise

BOX_WIDTH, GAP, PASSING_WIDTH = 184.0, 26.0, 14.0
_SWEEPS = 8
_MOVES = 6
_LAYERS_IN_COLUMN = 12
_BOXES_IN_LAYER = 6
_COLUMN_GAP = 56.0
_LAYER_GAP = 34.0
_LANE = 7.0


@dataclass
class Layout:
    """Where everything lies, in pixels.

    Attributes:
        boxes: Left and upper side of each box.
        lines: The points that each edge passes, from its maker to its reader.
        width: Size of the whole.
        height: Size of the whole.
    """

    boxes: list[tuple[float, float]]
    lines: list[list[tuple[float, float]]]
    width: float
    height: float


@dataclass
class _Rows:
    """Boxes, and the places where edges pass a layer, layer by layer."""

    members: list[list[int]]
    layer_of: list[int]
    above: list[list[int]]
    below: list[list[int]]
    paths: list[list[int]] = field(default_factory=list)


def lay_out(heights: Sequence[float], edges: Sequence[tuple[int, int]]) -> Layout:
    """Return where boxes and edges lie.

    Args:
        heights: Height of each box, in pixels. All have the same width.
        edges: Pairs of boxes, from maker to reader. Circles are allowed.
    """
    count = len(heights)
    forward = _open_circles(count, edges)
    layers = _layers(count, forward)
    rows = _rows(layers, forward)
    _order(rows, count)
    centres = _centres(rows, count)
    tops, columns = _tops(rows, heights)
    turned = [forward[place] != edge for place, edge in enumerate(edges)]
    return _finish(rows, centres, tops, columns, heights, turned)


def _open_circles(count: int, edges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the edges with those turned round that close a circle; found by a depth-first walk."""
    followers: list[list[int]] = [[] for _ in range(count)]
    for begin, end in edges:
        followers[begin].append(end)
    state = [0] * count  # 1: on the way, 2: done
    rank = [0] * count
    done = count
    for root in range(count):
        walk = [(root, iter(followers[root]))] if not state[root] else []
        state[root] = state[root] or 1
        while walk:
            box, rest = walk[-1]
            following = next((each for each in rest if not state[each]), None)
            if following is not None:
                state[following] = 1
                walk.append((following, iter(followers[following])))
                continue
            walk.pop()
            state[box] = 2
            done -= 1
            rank[box] = done
    return [(begin, end) if rank[begin] <= rank[end] else (end, begin) for begin, end in edges]


def _layers(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """Return the layer of each box: one below the lowest that it reads from; what reads nothing lies just above its first reader."""
    above: list[list[int]] = [[] for _ in range(count)]
    below: list[list[int]] = [[] for _ in range(count)]
    for begin, end in edges:
        if begin != end:
            above[end].append(begin)
            below[begin].append(end)
    waiting = [len(each) for each in above]
    layers = [0] * count
    ready = [box for box in range(count) if not waiting[box]]
    order = []
    for box in ready:
        order.append(box)
        for reader in below[box]:
            layers[reader] = max(layers[reader], layers[box] + 1)
            waiting[reader] -= 1
            if not waiting[reader]:
                ready.append(reader)
    for box in range(count):
        if not above[box] and below[box]:
            layers[box] = min(layers[reader] for reader in below[box]) - 1
    return _narrowed(order, layers, above)


def _narrowed(order: Sequence[int], layers: Sequence[int], above: Sequence[Sequence[int]]) -> list[int]:
    """Move boxes of crowded layers down, so that the picture can be read at the width of a page."""
    narrow = [0] * len(layers)
    crowd: dict[int, int] = {}
    for box in sorted(order, key=layers.__getitem__):  # makers stay before their readers
        layer = max([layers[box], *(narrow[each] + 1 for each in above[box])])
        while crowd.get(layer, 0) >= _BOXES_IN_LAYER:
            layer += 1
        narrow[box] = layer
        crowd[layer] = crowd.get(layer, 0) + 1
    used = {layer: at for at, layer in enumerate(sorted(crowd))}
    return [used[layer] for layer in narrow]


def _rows(layers: Sequence[int], edges: Sequence[tuple[int, int]]) -> _Rows:
    count = len(layers)
    rows = _Rows(
        [[] for _ in range(max(layers, default=0) + 1)], list(layers), [[] for _ in layers], [[] for _ in layers]
    )
    passing: dict[tuple[int, int], int] = {}  # edges of one maker pass a layer together
    for begin, end in edges:
        path = [begin]
        for layer in range(layers[begin] + 1, layers[end]):
            place = passing.setdefault((begin, layer), len(rows.layer_of))
            if place == len(rows.layer_of):
                rows.layer_of.append(layer)
                rows.above.append([])
                rows.below.append([])
            path.append(place)
        path.append(end)
        rows.paths.append(path)
        for upper, lower in pairwise(path):
            if upper != lower and lower not in rows.below[upper]:
                rows.below[upper].append(lower)
                rows.above[lower].append(upper)
    # A depth-first walk puts what belongs together side by side.
    seen = [False] * len(rows.layer_of)
    for root in sorted(range(count), key=lambda box: (layers[box], box)):
        walk = [root]
        while walk:
            place = walk.pop()
            if not seen[place]:
                seen[place] = True
                rows.members[rows.layer_of[place]].append(place)
                walk += reversed(rows.below[place])
    return rows


def _order(rows: _Rows, count: int) -> None:
    """Order each layer by the mean position of the neighbours, downwards and upwards in turn; keep the best."""
    best, fewest = [list(row) for row in rows.members], _crossings(rows)
    for sweep in range(_SWEEPS):
        neighbours = rows.above if sweep % 2 == 0 else rows.below
        position = [0.0] * len(rows.layer_of)
        for row in rows.members if sweep % 2 == 0 else reversed(rows.members):
            means = {
                place: sum(position[each] for each in neighbours[place]) / len(neighbours[place])
                if neighbours[place]
                else at / max(len(row), 1)
                for at, place in enumerate(row)
            }
            row[:] = _sorted_row(row, means, count)
            for at, place in enumerate(row):
                position[place] = (at + 0.5) / len(row)
        crossings = _crossings(rows)
        if crossings <= fewest:
            best, fewest = [list(row) for row in rows.members], crossings
    rows.members = best


def _sorted_row(row: Sequence[int], means: Mapping[int, float], count: int) -> list[int]:
    """Sort a layer; among those that belong at the same place, edges that go on below stand in the middle.

    Else a node with many readers would pull each of their layers further to one side.
    """
    ordered: list[int] = []
    for _, alike in groupby(sorted(row, key=means.__getitem__), key=means.__getitem__):
        places = list(alike)
        boxes = [place for place in places if place < count]
        half = (len(boxes) + 1) // 2
        ordered += [*boxes[:half], *(place for place in places if place >= count), *boxes[half:]]
    return ordered


def _crossings(rows: _Rows) -> int:
    position = [0] * len(rows.layer_of)
    for row in rows.members:
        for at, place in enumerate(row):
            position[place] = at
    total = 0
    for row in rows.members:
        ends = [lower for place in row for lower in sorted(position[each] for each in rows.below[place])]
        total += sum(first > second for at, first in enumerate(ends) for second in ends[at + 1 :])
    return total


def _centres(rows: _Rows, count: int) -> list[float]:
    """Return the middle of each place, across."""
    widths = [BOX_WIDTH if place < count else PASSING_WIDTH for place in range(len(rows.layer_of))]
    centres = [0.0] * len(widths)
    for row in rows.members:
        _separate(row, centres, widths, [0.0] * len(row))
    for move in range(2 * _MOVES):
        down = move % 2 == 0
        neighbours = rows.above if down else rows.below
        for row in rows.members if down else reversed(rows.members):
            wanted = [
                sum(centres[each] for each in neighbours[place]) / len(neighbours[place])
                if neighbours[place]
                else centres[place]
                for place in row
            ]
            _separate(row, centres, widths, wanted)
    return centres


def _separate(row: Sequence[int], centres: list[float], widths: Sequence[float], wanted: Sequence[float]) -> None:
    """Put the places of a layer as near to where they are wanted as their order and distance allow.

    With the distances taken off, this is the nearest rising sequence: neighbours that stand in the wrong order are
    pooled at their mean.
    """
    offsets = [0.0]
    for left, right in pairwise(row):
        offsets.append(offsets[-1] + (widths[left] + widths[right]) / 2 + GAP)
    pools: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=False):
        mean, size = want - offset, 1
        while pools and pools[-1][0] > mean:
            other, others = pools.pop()
            mean, size = (mean * size + other * others) / (size + others), size + others
        pools.append((mean, size))
    free = [mean for mean, size in pools for _ in range(size)]
    for place, base, offset in zip(row, free, offsets, strict=False):
        centres[place] = base + offset


def _tops(rows: _Rows, heights: Sequence[float]) -> tuple[list[float], list[int]]:
    """Return the upper side of each layer, and the column that it stands in."""
    count = len(rows.members)
    columns = max(1, -(-count // _LAYERS_IN_COLUMN))
    in_column = -(-count // columns)
    tops: list[float] = []
    top = 0.0
    for layer, row in enumerate(rows.members):
        if layer % in_column == 0:
            top = 0.0
        tops.append(top)
        top += max((heights[place] for place in row if place < len(heights)), default=0.0) + _LAYER_GAP
    return tops, [layer // in_column for layer in range(count)]


def _finish(
    rows: _Rows,
    centres: list[float],
    tops: Sequence[float],
    columns: Sequence[int],
    heights: Sequence[float],
    turned: Sequence[bool],
) -> Layout:
    """Shift columns side by side and draw the edges between layers and between columns."""
    count = len(heights)
    gutters, width = _set_columns(rows, centres, columns, count)
    depth = [max((heights[place] for place in row if place < count), default=0.0) for row in rows.members]
    floor = max((top + deep for top, deep in zip(tops, depth, strict=True)), default=0.0)
    lanes = [0] * len(gutters)
    lane_of: dict[tuple[int, int], float] = {}
    lines = []
    for path, is_turned in zip(rows.paths, turned, strict=True):
        points: list[tuple[float, float]] = []
        for upper, lower in pairwise(path):
            top, bottom = rows.layer_of[upper], rows.layer_of[lower]
            begin = (centres[upper], tops[top] + (heights[upper] if upper < count else depth[top]))
            end = (centres[lower], tops[bottom])
            points += [(centres[upper], tops[top]), begin] if upper >= count else [begin]
            column = columns[bottom]
            if columns[top] != column:
                lane = lane_of.get((upper, lower))
                if lane is None:
                    lanes[column] += 1
                    lane = lane_of[upper, lower] = lanes[column] * _LANE
                gutter = gutters[column] + min(lane, _COLUMN_GAP - _LANE)
                points += [(begin[0], floor + lane), (gutter, floor + lane), (gutter, -lane), (end[0], -lane)]
            points.append(end)
        lines.append(points[::-1] if is_turned else points)
    spare = max(lanes, default=0) * _LANE
    boxes = [(centres[box] - BOX_WIDTH / 2, tops[rows.layer_of[box]] + spare) for box in range(count)]
    lines = [[(x, y + spare) for x, y in line] for line in lines]
    return Layout(boxes, lines, width, floor + 2 * spare)


def _set_columns(rows: _Rows, centres: list[float], columns: Sequence[int], count: int) -> tuple[list[float], float]:
    """Shift the columns side by side; return where the room on the left of each begins, and the width of all."""
    shift = 0.0
    gutters: list[float] = []  # left of each column
    for column in range(columns[-1] + 1 if columns else 0):
        members = [place for layer, row in enumerate(rows.members) if columns[layer] == column for place in row]
        left = min(centres[place] - (BOX_WIDTH if place < count else PASSING_WIDTH) / 2 for place in members)
        gutters.append(shift - _COLUMN_GAP)
        for place in members:
            centres[place] += shift - left
        shift = max(centres[place] + (BOX_WIDTH if place < count else PASSING_WIDTH) / 2 for place in members)
        shift += _COLUMN_GAP
    return gutters, max(shift - _COLUMN_GAP, 0.0)
