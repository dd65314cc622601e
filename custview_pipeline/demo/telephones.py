"""Telephone numbers as area and subscriber number, and the many ways in which people write them."""

from typing import Final

import polars as pl

from custview_pipeline.demo.chance import Chance
from custview_pipeline.demo.pools import choose

# First digits of mobile numbers in use, as the metadata of phonenumbers has them.
_GB_MOBILES: Final = (
    "7759",
    "7711",
    "7725",
    "7736",
    "7742",
    "7753",
    "7768",
    "7779",
    "7786",
    "7792",
    "7803",
    "7817",
    "7825",
    "7831",
)
_CN_MOBILES: Final = (
    "130",
    "131",
    "135",
    "136",
    "137",
    "138",
    "139",
    "150",
    "151",
    "152",
    "158",
    "159",
    "177",
    "180",
    "186",
    "188",
    "189",
)

_CN_MOBILE_LENGTH: Final = 11
_SERVICES: Final = 11  # exchanges 211, 311, ...: services
_FICTION: Final = 555  # the exchange kept for fiction

# {area} and {local} are what a number is made of, {first} and {last} the local part before and after its last four digits.
_STYLES: Final = {
    "US": (
        "({area}) {first}-{last}", "{area}-{first}-{last}", "{area}{first}{last}", "{area}.{first}.{last}",
        "+1 {area} {first} {last}", "+1{area}{first}{last}", "1-{area}-{first}-{last}",
    ),
    "GB": (
        "0{area} {local}", "0{area}{local}", "+44 {area} {local}", "+44{area}{local}", "+44 (0){area} {local}",
        "(0{area}) {local}",
    ),
    "CN mobile": (
        "{area}{local}", "{area}-{first}-{last}", "{area} {first} {last}", "+86 {area} {first} {last}", "+86{area}{local}",
    ),
    "CN landline": ("0{area}-{local}", "(0{area}){local}", "+86 {area} {local}", "+86-{area}-{local}", "0{area} {local}"),
}  # fmt: skip
_STYLE_WEIGHTS: Final = (34.0, 22.0, 14.0, 12.0, 8.0, 6.0, 4.0)


def make_mobiles(places: pl.DataFrame, chance: Chance) -> pl.Series:
    """Return a mobile number, "area local", for each place; it reads ``country`` and ``dialling_code``."""
    count = places.height
    british = choose(_GB_MOBILES, chance, count) + " " + _below(chance, count, 6)
    chinese = choose(_CN_MOBILES, chance, count) + " " + _below(chance, count, 8)
    american = places["dialling_code"] + " " + _exchange(chance, count) + _below(chance, count, 4)
    return _by_country(places, american, british, chinese)


def make_landlines(places: pl.DataFrame, chance: Chance) -> pl.Series:
    """Return a landline number, "area local", for each place; it reads the dialling code and the local start and length."""
    american = places["dialling_code"] + " " + _exchange(chance, places.height) + _below(chance, places.height, 4)
    missing = pl.col("local_length").cast(pl.Int64) - pl.col("local_start").str.len_chars()
    tail = pl.lit(_below(chance, places.height, 8))
    local = places.select(pl.col("local_start") + tail.str.head(missing)).to_series()
    elsewhere = places["dialling_code"] + " " + local
    return _by_country(places, american, elsewhere, elsewhere)


def write_numbers(numbers: pl.Series, countries: pl.Series, chance: Chance) -> pl.Series:
    """Trick: telephone formats. Return each "area local" number as some source or person might write it."""
    area = pl.col("number").str.split_exact(" ", 1).struct
    frame = pl.DataFrame({"number": numbers, "country": countries, "draw": chance.weighted(_STYLE_WEIGHTS, len(numbers))})
    frame = frame.with_columns(area=area.field("field_0"), local=area.field("field_1"))
    is_mobile = pl.col("local").str.len_chars() + pl.col("area").str.len_chars() == _CN_MOBILE_LENGTH
    frame = frame.with_columns(
        kind=pl.when(pl.col("country") != "CN")
        .then(pl.col("country"))
        .when(is_mobile & pl.col("area").str.starts_with("1"))
        .then(pl.lit("CN mobile"))
        .otherwise(pl.lit("CN landline")),
        first=pl.col("local").str.head(-4),
        last=pl.col("local").str.tail(4),
    )
    return frame.select(_styled()).to_series()


def _styled() -> pl.Expr:
    written = pl.lit(None, pl.String)
    for kind, styles in _STYLES.items():
        for place, style in enumerate(styles):
            is_this = (pl.col("kind") == kind) & (pl.col("draw") % len(styles) == place)
            written = pl.when(is_this).then(_fill(style)).otherwise(written)
    return written


def _fill(style: str) -> pl.Expr:
    names = ("area", "local", "first", "last")
    shape = style
    found = sorted((style.index(f"{{{name}}}"), name) for name in names if f"{{{name}}}" in style)
    for name in names:
        shape = shape.replace(f"{{{name}}}", "{}")
    return pl.format(shape, *[pl.col(name) for _, name in found])


def _below(chance: Chance, count: int, length: int) -> pl.Series:
    return pl.Series(chance.whole(0, 10**length - 1, count)).cast(pl.String).str.zfill(length)


def _exchange(chance: Chance, count: int) -> pl.Series:
    """Return the three digits after the area: 200 to 998, none of services or fiction."""
    drawn = chance.whole(200, 998, count)
    drawn[(drawn % 100 == _SERVICES) | (drawn == _FICTION)] += 2
    return pl.Series(drawn).cast(pl.String)


def _by_country(places: pl.DataFrame, american: pl.Series, british: pl.Series, chinese: pl.Series) -> pl.Series:
    return places.select(
        pl.when(pl.col("country") == "US").then(american).when(pl.col("country") == "GB").then(british).otherwise(chinese)
    ).to_series()
