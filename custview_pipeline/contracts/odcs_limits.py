"""The logical type of an ODCS column and its ``logicalTypeOptions``: the limits that its values keep."""

from datetime import date, datetime
from typing import Any, Final

import polars as pl
from open_data_contract_standard.model import SchemaProperty

from custview_pipeline.contracts.attributes import ATTRIBUTES
from custview_pipeline.contracts.date_patterns import strptime_format
from custview_pipeline.contracts.odcs_document import Place
from custview_pipeline.contracts.yaml_text import suggest

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


def logical_type_of(written: SchemaProperty, header: str, place: Place) -> str:
    """Return the logical type of a column; string where it states none.

    Raises:
        ProjectInvalid: It is not supported.
    """
    logical_type = written.logicalType or "string"
    if logical_type not in _OPTIONS:
        known = ", ".join(_OPTIONS)
        raise place.invalid(
            f"logicalType {logical_type!r} of {header!r} is not supported{suggest(logical_type, _OPTIONS)}; known are {known}",
            "logicalType",
        )
    return logical_type


def read_limits(written: SchemaProperty, attribute: str, place: Place) -> dict[str, Any]:
    """Return the limits of a column as fields of ``SourceColumn``.

    Args:
        written: The column.
        attribute: What it carries.
        place: Where its ``logicalTypeOptions`` are written.

    Raises:
        ProjectInvalid: An option is unknown, or its value cannot be used.
    """
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
