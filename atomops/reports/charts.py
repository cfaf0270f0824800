"""Small charts of a trend: SVG in a data URI, the one form of picture that the Prefect UI shows; and text blocks."""

import base64
from collections.abc import Sequence
from html import escape

from atomops.reports.report import Point

WIDTH, HEIGHT = 250, 104  # three beside each other fit the Prefect UI
_LEFT, _RIGHT, _TOP, _BOTTOM = 10, WIDTH - 10, 46, 82  # of the line
_INK, _GREY = "#3b82f6", "#7d8590"  # both legible on white and on black
_FONT = "system-ui, -apple-system, Segoe UI, Roboto, sans-serif"
_BLOCKS = "▁▂▃▄▅▆▇█"
_MIDDLE = 0.5
_FITTING = 46  # characters of the two texts below the line


def data_uri(title: str, points: Sequence[Point], last: str, extent: str) -> str:
    """The chart for the `src` of an image: it loads nothing, and runs no script there."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg(title, points, last, extent).encode()).decode()


def svg(title: str, points: Sequence[Point], last: str, extent: str) -> str:
    """A line from the oldest point to the newest, one step a report, under its title and its last value.

    `extent` says between which values the line lies, where there is room for it. A single value or a constant lies in
    the middle.
    """
    places = _places([value for _, value in points])
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    x, y = places[-1]
    when = _when(points)
    extent = extent if len(when) + len(extent) <= _FITTING else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
        f' font-family="{_FONT}" font-size="10" fill="{_GREY}">'
        f'<rect x=".5" y=".5" width="{WIDTH - 1}" height="{HEIGHT - 1}" rx="6" fill="none" stroke="{_GREY}"'
        f' stroke-opacity=".4"/>'
        f'<text x="{_LEFT}" y="18" font-size="11">{escape(title)}</text>'
        f'<text x="{_LEFT}" y="36" font-size="14" font-weight="600" fill="{_INK}">{escape(last)}</text>'
        f'<polygon points="{places[0][0]:.1f},{_BOTTOM} {line} {x:.1f},{_BOTTOM}" fill="{_INK}" fill-opacity=".12"/>'
        f'<polyline points="{line}" fill="none" stroke="{_INK}" stroke-width="1.8" stroke-linejoin="round"/>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{_INK}"/>'
        f'<text x="{_LEFT}" y="97">{escape(when)}</text>'
        f'<text x="{_RIGHT}" y="97" text-anchor="end">{escape(extent)}</text></svg>'
    )


def blocks(points: Sequence[Point], most: int = 24) -> str:
    """The same as text, for a terminal: one block a point, the last `most` of them."""
    shares = _shares([value for _, value in points[-most:]])
    return "".join(_BLOCKS[round((len(_BLOCKS) - 1) * share)] for share in shares)


def _when(points: Sequence[Point]) -> str:
    """From the first day to the last; the times of day where that is the same one."""
    first, last = points[0][0], points[-1][0]
    if first == last:
        return f"{first[:10]} {first[11:16]} UTC"
    if first[:10] == last[:10]:
        return f"{first[11:16]} to {last[11:16]} UTC"
    return f"{first[5:10]} to {last[5:10]}"


def _places(values: Sequence[float]) -> list[tuple[float, float]]:
    step = (_RIGHT - _LEFT) / max(1, len(values) - 1)
    start = _LEFT if len(values) > 1 else (_LEFT + _RIGHT) / 2
    return [(start + step * place, _BOTTOM - (_BOTTOM - _TOP) * share) for place, share in enumerate(_shares(values))]


def _shares(values: Sequence[float]) -> list[float]:
    """Where each value lies between the lowest (0) and the highest (1). Halves, since their span may overflow."""
    low, span = min(values) / 2, max(values) / 2 - min(values) / 2
    return [(value / 2 - low) / span if span > 0 else _MIDDLE for value in values]
