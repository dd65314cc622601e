"""Many United States addresses at once: what ``read_address`` answers one by one, in polars and numpy.

Only the common shape is answered here: plain letters and digits, a street with its house number first, no box, route or crossing.
What is spelled or divided word by word is done once for each distinct part, by the functions that do it for one address.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from custview_pipeline.standardisation.addresses.addresses import UNITED_STATES
from custview_pipeline.standardisation.addresses.plain_lines import PLAIN_TEXT, plain_cells
from custview_pipeline.standardisation.addresses.street_grammar import (
    STREET_PARTS,
    compare_city,
    compare_house_number,
    read_street,
)
from custview_pipeline.standardisation.addresses.us_addresses import PARTS, spell_part
from custview_pipeline.standardisation.addresses.us_labels import label_lines, load_model
from custview_pipeline.standardisation.reading import read_each_once
from custview_pipeline.standardisation.text import as_json

_STREET: Final = ("house_number", *STREET_PARTS)
_LABELLED: Final = ("recipient", "building", *_STREET, "city", "region", "postal_code")
_SHOWN: Final = (*_LABELLED, "postal_code_extension")
_UNREAD_LABELS: Final = frozenset(
    ["IntersectionSeparator", "USPSBoxType", "USPSBoxID", "USPSBoxGroupType", "USPSBoxGroupID", "ZipPlus4"]
)
_PLAIN_LINE: Final = f"^[0-9]{PLAIN_TEXT}*$"
_PLAIN_CELL: Final = r"^[A-Za-z][A-Za-z .'-]*$"
_PLAIN_CODE: Final = r"^[0-9]{3,5}$|^[0-9]{5}-?[0-9]{4}$"
_UNUSUAL: Final = r"(?i)box|\bp[. ]*o[. ]*b| [@&] "


def read_us_addresses(cells: pl.DataFrame) -> pl.DataFrame:
    """Read the addresses of the common shape.

    Args:
        cells: ``code``, the fields of ``AddressCells`` and ``country``.

    Returns:
        ``code``, ``position`` and the columns of ``addresses.ADDRESS``, of some of the codes; each as ``read_address`` reads it.
    """
    lines = _plain_lines(cells)
    parts = _parts_of(lines)
    read = _with_cells(lines.join(parts, on="code", how="inner", maintain_order="left"))
    return _show(read).join(_compare(read), on="code", how="inner", maintain_order="left").with_columns(position=pl.lit(0))


def _plain_lines(cells: pl.DataFrame) -> pl.DataFrame:
    """Return ``code``, ``country``, ``line`` and the cells of place and postal code, of addresses in plain letters and digits."""
    plain = plain_cells(cells, UNITED_STATES, {"city": _PLAIN_CELL, "region": _PLAIN_CELL, "postal_code": _PLAIN_CODE})
    return plain.filter(pl.col("line").str.contains(_PLAIN_LINE), ~pl.col("line").str.contains(_UNUSUAL))


def _parts_of(lines: pl.DataFrame) -> pl.DataFrame:
    """Return ``code`` and the spelled parts of ``_LABELLED``, of lines that have street and house number and nothing unusual."""
    labelled = label_lines(lines.select("code", "line"))
    if labelled.is_empty():
        return pl.DataFrame(schema={"code": pl.UInt32(), **dict.fromkeys(_LABELLED, pl.String())})
    codes, labels = labelled["code"].to_numpy(), labelled["label"].to_numpy()
    starts = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]]))
    is_usual = _are_usual(labels, starts)
    part_of = np.array([_LABELLED.index(PARTS[label]) if PARTS.get(label) in _LABELLED else 255 for label in load_model().labels])
    line_of = np.repeat(np.arange(len(starts)), np.diff([*starts, len(codes)]))
    tokens = labelled.select(
        line=pl.Series(line_of),
        part=pl.Series(part_of[labels].astype(np.uint8)),
        token=pl.col("token").str.strip_chars(" ,;()\n"),
    ).filter(pl.Series(is_usual[line_of]), pl.col("part") < len(_LABELLED))
    texts = tokens.group_by("line", "part", maintain_order=True).agg("token").with_columns(pl.col("token").list.join(" "))
    found = {name: _scatter(texts.filter(pl.col("part") == part), name, len(starts)) for part, name in enumerate(_LABELLED)}
    return pl.DataFrame({"code": codes[starts], **found}).filter(
        pl.col("house_number").is_not_null(), pl.col("street").is_not_null()
    )


def _are_usual(labels: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Return whether lines have no label twice (with another between) and none that is read otherwise."""
    is_new = np.concatenate([[True], labels[1:] != labels[:-1]])
    is_new[starts] = True
    runs = np.add.reduceat(is_new.astype(np.int64), starts)
    bits = np.bitwise_or.reduceat(np.left_shift(1, labels.astype(np.int64)), starts)
    unread = sum(1 << number for number, label in enumerate(load_model().labels) if label in _UNREAD_LABELS)
    is_usual: npt.NDArray[np.bool_] = (runs == np.bitwise_count(bits)) & ((bits & unread) == 0)
    return is_usual


def _scatter(texts: pl.DataFrame, part: str, height: int) -> pl.Series:
    """Return the spelled texts of a part by line; null where a line has none."""
    spelled = _map(texts["token"], partial(spell_part, part))
    place = np.full(height, len(spelled))
    place[texts["line"].to_numpy()] = np.arange(len(spelled))
    return pl.concat([spelled, pl.Series([None], dtype=pl.String)]).gather(place).replace("", None)


def _map(texts: pl.Series, function: Callable[[str], str | None]) -> pl.Series:
    """Apply a function to each distinct text, numbers apart, which no spelling changes."""
    is_number = texts.str.contains("^[0-9]+$")
    return pl.select(pl.when(is_number).then(texts).otherwise(read_each_once(texts.set(is_number, None), function))).to_series()


def _with_cells(read: pl.DataFrame) -> pl.DataFrame:
    """Let cells of their own take the place of what the line says, and divide the postal code."""
    cell = pl.col("postal_code_cell").str.replace("-", "", literal=True)
    extension = pl.col("postal_code").str.extract("-(.+)$")
    return read.with_columns(
        city=pl.coalesce(_map(read["city_cell"], partial(spell_part, "city")), "city"),
        region=pl.coalesce(_map(read["region_cell"], partial(spell_part, "region")), "region"),
        postal_code=pl.coalesce(cell.str.slice(0, 5).str.zfill(5), pl.col("postal_code").str.extract("^([^-]*)")),
        postal_code_extension=pl.coalesce(cell.str.slice(5).replace("", None), extension),
    )


def _show(read: pl.DataFrame) -> pl.DataFrame:
    """Return ``code``, ``value``, ``comparable``, ``rule``, ``parts`` and ``part_count``."""
    street = pl.concat_str(_STREET, separator=" ", ignore_nulls=True)
    code = pl.concat_str("postal_code", "postal_code_extension", separator="-", ignore_nulls=True)
    shown, short = (
        pl.concat_str(
            "recipient",
            "building",
            street,
            "city",
            pl.concat_str("region", written, separator=" ", ignore_nulls=True).replace("", None),
            separator=", ",
            ignore_nulls=True,
        )
        for written in (code.replace("", None), pl.col("postal_code"))
    )
    return read.select(
        "code",
        value=shown,
        comparable=short.str.to_lowercase().str.replace_all("[^a-z0-9]+", " ").str.strip_chars(" "),
        rule=pl.lit(None, pl.String),
        parts=as_json(*_SHOWN, "country"),
        part_count=pl.sum_horizontal(pl.col(name).is_not_null() for name in _SHOWN),
    )


def _compare(read: pl.DataFrame) -> pl.DataFrame:
    """Return ``code`` and what is compared."""
    streets = read.select("code", street=pl.concat_str(STREET_PARTS, separator=" ", ignore_nulls=True).str.to_lowercase())
    distinct = streets.select("street").unique()
    found = [read_street(street, is_us=True, may_hold_city=False) for street in distinct["street"].to_list()]
    distinct = distinct.with_columns(
        name=pl.Series([street.name for street in found], dtype=pl.String),
        street_unit=pl.Series([street.unit for street in found], dtype=pl.String),
    )
    found_streets = streets.join(distinct, on="street", how="left", maintain_order="left")
    unit = read["unit"].str.split(" ").list.last().str.to_lowercase().str.replace_all("[^a-z0-9]", "").replace("", None)
    return read.select(
        "code",
        house_number=_map(read["house_number"], compare_house_number),
        street=found_streets["name"].replace("", None),
        unit=pl.coalesce(found_streets["street_unit"], unit),
        city=_map(read["city"], compare_city),
        postal_code=pl.col("postal_code").str.replace_all("[^0-9]", "").str.slice(0, 5).replace("", None),
    )
