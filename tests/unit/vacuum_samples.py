"""Relations and outcomes to test with."""

import datetime as dt
from dataclasses import replace
from typing import Any

from atomops.facts.vacuum import Relation, Status, TableOutcome, TableState, VacuumFacts

BEFORE = TableState(
    live_rows=1000, dead_rows=500, size=81_920, xid_age=2_000, multixact_age=1, vacuums=1, analyzes=1, filenode=7
)
AFTER = replace(BEFORE, dead_rows=0, since_vacuum=0.1, since_analyze=0.1, vacuums=2, analyzes=2)
AT = dt.datetime(2026, 11, 24, 4, 0, tzinfo=dt.UTC)


def relation(name: str, oid: int = 1, **given: Any) -> Relation:  # noqa: ANN401 - as the fields are
    made = Relation(
        oid=oid,
        schema="public",
        name=name,
        kind="r",
        persistence="p",
        owner="atom",
        may_vacuum=True,
        has_children=False,
        parent=None,
        pages=8192,
        location="",
        state=BEFORE,
    )
    return replace(made, **given)


def outcome(status: Status = Status.DONE, table: str = "public.episode", **given: Any) -> TableOutcome:  # noqa: ANN401 - as the fields are
    done = TableOutcome(table, status, 'VACUUM (ANALYZE) "public"."episode"', seconds=2, before=BEFORE, after=AFTER)
    return replace(done, **given)


def facts(*outcomes: TableOutcome, **given: Any) -> VacuumFacts:  # noqa: ANN401 - as the fields are
    made = VacuumFacts(
        at=AT,
        dry_run=False,
        database="atom",
        role="atom",
        server="17.10",
        choice="named: episode",
        outcomes=outcomes,
        statements=tuple(each.statement for each in outcomes),
    )
    return replace(made, **given)
