"""What each library that the pipeline uses really raises about a value, with the value in it where the library puts it there."""

import csv
import io
import json
import os
import tempfile
import warnings
from collections.abc import Callable
from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo

import dagster as dg
import deltalake
import email_validator
import fastexcel
import jellyfish
import nameparser
import numpy as np
import openpyxl
import pandera.polars as pa
import phonenumbers
import polars as pl
import psycopg2
import pyarrow.csv
import pycountry
import pydantic
import pypinyin
import sqlalchemy
import usaddress
import yaml
from cryptography.fernet import Fernet
from open_data_contract_standard.model import OpenDataContractStandard
from stdnum.us import ssn


class _Row(pydantic.BaseModel):
    count: int


def _frame(value: str) -> pl.DataFrame:
    return pl.DataFrame({"name": [value]})


def _delta(value: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        deltalake.write_deltalake(folder, pl.DataFrame({"name": [1]}).to_arrow())
        deltalake.write_deltalake(folder, _frame(value).to_arrow(), mode="append")


def _sqlalchemy(value: str) -> None:
    with sqlalchemy.create_engine("sqlite://").connect() as connection:
        connection.execute(sqlalchemy.text("insert into people values (:name)"), {"name": value})


def _pandera(value: str) -> None:
    schema = pa.DataFrameSchema({"name": pa.Column(pl.String, pa.Check.str_length(max_value=1))})
    schema.validate(_frame(value), lazy=True)


def _panic(value: str) -> None:
    said = f"called `Result::unwrap()` on an `Err` value: {value}"
    os.write(2, f"thread '<unnamed>' panicked: {said}\n".encode())  # as Rust does, before Python hears of it
    raise pl.exceptions.PanicException(said)


_RAISERS: Final[dict[str, Callable[[str], Any]]] = {
    "cryptography": Fernet,
    "csv": lambda value: list(csv.reader([f'"{value}'], strict=True)),
    "dagster": lambda value: dg.AssetSpec("any", tags={"name": f"{value}!"}),
    "dagster check": dg.MetadataValue.int,
    "datetime": date.fromisoformat,
    "deltalake": _delta,
    "email-validator": lambda value: email_validator.validate_email(f"{value}@example@org", check_deliverability=False),
    "fastexcel": lambda value: fastexcel.read_excel(f"/nowhere/{value}"),
    "jellyfish": lambda value: jellyfish.soundex(value.encode()),
    "json": lambda value: json.loads(f'{{"name": "{value}'),
    "nameparser": lambda value: nameparser.HumanName(value)[value],
    "numpy": lambda value: np.array([value]).astype(int),
    "open-data-contract-standard": lambda value: OpenDataContractStandard.model_validate({"schema": value}),
    "openpyxl": lambda value: openpyxl.load_workbook(f"/nowhere/{value}.xlsx"),
    "pandera": _pandera,
    "phonenumbers": lambda value: phonenumbers.parse(value, "US"),
    "polars": lambda value: _frame(value).cast(pl.Int64),
    "polars column": lambda value: _frame(value).select(value),
    "polars constructor": lambda value: pl.Series([1, value], dtype=pl.Int64),
    "polars panic": _panic,
    "polars pattern": lambda value: _frame(value).select(pl.col("name").str.contains(f"{value}(")),
    "psycopg2": lambda value: psycopg2.connect(f"postgresql://user:{value.split()[0]}@[::1/runs"),
    "pyarrow": lambda value: pyarrow.array([value]).cast(pyarrow.int64()),
    "pyarrow.csv": lambda value: pyarrow.csv.read_csv(io.BytesIO(f"a,b\n1,2\n{value},1,2,3\n".encode())),
    "pycountry": pycountry.countries.lookup,
    "pydantic": lambda value: _Row(count=value),
    "pydantic json": lambda value: _Row.model_validate_json(f'{{"count": "{value}"'),
    "pypinyin": lambda value: pypinyin.lazy_pinyin(value, errors="exception"),
    "python": int,
    "sqlalchemy": _sqlalchemy,
    "stdnum": ssn.validate,
    "usaddress": lambda value: usaddress.tag(f"1 {value} St Apt 2 PO Box 3 Apt 4 {value} Ave PO Box 5"),
    "yaml": lambda value: yaml.safe_load(f"name: [{value}"),
    "yaml tag": lambda value: yaml.safe_load(f"name: !{value.split()[0]} 1"),
    "zoneinfo": ZoneInfo,
}
# These raise about a value and do not quote it; whether they will in their next version is not for us to say.
DISCREET: Final = frozenset({"cryptography", "csv", "email-validator", "json", "jellyfish", "phonenumbers", "stdnum"})
LIBRARIES: Final = tuple(_RAISERS)


def fail(library: str, value: str) -> None:
    """Let a library fail over a value.

    Raises:
        BaseException: What it raises.
        AssertionError: It did not fail.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _RAISERS[library](value)
    raise AssertionError(f"{library} took the value")


def error_of(library: str, value: str) -> BaseException:
    """Return what a library raises about a value."""
    try:
        fail(library, value)
    except AssertionError:
        raise
    except BaseException as error:  # noqa: BLE001 -- a panic of polars is no Exception
        return error
    raise AssertionError
