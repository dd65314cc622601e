"""Values of a batch: the columns that carry an attribute are read, and numbered by slot."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import partial
from itertools import zip_longest
from typing import Final

import polars as pl

from custview_pipeline.contracts.attributes import ADDRESS_PARTS, ENTERPRISE_NAMES, IDENTIFIERS
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.source_contract import SourceColumn, SourceContract
from custview_pipeline.contracts.standardised_record import VALUES
from custview_pipeline.standardisation.addresses.addresses import ADDRESS, AddressCells, read_address
from custview_pipeline.standardisation.addresses.plain_addresses import read_plain_addresses
from custview_pipeline.standardisation.cells import cell_of
from custview_pipeline.standardisation.codes.codes import read_consent, read_gender
from custview_pipeline.standardisation.codes.countries import MONTH_FIRST
from custview_pipeline.standardisation.codes.identifiers import read_identifier, scheme_of
from custview_pipeline.standardisation.codes.industries import read_industry_code
from custview_pipeline.standardisation.codes.languages import read_language
from custview_pipeline.standardisation.codes.numbers import read_number
from custview_pipeline.standardisation.codes.plain_identifiers import plain_identifiers
from custview_pipeline.standardisation.contacts.emails import read_emails, read_plain_emails
from custview_pipeline.standardisation.contacts.phones import read_phones
from custview_pipeline.standardisation.contacts.plain_phones import read_plain_phones
from custview_pipeline.standardisation.dates.dates import read_birth_date
from custview_pipeline.standardisation.dates.plain_dates import read_plain_birth_dates
from custview_pipeline.standardisation.names.enterprise_names import ENTERPRISE, read_enterprise_name
from custview_pipeline.standardisation.names.names import PERSON, read_person_name
from custview_pipeline.standardisation.names.plain_names import read_plain_names
from custview_pipeline.standardisation.reading import READING, Quick, Reading, read_distinct
from custview_pipeline.standardisation.texts import read_employer, read_text, read_website

Reader = Callable[[str], Iterable[Reading]]
_NAME_FIELDS: Final = (
    "full_name",
    "given_name",
    "middle_name",
    "family_name",
    "former_name",
    "name_prefix",
    "name_suffix",
    "native_name",
)
_NUMBERS: Final = tuple(name for name, attribute in GOLDEN_ATTRIBUTES.items() if attribute.is_number)
_MOST_SLOTS: Final = 200


def read_cells(cells: pl.DataFrame, contract: SourceContract, *, region: str, today: date) -> dict[str, pl.DataFrame]:
    """Return the readings of every attribute that stands in cells of its own, by golden attribute.

    Args:
        cells: ``row``, ``country`` and the cleaned columns of the contract.
        contract: Tells attribute, scheme and date format of each column.
        region: ISO 3166 alpha-2; decides between day and month.
        today: No birth date is later.
    """
    is_month_first = region in MONTH_FIRST

    def reader(column: SourceColumn) -> Reader:
        readers: dict[str, Reader] = {
            "gender": read_gender,
            "consent": read_consent,
            "birth_place": read_text,
            "occupation": read_text,
            "employer": read_employer,
            "email": read_emails,
            "website": read_website,
            "industry_code": partial(read_industry_code, scheme=column.scheme),
            "language": read_language,
            **{attribute: partial(read_number, attribute=attribute) for attribute in _NUMBERS},
            "birth_date": partial(read_birth_date, date_format=column.date_format, is_month_first=is_month_first, today=today),
            **{attribute: partial(read_identifier, scheme=scheme_of(column)) for attribute in IDENTIFIERS},
        }
        return readers[column.attribute]

    def quick(column: SourceColumn) -> Quick | None:
        dates = partial(read_plain_birth_dates, date_format=column.date_format, is_month_first=is_month_first, today=today)
        quicks: dict[str, Quick] = {"email": read_plain_emails, "birth_date": dates}
        return plain_identifiers(scheme_of(column)) if column.attribute in IDENTIFIERS else quicks.get(column.attribute)

    attributes = (
        "gender",
        "consent",
        "birth_place",
        "occupation",
        "employer",
        "email",
        "website",
        "industry_code",
        "language",
        *_NUMBERS,
        "birth_date",
        *IDENTIFIERS,
    )
    found = {attribute: _read_columns(cells, contract.carrying(attribute), reader, quick) for attribute in attributes}
    return {**found, "phone": _read_phones(cells, contract.carrying("phone"))}


def _read_columns(
    cells: pl.DataFrame,
    columns: Sequence[SourceColumn],
    reader: Callable[[SourceColumn], Reader],
    quick: Callable[[SourceColumn], Quick | None],
) -> pl.DataFrame:
    return in_order(
        read_distinct(cells.select("row", cell=cell_of(column)).drop_nulls(), ["cell"], reader(column), quick=quick(column))
        for column in columns
    )


def _read_phones(cells: pl.DataFrame, columns: Sequence[SourceColumn]) -> pl.DataFrame:
    keys = ["cell", "country"]
    return in_order(
        read_distinct(
            cells.select("row", "country", cell=cell_of(column)).drop_nulls(), keys, read_phones, quick=read_plain_phones
        )
        for column in columns
    )


def in_order(frames: Iterable[pl.DataFrame], schema: pl.Schema = READING) -> pl.DataFrame:
    """Return readings of several columns by row; of one row in the order of the frames."""
    empty = pl.DataFrame(schema={"row": pl.UInt32(), "position": pl.UInt16(), **schema})
    return pl.concat([empty, *frames]).sort("row", maintain_order=True)


def read_names(cells: pl.DataFrame, contract: SourceContract) -> pl.DataFrame:
    """Return the readings of persons' names (``names.PERSON``); further family_name columns are former names."""
    fields = []
    for name in _NAME_FIELDS:
        columns = [cell_of(column) for column in contract.carrying("family_name" if name == "former_name" else name)]
        if name == "former_name":
            fields.append(
                pl.concat_str([pl.lit(None, pl.String), *columns[1:]], separator=" ", ignore_nulls=True)
                .replace("", None)
                .alias(name)
            )
        else:
            used = columns[:1] if name == "family_name" else columns
            fields.append(pl.coalesce([*used, pl.lit(None, pl.String)]).alias(name))
    # A source that has a person in the column of registered names (a sole trader) has the name nowhere else.
    registered = [cell_of(column) for attribute in ENTERPRISE_NAMES for column in contract.carrying(attribute)]
    frame = cells.select("row", *fields, "country", registered=pl.coalesce([*registered, pl.lit(None, pl.String)]))
    is_nameless = pl.all_horizontal(pl.col(name).is_null() for name in ("full_name", "given_name", "family_name", "native_name"))
    frame = frame.with_columns(full_name=pl.when(is_nameless).then("registered").otherwise("full_name")).drop("registered")
    return read_distinct(frame, [*_NAME_FIELDS, "country"], read_person_name, PERSON, quick=read_plain_names)


def read_enterprises(cells: pl.DataFrame, contract: SourceContract) -> dict[str, pl.DataFrame]:
    """Return the readings of enterprises' names (``ENTERPRISE``) by attribute: legal_name, trading_name, full_name."""
    return {
        attribute: in_order(
            (
                read_distinct(cells.select("row", cell=cell_of(column)).drop_nulls(), ["cell"], read_enterprise_name, ENTERPRISE)
                for column in contract.carrying(attribute)
            ),
            ENTERPRISE,
        )
        for attribute in (*ENTERPRISE_NAMES, "full_name")
    }


def read_addresses(cells: pl.DataFrame, contract: SourceContract) -> pl.DataFrame:
    """Return the readings of addresses (``addresses.ADDRESS``); the n-th columns of each part make the n-th address."""
    carried = {part: [cell_of(column) for column in contract.carrying(part)] for part in ADDRESS_PARTS}
    frames = []
    for columns in zip_longest(*carried.values()):
        parts = [
            pl.col(name).alias(part) if name else pl.lit(None, pl.String).alias(part)
            for part, name in zip(carried, columns, strict=True)
        ]
        frame = cells.select("row", *parts, "country").filter(pl.any_horizontal(pl.col(part).is_not_null() for part in carried))
        frames.append(read_distinct(frame, [*AddressCells._fields, "country"], read_address, ADDRESS, quick=read_plain_addresses))
    return in_order(frames, ADDRESS)


def number_values(readings: pl.DataFrame, attribute: str, entity_types: pl.Series) -> pl.DataFrame:
    """Return readings as rows of ``VALUES``: one for each different value of a record, numbered from 0.

    Args:
        readings: ``row`` and the columns that make a value, in the order of importance.
        attribute: A golden attribute; records of another entity type have no such value.
        entity_types: Of every record, by row.
    """
    having = [kind.value for kind in GOLDEN_ATTRIBUTES[attribute].entity_types]
    filled = readings.filter(pl.col("value").is_not_null() & entity_types.gather(readings["row"]).is_in(having))
    numbered = _number(_without_repeats(filled)).filter(pl.col("slot") < _MOST_SLOTS)
    return numbered.select(
        "row",
        "slot",
        "value",
        "parts",
        "comparable",
        "part_count",
        attribute=pl.lit(attribute),
        is_valid=pl.col("rule").is_null(),
    ).select(pl.col(name).cast(kind) for name, kind in VALUES.items())


def _number(readings: pl.DataFrame) -> pl.DataFrame:
    """Add ``slot``: 0, 1, ... within the row; rows are in order."""
    place = pl.int_range(pl.len(), dtype=pl.UInt32)
    first = pl.when(pl.col("row") != pl.col("row").shift()).then(place).forward_fill().fill_null(0)
    return readings.with_columns(slot=place - first)


def _without_repeats(readings: pl.DataFrame) -> pl.DataFrame:
    """Leave out what repeats an earlier value of its row; rows are in order, so no more than their length is looked back."""
    slots = _number(readings)["slot"]
    most = slots.max()
    if not isinstance(most, int) or most == 0:
        return readings
    is_repeat = [
        (pl.col("row") == pl.col("row").shift(back)) & pl.col("comparable").eq_missing(pl.col("comparable").shift(back))
        for back in range(1, most + 1)
    ]
    return readings.filter(~pl.any_horizontal(is_repeat).fill_null(value=False))
