"""What is backed up, how, where to, and for how long."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from atomops.inventory.base import HttpUrl, Seconds, Settings, url
from atomops.secret import SecretField


class Keep(Settings):
    """How long backup sets are kept: a set that any of these rules wants is kept."""

    keep_days: int = Field(30, ge=0, description="every set younger than this")
    keep_last: int = Field(7, ge=1, description="the newest proven sets, which are never pruned, whatever their age")
    keep_weeks: int = Field(0, ge=0, description="the newest proven set of each of so many ISO weeks")
    keep_months: int = Field(0, ge=0, description="the newest proven set of each of so many months")
    keep_years: int = Field(0, ge=0, description="the newest proven set of each of so many years")
    max_deletions: int = Field(10, ge=1, description="more than this in one run is refused: nothing goes")


class BackupStore(Keep):
    """One place where backup sets live; the S3 settings are for a store that is called s3://."""

    store: str = Field(min_length=1, description="a folder, or s3://bucket/prefix")
    endpoint_url: HttpUrl | None = Field(None, description="an S3 server other than that of AWS")
    region: str | None = None
    access_key_id: SecretField | None = Field(None, description="default: what boto3 finds by itself")
    secret_access_key: SecretField | None = None
    path_style: bool | None = Field(None, description="bucket in the path; default: with a custom endpoint")
    checksums: Literal["when_supported", "when_required"] | None = Field(
        None, description="S3's own checksums; default: when_required with a custom endpoint, which may not know them"
    )
    verify_tls: bool = True
    ca_file: Path | None = Field(None, description="PEM file with the certificate authority of the endpoint")
    encryption: Literal["AES256", "aws:kms"] | None = Field(None, description="server-side encryption")
    kms_key_id: str | None = None
    storage_class: str | None = None
    timeout: Seconds = Field(60, description="seconds that one request may be silent")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.access_key_id is None) != (self.secret_access_key is None):
            message = "access_key_id and secret_access_key go together: name both, or neither"
            raise ValueError(message)
        if self.kms_key_id and self.encryption != "aws:kms":
            message = 'a kms_key_id is used with encryption = "aws:kms" only'
            raise ValueError(message)
        return self


class Backups(BackupStore):
    """What is backed up, how, and where to. Further stores have rules of their own."""

    store: str = Field("", description="a folder, or s3://bucket/prefix")
    stores: tuple[BackupStore, ...] = Field((), description="further stores, each with its own rules")
    databases: tuple[str, ...] = Field((), description='names, or "*" for all; default: the one of the dsn')
    dsn: Annotated[str, url("postgresql", "postgres")] | None = Field(None, description="default: postgres.dsn")
    password: SecretField | None = None
    jobs: int = Field(2, ge=1, le=64, description="tables that are dumped and restored side by side")
    postgres_bin: Path | None = Field(None, description="folder of pg_dump and its like; default: found by version")
    compression: str | None = Field(None, pattern="^(zstd|lz4|gzip|none)(:[0-9]+)?$", description="default: the best")
    lock_wait_timeout: Seconds = Field(60, description="seconds to wait for a table that somebody has locked")
    deadline: Seconds = Field(6 * 3600, description="seconds for one dump, and for one proof")
    every_hours: float = Field(24, gt=0, description="how often a backup is expected")
    look_deadline: Seconds = Field(
        600, description="seconds for a look at the stores, which reads the newest sets again"
    )
    work_folder: Path | None = Field(None, description="for dumps on their way and scratch servers; default: the temp")
    scratch_dsn: Annotated[str, url("postgresql", "postgres")] | None = Field(
        None, description="a server to prove restores on, as superuser; default: one of our own, for the moment"
    )
    scratch_password: SecretField | None = None
    role_passwords: bool = Field(default=False, description="dump password hashes with the roles (superuser only)")
    recipients: tuple[Annotated[str, Field(pattern="^(age1|ssh-)")], ...] = Field(
        (), description="age public keys: sets are encrypted for them"
    )
    identity: SecretField | None = Field(None, description="age private key, needed only to restore or verify again")
    amcheck: bool = Field(default=False, description="check every index of the restored copy as well")
    drill_on: Literal["scratch", "live"] = Field(
        "scratch", description="where the drill restores: a scratch server, or beside the live database (changes.dsn)"
    )

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if not self.every_store:
            message = "name at least one store: store = a folder, or s3://bucket/prefix"
            raise ValueError(message)
        return self

    @property
    def every_store(self) -> tuple[BackupStore, ...]:
        """Each store with its rules, the first one first."""
        return ((self,) if self.store else ()) + self.stores
