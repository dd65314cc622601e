"""Postal addresses of the United States, Great Britain and China, with the dialling codes of their towns."""

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from custview_pipeline.demo.chance import Chance
from custview_pipeline.demo.pools import choose, gather_parts, load_pool, where

PLACES: Final = pl.Schema(
    {
        "country": pl.String,  # US, GB, CN
        "house_number": pl.String,
        "street": pl.String,
        "unit": pl.String,
        "district": pl.String,  # China only
        "city": pl.String,
        "region": pl.String,
        "postal_code": pl.String,
        "street_latin": pl.String,  # the same in pinyin and English, China only
        "unit_latin": pl.String,
        "district_latin": pl.String,
        "city_latin": pl.String,
        "region_latin": pl.String,
        "dialling_code": pl.String,
        "local_start": pl.String,
        "local_length": pl.String,
    }
)
_POSTCODE_LETTERS: Final = tuple("ABDEFGHJLNPQRSTUWXYZ")  # the inward code has no C, I, K, M, O, V


def make_places(countries: NDArray[np.str_], chance: Chance) -> pl.DataFrame:
    """Return one address for each entry of ``countries`` (US, GB, CN); columns as in ``PLACES``."""
    makers = {"US": _american, "GB": _british, "CN": _chinese}
    parts = []
    for country, make in makers.items():
        rows = np.flatnonzero(countries == country)
        made = make(chance.apart(country), len(rows)).with_columns(country=pl.lit(country))
        parts.append(made.with_columns(place=pl.Series(rows, dtype=pl.UInt32)))
    places = gather_parts(parts, len(countries))
    return places.select(
        pl.col(name) if name in places.columns else pl.lit(None, kind).alias(name) for name, kind in PLACES.items()
    )


def share_buildings(places: pl.DataFrame, chance: Chance, share: float = 0.06) -> pl.DataFrame:
    """Trick: neighbours. Some addresses become another flat in the building of an address before them."""
    building = ["house_number", "street", "city", "region", "postal_code", "district"]
    building += [f"{name}_latin" for name in ("street", "district", "city", "region")]
    order = np.argsort(places["country"].to_numpy(), kind="stable")
    sorted_places = places[order]
    flags = pl.Series(chance.happens(places.height, share))
    neighbour = flags & (pl.col("country") == pl.col("country").shift(1)) & pl.col("street").is_not_null()
    units = [_flats(kind, chance, places.height) for kind in ("Apt ", "Flat ")]
    moved = sorted_places.with_columns(
        pl.when(neighbour).then(pl.col(name).shift(1)).otherwise(pl.col(name)).alias(name) for name in building
    ).with_columns(
        unit=pl.when(neighbour & (pl.col("country") == "US"))
        .then(units[0])
        .when(neighbour & (pl.col("country") == "GB"))
        .then(units[1])
        .otherwise(pl.col("unit"))
    )
    return moved[np.argsort(order, kind="stable")]


def move_within_town(now: pl.DataFrame, before: pl.DataFrame, chance: Chance, share: float = 0.6) -> pl.DataFrame:
    """Return the addresses ``before`` a move, most of them in the town of the address ``now``."""
    town = ["city", "region", "postal_code", "district", "city_latin", "region_latin", "district_latin"]
    stays = pl.Series(chance.happens(now.height, share))
    return before.with_columns(pl.when(stays).then(now[name]).otherwise(pl.col(name)).alias(name) for name in town)


def _flats(kind: str, chance: Chance, count: int) -> pl.Series:
    return kind + pl.Series(chance.whole(1, 48, count)).cast(pl.String)


def _digits(chance: Chance, count: int, length: int) -> pl.Series:
    return pl.Series(chance.whole(0, 10**length - 1, count)).cast(pl.String).str.zfill(length)


def _american(chance: Chance, count: int) -> pl.DataFrame:
    streets = load_pool("us_streets").draw(chance, count)
    point = choose(("", "N ", "S ", "E ", "W "), chance, count, (80.0, 5.0, 5.0, 5.0, 5.0))
    numbers = np.exp(chance.fractions(count) * 7.2 + 2.2).astype(np.int64)  # 9 to 12,000, short ones more often
    flat = choose(("Apt ", "Unit ", "Suite ", "Apt "), chance, count) + pl.Series(chance.whole(1, 420, count)).cast(pl.String)
    letter = choose(("", "A", "B", "C", "D"), chance, count, (70.0, 9.0, 9.0, 6.0, 6.0))
    no_flat = pl.repeat(None, count, dtype=pl.String, eager=True)
    made = (
        load_pool("us_cities")
        .draw(chance, count)
        .with_columns(
            house_number=pl.Series(numbers).cast(pl.String),
            street=(point + streets["name"] + " " + streets["kind"]).str.strip_chars(),
            unit=where(chance.happens(count, 0.24), flat + letter, no_flat),
            postal_code=pl.col("zip_prefix") + _digits(chance, count, 2),
        )
    )
    return _with_post_boxes(made, chance)


def _with_post_boxes(places: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """Trick: an address that is a post office box, without house number and unit."""
    boxes = pl.Series(chance.happens(places.height, 0.012))
    number = "PO Box " + pl.Series(chance.whole(11, 9800, places.height)).cast(pl.String)
    return places.with_columns(
        street=pl.when(boxes).then(number).otherwise(pl.col("street")),
        house_number=pl.when(~boxes).then(pl.col("house_number")),
        unit=pl.when(~boxes).then(pl.col("unit")),
    )


def _british(chance: Chance, count: int) -> pl.DataFrame:
    streets = load_pool("gb_streets").draw(chance, count)
    numbers = np.exp(chance.fractions(count) * 4.6 + 0.7).astype(np.int64)  # 2 to 200
    letter = choose(("", "a", "b"), chance, count, (94.0, 4.0, 2.0))
    houses = choose(("Rose Cottage", "The Old Rectory", "Orchard House", "Ivy Cottage", "Mill House", "The Lodge"), chance, count)
    no_flat = pl.repeat(None, count, dtype=pl.String, eager=True)
    inward = _digits(chance, count, 1) + choose(_POSTCODE_LETTERS, chance, count) + choose(_POSTCODE_LETTERS, chance, count)
    return (
        load_pool("gb_towns")
        .draw(chance, count)
        .with_columns(
            house_number=where(chance.happens(count, 0.02), houses, pl.Series(numbers).cast(pl.String) + letter),
            street=(streets["name"] + " " + streets["kind"]).str.strip_chars(),
            unit=where(chance.happens(count, 0.16), _flats("Flat ", chance, count), no_flat),
            postal_code=pl.col("postcode_area") + pl.Series(chance.whole(1, 19, count)).cast(pl.String) + " " + inward,
        )
    )


def _chinese(chance: Chance, count: int) -> pl.DataFrame:
    streets = load_pool("cn_streets").draw(chance, count)
    building = pl.Series(chance.whole(1, 28, count)).cast(pl.String)
    floor = pl.Series(chance.whole(1, 32, count)).cast(pl.String)
    room = floor + "0" + pl.Series(chance.whole(1, 6, count)).cast(pl.String)
    return (
        load_pool("cn_districts")
        .draw(chance, count)
        .with_columns(
            house_number=pl.Series(chance.whole(1, 388, count)).cast(pl.String),
            street=streets["street"],
            street_latin=streets["street_latin"],
            unit=building + "栋" + room + "室",
            unit_latin="Room " + room + ", Building " + building,
            postal_code=pl.col("postcode_prefix") + _digits(chance, count, 3),
        )
    )
