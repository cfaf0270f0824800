import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomops.commands.promql_names import metric_names, unmet

UP = frozenset({"up"})


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("up == 0", {"up"}),
        ('rate(http_requests_total{status=~"5..",path="a{b}[c](d"}[5m] offset 1h) > 0.5', {"http_requests_total"}),
        ("sum by (job, instance) (up) / on (job) group_left (pod) sum without(pod) (job:up:sum)", {"up", "job:up:sum"}),
        ("sum(up) by (job) > bool 1e3", {"up"}),
        ("count > 3", {"count"}),
        ("histogram_quantile(0.95, sum by (le) (rate(seconds_bucket[5m]))) > +Inf", {"seconds_bucket"}),
        ("max_over_time(rate(x[5m])[1h:30s]) - (y) * ignoring (z) -w @ start()", {"x", "y", "w"}),
        ('label_replace(x, "up", "$1", `up`, \'up\') # up\n', {"x"}),
        ('{__name__="a_b",job="up"} and on() vector(1)', {"a_b"}),
        ('{__name__=~"a|b"}', set()),
        ("time() - 0x1F > 5m and hour() > 8 unless nan", set()),
    ],
)
def test_the_metrics_of_an_expression_are_neither_labels_nor_functions_nor_words(
    expression: str, names: set[str]
) -> None:
    assert metric_names(expression) == names


@given(st.text(max_size=60))
def test_no_text_is_too_odd_to_look_through(text: str) -> None:
    assert all(name in text for name in metric_names(text))


@pytest.mark.parametrize(
    ("expression", "lacking"),
    [
        ("up == 0", set()),
        ("errors_total / requests_total > 0.1", {"errors_total", "requests_total"}),
        ("up * on () build_info", {"build_info"}),
        ("absent(errors_total)", set()),
        ("absent_over_time(errors_total[1h])", set()),
        ("up == 0 unless on () maintenance", set()),
        ("errors_total OR up", set()),
        ("errors_total or failures_total", {"errors_total", "failures_total"}),
    ],
)
def test_a_rule_lacks_a_metric_only_when_it_says_nothing_without_it(expression: str, lacking: set[str]) -> None:
    assert unmet(expression, UP) == lacking
