"""Builders of small valid tables; a test names only the cells it is about."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import jellyfish
import polars as pl

from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.golden_tables import GOLDEN_RECORDS
from custview_pipeline.contracts.intake_tables import DELIVERIES, PROTECTED_RECORDS
from custview_pipeline.contracts.match_index import CLAIMS, TOKENS
from custview_pipeline.contracts.matching_tables import CROSSWALK, CUID_HISTORY, MATCH_EDGES
from custview_pipeline.contracts.source_contract import SourceColumn, SourceContract
from custview_pipeline.contracts.standardised_record import FEATURE_TEXTS
from custview_pipeline.ingestion.changes import KNOWN, SURVEY
from custview_pipeline.protection.neighbourhoods import neighbourhoods
from custview_pipeline.protection.tokens import Tokeniser
from custview_pipeline.survivorship.claims import ATTRIBUTES, CLAIM_COLUMNS, number_elections

Row = Mapping[str, Any]

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 12, tzinfo=UTC)
TOKENISER = Tokeniser(bytes(range(32)), 1)


def customers(*numbers: int) -> pl.Enum:
    """Return the type of a column with these customers, in their order."""
    return pl.Enum([cuid(number) for number in sorted(set(numbers))])


def cuid(number: int) -> str:
    """Return a text in the form of a CUID."""
    return f"CU{number:017d}"


def table(schema: pl.Schema, default: Row, rows: tuple[Row, ...]) -> pl.DataFrame:
    """Build a frame of exactly this schema; each row fills the gaps from ``default``."""
    return pl.DataFrame([{**default, **row} for row in rows], schema=schema, orient="row")


def survey(*rows: tuple[Any, ...]) -> pl.DataFrame:
    """Build the survey of a delivery from record id and content digest, perhaps with the time and whether it is a deletion."""
    return pl.DataFrame([row + (None, False)[len(row) - 2 :] for row in rows], schema=SURVEY, orient="row")


def known(*rows: Row) -> pl.DataFrame:
    """Build what is known of a source."""
    return table(KNOWN, {"version": 1, "content_digest": 0, "updated_at": None, "is_deleted": False}, rows)


def marks_of(*record_ids: int) -> pl.DataFrame:
    """Build the marks of rows that enter the airlock for the first time."""
    schema = {
        "record_id": pl.Int64, "content_digest": pl.Int64, "version": pl.Int32, "broken": pl.List(pl.String),
        "is_quarantined": pl.Boolean,
    }  # fmt: skip
    return pl.DataFrame([(record_id, 0, 1, None, False) for record_id in record_ids], schema=schema, orient="row")


def protected_records(*rows: Row) -> pl.DataFrame:
    """Build rows of protected_records; the payload is no real one."""
    default = {
        "version": 1, "source_system": "crm", "entity_type": "person", "country": "US", "updated_at": NOW, "delivery_id": "d1",
        "content_digest": 0, "payload_sealed": b"sealed", "is_deleted": False, "valid_from_at": NOW,
    }  # fmt: skip
    return table(PROTECTED_RECORDS.types, default, tuple({"source_key": f"k{row['record_id']}", **row} for row in rows))


def deliveries(*rows: Row) -> pl.DataFrame:
    """Build rows of deliveries."""
    counts = dict.fromkeys((name for name in DELIVERIES.types if name.endswith("_count")), 0)
    default = {
        "delivery_id": "d1", "source_system": "crm", "origin": "source", "fingerprint": "f", "contract_version": "1",
        "rule_set_version": "1", "read_as": "{}", **counts, "run_id": "run-1", "delivered_at": NOW,
    }  # fmt: skip
    return table(DELIVERIES.types, default, rows)


def crosswalk(*rows: Row) -> pl.DataFrame:
    """Build rows of crosswalk."""
    default = {"source_system": "crm", "version": 1, "run_id": "run-0", "valid_from_at": NOW}
    return table(CROSSWALK.types, default, tuple({"source_key": f"k{row['record_id']}", **row} for row in rows))


def cuid_history(*rows: Row) -> pl.DataFrame:
    """Build rows of cuid_history; without an event a customer is created."""
    default = {"event": "created", "run_id": "run-0", "happened_at": NOW}
    return table(CUID_HISTORY.types, default, rows)


def clusters(*groups: tuple[int, ...]) -> pl.DataFrame:
    """Build clusters from the record ids of each."""
    rows = [(record_id, min(group)) for group in groups for record_id in group]
    return pl.DataFrame(rows, schema={"record_id": pl.Int64, "cluster": pl.Int64}, orient="row")


def edges(*rows: Row) -> pl.DataFrame:
    """Build rows of match_edges."""
    default = {
        "version": 1,
        "weight": 5.0,
        "probability": 0.97,
        "decision": "MATCH",
        "rule": "model",
        "pattern": 1,
        "model_version": "m",
    }
    return table(MATCH_EDGES.types, default, rows)


def index_claims(*rows: Row) -> pl.DataFrame:
    """Build claims as the match index holds them."""
    default = {"version": 1, "attribute": "email", "slot": 0, "token": 1, "is_valid": True, "length": 10, "part_count": 1}
    return table(CLAIMS, default, rows)


def claims(*rows: Row) -> pl.DataFrame:
    """Build claims as election reads them, of one customer and one attribute unless a row says otherwise; ids count from 1."""
    default = {
        "cuid": cuid(1), "attribute": "email", "record_version": 1, "slot": 0, "open_value": None, "source_system": "crm",
        "updated_at": NOW, "is_valid": True, "length": 10, "part_count": 1, "trust_score": 0.5, "vote_count": 1,
        "source_count": 1,
    }  # fmt: skip
    schema = {
        "cuid": customers(*range(20)), "attribute": ATTRIBUTES, "record_id": pl.Int64, "record_version": pl.Int32,
        "slot": pl.Int16, "token": pl.Int64, "open_value": pl.String, "source_system": pl.String,
        "updated_at": pl.Datetime("us", "UTC"), "is_valid": pl.Boolean, "length": pl.Int32, "part_count": pl.Int16,
        "trust_score": pl.Float64, "trust_order": pl.Float64, "steady_trust": pl.Float64, "vote_count": pl.Int32,
        "source_count": pl.Int32,
    }  # fmt: skip
    numbered = tuple(
        {"record_id": number, "token": number, **dict.fromkeys(("steady_trust", "trust_order"), trust), **row}
        for number, row in enumerate(rows, 1)
        for trust in (row.get("trust_score", default["trust_score"]),)
    )
    made = table(pl.Schema(schema), default, numbered)
    return made.with_columns(number_elections(made)).select(CLAIM_COLUMNS)


def pointer(record_id: int, **cells: Any) -> dict[str, Any]:
    """Build the cell of a golden record that points to a value."""
    default = {"record_version": 1, "slot": 0, "trust_score": 0.5, "source_count": 1, "is_contested": False, "kept_count": 1}
    return {"record_id": record_id, **default, **cells}


def golden_records(*rows: Row) -> pl.DataFrame:
    """Build rows of golden_records; attributes are empty unless given."""
    default = {
        "version": 1, "entity_type": "person", "is_active": True, "record_count": 1, "source_count": 1, "updated_at": NOW,
        "candidates_digest": 0, **dict.fromkeys(GOLDEN_ATTRIBUTES), "rulebook_version": "r1", "run_id": "run-0",
        "valid_from_at": NOW,
    }  # fmt: skip
    return table(GOLDEN_RECORDS.types, default, rows)


def source_contract(source_system: str = "crm", *attributes: str, **cells: Any) -> SourceContract:
    """Build the contract of a CSV source whose columns are named as their attributes."""
    default = {
        "version": "1.0.0", "title": source_system, "domain": None, "owner": "data-office", "purpose": None,
        "path_pattern": f"data/{source_system}/*.csv", "file_format": "csv", "encoding": "utf-8", "delimiter": ",",
    }  # fmt: skip
    columns = tuple(SourceColumn(name, name) for name in ("source_key", *attributes))
    return SourceContract(source_system, columns=columns, **{**default, **cells})


def person(**facts: Any) -> dict[str, Any]:
    """Build the features of a person from what they are made of.

    Args:
        facts: Names of features; those that follow from given, family, birth_date, email, phones, postal_code and identifiers
            are filled in unless given.
    """
    return {"is_enterprise": False, **_of_names(facts), **_of_birth(facts), **_of_contacts(facts), **facts}


def enterprise(**facts: Any) -> dict[str, Any]:
    """Build the features of an enterprise from its ``words`` and whatever else is known."""
    words = facts.pop("words", [])
    names = {
        "enterprise_name": "".join(words) or None, "enterprise_names": ["".join(words)] if words else [], "name_words": words,
        "enterprise_lead": " ".join(words[:2]) if len(words) > 1 else None,
    }  # fmt: skip
    return {"is_enterprise": True, **names, **_of_contacts(facts), **facts}


def features(*rows: Row) -> pl.DataFrame:
    """Build ``FEATURE_TEXTS``; lists are empty unless given, flags false."""
    empty = {name: [] if dtype == pl.List else False if dtype == pl.Boolean else None for name, dtype in FEATURE_TEXTS.items()}
    numbered = tuple({"row": number, **row} for number, row in enumerate(rows))
    return table(FEATURE_TEXTS, empty, numbered)


def tokens(texts: pl.DataFrame, record_ids: list[int] | None = None) -> pl.DataFrame:
    """Build the match index of records; their ids count from 1 unless given."""
    ids = record_ids or list(range(1, texts.height + 1))
    made = TOKENISER.tokenise_features(texts, rule_version="1")
    columns = (pl.Series("record_id", ids, pl.Int64), pl.Series("version", [1] * texts.height, pl.Int32))
    return made.with_columns(*columns).select(TOKENS.names())


def neighbours_of(texts: pl.DataFrame) -> pl.DataFrame:
    """Build the neighbourhoods of the fuzzy features."""
    return neighbourhoods(texts, TOKENISER, rule_version="1")


def _of_names(facts: Row) -> dict[str, Any]:
    given, family = facts.get("given"), facts.get("family")
    return {
        "given_group": given,
        "given_initial": given[:1] if given else None,
        "given_prefix": given[:3] if given else None,
        "given_sound": jellyfish.metaphone(given) if given else None,
        "family_prefix": family[:3] if family else None,
        "family_sound": jellyfish.metaphone(family) if family else None,
        "name_words": sorted({*(given or "").split(), *(family or "").split()}),
    }


def _of_birth(facts: Row) -> dict[str, Any]:
    if not facts.get("birth_date"):
        return {}
    year, month, day = facts["birth_date"].split("-")
    return {
        "birth_year": year,
        "birth_month": month,
        "birth_day": day,
        "is_birth_first_of_january": (month, day) == ("01", "01"),
    }


def _of_contacts(facts: Row) -> dict[str, Any]:
    local, _, domain = (facts.get("email") or "").partition("@")
    return {
        "email_local": local or None,
        "email_domain": domain or None,
        "phone_tails": sorted({phone[-7:] for phone in facts.get("phones", [])}),
        "postal_area": facts["postal_code"][:3] if facts.get("postal_code") else None,
        "identifier_schemes": sorted({identifier.split(":")[0] for identifier in facts.get("identifiers", [])}),
    }
