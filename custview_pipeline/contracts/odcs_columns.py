"""The columns of an ODCS schema: what each one means, and the limits its values keep."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import polars as pl
from open_data_contract_standard.model import SchemaProperty

from custview_pipeline.contracts.attributes import ATTRIBUTES
from custview_pipeline.contracts.date_patterns import strptime_format
from custview_pipeline.contracts.odcs_document import CustomValue, Place, custom_values
from custview_pipeline.contracts.source_contract import QualityRule, SourceColumn
from custview_pipeline.contracts.yaml_text import suggest

_COLUMN_PROPERTIES: Final = ("attribute", "scheme", "issuer")
_PERSONAL: Final = frozenset({"pii", "confidential", "restricted", "sensitive"})
_DATED: Final = frozenset({"date", "timestamp", "time"})
_NUMERIC: Final = frozenset({"number", "integer"})
_OPTIONS: Final[dict[str, frozenset[str]]] = {
    "string": frozenset({"minLength", "maxLength", "pattern", "format"}),
    "date": frozenset({"format", "minimum", "maximum"}),
    "timestamp": frozenset({"format", "minimum", "maximum", "timezone", "defaultTimezone"}),
    "time": frozenset({"format"}),
    "number": frozenset({"format", "minimum", "maximum"}),
    "integer": frozenset({"format", "minimum", "maximum"}),
    "boolean": frozenset(),
}
# Formats of text that a field standard checks anyway.
_KEPT_BY_STANDARD: Final = frozenset({("email", "email"), ("website", "uri")})


@dataclass(frozen=True, slots=True)
class ReadColumns:
    """The columns of one table.

    Attributes:
        carrying: Those that carry an attribute, in the order of the contract.
        headers: The header in the source of every property, read or not.
        unexecuted: What the contract demands of a column and the pipeline does not check.
    """

    carrying: tuple[SourceColumn, ...]
    headers: dict[str, str]
    unexecuted: tuple[QualityRule, ...]


def read_columns(properties: Sequence[SchemaProperty], place: Place) -> ReadColumns:
    """Read the properties of one table.

    Raises:
        ProjectInvalid: An attribute, type, option, pattern or limit cannot be used, or there is not exactly one source_key.
    """
    headers: dict[str, str] = {}
    columns: list[SourceColumn] = []
    unexecuted: list[QualityRule] = []
    for index, written in enumerate(properties):
        here = place.at("properties", index)
        name, header = _names(written, here)
        if name in headers or header in headers.values():
            raise here.invalid(f"two columns are called {name!r}", "name")
        headers[name] = header
        custom = custom_values(written.customProperties, here, _COLUMN_PROPERTIES)
        if "attribute" in custom:
            columns.append(_column(written, header, custom, here))
            unexecuted.extend(_unchecked_format(written, columns[-1], here))
        else:
            unexecuted.extend(_unread_limits(written, header))
    _check_keys(columns, properties, place)
    return ReadColumns(tuple(columns), headers, tuple(unexecuted))


def _names(written: SchemaProperty, place: Place) -> tuple[str, str]:
    if not written.name:
        raise place.invalid("a column needs a name")
    return written.name, written.physicalName or written.name


def _column(written: SchemaProperty, header: str, custom: Mapping[str, CustomValue], place: Place) -> SourceColumn:
    attribute = custom["attribute"].text("attribute")
    if attribute not in ATTRIBUTES:
        raise custom["attribute"].place.invalid(
            f"unknown attribute {attribute!r} of {header!r}{suggest(attribute, ATTRIBUTES)}", "value"
        )
    is_key = attribute == "source_key"
    if written.primaryKey and not is_key:
        raise place.invalid(f"{header!r} is a primaryKey and no source_key: a record has one key, its source_key", "primaryKey")
    return SourceColumn(
        name=header,
        attribute=attribute,
        logical_type=_logical_type(written, header, place),
        is_required=bool(written.required) or is_key,
        is_unique=bool(written.unique) or is_key,
        is_personal=_is_personal(written.classification),
        is_critical=bool(written.criticalDataElement),
        allowed=_allowed(written, place),
        scheme=custom["scheme"].text("scheme") if "scheme" in custom else None,
        issuer=custom["issuer"].text("issuer") if "issuer" in custom else None,
        description=written.description or written.businessName,
        **_limits(written, attribute, place.at("logicalTypeOptions")),
    )


def _logical_type(written: SchemaProperty, header: str, place: Place) -> str:
    logical_type = written.logicalType or "string"
    if logical_type not in _OPTIONS:
        known = ", ".join(_OPTIONS)
        raise place.invalid(
            f"logicalType {logical_type!r} of {header!r} is not supported{suggest(logical_type, _OPTIONS)}; known are {known}",
            "logicalType",
        )
    return logical_type


def _is_personal(classification: str | None) -> bool:
    words = "".join(c if c.isalpha() else " " for c in (classification or "").lower()).split()
    return not _PERSONAL.isdisjoint(words)


def _allowed(written: SchemaProperty, place: Place) -> tuple[str, ...]:
    return tuple(text for index in range(len(written.enum or ())) if (text := place.scalar("enum", index, "value")) is not None)


def _limits(written: SchemaProperty, attribute: str, place: Place) -> dict[str, Any]:
    options, logical_type = written.logicalTypeOptions or {}, written.logicalType or "string"
    for option in options:
        if option not in _OPTIONS[logical_type]:
            raise place.invalid(
                f"{option!r} is not supported for {logical_type}{suggest(option, _OPTIONS[logical_type])}", option
            )
    if options.get("defaultTimezone", "UTC") not in {"UTC", "Etc/UTC", "Z"}:
        raise place.invalid("times without an offset are read as UTC; no other defaultTimezone is supported", "defaultTimezone")
    limits: dict[str, Any] = {
        "min_length": _length(options, "minLength", place),
        "max_length": _length(options, "maxLength", place),
        "pattern": _pattern(options, place),
        "date_format": _date_format(options, attribute, logical_type, place),
    }
    limits |= _number_range(options, place) if logical_type in _NUMERIC else {}
    limits |= _date_range(options, place) if logical_type in _DATED else {}
    for low, high in (("min_length", "max_length"), ("minimum", "maximum"), ("earliest", "latest")):
        if limits.get(low) is not None and limits.get(high) is not None and limits[low] > limits[high]:
            raise place.invalid("the lower limit lies above the upper one")
    return limits


def _length(options: dict[str, Any], name: str, place: Place) -> int | None:
    value = options.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
        raise place.invalid(f"{name!r} should be a whole number, 0 or more", name)
    return value


def _pattern(options: dict[str, Any], place: Place) -> str | None:
    pattern = options.get("pattern")
    if pattern is not None:
        check_pattern(place.scalar("pattern"), place, "pattern")
    return place.scalar("pattern") if pattern is not None else None


def check_pattern(pattern: str | None, place: Place, *more: str | int) -> None:
    """Refuse a regular expression that the engine (Rust's regex) cannot run.

    Raises:
        ProjectInvalid: It is invalid, or looks around or back.
    """
    try:
        pl.Series([""]).str.contains(pattern or "", strict=True)
    except pl.exceptions.PolarsError:
        raise place.invalid(
            "the pattern cannot be used: look-around and back-references are not supported, the rest as in RE2", *more
        ) from None


def _date_format(options: dict[str, Any], attribute: str, logical_type: str, place: Place) -> str | None:
    is_dated = ATTRIBUTES[attribute].kind in {"date", "time"} or logical_type in _DATED
    pattern = place.scalar("format")
    if not is_dated or "format" not in options or pattern is None:
        return None
    try:
        return strptime_format(pattern)
    except ValueError as error:
        raise place.invalid(str(error), "format") from None


def _number_range(options: dict[str, Any], place: Place) -> dict[str, float | None]:
    for name in ("minimum", "maximum"):
        value = options.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise place.invalid(f"{name!r} should be a number", name)
    return {"minimum": options.get("minimum"), "maximum": options.get("maximum")}


def _date_range(options: dict[str, Any], place: Place) -> dict[str, str | None]:
    return {"earliest": _iso_moment(options, "minimum", place), "latest": _iso_moment(options, "maximum", place)}


def _iso_moment(options: dict[str, Any], name: str, place: Place) -> str | None:
    written = place.scalar(name) if name in options else None
    if written is None:
        return None
    for read in (date.fromisoformat, datetime.fromisoformat):
        try:
            return read(written).isoformat()
        except ValueError:
            continue
    raise place.invalid(f"{name!r} should be a date such as 1900-01-31", name)


def _check_keys(columns: list[SourceColumn], properties: Sequence[SchemaProperty], place: Place) -> None:
    keys = [column.name for column in columns if column.attribute == "source_key"]
    if len(keys) > 1:
        raise place.invalid(f"two columns carry source_key: {', '.join(map(repr, keys))}; one must", "properties")
    if not keys:
        primary = next((written.name for written in properties if written.primaryKey), None)
        where = f" to {primary!r}" if primary else " to the column that holds the record's key"
        raise place.invalid(
            f"no column carries source_key: add customProperties [{{property: attribute, value: source_key}}]{where}",
            "properties",
        )


def _unchecked_format(written: SchemaProperty, column: SourceColumn, place: Place) -> list[QualityRule]:
    """A format of text that no field standard covers is demanded and not checked: say so."""
    demanded = place.scalar("logicalTypeOptions", "format")
    if demanded is None or column.date_format is not None or (column.attribute, demanded) in _KEPT_BY_STANDARD:
        return []
    return [_unexecuted("format", column.name, f"format {demanded} of {written.name}")]


def _unread_limits(written: SchemaProperty, header: str) -> list[QualityRule]:
    demands = {
        "required": written.required or written.primaryKey,
        "unique": written.unique or written.primaryKey,
        "limits": written.enum or {key for key in written.logicalTypeOptions or {} if key != "format"},
    }
    return [
        _unexecuted(metric, header, f"{metric} of {header}, a column that is not read")
        for metric, demand in demands.items()
        if demand
    ]


def _unexecuted(metric: str, header: str, description: str) -> QualityRule:
    return QualityRule(
        name=metric,
        metric=metric,
        column=header,
        operator=None,
        threshold=(),
        severity="warning",
        is_executable=False,
        description=description,
    )
