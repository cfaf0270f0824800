"""One set brought back, on the scratch server or beside the live database: timed, compared, and gone again."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import psycopg

from atomops.backup.fetching import Damaged, plain_files
from atomops.backup.prove import Bench, proof_of, prove
from atomops.backup.proving import bench
from atomops.backup.scratch import restored_bytes
from atomops.drill.planning import Candidate, DrillPlan
from atomops.errors import AtomOpsError, BadAnswer, NotThere, PermanentError
from atomops.facts.backup import BackupSet, Proof, Result
from atomops.facts.drill import LIVE, Trial
from atomops.facts.restore import BESIDE
from atomops.inventory import BackupStore, Target
from atomops.restore.copying import Restoring
from atomops.restore.planning import FromSet, Wanted, plan_restore
from atomops.threads import beside
from atomops.verdict import Unseen

_DIFFERS = "the restored copy is not what was dumped"


class Attempt(Protocol):
    """One set on its way back."""

    async def make(self) -> Trial:
        """What came of it. Nothing of it is left, however it ends. Raises nothing but what cancels it."""

    async def written(self) -> float:
        """How far it is, from 0 to 1."""


@dataclass(frozen=True)
class Ground:
    """Where sets are brought back; `on` is the scratch server, or why there is none."""

    plan: DrillPlan
    on: Bench | Unseen
    work: Path

    def attempt(self, candidate: Candidate, chosen: BackupSet) -> Attempt:
        """For that set of the candidate."""
        if self.plan.where == LIVE:
            return BesideLive(candidate, chosen, self.plan.target, self.work)
        return OnScratch(candidate, chosen, self.on, self.plan, self.work)


@asynccontextmanager
async def ground(plan: DrillPlan, work: Path) -> AsyncIterator[Ground]:
    """Ready for the block, and gone after it."""
    if plan.where == LIVE or isinstance(plan.tools, Unseen):
        why = plan.tools if isinstance(plan.tools, Unseen) else Unseen("")
        yield Ground(plan, why, work)
        return
    async with bench(plan.settings, plan.tools, work) as on:
        yield Ground(plan, replace(on, analyze=True) if isinstance(on, Bench) else on, work)


@dataclass
class OnScratch:
    """On a server where nobody else is."""

    candidate: Candidate
    chosen: BackupSet
    on: Bench | Unseen
    plan: DrillPlan
    work: Path

    async def make(self) -> Trial:
        """As `Attempt` says. Its proof is kept beside the set, as that of every night."""
        trial, store, settings = self.candidate.trial, self.candidate.place.store, self.plan.settings
        if isinstance(self.on, Unseen):
            return replace(trial, problem=self.on)
        started = time.monotonic()
        try:
            async with asyncio.timeout(settings.deadline):
                async with plain_files(store, self.chosen.manifest, settings.identity, self.work) as folder:
                    read = time.monotonic() - started
                    proof = await prove(self.chosen.manifest, folder, self.on)
        except (Damaged, NotThere, BadAnswer) as error:
            return await _noted(self.candidate, self.chosen, started, replace(trial, failure=error.what))
        except AtomOpsError as error:
            return replace(trial, problem=Unseen(error.what, error.action))
        except (TimeoutError, OSError) as error:
            return replace(trial, problem=_out_of_time(error, settings.deadline))
        return await _noted(self.candidate, self.chosen, started, _told(trial, proof, read), proof)

    async def written(self) -> float:
        """As `Attempt` says."""
        done = 0 if isinstance(self.on, Unseen) else await restored_bytes(self.on.scratch)
        return done / max(1, self.chosen.manifest.origin.bytes)


@dataclass
class BesideLive:
    """On the live server, in a database of its own."""

    candidate: Candidate
    chosen: BackupSet
    target: Target
    work: Path
    restoring: Restoring | None = field(default=None, init=False)

    async def make(self) -> Trial:
        """As `Attempt` says."""
        trial, started = self.candidate.trial, time.monotonic()
        deadline = self.candidate_deadline
        try:
            async with asyncio.timeout(deadline), self._restoring() as restoring:
                copy = await restoring.make()
        except (Damaged, BadAnswer) as error:
            return await _noted(self.candidate, self.chosen, started, replace(trial, failure=error.what))
        except PermanentError as error:
            return replace(trial, failure=error.what)  # what does not restore here now would not in an emergency
        except AtomOpsError as error:
            return replace(trial, problem=Unseen(error.what, error.action))
        except (TimeoutError, OSError, psycopg.Error) as error:
            return replace(trial, problem=_out_of_time(error, deadline))
        failure = _DIFFERS if copy.differences else ""
        made = replace(
            trial,
            seconds=copy.seconds,
            tables=copy.tables,
            rows=copy.rows,
            failure=failure,
            differences=copy.differences,
            notes=(*copy.notes, *(f"could not be given: {each}" for each in copy.lost)),
        )
        return await _noted(self.candidate, self.chosen, started, made)

    async def written(self) -> float:
        """As `Attempt` says."""
        return await self.restoring.written() if self.restoring else 0

    @property
    def candidate_deadline(self) -> float:
        """In seconds."""
        return self.target.backups.deadline if self.target.backups else 0

    @asynccontextmanager
    async def _restoring(self) -> AsyncIterator[Restoring]:
        """Of a plan without obstacles. Raises PermanentError for the first of them."""
        at = of_one_store(self.target, self.candidate.place.rules)
        plan = await plan_restore(at, Wanted(self.chosen.id, BESIDE, database=self.candidate.database))
        if plan.obstacles:
            first = plan.obstacles[0]
            raise PermanentError(f"{first.thing}: {first.reason}", action=first.remedy)
        self.restoring = Restoring(plan, FromSet(self.chosen, self.candidate.place.store), self.work)
        try:
            yield self.restoring
        finally:
            await self.restoring.remove()


def of_one_store(target: Target, rules: BackupStore) -> Target:
    """The target as if it had no other store: a set is read from there, or from nowhere."""
    own = {name: getattr(rules, name) for name in BackupStore.model_fields}
    backups = target.backups.model_copy(update={**own, "stores": ()}) if target.backups else None
    return target.model_copy(update={"backups": backups})


def _told(trial: Trial, proof: Proof, read: float) -> Trial:
    seconds: Mapping[str, float] = {"read": read, **proof.durations}
    told = replace(trial, seconds=seconds, tables=proof.tables, rows=proof.rows, notes=proof.notes)
    if proof.result is Result.FAILED:
        return replace(told, failure=proof.reason, differences=proof.differences)
    unknown = Unseen(proof.reason, proof.action) if proof.result is Result.INTACT else None
    return replace(told, problem=unknown)


def _out_of_time(error: Exception, deadline: float) -> Unseen:
    if isinstance(error, TimeoutError):
        return Unseen(
            f"it was not restored within {deadline:g} s", "look at the store and the server, or raise deadline"
        )
    return Unseen(
        f"it could not be tried: {' '.join(str(error).split())}", "look at that disk, and at the server's log"
    )


async def _noted(
    candidate: Candidate, chosen: BackupSet, started: float, trial: Trial, proof: Proof | None = None
) -> Trial:
    """The trial, once it is a proof of the set as well. One that came to nothing takes no better one's place."""
    if trial.problem:
        return trial
    result = Result.FAILED if trial.failure else Result.RESTORED
    of = proof or replace(
        proof_of(chosen.manifest, result, started),
        tables=trial.tables,
        rows=trial.rows,
        reason=trial.failure,
        differences=trial.differences,
        durations=trial.seconds,
    )
    try:
        await beside(lambda: candidate.place.store.add_proof(chosen.id, of))
    except AtomOpsError as error:
        return replace(trial, notes=(*trial.notes, f"the proof could not be kept: {error.what}"))
    return trial
