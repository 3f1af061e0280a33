"""Who is served and where: territories, customers, contracts, sites, machines."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from data.orm_base import InternalId, JsonObject, Named, Row, UtcDateTime, one_of, refers
from dispatcher.sla.linking import ASSET_RELATIONS


class Territory(Named, Row):
    """A region that is planned together; its zone says which local date an instant falls on.

    Until `travel_factor_until` every leg in it takes `travel_factor` times as long as it otherwise would.
    """

    __tablename__ = "territory"
    __table_args__ = (UniqueConstraint("tenant_id", "external_id"),)

    name: Mapped[str | None] = mapped_column(Text)
    timezone: Mapped[str] = mapped_column(Text)
    attributes: Mapped[dict[str, Any]] = mapped_column(JsonObject)
    travel_factor: Mapped[float | None]
    travel_factor_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Customer(Named, Row):
    __tablename__ = "customer"
    __table_args__ = (UniqueConstraint("tenant_id", "external_id"),)

    name: Mapped[str | None] = mapped_column(Text)
    attributes: Mapped[dict[str, Any]] = mapped_column(JsonObject)


class Contract(Named, Row):
    """What was promised to a customer; `starts_on` and `ends_on` are local dates, both inclusive.

    `sla` is what it changes of the policy of the house.
    """

    __tablename__ = "contract"
    __table_args__ = (UniqueConstraint("tenant_id", "external_id"), *refers("customer_id", "customer"))

    customer_id: Mapped[str] = mapped_column(InternalId)
    name: Mapped[str | None] = mapped_column(Text)
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    attributes: Mapped[dict[str, Any]] = mapped_column(JsonObject)
    sla: Mapped[dict[str, Any] | None] = mapped_column(JsonObject)


class Site(Named, Row):
    """A place where there is work, or a shift begins; degrees WGS 84, and the zone of its clocks."""

    __tablename__ = "site"
    __table_args__ = (
        UniqueConstraint("tenant_id", "external_id"),
        *refers("customer_id", "customer"),
        *refers("territory_id", "territory"),
    )

    customer_id: Mapped[str | None] = mapped_column(InternalId)
    territory_id: Mapped[str | None] = mapped_column(InternalId)
    name: Mapped[str | None] = mapped_column(Text)
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    timezone: Mapped[str] = mapped_column(Text)
    attributes: Mapped[dict[str, Any]] = mapped_column(JsonObject)


class AssetModel(Named, Row):
    """A type of machine; `body` holds the skills that work on such machines needs, as `required_skills`."""

    __tablename__ = "asset_model"
    __table_args__ = (UniqueConstraint("tenant_id", "external_id"),)

    name: Mapped[str | None] = mapped_column(Text)
    attributes: Mapped[dict[str, Any]] = mapped_column(JsonObject)
    body: Mapped[dict[str, Any]] = mapped_column(JsonObject, server_default=text("'{}'"))


class Asset(Named, Row):
    """A machine at a site."""

    __tablename__ = "asset"
    __table_args__ = (
        UniqueConstraint("tenant_id", "external_id"),
        *refers("site_id", "site"),
        *refers("asset_model_id", "asset_model"),
        *refers("contract_id", "contract"),
    )

    site_id: Mapped[str] = mapped_column(InternalId)
    asset_model_id: Mapped[str | None] = mapped_column(InternalId)
    contract_id: Mapped[str | None] = mapped_column(InternalId)
    name: Mapped[str | None] = mapped_column(Text)
    attributes: Mapped[dict[str, Any]] = mapped_column(JsonObject)


class AssetRelation(Named, Row):
    """One machine is part of another, or feeds it: their faults may be one."""

    __tablename__ = "asset_relation"
    __table_args__ = (
        UniqueConstraint("tenant_id", "external_id"),
        *refers("from_asset_id", "asset"),
        *refers("to_asset_id", "asset"),
        CheckConstraint(one_of("type", ASSET_RELATIONS), name="type"),
    )

    type: Mapped[str] = mapped_column(Text)
    from_asset_id: Mapped[str] = mapped_column(InternalId)
    to_asset_id: Mapped[str] = mapped_column(InternalId)
