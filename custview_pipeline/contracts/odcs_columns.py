"""The columns of an ODCS schema: what each one means, and what is demanded of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from open_data_contract_standard.model import SchemaProperty

from custview_pipeline.contracts.attributes import ATTRIBUTES
from custview_pipeline.contracts.odcs_document import CustomValue, Place, custom_values
from custview_pipeline.contracts.odcs_handling import (
    ON_INVALID,
    TARGETS,
    Handling,
    read_handling,
    refused_attributes,
    targets_by_attribute,
)
from custview_pipeline.contracts.odcs_limits import logical_type_of, read_limits
from custview_pipeline.contracts.source_contract import QualityRule, SourceColumn
from custview_pipeline.contracts.yaml_text import suggest

_COLUMN_PROPERTIES: Final = ("attribute", "scheme", "issuer", ON_INVALID, TARGETS)
_OWN_SCHEME: Final = "lei"  # the attribute is called as its only scheme
_PERSONAL: Final = frozenset({"pii", "confidential", "restricted", "sensitive"})
# Formats of text that a field standard checks anyway.
_KEPT_BY_STANDARD: Final = frozenset({("email", "email"), ("website", "uri")})


@dataclass(frozen=True, slots=True)
class ReadColumns:
    """The columns of one table.

    Attributes:
        carrying: Those that carry an attribute, in the order of the contract.
        headers: The header in the source of every property, read or not.
        unexecuted: What the contract demands of a column and the pipeline does not check.
        targets: Scores aimed at, by attribute and dimension.
    """

    carrying: tuple[SourceColumn, ...]
    headers: dict[str, str]
    unexecuted: tuple[QualityRule, ...]
    targets: dict[str, dict[str, float]]


def read_columns(properties: Sequence[SchemaProperty], place: Place) -> ReadColumns:
    """Read the properties of one table.

    Raises:
        ProjectInvalid: An attribute, type, option, pattern or limit cannot be used, columns contradict each other, or there is
            not exactly one source_key.
    """
    headers: dict[str, str] = {}
    columns: list[SourceColumn] = []
    unexecuted: list[QualityRule] = []
    handled: list[Handling] = []
    for index, written in enumerate(properties):
        here = place.at("properties", index)
        name, header = _names(written, here)
        if name in headers or header in headers.values():
            raise here.invalid(f"two columns are called {name!r}", "name")
        headers[name] = header
        custom = custom_values(written.customProperties, here, _COLUMN_PROPERTIES)
        if "attribute" in custom:
            columns.append(_column(written, header, custom, here))
            handled.append(read_handling(columns[-1].attribute, custom, here))
            unexecuted.extend(_unchecked_format(written, columns[-1], here))
        else:
            unexecuted.extend(_unread_limits(written, header))
    _check_keys(columns, properties, place)
    refused = refused_attributes(handled)
    carrying = tuple(replace(column, refuses_invalid=column.attribute in refused) for column in columns)
    return ReadColumns(carrying, headers, tuple(unexecuted), targets_by_attribute(handled))


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
        logical_type=logical_type_of(written, header, place),
        is_required=bool(written.required) or ATTRIBUTES[attribute].is_required,
        is_unique=bool(written.unique) or is_key,
        is_personal=_is_personal(written.classification),
        is_critical=_is_critical(written, attribute),
        allowed=_allowed(written, place),
        scheme=_scheme(custom, attribute),
        issuer=custom["issuer"].text("issuer") if "issuer" in custom else None,
        description=written.description or written.businessName,
        **read_limits(written, attribute, place.at("logicalTypeOptions")),
    )


def _is_critical(written: SchemaProperty, attribute: str) -> bool:
    stated = written.criticalDataElement
    return ATTRIBUTES[attribute].is_critical if stated is None else stated


def _scheme(custom: Mapping[str, CustomValue], attribute: str) -> str | None:
    scheme = custom["scheme"].text("scheme") if "scheme" in custom else None
    if attribute == _OWN_SCHEME and scheme not in {None, _OWN_SCHEME}:
        raise custom["scheme"].place.invalid("lei has no other scheme: an identifier of another one is a tax_id", "value")
    return scheme


def _is_personal(classification: str | None) -> bool:
    words = "".join(c if c.isalpha() else " " for c in (classification or "").lower()).split()
    return not _PERSONAL.isdisjoint(words)


def _allowed(written: SchemaProperty, place: Place) -> tuple[str, ...]:
    return tuple(text for index in range(len(written.enum or ())) if (text := place.scalar("enum", index, "value")) is not None)


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
