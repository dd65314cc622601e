"""A batch of raw rows becomes a batch of standardised records: the one door of this room."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import polars as pl

from custview_pipeline.contracts.attributes import ADDRESS_PARTS, ENTERPRISE_NAMES, IDENTIFIERS, NAME_PARTS, EntityType
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.contracts.standardised_record import RECORDS, StandardisedBatch
from custview_pipeline.standardisation.cells import clean_cells, issue_frame, issues_of
from custview_pipeline.standardisation.codes.countries import MONTH_FIRST, read_country
from custview_pipeline.standardisation.consistency import check_consistency
from custview_pipeline.standardisation.dates.timestamps import read_timestamps
from custview_pipeline.standardisation.features import Found, build_features
from custview_pipeline.standardisation.names.entity_types import decide_entity_types, first_filled
from custview_pipeline.standardisation.reading import read_distinct
from custview_pipeline.standardisation.values import number_values, read_addresses, read_cells, read_enterprises, read_names

# Raise a number where a rule set's answers change: what deliveries were standardised with is then told apart.
RULE_SETS: Final[dict[str, str]] = {
    "names": "3",
    "addresses": "3",
    "phones": "2",
    "emails": "2",
    "dates": "2",
    "identifiers": "3",
    "codes": "3",
    "numbers": "1",
    "features": "2",
    "consistency": "1",
}


def rule_set_version() -> str:
    """Return all rule sets and their versions as one short text, which deliveries record."""
    return ";".join(f"{name}={version}" for name, version in sorted(RULE_SETS.items()))


def standardise(raw: pl.DataFrame, contract: SourceContract, *, region: str, today: date | None = None) -> StandardisedBatch:
    """Return a batch's records, values, features and broken field standards.

    Args:
        raw: All-text columns named as in the contract; nulls allowed. The order of rows defines ``row``.
        contract: Tells the attribute of each column.
        region: The project's default country, ISO 3166 alpha-2: of phones and addresses without country, and for day or
            month first.
        today: No date of birth is later; the current day (UTC) where not given.

    Raises:
        Redacted: The frame is not what the contract says.
    """
    today = today or datetime.now(UTC).date()
    cells, issues = clean_cells(raw, contract)
    entity_types, type_issues = decide_entity_types(cells, contract)
    countries = _read_countries(cells, contract)
    country = countries.select("row", country=pl.col("feature")).drop_nulls().unique("row", keep="first", maintain_order=True)
    cells = cells.join(country, on="row", how="left", maintain_order="left").with_columns(pl.col("country").fill_null(region))
    found, values, broken = _read(cells, contract, entity_types, region=region, today=today)
    records, time_issues = _records(cells, contract, entity_types, region=region, today=today)
    rows = cells.select("row", is_enterprise=entity_types == EntityType.ENTERPRISE.value)
    every_value = pl.concat([number_values(countries, "country", entity_types), *values]).sort("row", "attribute", "slot")
    contradictions = check_consistency(records, every_value, country["row"], contract)
    every_issue = [issues, type_issues, issues_of(countries, "country"), *broken, time_issues, contradictions]
    return StandardisedBatch(
        records, every_value, build_features(rows, found), pl.concat(every_issue).sort("row", "attribute", "rule")
    )


def _read_countries(cells: pl.DataFrame, contract: SourceContract) -> pl.DataFrame:
    stated = cells.select("row", cell=first_filled(cells, contract, "country")).drop_nulls()
    return read_distinct(stated, ["cell"], read_country)


def _read(
    cells: pl.DataFrame, contract: SourceContract, entity_types: pl.Series, *, region: str, today: date
) -> tuple[Found, list[pl.DataFrame], list[pl.DataFrame]]:
    """Read every attribute; return what matching needs, the values and the issues."""
    is_enterprise = entity_types == EntityType.ENTERPRISE.value
    readings = read_cells(cells, contract, region=region, today=today)
    names = read_names(cells.filter(~is_enterprise), contract)
    enterprises = read_enterprises(cells.filter(is_enterprise), contract)
    addresses = read_addresses(cells, contract)
    # Where no registered name is given, the field that may hold either holds it.
    registered = pl.concat([enterprises["legal_name"], enterprises["full_name"]]).sort("row", maintain_order=True)
    groups = {
        **readings,
        "name": names,
        "address": addresses,
        "legal_name": registered,
        "trading_name": enterprises["trading_name"],
    }
    values = [number_values(found.with_columns(parts=_parts(name)), name, entity_types) for name, found in groups.items()]
    broken = [issues_of(found, _attribute_of(name, contract)) for name, found in groups.items()]
    identifiers = pl.concat([readings[name] for name in IDENTIFIERS])
    every_name = pl.concat([enterprises[name] for name in ("legal_name", "trading_name", "full_name")]).sort(
        "row", maintain_order=True
    )
    return Found(names, every_name, addresses, {**readings, "identifier": identifiers}), values, broken


def _parts(golden_attribute: str) -> pl.Expr:
    return pl.col("parts") if GOLDEN_ATTRIBUTES[golden_attribute].is_group else pl.lit(None, pl.String)


def _attribute_of(golden_attribute: str, contract: SourceContract) -> str:
    """Return the source's attribute that a golden one is read from first."""
    sources = {"name": NAME_PARTS, "address": ADDRESS_PARTS, "legal_name": (*ENTERPRISE_NAMES, "full_name")}.get(
        golden_attribute, ()
    )
    return next(
        (attribute for attribute in sources if contract.carrying(attribute)), golden_attribute if not sources else sources[0]
    )


def _records(
    cells: pl.DataFrame, contract: SourceContract, entity_types: pl.Series, *, region: str, today: date
) -> tuple[pl.DataFrame, pl.DataFrame]:
    moments, issues = {}, []
    # A record from the future would be the most recent one for ever; a day is left for clocks and zones.
    latest = datetime.combine(today, time.max, UTC) + timedelta(days=1)
    for attribute in ("updated_at", "created_at"):
        stated = first_filled(cells, contract, attribute)
        form = next((column.date_format for column in contract.carrying(attribute)), None)
        moment = read_timestamps(stated, form, is_month_first=region in MONTH_FIRST)
        is_future = (moment > latest).fill_null(value=False)
        issues.append(issue_frame((stated.is_not_null() & moment.is_null()).arg_true(), attribute, "not_a_timestamp"))
        issues.append(issue_frame(is_future.arg_true(), attribute, "future_date"))
        moments[attribute] = moment.set(is_future, None)
    records = cells.select("row", entity_type=entity_types, country="country", **moments)
    return records.cast(RECORDS), pl.concat(issues)
