from pathlib import Path

from atomops.probes.parts import FLEET, INCIDENTS, PARTS, SETTLING
from atomops.profiles import load_profile
from atomops.questions import question_checks
from docs.write_runbook import FOLDER, every_check, pages

ROOT = Path(__file__).parents[2]


def test_every_check_has_its_page_and_every_page_says_what_its_check_does_now() -> None:
    outdated = [path.name for path, text in pages().items() if not path.exists() or path.read_text("utf-8") != text]
    assert not outdated, "run: make format"


def test_no_page_is_left_of_a_check_that_is_gone() -> None:
    known = {path.name for path in pages()}
    known |= {f"{path.stem.replace('_', '-')}.md" for path in (ROOT / "flows").glob("[a-z]*.py")}
    assert {path.name for path in FOLDER.glob("*.md")} == known


def test_both_profiles_judge_the_same_codes_by_the_same_limits() -> None:
    atom, guide = (question_checks([load_profile(name)]) for name in ("atom", "guide"))
    assert {each.code: each.limit for each in atom} == {each.code: each.limit for each in guide}


def test_codes_are_stable_words_and_each_belongs_to_a_section_of_the_report() -> None:
    sections = {section for part in (*PARTS, SETTLING, FLEET, INCIDENTS) for section in part.sections}
    for check in every_check():
        assert check.code.replace("-", "").isalnum()
        assert check.code.isupper()
        assert check.section in sections
        assert check.guarantee.endswith("."), check.code
