"""Standardises plain rows for Splink as a competent user would: per row, with phonenumbers, usaddress, pypinyin and patterns.

It runs without our package. Fields are those of ``plain_project.py``; a row's country decides how its phones and address
are read.
"""

import csv
import multiprocessing
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import names
import nicknames
import phonenumbers
import polars as pl
import usaddress
from pypinyin import lazy_pinyin

FIELDS = (
    "entity_type", "country", "full_name", "given_name", "middle_name", "family_name", "name_suffix", "native_name", "legal_name",
    "trading_name", "birth_date", "phone", "phone_2", "email", "address", "address_line1", "address_line2", "house_number",
    "street_name", "unit", "city", "region", "postal_code", "national_id", "tax_id", "tax_id_2", "lei", "gender", "birth_place",
    "occupation",
)  # fmt: skip
STANDARD = (
    "first", "mid", "last", "sfx", "org", "dob", "phone", "phone2", "email", "house", "street", "unit", "city", "state", "zip",
    "nid", "gender", "birth_place", "occupation",
)  # fmt: skip
CHUNK_ROWS = 2000
TITLES = {"mr", "mrs", "ms", "dr", "miss"}
SUFFIXES = {"jr", "sr", "ii", "iii", "iv"}
DATES = ("%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y", "%b %d, %Y", "%d-%b-%y", "%b %d %Y", "%d/%m/%Y", "%Y%m%d")
LEGAL_FORM = re.compile(r"\b(inc|llc|ltd|co|corp|corporation|company|the)\b")
HAN = re.compile(r"[\u4e00-\u9fff]")
BRITISH_POSTCODE = re.compile(r"\b([a-z]{1,2}\d[a-z\d]?)\s*(\d[a-z]{2})\b")
CHINESE_ADDRESS = re.compile(r"(?:.*?[市县区])*(?P<street>[^市县区\d]+?)(?P<house>\d+)号(?:.*?(?P<unit>\d+)室)?")
SHORTEST_PHONE = 7
WORDS_WITH_MIDDLE = 2

Cell = str | None


class Name(NamedTuple):
    """A person's name; the middle name is an initial."""

    first: Cell = None
    mid: Cell = None
    last: Cell = None
    sfx: Cell = None


class Address(NamedTuple):
    """Parts of an address."""

    house: Cell = None
    street: Cell = None
    unit: Cell = None
    city: Cell = None
    state: Cell = None
    zip: Cell = None


class Rows(NamedTuple):
    """Some rows of one source, with what is known of all of them."""

    rows: list[tuple[Cell, ...]]
    region: str
    date_formats: tuple[str, ...]


def standardise_sources(directory: Path, region: str, formats: dict[str, list[str]]) -> pl.DataFrame:
    """Return the standardised records of every source, with uid, source_system and source_key; two processes work."""
    frames = []
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        for source, own_formats in sorted(formats.items()):
            raw = pl.read_csv(directory / f"{source}.csv", infer_schema=False)
            cells = [pl.col(f) if f in raw.columns else pl.lit(None, pl.String).alias(f) for f in FIELDS]
            rows = raw.select(cells).rows()
            chunks = (rows[start : start + CHUNK_ROWS] for start in range(0, len(rows), CHUNK_ROWS))
            jobs = (Rows(chunk, region, (*own_formats, *DATES)) for chunk in chunks)
            done = [row for chunk in pool.imap(standardise_rows, jobs) for row in chunk]
            frame = pl.DataFrame(done, schema=dict.fromkeys(STANDARD, pl.String), orient="row")
            frames.append(frame.with_columns(source_system=pl.lit(source), source_key=raw["source_key"]))
        pool.close()
        pool.join()
    records = pl.concat(frames).with_row_index("uid").with_columns(pl.col("uid").cast(pl.String))
    return records.with_columns(
        fc=pl.col("first").replace(formal_names()),
        hz=pl.concat_str("house", "zip", separator="|"),
        zarea=pl.col("zip").str.split(" ").list.first().str.slice(0, 4),
    )


def standardise_rows(job: Rows) -> list[tuple[Cell, ...]]:
    """Return ``STANDARD`` of each row."""
    return [standardise(dict(zip(FIELDS, row, strict=True)), job) for row in job.rows]


def standardise(r: dict[str, Cell], job: Rows) -> tuple[Cell, ...]:
    """Return ``STANDARD`` of one row."""
    region = r["country"] or job.region
    company = r["legal_name"] or r["trading_name"] or (r["full_name"] if r["entity_type"] == "enterprise" else None)
    person = Name() if company else name_of(r)
    place = address_of(r, region)
    phones = [phone_number(text, region) for text in (r["phone"], r["phone_2"]) if text]
    found = [*dict.fromkeys(phone for phone in phones if phone), None, None]
    email = re.sub(r"\+[^@]*@", "@", _low(r["email"]))
    identifier = r["national_id"] or r["tax_id"] or r["tax_id_2"] or r["lei"] or ""
    return (
        *person,
        company_name(company) if company else None,
        birth_date(r["birth_date"], job.date_formats) if r["birth_date"] else None,
        *found[:2],
        email if "@" in email and "noemail" not in email else None,
        *(place.house, place.street, place.unit, _low(r["city"]) or place.city, _low(r["region"]).upper() or place.state),
        postal_code(_low(r["postal_code"]), region) or place.zip,
        re.sub(r"\W", "", identifier).lower() or None,
        _low(r["gender"])[:1] or None,
        (r["birth_place"] or "").lower() or None,
        (r["occupation"] or "").lower() or None,
    )


def _low(text: Cell) -> str:
    return (text or "").lower().strip()


def words(text: str) -> list[str]:
    """Return the words of a name."""
    return re.sub(r"[^\w' -]|[\d_]", " ", text.lower()).split()


def name_of(r: dict[str, Cell]) -> Name:
    """Return the name of a person, from its parts where there are some."""
    given, family = pinyin(r["given_name"] or ""), pinyin(r["family_name"] or "")
    if not (given or family):
        return split_name(r["full_name"] or r["native_name"] or "")
    last = words(family)
    glued = last.pop() if len(last) > 1 and last[-1] in SUFFIXES else None
    first = words(given)
    mid = words(r["middle_name"] or "") or first[1:]
    suffix = (r["name_suffix"] or glued or "").lower().strip(" .")
    return Name(" ".join(first[:1]) or None, mid[0][0] if mid else None, " ".join(last) or None, suffix or None)


def split_name(text: str) -> Name:
    """Return the parts of a name in one line; a Chinese one begins with the family name, of one character."""
    if HAN.match(text):
        return Name(pinyin(text[1:]) or None, None, pinyin(text[0]), None)
    family, comma, rest = text.partition(",")
    parts = words(rest if comma else text)
    suffix = next((part for part in parts if part in SUFFIXES), None)
    parts = [part for part in parts if part not in SUFFIXES and part not in TITLES]
    has_middle = len(parts) > (1 if comma else WORDS_WITH_MIDDLE)
    mid = parts[1][0] if has_middle else None
    if comma:
        return Name(parts[0] if parts else None, mid, " ".join(words(family)) or None, suffix)
    if len(parts) < WORDS_WITH_MIDDLE:
        return Name(parts[0] if parts else None, None, None, suffix)
    return Name(parts[0], mid, " ".join(parts[2:]) if has_middle else parts[1], suffix)


def pinyin(text: str) -> str:
    """Return the reading of Chinese characters as one word; other text as it is."""
    return "".join(lazy_pinyin(text)) if HAN.search(text) else text


def company_name(text: str) -> Cell:
    """Return the name of an enterprise without its legal form."""
    return " ".join(LEGAL_FORM.sub(" ", re.sub(r"[^\w ]", " ", text.lower())).split()) or None


def birth_date(text: str, formats: tuple[str, ...]) -> Cell:
    """Return a date of birth in ISO 8601; the first format that fits decides."""
    for date_format in formats:
        try:
            found = datetime.strptime(text.strip(), date_format).replace(tzinfo=UTC)
        except ValueError:
            continue
        if found.year > datetime.now(UTC).year:  # a two-digit year of the last century
            found = found.replace(year=found.year - 100)
        return None if (found.year, found.month, found.day) == (1900, 1, 1) else found.strftime("%Y-%m-%d")
    return None


def phone_number(text: str, region: str) -> Cell:
    """Return the national number."""
    try:
        number = str(phonenumbers.parse(text, region).national_number)
    except phonenumbers.NumberParseException:
        return None
    return number if len(number) >= SHORTEST_PHONE and len(set(number)) > 1 else None


def address_of(r: dict[str, Cell], region: str) -> Address:
    """Return the address of a row, from its parts or from its line."""
    if r["street_name"]:
        return Address(_low(r["house_number"]) or None, _low(r["street_name"]) or None, _low(r["unit"]) or None)
    line = r["address"] or ", ".join(part for part in (r["address_line1"], r["address_line2"]) if part)
    if not line:
        return Address()
    if region == "US":
        return american_address(line)
    if HAN.search(line):
        return chinese_address(line)
    return other_address(line, is_whole=bool(r["address"]))


def american_address(line: str) -> Address:
    """Return the parts of an American address by usaddress."""
    try:
        parts: dict[str, str] = dict(usaddress.tag(line)[0])
    except usaddress.RepeatedLabelError as error:
        parts = {}
        for value, label in error.parsed_string:
            parts[label] = f"{parts.get(label, '')} {value}".strip()
    low = {label: value.lower().strip(" .,;") for label, value in parts.items()}
    box = low.get("USPSBoxID", "")
    zip_code = re.sub(r"\D", "", low.get("ZipCode", ""))[:5]
    street = low.get("StreetName") or (f"po box {box}" if low.get("USPSBoxType") else "")
    return Address(
        re.sub(r"\D", "", low.get("AddressNumber", "")) or box or None,
        street or None,
        re.sub(r"[^0-9a-z]", "", low.get("OccupancyIdentifier", "")) or None,
        low.get("PlaceName") or None,
        low.get("StateName", "").upper() or None,
        zip_code if re.fullmatch(r"\d{5}", zip_code) else None,
    )


def chinese_address(line: str) -> Address:
    """Return street, house number and room of an address in Chinese."""
    found = CHINESE_ADDRESS.match(line)
    return Address(found["house"], found["street"], found["unit"]) if found else Address(None, line)


def other_address(line: str, *, is_whole: bool) -> Address:
    """Return house number and street, and of a whole address the town and postcode behind them."""
    low = line.lower().strip()
    code = BRITISH_POSTCODE.search(low) if is_whole else None
    street, *rest = [part.strip() for part in BRITISH_POSTCODE.sub("", low).split(",")] if is_whole else [low]
    numbered = re.match(r"(\d+)\w?\s+(.*)", street)
    house, street = (numbered[1], numbered[2]) if numbered else (None, street)
    towns = [part for part in rest if part]
    return Address(house, street or None, None, towns[-1] if towns else None, None, f"{code[1]} {code[2]}" if code else None)


def postal_code(text: str, region: str) -> Cell:
    """Return a postal code: five digits of a ZIP code, the two parts of a British one."""
    if region == "US":
        return text[:5] or None
    british = BRITISH_POSTCODE.fullmatch(text)
    return f"{british[1]} {british[2]}" if british else text or None


def formal_names() -> dict[str, str]:
    """Return for each nickname its most frequent formal name, by the packages names and nicknames."""
    share: dict[str, float] = {}
    for first, frequency in _frequencies():
        share[first] = max(share.get(first, 0), frequency)
    best: dict[str, str] = {}
    with (Path(nicknames.__file__).parent / "names.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            formal, relation, nick = (str(cell).lower() for cell in list(row.values())[:3])
            known: Any = max(share.get(best.get(nick, ""), 0), share.get(nick, 0) * 0.3)
            if "nick" in relation and share.get(formal, 0) > known:
                best[nick] = formal
    return best


def _frequencies() -> Iterator[tuple[str, float]]:
    for file in ("dist.male.first", "dist.female.first"):
        for line in (Path(names.__file__).parent / file).read_text(encoding="utf-8").splitlines():
            first, frequency = line.split()[:2]
            yield first.lower(), float(frequency)
