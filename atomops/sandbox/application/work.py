"""What an agent does when it runs: rows in the tables, a job for the worker, and now and then a failure."""

import asyncio
import itertools
import logging
import random
import time
from typing import Any

from psycopg.rows import dict_row

from atomops.sandbox.application import jobs
from atomops.sandbox.application.database import Pool, Session
from atomops.sandbox.application.log import coded
from atomops.sandbox.application.metrics import ACTIVE_AGENTS, AGENT_RUNS, AGENT_SECONDS, SKILL_RUNS
from atomops.sandbox.application.parts import Parts

LOG = logging.getLogger("core.agent_runtime")
_FAILS_EVERY = 20
_NUMBERS = itertools.count(1)


async def agents(database: Pool) -> list[dict[str, Any]]:
    """Every agent that may work."""
    async with database.session() as session, session.cursor(row_factory=dict_row) as rows:
        await rows.execute("SELECT id, name, status FROM agent_registry WHERE status <> 'paused' ORDER BY name")
        return await rows.fetchall()


async def run(parts: Parts, agent: str) -> dict[str, str]:
    """The run is in the tables, as completed or failed, whatever became of it."""
    started = time.monotonic()
    fails = next(_NUMBERS) % _FAILS_EVERY == 0
    async with parts.database.session() as session:
        execution = await _begin(session, agent)
    with ACTIVE_AGENTS.track_inprogress():
        await asyncio.sleep(random.uniform(0.05, 0.25))  # noqa: S311 - thinking, no secret
    status = "failed" if fails else "completed"
    async with parts.database.session() as session, session.transaction():
        await _use_skill(session, agent, status)
        await _remember(session, agent, execution)
        await _end(session, execution, status, time.monotonic() - started)
    await jobs.push(parts.redis, f"index_episode({execution})")
    _note(agent, status, time.monotonic() - started)
    return {"execution": execution, "status": status}


async def _begin(session: Session, agent: str) -> str:
    row = await session.execute(
        """INSERT INTO agent_executions (id, agent_id, status, started_at, triggered_by)
           VALUES (gen_random_uuid()::text, %s, 'running', now(), 'api') RETURNING id""",
        (agent,),
    )
    return str((await row.fetchone() or [""])[0])


async def _use_skill(session: Session, agent: str, status: str) -> None:
    row = await session.execute(
        """INSERT INTO skill_executions (id, agent_id, skill_id, status, execution_seconds, created_at, completed_at)
           SELECT gen_random_uuid()::text, %s, id, %s, random(), now() - interval '1 second', now()
           FROM skills ORDER BY random() LIMIT 1 RETURNING skill_id""",
        (agent, "failed" if status == "failed" else "success"),
    )
    skill = str((await row.fetchone() or [""])[0])
    SKILL_RUNS.labels(skill, "failed" if status == "failed" else "success").inc()


async def _remember(session: Session, agent: str, execution: str) -> None:
    await session.execute(
        """WITH episode AS (
             INSERT INTO agent_episodes (id, agent_id, execution_id, status, started_at, importance_score, decay_score)
             VALUES (gen_random_uuid()::text, %s, %s, 'completed', now(), random(), 1) RETURNING id)
           INSERT INTO episode_segments (id, episode_id, sequence_order, segment_type, content, created_at)
           SELECT gen_random_uuid()::text, episode.id, part, 'action', 'step ' || part, now()
           FROM episode, generate_series(1, 3) AS part""",
        (agent, execution),
    )


async def _end(session: Session, execution: str, status: str, seconds: float) -> None:
    error = "model timed out" if status == "failed" else None
    await session.execute(
        """UPDATE agent_executions
           SET status = %s, completed_at = now(), duration_seconds = %s, error_message = %s WHERE id = %s""",
        (status, seconds, error, execution),
    )


def _note(agent: str, status: str, seconds: float) -> None:
    AGENT_RUNS.labels(agent, status).inc()
    AGENT_SECONDS.observe(seconds)
    if status == "failed":
        LOG.error("Agent run failed: model timed out", extra=coded("LLM_TIMEOUT"))
    else:
        LOG.info("Agent run completed in %.2f s", seconds)
