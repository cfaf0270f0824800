"""Write the page of every check, and their index, from the checks themselves; `make format` runs it."""

from pathlib import Path

from atomops.profiles import BUILT_IN, load_profile
from atomops.questions import question_checks
from atomops.registry import Check, checks
from atomops.reports.runbook import index, page

FOLDER = Path(__file__).parent / "runbook"


def every_check() -> tuple[Check, ...]:
    """Those of the code and those of the built-in profiles, each once, whoever asks it."""
    every = (*checks(), *question_checks(load_profile(name) for name in BUILT_IN))
    return tuple({each.code: each for each in every}.values())


def pages() -> dict[Path, str]:
    """Every page with its text."""
    known = every_check()
    return {FOLDER / "checks.md": index(known)} | {FOLDER / Path(each.runbook).name: page(each) for each in known}


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
