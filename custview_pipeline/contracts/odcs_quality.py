"""The ``quality`` entries of an ODCS schema, as rules that are executed or reported as not executed.

A rule without a severity is an error where it is about the table, and a warning where it is about one column.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from open_data_contract_standard.model import DataQuality

from custview_pipeline.contracts.odcs_document import Place
from custview_pipeline.contracts.odcs_limits import check_pattern
from custview_pipeline.contracts.source_contract import QualityRule, Severity
from custview_pipeline.contracts.yaml_text import suggest

METRICS: Final[dict[str, str]] = {  # and the dimension each belongs to where the contract names none
    "rowCount": "completeness",
    "nullValues": "completeness",
    "missingValues": "completeness",
    "invalidValues": "conformity",
    "duplicateValues": "uniqueness",
}
DIMENSIONS: Final = ("accuracy", "completeness", "conformity", "consistency", "coverage", "timeliness", "uniqueness")
OPERATORS: Final = (
    "mustBe", "mustNotBe", "mustBeGreaterThan", "mustBeGreaterOrEqualTo", "mustBeLessThan", "mustBeLessOrEqualTo",
    "mustBeBetween", "mustNotBeBetween",
)  # fmt: skip

_FORMER_NAMES: Final = {"duplicateCount": "duplicateValues"}  # of ODCS 3.0, written as ``rule:``
_SEVERITIES: Final[dict[str, Severity]] = {"error": "error", "warning": "warning", "info": "warning"}
_UNITS: Final = ("rows", "percent")
_TYPES: Final = ("library", "sql", "custom", "text")
_ARGUMENTS: Final[dict[str, tuple[str, ...]]] = {
    "rowCount": (),
    "nullValues": (),
    "missingValues": ("missingValues",),
    "invalidValues": ("validValues", "pattern"),
    "duplicateValues": ("properties",),
}


class Subject(NamedTuple):
    """What a list of entries is about.

    Attributes:
        column: Header of the column; None for the table.
        is_read: Whether the column carries an attribute, so that rules about it can be executed.
        headers: The header of every property, for rules of the table that name some.
        read_headers: Those that are read.
    """

    column: str | None
    is_read: bool
    headers: Mapping[str, str]
    read_headers: frozenset[str]


def read_quality(entries: Sequence[DataQuality] | None, subject: Subject, place: Place) -> list[QualityRule]:
    """Read the entries of the table or of one column.

    Raises:
        ProjectInvalid: A metric, operator, argument, unit, dimension or severity is unknown, missing or senseless.
    """
    rules: list[QualityRule] = []
    for index, entry in enumerate(entries or ()):
        rule = _rule(entry, subject, place.at("quality", index))
        rules.append(rule)
    return rules


def _rule(entry: DataQuality, subject: Subject, place: Place) -> QualityRule:
    metric = _metric(entry, place)
    is_library = metric in METRICS
    if is_library:
        _check_fit(metric, subject, place)
    operator, threshold = _comparison(entry, place) if is_library else (None, ())
    arguments = _arguments(metric, entry, subject, place) if is_library else ()
    columns = dict(arguments).get("properties", ())
    return QualityRule(
        name=snake_case(entry.name or entry.id or metric) or snake_case(metric),
        metric=metric,
        column=subject.column,
        operator=operator,
        threshold=threshold,
        unit=_unit(entry, metric, threshold, place),
        dimension=_dimension(entry, metric, place),
        severity=_severity(entry, subject, place),
        is_executable=is_library and subject.is_read and subject.read_headers.issuperset(columns),
        arguments=arguments,
        description=entry.description,
    )


def _metric(entry: DataQuality, place: Place) -> str:
    key = "metric" if entry.metric else "rule"
    named = entry.metric or _FORMER_NAMES.get(entry.rule or "", entry.rule)
    kind = entry.type or ("library" if named or not entry.description else "text")
    if kind not in _TYPES:
        raise place.invalid(f"unknown type of rule {kind!r}{suggest(kind, _TYPES)}; known are {', '.join(_TYPES)}", "type")
    if kind != "library":
        return kind
    if named is None:
        raise place.invalid(f"a library rule needs a metric: {', '.join(METRICS)}")
    if named not in METRICS:
        raise place.invalid(f"unknown metric {named!r}{suggest(named, METRICS)}; known are {', '.join(METRICS)}", key)
    return named


def _check_fit(metric: str, subject: Subject, place: Place) -> None:
    if metric == "rowCount" and subject.column is not None:
        raise place.invalid("rowCount is about the table: move it from the column to the schema's quality")
    if metric in {"nullValues", "missingValues", "invalidValues"} and subject.column is None:
        raise place.invalid(f"{metric} is about a column: move it to the quality of a property")


def _comparison(entry: DataQuality, place: Place) -> tuple[str, tuple[float, ...]]:
    stated = [operator for operator in OPERATORS if getattr(entry, operator) is not None]
    if not stated:
        raise place.invalid(f"the rule has no threshold: add one of {', '.join(OPERATORS)}, such as mustBe: 0")
    if len(stated) > 1:
        raise place.invalid(f"the rule has two thresholds, {stated[0]} and {stated[1]}: write two rules", stated[1])
    return stated[0], _threshold(stated[0], getattr(entry, stated[0]), place)


def _threshold(operator: str, value: Any, place: Place) -> tuple[float, ...]:
    numbers = value if operator.endswith("Between") else [value]  # the standard's model has seen to it that these are two
    if any(isinstance(number, bool) or not isinstance(number, int | float) for number in numbers):
        raise place.invalid(f"{operator!r} should be a number", operator)
    if numbers[0] > numbers[-1]:
        raise place.invalid(f"{operator!r} should name the smaller number first", operator)
    return tuple(map(float, numbers))


def _unit(entry: DataQuality, metric: str, threshold: tuple[float, ...], place: Place) -> Literal["rows", "percent"]:
    unit = entry.unit or "rows"
    if metric not in METRICS:
        return "rows"
    if unit not in _UNITS:
        raise place.invalid(f"unknown unit {unit!r}{suggest(unit, _UNITS)}; known are rows and percent", "unit")
    if unit == "rows":
        return "rows"
    if metric == "rowCount":
        raise place.invalid("rowCount has no share to give in percent", "unit")
    if any(not 0 <= number <= 100 for number in threshold):  # noqa: PLR2004 -- percent
        raise place.invalid("a threshold in percent lies between 0 and 100", "unit")
    return "percent"


def _dimension(entry: DataQuality, metric: str, place: Place) -> str:
    dimension = entry.dimension or METRICS.get(metric, "conformity")
    if dimension not in DIMENSIONS:
        raise place.invalid(
            f"unknown dimension {dimension!r}{suggest(dimension, DIMENSIONS)}; known are {', '.join(DIMENSIONS)}", "dimension"
        )
    return dimension


def _severity(entry: DataQuality, subject: Subject, place: Place) -> Severity:
    if entry.severity is None:
        return "error" if subject.column is None else "warning"
    if entry.severity not in _SEVERITIES:
        raise place.invalid(
            f"unknown severity {entry.severity!r}{suggest(entry.severity, _SEVERITIES)}; known are error, warning, info",
            "severity",
        )
    return _SEVERITIES[entry.severity]


def _arguments(metric: str, entry: DataQuality, subject: Subject, place: Place) -> tuple[tuple[str, tuple[str, ...]], ...]:
    given = entry.arguments or {}
    here = place.at("arguments")
    for name in given:
        if name not in _ARGUMENTS[metric]:
            raise here.invalid(f"unknown argument {name!r} of {metric}{suggest(name, _ARGUMENTS[metric])}", name)
    if metric == "invalidValues" and not given:
        raise place.invalid("invalidValues needs arguments: validValues or pattern")
    arguments = tuple((name, _texts(name, value, here)) for name, value in given.items())
    return _in_headers(metric, arguments, subject, here, place)


def _texts(name: str, value: Any, place: Place) -> tuple[str, ...]:
    if name == "pattern":
        pattern = place.scalar("pattern")
        check_pattern(pattern, place, "pattern")
        return (pattern or "",)
    if not isinstance(value, list) or not value:
        raise place.invalid(f"{name!r} should be a list of values", name)
    return tuple(place.scalar(name, index) or "" for index in range(len(value)))


def _in_headers(
    metric: str, arguments: tuple[tuple[str, tuple[str, ...]], ...], subject: Subject, here: Place, place: Place
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if metric != "duplicateValues" or subject.column is not None:
        return arguments
    named = dict(arguments).get("properties", ())
    if not named:
        raise place.invalid("duplicateValues of a table needs arguments: {properties: [...]}")
    for index, name in enumerate(named):
        if name not in subject.headers:
            raise here.invalid(f"no column is called {name!r}{suggest(name, subject.headers)}", "properties", index)
    return (("properties", tuple(subject.headers[name] for name in named)),)


def snake_case(name: str) -> str:
    """Return a name in lower snake case, of letters a to z and digits only; empty where it has none of them."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")
