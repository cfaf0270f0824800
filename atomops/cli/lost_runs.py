"""What becomes of a run whose worker has died: automations of the Prefect server, applied by `atomops deploy`."""

import yaml


async def watch_over_runs(described: str) -> None:
    """Every automation that is described (YAML) is on the server, once and as written there.

    Repeating it changes nothing; one that somebody has paused stays paused.
    """
    from prefect.client.orchestration import get_client  # noqa: PLC0415 - 2 s that `--help` need not wait for
    from prefect.events.schemas.automations import AutomationCore  # noqa: PLC0415 - likewise

    async with get_client() as client:
        for wanted in map(AutomationCore.model_validate, yaml.safe_load(described)["automations"]):
            there = await client.read_automations_by_name(wanted.name)
            for double in there[1:]:
                await client.delete_automation(double.id)
            if there:
                await client.update_automation(there[0].id, wanted.model_copy(update={"enabled": there[0].enabled}))
            else:
                await client.create_automation(wanted)
