"""A source's contract, read from the Open Data Contract Standard v3 (bitol.io) as the pipeline uses it.

What the pipeline adds to the standard are custom properties: of a column ``attribute``, ``scheme``, ``issuer``, ``on_invalid``,
``quality_targets``; of the schema ``quality_targets``; of the contract ``trust``, ``trust.<attribute>``, ``legal_basis``,
``extract``, ``encoding``, ``delimiter``, ``max_refused_share``, ``max_deleted_share``, ``channel``, ``on_erased``,
``uniqueCustomers``.
"""

import re
from collections.abc import Mapping
from typing import Final

from open_data_contract_standard.model import OpenDataContractStandard, SchemaObject, ServiceLevelAgreementProperty, Team

from custview_pipeline.contracts.odcs_columns import ReadColumns, read_columns
from custview_pipeline.contracts.odcs_document import CustomValue, Place, custom_values, read_document
from custview_pipeline.contracts.odcs_handling import (
    ON_ERASED,
    TARGETS,
    UNIQUE_CUSTOMERS,
    has_unique_customers,
    read_targets,
    refuses_erased,
)
from custview_pipeline.contracts.odcs_quality import Subject, read_quality, snake_case
from custview_pipeline.contracts.odcs_servers import ReadServer, read_server
from custview_pipeline.contracts.source_contract import Extract, QualityRule, SourceContract
from custview_pipeline.contracts.trust import TRUSTED_NAMES, golden_attributes_of, trust_by_golden_attribute
from custview_pipeline.contracts.yaml_text import suggest

_EXTRACTS: Final[dict[str, Extract]] = {"snapshot": "snapshot", "changes": "changes"}
_CONTRACT_PROPERTIES: Final = (
    "trust",
    "trust.",
    "legal_basis",
    "extract",
    "encoding",
    "delimiter",
    "max_refused_share",
    "max_deleted_share",
    "channel",
    ON_ERASED,
    UNIQUE_CUSTOMERS,
)
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_HOURS: Final = {
    "m": 1 / 60,
    "min": 1 / 60,
    "minute": 1 / 60,
    "h": 1.0,
    "hr": 1.0,
    "hour": 1.0,
    "d": 24.0,
    "day": 24.0,
    "w": 168.0,
    "week": 168.0,
    "y": 8760.0,
    "yr": 8760.0,
    "year": 8760.0,
}


def parse_contract(text: str, *, file: str) -> SourceContract:
    """Read one contract.

    Args:
        text: What the file says.
        file: Its name, as errors show it.

    Raises:
        ProjectInvalid: Something cannot be understood or executed; names file and line, and the name that was probably meant.
    """
    document, top = read_document(text, file=file)
    table, table_place = _table(document, top)
    columns = read_columns(table.properties or [], table_place)
    custom = custom_values(document.customProperties, top, _CONTRACT_PROPERTIES)
    server = read_server(document, top, table, custom)
    return SourceContract(
        source_system=_source_system(document, top),
        version=document.version or "0.0.0",
        title=document.name or str(document.id),
        domain=document.domain,
        owner=_owner(document),
        purpose=document.description.purpose if document.description else None,
        path_pattern=server.path_pattern,
        file_format=server.file_format,
        encoding=server.encoding,
        delimiter=server.delimiter,
        columns=columns.carrying,
        quality=_quality(table, table_place, columns),
        extract=_extract(custom, server, columns),
        trust=_share(custom, "trust", 0.5),
        trust_by_attribute=_trust_by_attribute(custom, top),
        legal_basis=custom["legal_basis"].text("legal_basis") if "legal_basis" in custom else None,
        max_refused_share=_share(custom, "max_refused_share", 0.1),
        max_deleted_share=_share(custom, "max_deleted_share", 0.2),
        freshness_hours=_agreed_hours(document, top, "frequency"),
        record_age_hours=_agreed_hours(document, top, "freshness"),
        channel=_channel(custom),
        quality_targets=read_targets(custom_values(table.customProperties, table_place, (TARGETS,))),
        attribute_targets=columns.targets,
        refuses_erased=refuses_erased(custom),
        has_unique_customers=has_unique_customers(custom),
        origin=server.origin,
        endpoint=server.endpoint,
        file=file,
    )


def _source_system(document: OpenDataContractStandard, top: Place) -> str:
    name = document.id or ""
    if not _NAME.fullmatch(name):
        meant = snake_case(name).lstrip("0123456789_")
        hint = f"; try {meant!r}" if meant else ""
        raise top.invalid(f"id {name!r} names tables: it should be small letters, digits and _, a letter first{hint}", "id")
    return name


def _table(document: OpenDataContractStandard, top: Place) -> tuple[SchemaObject, Place]:
    tables = document.schema_ or []
    if not tables:
        raise top.invalid("the contract has no schema: describe the source's table", "schema")
    if len(tables) > 1:
        raise top.invalid("the contract describes two tables: give each a contract of its own", "schema", 1)
    return tables[0], top.at("schema", 0)


def _extract(custom: Mapping[str, CustomValue], server: ReadServer, columns: ReadColumns) -> Extract:
    if "extract" not in custom:
        return "snapshot"
    written = custom["extract"].text("extract")
    if written not in _EXTRACTS:
        raise custom["extract"].place.invalid(f"extract should be snapshot or changes{suggest(written, _EXTRACTS)}", "value")
    is_told = any(column.attribute == "updated_at" for column in columns.carrying)
    if server.file_format == "sql" and written == "changes" and not is_told:
        raise custom["extract"].place.invalid(
            "changes of a table are told by a column that carries updated_at: there is none", "value"
        )
    return _EXTRACTS[written]


def _share(custom: Mapping[str, CustomValue], name: str, default: float) -> float:
    return custom[name].share(name) if name in custom else default


def _trust_by_attribute(custom: Mapping[str, CustomValue], top: Place) -> dict[str, float]:
    stated: dict[str, float] = {}
    for name, value in custom.items():
        attribute = name.removeprefix("trust.")
        if attribute == name:
            continue
        if not golden_attributes_of(attribute):
            raise value.place.invalid(f"no attribute {attribute!r} survives{suggest(attribute, TRUSTED_NAMES)}", "property")
        stated[attribute] = value.share(name)
    try:
        return trust_by_golden_attribute(stated)
    except ValueError as error:
        raise top.invalid(str(error), "customProperties") from None


def _quality(table: SchemaObject, place: Place, columns: ReadColumns) -> tuple[QualityRule, ...]:
    read = frozenset(column.name for column in columns.carrying)
    rules = read_quality(table.quality, Subject(None, is_read=True, headers=columns.headers, read_headers=read), place)
    for index, written in enumerate(table.properties or []):
        header = columns.headers[str(written.name)]
        subject = Subject(header, is_read=header in read, headers=columns.headers, read_headers=read)
        rules.extend(read_quality(written.quality, subject, place.at("properties", index)))
    return (*rules, *columns.unexecuted)


def _owner(document: OpenDataContractStandard) -> str | None:
    team = document.team
    members = (team.members or []) if isinstance(team, Team) else team or []
    owners = [member for member in members if (member.role or "").lower() == "owner" and member.dateOut is None]
    return next((owner.username or owner.name for owner in owners), None)


def _channel(custom: Mapping[str, CustomValue]) -> str | None:
    if "channel" not in custom:
        return None
    name = custom["channel"].text("channel")
    if not _NAME.fullmatch(name):
        raise custom["channel"].place.invalid("channel should be small letters, digits and _, such as call_centre", "value")
    return name


def _agreed_hours(document: OpenDataContractStandard, top: Place, name: str) -> float | None:
    for index, agreed in enumerate(document.slaProperties or []):
        if agreed.property == name:
            return _hours(agreed, top.at("slaProperties", index))
    return None


def _hours(agreed: ServiceLevelAgreementProperty, place: Place) -> float:
    value, unit = agreed.value, (agreed.unit or "d").lower()
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise place.invalid(f"{agreed.property} should be a number above 0", "value")
    per_unit = _HOURS.get(unit, _HOURS.get(unit.removesuffix("s")))
    if per_unit is None:
        raise place.invalid(f"unknown unit {unit!r} of {agreed.property}; known are y, w, d, h and m", "unit")
    return float(value) * per_unit
