"""A source's contract, read from the Open Data Contract Standard v3 (bitol.io) as the pipeline uses it.

What the pipeline adds to the standard are custom properties: of a column ``attribute``, ``scheme``, ``issuer``, ``on_invalid``,
``quality_targets``; of the schema ``quality_targets``; of the contract ``trust``, ``trust.<attribute>``, ``legal_basis``,
``extract``, ``encoding``, ``delimiter``, ``max_refused_share``, ``channel``, ``on_erased``, ``uniqueCustomers``.
"""

import re
from collections.abc import Mapping
from typing import Final

from open_data_contract_standard.model import OpenDataContractStandard, SchemaObject, Server, ServiceLevelAgreementProperty, Team

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
from custview_pipeline.contracts.source_contract import Extract, FileFormat, QualityRule, SourceContract
from custview_pipeline.contracts.trust import TRUSTED_NAMES, golden_attributes_of, trust_by_golden_attribute
from custview_pipeline.contracts.yaml_text import suggest

_FORMATS: Final[dict[str, FileFormat]] = {
    "csv": "csv",
    "json": "jsonl",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "parquet": "parquet",
    "xlsx": "xlsx",
}
_EXTRACTS: Final[dict[str, Extract]] = {"snapshot": "snapshot", "changes": "changes"}
_CONTRACT_PROPERTIES: Final = (
    "trust",
    "trust.",
    "legal_basis",
    "extract",
    "encoding",
    "delimiter",
    "max_refused_share",
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
    server, server_place = _server(document, top)
    custom = custom_values(document.customProperties, top, _CONTRACT_PROPERTIES)
    return SourceContract(
        source_system=_source_system(document, top),
        version=document.version or "0.0.0",
        title=document.name or str(document.id),
        domain=document.domain,
        owner=_owner(document),
        purpose=document.description.purpose if document.description else None,
        path_pattern=_path_pattern(server, server_place),
        file_format=_file_format(server, server_place),
        encoding=_encoding(server, server_place, custom),
        delimiter=_delimiter(server, server_place, custom),
        columns=columns.carrying,
        quality=_quality(table, table_place, columns),
        extract=_extract(custom),
        trust=custom["trust"].share("trust") if "trust" in custom else 0.5,
        trust_by_attribute=_trust_by_attribute(custom, top),
        legal_basis=custom["legal_basis"].text("legal_basis") if "legal_basis" in custom else None,
        max_refused_share=custom["max_refused_share"].share("max_refused_share") if "max_refused_share" in custom else 0.1,
        freshness_hours=_agreed_hours(document, top, "frequency"),
        record_age_hours=_agreed_hours(document, top, "freshness"),
        channel=_channel(custom),
        quality_targets=read_targets(custom_values(table.customProperties, table_place, (TARGETS,))),
        attribute_targets=columns.targets,
        refuses_erased=refuses_erased(custom),
        has_unique_customers=has_unique_customers(custom),
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


def _server(document: OpenDataContractStandard, top: Place) -> tuple[Server, Place]:
    servers = document.servers or []
    if not servers:
        raise top.invalid(
            "the contract has no servers: add {server: production, type: local, path: data/*.csv, format: csv}", "servers"
        )
    local = [index for index, server in enumerate(servers) if server.type == "local"]
    if not local:
        raise top.invalid(f"a server of type {servers[0].type!r} is not supported; supported is local", "servers", 0, "type")
    production = [index for index in local if "production" in {servers[index].server, servers[index].environment}]
    if len(local) > 1 and len(production) != 1:
        raise top.invalid("several local servers: call the one to read production", "servers", local[1])
    chosen = production[0] if len(local) > 1 else local[0]
    return servers[chosen], top.at("servers", chosen)


def _path_pattern(server: Server, place: Place) -> str:
    if not server.path:
        raise place.invalid("the server needs a path, such as data/crm/*.csv, relative to the project")
    return server.path.removeprefix("./")


def _file_format(server: Server, place: Place) -> FileFormat:
    written = (server.format or "").lower()
    if written not in _FORMATS:
        raise place.invalid(
            f"format {written!r} is not supported{suggest(written, _FORMATS)}; supported are {', '.join(_FORMATS)}", "format"
        )
    return _FORMATS[written]


def _encoding(server: Server, place: Place, custom: Mapping[str, CustomValue]) -> str:
    written, where = server.encoding or "utf-8", place
    if "encoding" in custom:
        written, where = custom["encoding"].text("encoding"), custom["encoding"].place
    try:
        "a".encode(written)
    except (LookupError, UnicodeError):
        raise where.invalid(f"unknown encoding {written!r}", "value" if "encoding" in custom else "encoding") from None
    return written.lower()


def _delimiter(server: Server, place: Place, custom: Mapping[str, CustomValue]) -> str:
    written, where = server.delimiter or ",", place
    if "delimiter" in custom:
        written, where = custom["delimiter"].text("delimiter"), custom["delimiter"].place
    written = "\t" if written in {"\\t", "tab"} else written
    if len(written) != 1 or not written.isascii() or written in '"\r\n':
        raise where.invalid(
            "delimiter should be one ASCII character, such as ; or | or \\t", "value" if "delimiter" in custom else "delimiter"
        )
    return written


def _extract(custom: Mapping[str, CustomValue]) -> Extract:
    if "extract" not in custom:
        return "snapshot"
    written = custom["extract"].text("extract")
    if written not in _EXTRACTS:
        raise custom["extract"].place.invalid(f"extract should be snapshot or changes{suggest(written, _EXTRACTS)}", "value")
    return _EXTRACTS[written]


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
