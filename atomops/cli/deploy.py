"""`atomops deploy`: every deployment of prefect.yaml, for every target of the inventory."""

import asyncio
import sys
import tempfile
from pathlib import Path

import typer
import yaml

from atomops import deployments, shell
from atomops.cli.app import InventoryOption, app, use_inventory
from atomops.cli.lost_runs import watch_over_runs
from atomops.errors import NotThere
from atomops.inventory import load_inventory

CHECKOUT = Path(__file__).resolve().parents[2]
_SECONDS = 120  # a deploy takes about 4 s


@app.command()
def deploy(inventory: InventoryOption = None) -> None:
    """Create or update the deployments on the Prefect server, with one schedule per target at its local time.

    So are the automations that watch over their runs. Repeating it changes nothing; schedules of targets that are
    gone from the inventory are removed.
    """
    use_inventory(inventory)
    asyncio.run(_deploy())


async def _deploy() -> None:
    from prefect.settings import PREFECT_API_URL  # noqa: PLC0415 - 2 s that `--help` need not wait for

    if not PREFECT_API_URL.value():
        raise NotThere("no Prefect server is named", action="export PREFECT_API_URL=http://HOST:4200/api")
    targets = [target.model_copy(update={"name": name}) for name, target in load_inventory().targets.items()]
    lost_runs = (CHECKOUT / "deployments" / "lost-runs.yaml").read_text(encoding="utf-8")
    description = yaml.safe_load((CHECKOUT / "prefect.yaml").read_text(encoding="utf-8"))
    expanded = deployments.expand(description, targets)
    pools = {deployment["work_pool"]["name"] for deployment in expanded["deployments"]}
    for pool in sorted(pools):
        await _prefect("work-pool", "create", "--type", "process", "--overwrite", pool)
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", prefix="atomops-deploy-") as file:
        yaml.safe_dump(expanded, file, sort_keys=False)
        file.flush()
        await _prefect("--no-prompt", "deploy", "--all", "--prefect-file", file.name)
    await _remove_leftovers(deployments.slugs(expanded))
    await watch_over_runs(lost_runs)
    typer.echo(f"deployed {', '.join(deployments.slugs(expanded))} for {', '.join(target.name for target in targets)}")


async def _prefect(*arguments: str) -> None:
    await shell.run([sys.executable, "-m", "prefect", *arguments], timeout=_SECONDS, cwd=CHECKOUT)


async def _remove_leftovers(wanted: dict[str, set[str]]) -> None:
    """Schedules under another slug survive a redeploy, and would go on firing for a target that is gone."""
    from prefect.client.orchestration import get_client  # noqa: PLC0415 - 2 s that `--help` need not wait for

    async with get_client() as client:
        for name, slugs in wanted.items():
            deployment = await client.read_deployment_by_name(f"{name}/{name}")
            for schedule in await client.read_deployment_schedules(deployment.id):
                if schedule.slug not in slugs:
                    await client.delete_deployment_schedule(deployment.id, schedule.id)
