"""Small charts of a trend, as SVG in a data URI: the one form of picture that the Prefect UI shows in markdown."""

import base64
from collections.abc import Sequence

from atomops.reports.report import Point

_WIDTH, _HEIGHT, _MARGIN = 240, 44, 4
_INK = "#3b82f6"  # legible on white and on black


def data_uri(points: Sequence[Point]) -> str:
    """The chart for the `src` of an image."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg(points).encode()).decode()


def svg(points: Sequence[Point]) -> str:
    """A line from the oldest point to the newest, which is marked; a single value or a constant lies in the middle."""
    places = _places([value for _, value in points])
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    x, y = places[-1] if places else (0.0, 0.0)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}">'
        f'<polyline points="{line}" fill="none" stroke="{_INK}" stroke-width="2" stroke-linejoin="round"/>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{_INK}"/></svg>'
    )


def blocks(points: Sequence[Point]) -> str:
    """The same as text, for a terminal: one block a point, the last thirty of them."""
    values = [value for _, value in points][-30:]
    low, high = min(values, default=0), max(values, default=0)
    if high == low:
        return "▄" * len(values)
    return "".join("▁▂▃▄▅▆▇█"[round(7 * (value - low) / (high - low))] for value in values)


def _places(values: Sequence[float]) -> list[tuple[float, float]]:
    low, high = min(values, default=0), max(values, default=0)
    inner_width, inner_height = _WIDTH - 2 * _MARGIN, _HEIGHT - 2 * _MARGIN
    step = inner_width / max(1, len(values) - 1)
    return [
        (
            _MARGIN + step * place if len(values) > 1 else _WIDTH / 2,
            _MARGIN + inner_height * (1 - (value - low) / (high - low)) if high > low else _HEIGHT / 2,
        )
        for place, value in enumerate(values)
    ]
