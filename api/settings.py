"""What can be set about the service, from the environment (`MUSTER_…`) or by whoever puts the parts together."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from dispatcher.self_repair import Mode

MEBIBYTE = 1024 * 1024


class Settings(BaseSettings):
    """The settings of one process; docs/operations.md has the table.

    Raises (pydantic's `ValidationError`, a ValueError) for values that cannot be meant.
    """

    model_config = SettingsConfigDict(env_prefix="MUSTER_", frozen=True, extra="forbid", hide_input_in_errors=True)

    database_url: str = "sqlite:///var/muster.db"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    token: SecretStr | None = None
    tenant: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] = "default"
    max_body_bytes: Annotated[int, Field(ge=1024)] = 64 * MEBIBYTE
    max_request_solve_seconds: Annotated[float, Field(ge=0, le=300, allow_inf_nan=False)] = 10.0
    workers: Annotated[int, Field(ge=0, le=64)] = 1
    poll_seconds: Annotated[float, Field(ge=0.01, le=60, allow_inf_nan=False)] = 0.5
    lease_seconds: Annotated[int, Field(ge=5, le=3600)] = 30
    watch_seconds: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)] = 30.0
    on_change: Mode = "insert"
    link_faults: Literal["off", "propose", "link"] = "link"
    freeze_seconds: Annotated[int, Field(ge=0, le=86_400)] = 900
    diverts: bool = False
    change_budget: Annotated[int, Field(ge=0, le=100_000)] | None = None
    log_format: Literal["json", "console"] = "json"
    team_policy: Path | None = None

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        try:
            backend = make_url(value).get_backend_name()
        except ArgumentError:
            raise ValueError("is not the URL of a database") from None
        if backend not in ("sqlite", "postgresql", "postgres"):
            raise ValueError(f"a database is SQLite or PostgreSQL, not {backend}")
        return value

    @field_validator("token")
    @classmethod
    def _usable_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or not value.get_secret_value():
            return None
        text = value.get_secret_value()
        if not text.isascii() or not text.isprintable() or " " in text:
            raise ValueError("a token is made of printable ASCII characters without spaces")
        return value

    @model_validator(mode="after")
    def _open_only_with_token(self) -> Self:
        if self.token is None and not is_loopback(self.host):
            raise ValueError(
                f"whoever reaches {self.host} could change everything: set MUSTER_TOKEN, or bind to 127.0.0.1"
            )
        return self


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
