"""Standardising by attribute: CPU and wall seconds, beside the same work done per row with the plain libraries.

    python benchmarks/standardise.py --rows 1000000

The rows are persons of the generated world (American, Chinese and British), every one with two phones, address, name, e-mail
address and birth date, in batches as the airlock takes them. One process with one polars thread, as a worker of the airlock has.
Each attribute is measured alone with a contract of its own, then the whole record. CPU seconds and ratios of one run compare;
wall times do not. Peak memory is the resident set of this process; the rows are made in another process.
"""

import argparse
import os

os.environ["POLARS_MAX_THREADS"] = "1"

import multiprocessing
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import phonenumbers
import polars as pl
import usaddress
from dateutil import parser as dates
from email_validator import EmailNotValidError, validate_email
from nameparser import HumanName
from rich.console import Console
from rich.table import Table

from custview_pipeline.contracts.source_contract import SourceColumn, SourceContract
from custview_pipeline.demo.world import make_sources

BATCH_ROWS = 50_000  # as flows.survey
CRM_SHARE = 0.25  # of a world's records, persons in the CRM, at the least
COLUMNS = {
    "phones": (SourceColumn("mobile", "phone"), SourceColumn("landline", "phone")),
    "address": (SourceColumn("street_address", "address"),),
    "name": (SourceColumn("customer_name", "full_name"),),
    "email": (SourceColumn("mail", "email"),),
    "birth date": (SourceColumn("born", "birth_date", date_format="%m/%d/%Y"),),
}
# CPU seconds for 1M records. The aim of the whole is the project's; the parts are what a prototype needed.
AIMS = {"phones": 16.7, "address": 24.7, "name": 8.6, "email": 4.6, "birth date": 2.0, "whole record": 60.0}
EVERY = ("id", "customer_name", "mail", "mobile", "landline", "street_address", "country", "born")


class Taken(NamedTuple):
    """What some work took."""

    cpu: float
    wall: float


def contract_of(*columns: SourceColumn) -> SourceContract:
    """Return a contract of these columns, a key and a country."""
    every = (SourceColumn("id", "source_key"), SourceColumn("country", "country"), *columns)
    return SourceContract("benchmark", "1.0.0", "Benchmark", None, None, None, "*.csv", "csv", "utf-8", ",", every)


def make_rows(directory: Path, rows: int, seed: int) -> None:
    """Write ``rows`` persons in files of one batch each."""
    written = 0
    while written < rows:
        world = next(iter(make_sources(records=int(BATCH_ROWS / CRM_SHARE), seed=seed + written)))
        persons = world.rows.filter(pl.col("kind").str.to_lowercase().str.starts_with("p")).head(min(BATCH_ROWS, rows - written))
        filled = fill(persons.select(EVERY), np.random.default_rng(seed + written))
        filled.write_parquet(directory / f"{written:09}.parquet")
        written += filled.height


def fill(persons: pl.DataFrame, chance: np.random.Generator) -> pl.DataFrame:
    """Fill each empty cell with one of the same country; phones get other last digits, so that they are as many."""
    parts = []
    for part in persons.with_columns(pl.col("country").fill_null("")).partition_by("country"):
        columns = [part["country"]]
        for name in EVERY:
            if name == "country":
                continue
            known = part[name].drop_nulls()
            drawn = known.gather(chance.integers(0, len(known), part.height)) if len(known) else part[name]
            if name in {"mobile", "landline"}:
                tails = pl.Series(chance.integers(1000, 9999, part.height)).cast(pl.String)
                drawn = pl.select(drawn.str.replace(r"\d{4}$", "") + tails).to_series()
            columns.append(pl.select(pl.coalesce(part[name], drawn).alias(name)).to_series())
        parts.append(pl.DataFrame(columns))
    return pl.concat(parts).sample(fraction=1.0, shuffle=True, seed=1)


def batches(directory: Path) -> Iterator[pl.DataFrame]:
    """Yield the rows, batch by batch."""
    for file in sorted(directory.glob("*.parquet")):
        yield pl.read_parquet(file)


def measure(work: Callable[[], None]) -> Taken:
    """Run ``work``."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return Taken(time.process_time() - cpu, time.perf_counter() - wall)


def standardise_all(rows: Iterable[pl.DataFrame], contract: SourceContract) -> Taken:
    """Standardise every batch under ``contract``; reading the files is not measured."""
    from custview_pipeline.standardisation.standardise import standardise  # noqa: PLC0415 -- it makes phonenumbers faster

    cpu = wall = 0.0
    names = [column.name for column in contract.columns]
    for batch in rows:
        raw = batch.select(names)
        taken = measure(lambda raw=raw: standardise(raw, contract, region="US") and None)
        cpu, wall = cpu + taken.cpu, wall + taken.wall
    return Taken(cpu, wall)


def plain_phone(text: str, country: str) -> object:
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    return phonenumbers.is_valid_number(number), phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def plain_address(text: str, _: str) -> object:
    try:
        return usaddress.tag(text)
    except usaddress.RepeatedLabelError:
        return None


def plain_name(text: str, _: str) -> object:
    return HumanName(text).as_dict()


def plain_email(text: str, _: str) -> object:
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        return None


def plain_date(text: str, _: str) -> object:
    try:
        return dates.parse(text).date()
    except (ValueError, OverflowError):
        return None


PLAIN = {"phones": plain_phone, "address": plain_address, "name": plain_name, "email": plain_email, "birth date": plain_date}


def plainly(sample: pl.DataFrame, attribute: str) -> Taken:
    """Do the work of an attribute per row, with the library everyone takes for it."""
    read, regions = PLAIN[attribute], sample["country"].replace_strict(REGIONS, default="US").to_list()
    columns = [sample[column.name].to_list() for column in COLUMNS[attribute]]

    def work() -> None:
        for column in columns:
            for text, region in zip(column, regions, strict=True):
                read(text, region)

    return measure(work)


REGIONS = {"CN": "CN", "China": "CN", "中国": "CN", "UK": "GB", "GB": "GB", "United Kingdom": "GB"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000, help="records to standardise")
    parser.add_argument("--sample", type=int, default=5_000, help="records for the plain libraries")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--attribute", choices=[*COLUMNS, "whole record"], help="measure this one alone")
    options = parser.parse_args()
    wanted = [options.attribute] if options.attribute else [*COLUMNS, "whole record"]
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        maker = multiprocessing.get_context("spawn").Process(target=make_rows, args=(directory, options.rows, options.seed))
        maker.start()
        maker.join()
        if maker.exitcode:
            sys.exit("the rows could not be made")
        report(directory, options.rows, options.sample, wanted)


def report(directory: Path, rows: int, sample_rows: int, wanted: list[str]) -> None:
    """Measure and print."""
    sample = next(batches(directory)).head(sample_rows)
    table = Table("attribute", "CPU s", "wall s", "aim CPU s", "plain CPU s", "times faster", title=f"{rows:,} records")
    plain_cpu = {name: plainly(sample, name).cpu * rows / sample.height for name in COLUMNS if {name, "whole record"} & {*wanted}}
    plain_cpu["whole record"] = sum(plain_cpu.values())
    standardise_all([sample], whole())  # models and tables are loaded once a worker
    for name in wanted:
        taken = standardise_all(batches(directory), whole() if name == "whole record" else contract_of(*COLUMNS[name]))
        aim, plain = AIMS[name] * rows / 1_000_000, plain_cpu[name]
        table.add_row(name, f"{taken.cpu:.1f}", f"{taken.wall:.1f}", f"{aim:.1f}", f"{plain:.0f}", f"{plain / taken.cpu:.1f}")
    record = standardise_all(batches(directory), contract_of())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    console = Console()
    console.print(table)
    console.print(f"of each row {record.cpu:.1f} CPU s are the record itself: its key and country")
    console.print(
        f"{platform.machine()}, Python {platform.python_version()}, polars {pl.__version__}; peak memory {peak:.2f} GiB"
    )


def whole() -> SourceContract:
    """Return the contract of the whole record."""
    return contract_of(*(column for columns in COLUMNS.values() for column in columns))


if __name__ == "__main__":
    main()
