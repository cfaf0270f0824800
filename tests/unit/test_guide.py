"""The table "guide section -> flow": whatever it says can be typed."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
ROWS = [
    tuple(cell.strip() for cell in line.strip("|").split("|"))
    for line in TABLE.splitlines()
    if line.startswith("| ") and not line.startswith("| section")
]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FLOWS = set(PROJECT["project"]["entry-points"]["atomops.flows"])
# as the operations guide numbers them: pages with a command of their own
SECTIONS = 45


def test_every_section_has_one_row_and_no_cell_is_empty() -> None:
    assert len(ROWS) == len({section for section, *_ in ROWS}) == SECTIONS
    assert all(len(row) == 3 and all(row) for row in ROWS)


def test_every_command_is_a_flow_that_is_there() -> None:
    told = re.findall(r"atomops run ([a-z-]+)", TABLE)
    assert set(told) <= FLOWS
    assert all("`atomops " in command or (ROOT / command.strip("`")).is_dir() for _, command, _ in ROWS)
