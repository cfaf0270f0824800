import base64
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomops.reports.charts import HEIGHT, WIDTH, blocks, data_uri, svg
from atomops.reports.report import Point

printable = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"]))
SVG = "{http://www.w3.org/2000/svg}"
series = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=60).map(
    lambda values: [(f"2026-10-{1 + place % 30:02}T09:00:00Z", value) for place, value in enumerate(values)]
)


def line(points: list[Point]) -> list[tuple[float, float]]:
    root = ET.fromstring(svg("a", points, "1", "0 to 1"))  # noqa: S314 - what we have just drawn ourselves
    drawn = root.find(f"{SVG}polyline")
    assert drawn is not None
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in drawn.attrib["points"].split())]


@given(series)
def test_every_point_lies_in_the_picture_from_left_to_right_and_a_higher_value_is_never_lower(
    points: list[Point],
) -> None:
    places = line(points)
    assert all(0 < x < WIDTH and 0 < y < HEIGHT for x, y in places)
    assert [x for x, _ in places] == sorted(x for x, _ in places)
    by_value = sorted(zip((value for _, value in points), (y for _, y in places), strict=True))
    assert all(lower[1] >= higher[1] for lower, higher in pairwise(by_value))


@given(series)
def test_the_same_as_text_has_a_block_for_each_of_the_last_points(points: list[Point]) -> None:
    assert len(blocks(points, 24)) == min(24, len(points))


@pytest.mark.parametrize("values", [[7.0], [7.0, 7.0, 7.0], [0.0]])
def test_a_single_value_and_a_constant_lie_in_the_middle(values: list[float]) -> None:
    points = [("2026-11-24T09:00:00Z", value) for value in values]
    assert {y for _, y in line(points)} == {64.0}
    assert set(blocks(points)) == {"▅"}


@pytest.mark.parametrize(
    ("times", "said"),
    [
        (["2026-11-24T09:00:05Z"], "2026-11-24 09:00 UTC"),
        (["2026-11-24T09:00:05Z", "2026-11-24T12:30:00Z"], "09:00 to 12:30 UTC"),
        (["2026-10-01T09:00:05Z", "2026-11-24T09:00:05Z"], "10-01 to 11-24"),
    ],
)
def test_the_chart_says_from_when_to_when(times: list[str], said: str) -> None:
    assert f">{said}<" in svg("a", [(time, 1.0) for time in times], "1", "")


@given(printable, printable)
def test_titles_and_values_stay_text(title: str, last: str) -> None:
    drawn = svg(title, [("x", 1.0)], last, "")
    root = ET.fromstring(drawn)  # noqa: S314 - what we have just drawn ourselves
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {
        *("svg", "rect", "text", "polygon", "polyline", "circle"),
    }
    assert (root.findtext(f"{SVG}text") or "") == title


def test_the_source_of_the_image_is_the_chart_itself() -> None:
    points = [("2026-11-24T09:00:00Z", 1.0)]
    head, _, encoded = data_uri("a", points, "1", "").partition(",")
    assert head == "data:image/svg+xml;base64"
    assert base64.b64decode(encoded).decode() == svg("a", points, "1", "")


def test_an_extent_that_does_not_fit_beside_the_times_is_left_out() -> None:
    points = [("2026-11-24T09:00:05Z", 1.0), ("2026-11-24T12:30:00Z", 2.0)]
    assert ">1 to 2<" in svg("a", points, "2", "1 to 2")
    assert "0.000262731" not in svg("a", points, "2", "0.000262731 to 0.000383612 of it all")
