"""`atomops demo`: the sandbox, a Prefect server and the scheduled flows, on this machine."""

from typing import Annotated

import typer

from atomops.cli.app import app


@app.command()
def demo(*, once: Annotated[bool, typer.Option("--once", help="end after the reports")] = False) -> int:
    """Start a whole small world, run every scheduled flow once for real, and go on serving until Ctrl-C."""
    from atomops.sandbox.demo import demonstrate  # noqa: PLC0415 - needs the extra `sandbox`

    return demonstrate(once=once)
