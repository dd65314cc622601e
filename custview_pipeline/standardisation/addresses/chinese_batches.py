"""Many addresses in Chinese characters at once: what ``read_address`` answers one by one, by whole columns.

Only the common shape is answered here: city and district in full, street, house number, and maybe building, entrance and room.
Each different head (down to the district) and each different street is read once, by the functions that do it for one address;
the grammar of what follows the district does not ask which digits its numbers have, so one reading with others serves all.
"""

from typing import Final

import polars as pl

from custview_pipeline.standardisation.addresses.addresses import ADDRESS
from custview_pipeline.standardisation.addresses.chinese_addresses import (
    is_real_chinese_address,
    parse_levels,
    spell,
    spell_city,
    street_name,
)
from custview_pipeline.standardisation.addresses.chinese_places import begins_with_heading, take_closed_place
from custview_pipeline.standardisation.addresses.plain_lines import plain_line
from custview_pipeline.standardisation.reading import read_each_once
from custview_pipeline.standardisation.text import as_json

_CHARACTER: Final = "[\u4e00-\u9fff]"
_NAME: Final = f"^{_CHARACTER}+$"
_CODE: Final = "^[0-9]{4,6}$"
_SEPARATORS: Final = r"[\s,、。;]+"
_SHAPE: Final = f"^{_CHARACTER}{{6,40}}[0-9]{{1,5}}号(?:[0-9]|$)"
_HEAD: Final = "^(.+?(?:市|自治州|地区|盟).+?[区县旗])"
_ROAD: Final = "^([^0-9]{2,14})[0-9]"
_NUMBERS: Final = (
    "^[^0-9]+(?P<house_number>[0-9]{1,5}号)(?P<building>[0-9]{1,3}(?:栋|幢|座|号楼))?(?P<entrance>[0-9]{1,2}单元)?"
    "(?P<unit>[0-9]{1,5}室)?$"
)
# The parts that are numbered, each with the digit that stands for its number where its grammar is asked.
_NUMBERED: Final = {"house_number": "1", "building": "2", "entrance": "3", "unit": "4"}
_PLACE: Final = ("region", "city", "district")


def read_chinese_addresses(cells: pl.DataFrame) -> pl.DataFrame:
    """Read the addresses of the common shape.

    Args:
        cells: ``code``, the fields of ``AddressCells`` and ``country``.

    Returns:
        ``code``, ``position`` and the columns of ``addresses.ADDRESS``, of some of the codes; each as ``read_address`` reads it.
    """
    shaped = _texts(cells).with_columns(head=pl.col("text").str.extract(_HEAD)).drop_nulls("head")
    rest = pl.col("text").str.slice(pl.col("head").str.len_chars())
    shaped = shaped.with_columns(road=rest.str.extract(_ROAD), found=rest.str.extract_groups(_NUMBERS)).unnest("found")
    shaped = shaped.drop_nulls(["road", "house_number"])
    numbers = [pl.col(name).str.replace("[0-9]+", digit) for name, digit in _NUMBERED.items()]
    roads = read_each_once(shaped.select(pl.concat_str("road", *numbers, ignore_nulls=True)).to_series(), _read_road)
    shaped = shaped.with_columns(town=roads.str.extract("^(.+)\n"), street=roads.str.extract("\n(.+)$")).filter(
        pl.col("street").is_not_null()
    )
    return _answers(shaped.join(_read_heads(shaped["head"]), on="head", how="inner", maintain_order="left"))


def _texts(cells: pl.DataFrame) -> pl.DataFrame:
    """Return ``code``, ``country``, ``postal_code`` and ``text``: what is read, without its separators."""
    names = [pl.col(name).is_null() | pl.col(name).str.contains(_NAME) for name in ("region", "city")]
    lines = (
        cells.filter(
            pl.col("country").is_not_null(),
            pl.col("po_box").is_null(),
            pl.col("postal_code").is_null() | pl.col("postal_code").str.contains(_CODE),
            *names,
        )
        .select("code", "country", "postal_code", "region", "city", line=plain_line())
        .filter(pl.col("line").str.contains(_CHARACTER))
    )
    place = [pl.when(~pl.col("line").str.contains(pl.col(name), literal=True)).then(name) for name in ("region", "city")]
    text = pl.concat_str(*place, "line", ignore_nulls=True).str.replace_all(_SEPARATORS, "")
    return lines.select("code", "country", "postal_code", text=text).filter(pl.col("text").str.contains(_SHAPE))


def _read_road(levels: str) -> str | None:
    r"""Return town and street, parted by a line break; None where what follows them is divided otherwise than by ``_SHAPE``.

    Args:
        levels: What follows the district, with 1, 2, 3 and 4 for the numbers of house, building, entrance and room.
    """
    parts = parse_levels(levels)
    town, street = parts.pop("town", ""), parts.pop("street", "")
    is_of_shape = all(part[0] == _NUMBERED.get(name) for name, part in parts.items())
    if begins_with_heading(levels) or not is_of_shape or town + street + "".join(parts.values()) != levels:
        return None
    return f"{town}\n{street}" if street_name(street) else None


def _read_heads(heads: pl.Series) -> pl.DataFrame:
    """Return ``head``, ``region``, ``city`` and ``district``, the broken rule and the city as it is compared."""
    found = {head: place for head in heads.unique().to_list() if (place := take_closed_place(head)) is not None}
    rows = [
        (head, *(place.get(level) for level in _PLACE), *(_rule_of(place), spell_city(place))) for head, place in found.items()
    ]
    names = ("head", *_PLACE, "rule", "compared_city")
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def _rule_of(place: dict[str, str]) -> str | None:
    return None if is_real_chinese_address(place) else "not_an_address"


def _answers(read: pl.DataFrame) -> pl.DataFrame:
    """Return ``code``, ``position`` and the columns of ``addresses.ADDRESS``."""
    city = pl.when(pl.col("city").ne_missing(pl.col("region"))).then("city")
    line = pl.concat_str("region", city, "district", "town", "street", *_NUMBERED, ignore_nulls=True)
    value = pl.concat_str(line, "postal_code", separator=" ", ignore_nulls=True)
    shown = (*_PLACE, "town", "street", *_NUMBERED, "postal_code")
    return read.select(
        "code",
        "rule",
        "postal_code",
        position=pl.lit(0),
        value=value,
        comparable=value,
        parts=as_json(*shown, "country"),
        part_count=pl.sum_horizontal(pl.col(name).is_not_null() for name in shown),
        house_number=pl.col("house_number").str.extract("([0-9]+)"),
        street=read_each_once(read["street"], lambda street: spell(street_name(street))),
        unit=pl.col("unit").str.extract("([0-9]+)"),
        city="compared_city",
    ).select("code", "position", *ADDRESS)
