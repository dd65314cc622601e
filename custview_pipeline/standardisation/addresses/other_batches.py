"""Many addresses outside the United States at once: what ``read_address`` answers one by one, by whole columns.

Only the common shape is answered here, of countries that write the house number first: plain letters and digits, parts between
commas of which one is a house number with a street, at most one a unit and the others words alone; or a place without a line.
What is spelled or compared word by word is done once for each distinct part, by the functions that do it for one address.
"""

from typing import Final

import polars as pl

from custview_pipeline.standardisation.addresses.addresses import ADDRESS
from custview_pipeline.standardisation.addresses.other_addresses import (
    BUILDING,
    LONGEST_CODE,
    LONGEST_STATE_CODE,
    UNIT,
    country_at_the_end,
    in_title_case,
    read_street_of,
    read_unit,
)
from custview_pipeline.standardisation.addresses.plain_lines import PLAIN_TEXT, plain_cells
from custview_pipeline.standardisation.addresses.postal_codes import (
    INWARD_LENGTH,
    postal_code_at_the_end,
    postal_code_form,
    state_at_the_end,
)
from custview_pipeline.standardisation.addresses.regions import BRITISH_COUNTIES
from custview_pipeline.standardisation.reading import read_each_once
from custview_pipeline.standardisation.text import as_json

# Where the house number stands first and the postal code last.
_COUNTRIES: Final = ("GB", "AU", "CA", "IE", "NZ", "IN", "SG", "ZA", "HK")
_PLACE: Final = ("city", "region", "postal_code")
_SHOWN: Final = ("city", "house_number", "postal_code", "region", "street", "unit")
_PLAIN_LINE: Final = f"^{PLAIN_TEXT}+$"
_PLAIN_PLACE: Final = f"^[A-Za-z]{PLAIN_TEXT}*$"
_PLAIN_CODE: Final = "^[A-Za-z0-9](?: ?[A-Za-z0-9-])*$"
_UNUSUAL: Final = "(?i)  |box|bag"
_STREET: Final = r"^(?P<house>(?:(?P<flat>[0-9]{1,5})/)?(?P<number>[0-9]+(?:[A-Za-z]|(?:-[0-9]+)+)?)) (?P<street>[^0-9].*)$"
_NUMBER_WITH_WORD: Final = r"^(?i:bis|ter)\b"
_STREET_AND_COUNTY: Final = 2  # parts of a line that names no city
_UNIT_IN_TWO_WORDS: Final = r"^[A-Za-z]+\.? [A-Za-z0-9]+$"


def read_other_addresses(cells: pl.DataFrame) -> pl.DataFrame:
    """Read the addresses of the common shape.

    Args:
        cells: ``code``, the fields of ``AddressCells`` and ``country``.

    Returns:
        ``code``, ``position`` and the columns of ``addresses.ADDRESS``, of some of the codes; each as ``read_address`` reads it.
    """
    lines = _plain_lines(cells)
    present = [country for country in _COUNTRIES if country in set(lines["country"].unique())]
    whole = pl.concat([_of_country(lines.head(0), "GB"), *(_of_country(lines, country) for country in present)])
    parts = _parts_of(whole)
    read = whole.join(parts, on="code", how="left", maintain_order="left").filter(
        pl.col("house_number").is_not_null() | ~pl.col("has_line")
    )
    return _answers(_with_place(read))


def _plain_lines(cells: pl.DataFrame) -> pl.DataFrame:
    """Return ``code``, ``country``, ``line`` and the cells of place and postal code, of addresses in plain letters and digits."""
    plain = plain_cells(cells, _COUNTRIES, {"city": _PLAIN_PLACE, "region": _PLAIN_PLACE, "postal_code": _PLAIN_CODE})
    return plain.filter(
        pl.col("line").is_null() | (pl.col("line").str.contains(_PLAIN_LINE) & ~pl.col("line").str.contains(_UNUSUAL)),
        pl.any_horizontal(pl.col(name).is_not_null() for name in ("line", *(f"{name}_cell" for name in _PLACE))),
    )


def _of_country(lines: pl.DataFrame, country: str) -> pl.DataFrame:
    """Take the country, the postal code and the state off the lines of one country, and read the postal codes."""
    named, end = country_at_the_end(country), postal_code_at_the_end(country)
    own = lines.filter(pl.col("country") == country).with_columns(has_line=pl.col("line").is_not_null())
    own = own.with_columns(pl.col("line").str.replace(f"(?i){named.pattern}", "")) if named else own
    own = _take(_take(own, end, "postal_code"), state_at_the_end(country), "region")
    code = pl.col("postal_code").str.to_uppercase()
    if country == "GB":
        bare = code.str.replace_all(" ", "", literal=True)
        written = pl.concat_str(bare.str.head(-INWARD_LENGTH), bare.str.tail(INWARD_LENGTH), separator=" ")
        code = pl.when(bare.str.len_bytes() > INWARD_LENGTH + 1).then(written).otherwise(code)
    is_code = code.str.contains(f"^(?:{postal_code_form(country)})$")
    return own.with_columns(postal_code=code, rule=pl.when(~is_code).then(pl.lit("not_a_postal_code")))


def _take(lines: pl.DataFrame, pattern: str | None, name: str) -> pl.DataFrame:
    """Take a postal code or state off the end of the lines where no column has it."""
    cell = pl.col(f"{name}_cell")
    if pattern is None:
        return lines.with_columns(cell.alias(name))
    rest, found = (pl.col("line").str.extract(f"(?i)^(.*?){pattern}", group) for group in (1, 2))
    is_taken = cell.is_null() & found.is_not_null()
    line = pl.when(is_taken).then(rest.str.strip_chars_end(" ,")).otherwise("line")
    return lines.with_columns(pl.coalesce(cell, found).alias(name), line=line)


def _parts_of(lines: pl.DataFrame) -> pl.DataFrame:
    """Return ``code``, ``texts`` between the commas and whether ``are_units``, ``house_number``, ``street`` and ``unit``.

    Lines that have not just one street, or a part that may be something else, are left out.
    """
    pieces = lines.select("code", text=pl.col("line").str.split(",")).explode("text").drop_nulls()
    pieces = pieces.with_columns(pl.col("text").str.strip_chars(" ")).filter(pl.col("text") != "")
    pieces = pieces.with_columns(pl.col("text").str.extract_groups(_STREET).alias("found")).unnest("found")
    pieces = pieces.with_columns(words=pl.coalesce("street", "text"), is_unit=pl.col("text").str.contains(f"(?i)^{UNIT.pattern}"))
    pieces = pieces.with_columns(read_each_once(pieces["words"], in_title_case), is_sure=_is_sure())
    pieces = pieces.with_columns(text=pl.concat_str("house", "words", separator=" ", ignore_nulls=True))
    sure = (
        pieces.group_by("code", maintain_order=True)
        .agg(
            texts="text",
            are_units="is_unit",
            is_sure=pl.col("is_sure").all(),
            streets=pl.col("street").count(),
            units=pl.col("is_unit").sum() + pl.col("flat").count(),
        )
        .filter("is_sure", pl.col("streets") == 1, pl.col("units") <= 1)
    )
    streets = pieces.filter(pl.col("street").is_not_null()).select("code", "flat", house_number="number", street="words")
    units = pieces.filter("is_unit").select("code", unit="text")
    read = sure.join(streets, on="code", how="left", maintain_order="left")
    return read.join(units, on="code", how="left", maintain_order="left").select(
        "code", "texts", "are_units", "house_number", "street", unit=pl.coalesce("unit", "flat")
    )


def _is_sure() -> pl.Expr:
    """Return whether a part is a street with its house number, a unit or words alone, and nothing else."""
    text, street, words = pl.col("text"), pl.col("street"), pl.col("words")
    # A letter of the house number may be of another case than the street's letters, which then stay as they are.
    tells_case = pl.col("number").str.contains("[A-Za-z]") & (
        (words == words.str.to_uppercase()) | (words == words.str.to_lowercase())
    )
    is_plain_unit = pl.col("is_unit") & text.str.contains(_UNIT_IN_TWO_WORDS)
    is_other = (~text.str.contains("[0-9]") | is_plain_unit) & ~text.str.contains(f"(?i)^{BUILDING.pattern}")
    return pl.when(street.is_null()).then(is_other).otherwise(~tells_case & ~street.str.contains(_NUMBER_WITH_WORD))


def _with_place(read: pl.DataFrame) -> pl.DataFrame:
    """Add ``city`` and ``region`` as shown: of the columns, or of the last parts of the line."""
    region, length = pl.col("region"), pl.col("texts").list.len()
    last, before = (pl.col("texts").list.get(place, null_on_oob=True) for place in (-1, -2))
    letters = last.str.to_lowercase().str.replace_all("[^a-z]", "")
    is_county = letters.is_in(BRITISH_COUNTIES) & (pl.col("country") == "GB") & (length > 1)
    is_county = is_county.fill_null(value=False) & pl.col("city_cell").is_null() & pl.col("region_cell").is_null()
    is_unit = [pl.col("are_units").list.get(place, null_on_oob=True) for place in (-1, -2)]
    in_line = (
        pl.when(is_county & (length > _STREET_AND_COUNTY) & ~is_unit[1])
        .then(before)
        .when(~is_county & (length > 1) & ~is_unit[0])
        .then(last)
    )
    long_region = read_each_once(read["region"], in_title_case)
    stated = pl.when(region.str.len_bytes() <= LONGEST_STATE_CODE).then(region.str.to_uppercase()).otherwise(long_region)
    return read.with_columns(
        city=pl.coalesce(read_each_once(read["city_cell"], in_title_case), in_line),
        region=pl.coalesce(stated, pl.when(is_county).then(last)),
    )


def _answers(read: pl.DataFrame) -> pl.DataFrame:
    """Return ``code``, ``position`` and the columns of ``addresses.ADDRESS``."""
    is_in_line = pl.col("texts").list.contains(pl.col("region")).fill_null(value=False)
    shown = pl.concat_str(
        pl.col("texts").list.join(", "),
        pl.when(pl.col("city_cell").is_not_null()).then("city"),
        pl.when(~is_in_line).then("region"),
        separator=", ",
        ignore_nulls=True,
    )
    shown = pl.concat_str(shown.replace("", None), "postal_code", separator=" ", ignore_nulls=True)
    streets = _compared_streets(read["street"])
    return read.select(
        "code",
        "rule",
        position=pl.lit(0),
        value=shown,
        comparable=shown.str.to_lowercase().str.replace_all("[^a-z0-9]+", " ").str.strip_chars(" "),
        parts=as_json(*_SHOWN, "country"),
        part_count=pl.sum_horizontal(pl.col(name).is_not_null() for name in _SHOWN),
        house_number=pl.col("house_number").str.extract("^([0-9]+)"),
        street=streets["name"],
        unit=pl.coalesce(read_each_once(read["unit"], read_unit), streets["unit"]),
        city=pl.col("city").str.to_lowercase().str.replace_all("[^a-z]", "").replace("", None),
        postal_code=pl.col("postal_code").str.to_lowercase().str.replace_all("[^a-z0-9]", "").str.head(LONGEST_CODE),
    ).select("code", "position", *ADDRESS)


def _compared_streets(streets: pl.Series) -> pl.DataFrame:
    """Return ``name`` and ``unit`` of each street as they are compared."""
    distinct = streets.drop_nulls().unique()
    found = [read_street_of(street, "GB") for street in distinct.to_list()]
    columns = {name: pl.Series([part[k] for part in found], dtype=pl.String) for k, name in enumerate(("name", "unit"))}
    read = pl.DataFrame({"street": distinct, **columns})
    return pl.DataFrame({"street": streets}).join(read, on="street", how="left", maintain_order="left")
