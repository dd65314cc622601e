"""Fields of one record that contradict each other; the rules and where they are reported are ``contracts.consistency_rules``."""

from collections.abc import Callable, Mapping
from typing import Final

import phonenumbers
import polars as pl

from custview_pipeline.contracts.consistency_rules import CONSISTENCY_RULES, RESIDENT_ID
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.contracts.standardised_record import ISSUES
from custview_pipeline.standardisation.addresses.postal_regions import chinese_postal_prefixes, us_zip_prefixes
from custview_pipeline.standardisation.cells import issue_frame

_BIRTH_DATE: Final = (len(f"{RESIDENT_ID}:110105"), len("YYYYMMDD"))
_GENDER: Final = len(f"{RESIDENT_ID}:11010519491231002") - 1


def check_consistency(
    records: pl.DataFrame, values: pl.DataFrame, rows_with_stated_country: pl.Series, contract: SourceContract
) -> pl.DataFrame:
    """Return an issue (schema ``ISSUES``, dimension consistency) for each record and rule that its fields break.

    Values stay valid: which of the two fields is wrong, nobody knows. Values that break their own field standard are not judged,
    but for addresses: of these the two parts are.

    Args:
        records: Schema ``RECORDS``.
        values: Schema ``VALUES``, of the same records.
        rows_with_stated_country: Records whose source names the country; of the others, it says nothing about the telephone.
        contract: Tells which rules apply and what they are reported on.
    """
    stated = records.filter(pl.col("row").is_in(rows_with_stated_country.implode()))
    found: Mapping[str, Callable[[], pl.Series]] = {
        "postal_code_of_another_region": lambda: _postal_codes(_of(values, "address")),
        "birth_date_of_another_person": lambda: _birth_dates(_resident_ids(values), _of(values, "birth_date")),
        "gender_of_another_person": lambda: _genders(_resident_ids(values), _of(values, "gender")),
        "phone_of_another_country": lambda: _phones(_of(values, "phone"), stated),
    }
    issues = [pl.DataFrame(schema=ISSUES)]
    for rule, judge in found.items():
        if attribute := CONSISTENCY_RULES[rule].attribute(contract):
            issues.append(issue_frame(judge().unique(maintain_order=True), attribute, rule))
    return pl.concat(issues)


def _of(values: pl.DataFrame, attribute: str) -> pl.DataFrame:
    return values.filter(pl.col("attribute") == attribute)


def _resident_ids(values: pl.DataFrame) -> pl.DataFrame:
    identifiers = values.filter((pl.col("attribute") == "national_id") & pl.col("is_valid"))
    return identifiers.filter(pl.col("comparable").str.starts_with(f"{RESIDENT_ID}:")).select(
        "row", born=pl.col("comparable").str.slice(*_BIRTH_DATE), order=pl.col("comparable").str.slice(_GENDER, 1)
    )


def _postal_codes(addresses: pl.DataFrame) -> pl.Series:
    part = {name: pl.col("parts").str.extract(rf'"{name}": "([^"\\]+)"') for name in ("country", "region", "postal_code")}
    read = addresses.select("row", **part)
    code = pl.col("postal_code")
    in_us = (pl.col("country") == "US") & code.str.contains("^[0-9]{5}$")
    strays = [
        _strays(read.filter(in_us), code.str.slice(0, 3), us_zip_prefixes()),
        _strays(read.filter(code.str.contains("^[0-9]{6}$")), code.str.slice(0, 2), chinese_postal_prefixes()),
    ]
    return pl.concat(strays).sort()


def _strays(addresses: pl.DataFrame, prefix: pl.Expr, known: frozenset[tuple[str, str]]) -> pl.Series:
    """Return the rows whose region and prefix are both known, though not together."""
    regions, prefixes = {region for region, _ in known}, {start for _, start in known}
    judged = pl.col("region").is_in(sorted(regions)) & prefix.is_in(sorted(prefixes))
    together = (pl.col("region") + prefix).is_in(sorted(region + start for region, start in known))
    return addresses.filter(judged & ~together)["row"]


def _birth_dates(resident_ids: pl.DataFrame, birth_dates: pl.DataFrame) -> pl.Series:
    """Return the rows none of whose dates of birth, which may lack day and month, begins the one of an ID."""
    told = birth_dates.filter("is_valid").select("row", told=pl.col("value").str.replace_all("-", "", literal=True))
    return _contradicted(resident_ids.join(told, on="row"), pl.col("born").str.starts_with(pl.col("told")))


def _genders(resident_ids: pl.DataFrame, genders: pl.DataFrame) -> pl.Series:
    told = genders.filter(pl.col("is_valid") & pl.col("value").is_in(["m", "f"])).select("row", told="value")
    of_order = pl.when(pl.col("order").is_in(list("13579"))).then(pl.lit("m")).otherwise(pl.lit("f"))
    return _contradicted(resident_ids.join(told, on="row"), of_order == pl.col("told"))


def _contradicted(pairs: pl.DataFrame, agrees: pl.Expr) -> pl.Series:
    """Return the rows of an ID that agrees with nothing the record tells."""
    judged = pairs.select("row", "born", "order", agrees=agrees)
    return (
        judged.group_by("row", "born", "order", maintain_order=True).agg(pl.col("agrees").any()).filter(~pl.col("agrees"))["row"]
    )


def _phones(phones: pl.DataFrame, stated: pl.DataFrame) -> pl.Series:
    """Return the rows with a valid number (E.164) that begins with another calling code than the country's."""
    countries = stated["country"].unique()
    codes = [phonenumbers.country_code_for_region(country) for country in countries.to_list()]
    calling = pl.DataFrame(
        {"country": countries, "calling": [f"+{code}" if code else None for code in codes]},
        schema_overrides={"calling": pl.String},
    )
    expected = stated.select("row", "country").join(calling.drop_nulls(), on="country")
    valid = phones.filter("is_valid").join(expected, on="row", maintain_order="left")
    return valid.filter(~pl.col("value").str.starts_with(pl.col("calling")))["row"]
