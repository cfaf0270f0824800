"""The report as one HTML file that needs nothing else: no script, no style sheet, no picture from elsewhere."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from atomops.humane import plural
from atomops.reports import charts, phrases
from atomops.reports.report import Report

_ENVIRONMENT = Environment(
    loader=PackageLoader("atomops.reports", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def html(report: Report) -> str:
    """The whole page, in the order of the markdown; every text from a server is escaped."""
    template = _ENVIRONMENT.get_template("report.html")
    return template.render(report=report, phrases=phrases, plural=plural, width=charts.WIDTH, height=charts.HEIGHT)
