"""The four source systems: how each lays out, spells and stores its records."""

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.demo.chance import Chance
from custview_pipeline.demo.layout import (
    address_lines,
    country_names,
    enterprise_name,
    full_name,
    one_line_address,
    phones,
    text_or_none,
)
from custview_pipeline.demo.pools import choose

_NOTES: Final = (None, None, None, "called back", "prefers e-mail", "VIP", "do not call before 10", "moved?", "see ticket")
_CONSENTS: Final = ("yes", "no", "Y", "N", "opt-in", "opt-out", None)
_CONSENT_WEIGHTS: Final = (40.0, 20.0, 10.0, 6.0, 8.0, 4.0, 12.0)
_ROW_GROUP: Final = 50_000  # rows; an airlock worker takes one at a time


class SourceFile(NamedTuple):
    """How a source stores its records.

    Attributes:
        path: Its one file, relative to the project directory.
        lay_out: From the records to the source's own columns.
        write: Writes them.
    """

    path: str
    lay_out: Callable[[pl.DataFrame, Chance], pl.DataFrame]
    write: Callable[[pl.DataFrame, Path], None]


def lay_out_crm(records: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """Persons and enterprises, whole name and whole address in one column each."""
    count = records.height
    first_key = (
        records.select(parent=pl.col("customer"), parent_key="source_key")
        .drop_nulls()
        .unique("parent", keep="first", maintain_order=True)
    )
    parents = records.select("parent").join(first_key, on="parent", how="left", maintain_order="left")["parent_key"]
    kinds = {
        False: choose(("Person", "PERSON", "person", "Individual"), chance, count, (70.0, 14.0, 12.0, 4.0)),
        True: choose(
            ("Organization", "ORGANIZATION", "Organisation", "Company", "Enterprise"), chance, count, (60.0, 14.0, 14.0, 8.0, 4.0)
        ),
    }
    person = full_name(pl.Series(chance.weighted((94.0, 6.0), count)))
    return records.select(
        id="source_key",
        kind=pl.when("is_enterprise").then(kinds[True]).otherwise(kinds[False]),
        customer_name=text_or_none(pl.when("is_enterprise").then(enterprise_name()).otherwise(person)),
        mail="email",
        mobile=phones(records, "mobile", chance.apart("mobile")),
        landline=phones(records, "landline", chance.apart("landline")),
        street_address=one_line_address(),
        country=country_names(chance, count),
        born=_dates("%m/%d/%Y", "%Y-%m-%d", chance, count),
        ssn="ssn",
        ein="ein",
        uscc="uscc",
        parent_id=parents,
        industry="industry",
        website="website",
        consent=choose(_CONSENTS, chance, count, _CONSENT_WEIGHTS),
        modified=pl.col("updated_at").dt.strftime("%Y-%m-%d %H:%M:%S"),
        notes=choose(_NOTES, chance, count),
    )


def lay_out_web_shop(records: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """Persons as they registered themselves; a field for the name in its own script."""
    count = records.height
    shows_native = pl.Series(chance.happens(count, 0.62)) & pl.col("native_family").is_not_null()
    line1, line2 = address_lines()
    return records.select(
        customer_no="source_key",
        first_name="given",
        last_name="family",
        native_name=pl.when(shows_native).then(pl.col("native_family") + pl.col("native_given")),
        gender=pl.when(pl.Series(chance.happens(count, 0.6))).then("gender"),
        email="email",
        phone=phones(records, "mobile", chance),
        line1=line1,
        line2=line2,
        city="city",
        state="region",
        zip="postal_code",
        country=pl.col("country"),
        birthday=_dates("%Y-%m-%d", "%Y-%m-%d", chance, count),
        newsletter=pl.Series(chance.happens(count, 0.45)),
        created=pl.col("created_at").dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        updated=pl.col("updated_at").dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def lay_out_billing(records: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """Persons and enterprises of a British house: day before month, every part of name and address in a column."""
    count = records.height
    kind = pl.when("is_enterprise").then(pl.lit("ENTERPRISE")).otherwise(pl.lit("PERSON"))
    shows_former = (pl.col("former_family") != pl.col("family")) & pl.Series(chance.happens(count, 0.5))
    has_title = pl.Series(chance.happens(count, 0.8)) & ~pl.col("is_native") & pl.col("family").is_not_null()
    street = (
        pl.when((pl.col("country") == "CN") & ~pl.col("is_romanised"))
        .then(pl.concat_str("district", "street"))
        .otherwise("street")
    )
    return records.select(
        account_id="source_key",
        entity_type=kind,
        title=pl.when(has_title).then("title"),
        given_name="given",
        middle_name="middle",
        family_name="family",
        suffix="suffix",
        former_family_name=pl.when(shows_former).then("former_family"),
        company_name=text_or_none(pl.when("is_enterprise").then(enterprise_name())),
        trading_as=pl.when(pl.Series(chance.happens(count, 0.25))).then("enterprise_core"),
        employer=_sometimes("employer", count, 0.5, chance.apart("employer")),
        e_mail="email",
        tel=phones(records, "landline", chance, otherwise="mobile"),
        house_number="house_number",
        street=street,
        flat="unit",
        town="city",
        county="region",
        postcode="postal_code",
        country=country_names(chance, count),
        date_of_birth=_dates("%d/%m/%Y", "%Y-%m-%d", chance, count),
        national_id="ric",
        updated_at="updated_at",
    )


def lay_out_support(records: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """Contacts of tickets: the family name first, headers of the system's own."""
    count = records.height
    languages = pl.when(pl.col("country") == "CN").then(pl.lit("zh")).otherwise(pl.lit("en"))
    return records.select(
        pl.col("source_key").alias("Ticket Contact Ref"),
        text_or_none(full_name(pl.Series(chance.weighted((3.0, 97.0), count)))).alias("Contact (Last, First)"),
        phones(records, "mobile", chance, otherwise="landline").alias("Tel."),
        pl.col("email").alias("E-Mail"),
        _sometimes("second_email", count, 0.12, chance.apart("second mail")).alias("E-Mail 2"),
        _sometimes("employer", count, 0.5, chance.apart("employer")).alias("Employer"),
        one_line_address().alias("Postal address"),
        _sometimes("other_address", count, 0.4, chance.apart("second address")).alias("Delivery address"),
        country_names(chance, count).alias("Country"),
        _dates("%d-%b-%Y", "%d/%m/%Y", chance, count).alias("D.O.B."),
        languages.alias("Lang"),
        pl.col("updated_at").dt.strftime("%Y-%m-%d %H:%M").alias("Last seen"),
    )


def _sometimes(column: str, count: int, share: float, chance: Chance) -> pl.Expr:
    """Return a column of which the source has only some."""
    return pl.when(pl.Series(chance.happens(count, share))).then(column)


def _dates(usual: str, other: str, chance: Chance, count: int) -> pl.Expr:
    """Trick: other date formats. Return ``birth_date`` in the source's usual format, some in another."""
    differs = pl.Series(chance.happens(count, 0.02))
    born = pl.col("birth_date").dt
    return pl.when(differs).then(born.strftime(other)).otherwise(born.strftime(usual))


def _write_csv(rows: pl.DataFrame, path: Path) -> None:
    rows.write_csv(path)


def _write_semicolons(rows: pl.DataFrame, path: Path) -> None:
    rows.write_csv(path, separator=";")


def _write_parquet(rows: pl.DataFrame, path: Path) -> None:
    rows.rechunk().write_parquet(path, row_group_size=_ROW_GROUP, statistics=False)


def _write_json_lines(rows: pl.DataFrame, path: Path) -> None:
    rows.write_ndjson(path)


SOURCE_FILES: Final = {
    "crm": SourceFile("data/crm/customers.csv", lay_out_crm, _write_csv),
    "web_shop": SourceFile("data/web_shop/customers.jsonl", lay_out_web_shop, _write_json_lines),
    "billing": SourceFile("data/billing/accounts.parquet", lay_out_billing, _write_parquet),
    "support": SourceFile("data/support/contacts.csv", lay_out_support, _write_semicolons),
}
