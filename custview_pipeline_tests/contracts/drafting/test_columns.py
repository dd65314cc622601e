"""What columns probably mean, by header, cells and neighbours; how sure that is; the contract made of it."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.contracts.drafting.cell_shapes import ISO, date_patterns_of, shares_of
from custview_pipeline.contracts.drafting.columns import draft_columns
from custview_pipeline.contracts.drafting.document import DraftedSource, contract_text, quoted
from custview_pipeline.contracts.drafting.drafted_column import Confidence
from custview_pipeline.contracts.odcs import parse_contract
from custview_pipeline.contracts.yaml_text import parse_yaml


def drafted(**columns):
    """Draft from columns of cells; those of one cell are repeated."""
    rows = max((len(cells) for cells in columns.values()), default=0)
    padded = {name.replace("__", " "): [*cells, *[None] * (rows - len(cells))] for name, cells in columns.items()}
    sample = pl.DataFrame(padded, schema=dict.fromkeys(padded, pl.String))
    return {column.header: column for column in draft_columns(sample)}


def times(*cells, count=24):
    return [cells[place % len(cells)] for place in range(count)]


KEYS = [f"k{number}" for number in range(24)]
SHAPES = [
    ("x1", ["ada@example.org", "b.c@example.com"], "email", None),
    ("x1", ["(312) 555-0142", "+1 312 555 0142"], "phone", None),
    ("x1", ["078-05-1120", "536-90-1234"], "national_id", "us.ssn"),
    ("x1", ["11010519491231002X"], "national_id", "cn.ric"),
    ("x1", ["91110000600037341L"], "tax_id", "cn.uscc"),
    ("x1", ["12-3456789"], "tax_id", "us.ein"),
    ("x1", ["5493001KJTIIGC8Y1R12"], "lei", None),
    ("x1", ["https://www.example.org/a", "www.example.com"], "website", None),
    ("x1", ["12 Oak Street, Chicago, IL 60614", "400 N Clark St, Chicago, IL 60654"], "address", None),
    ("tax no", ["12-3456789"], "tax_id", "us.ein"),
    ("title", ["Mr", "Dr"], "name_prefix", None),
    ("kind", ["individual", "Company"], "entity_type", None),
    ("land", ["US", "Germany", "中国"], "country", None),
]


@pytest.mark.parametrize(("header", "cells", "attribute", "scheme"), SHAPES)
def test_cells_tell_what_a_column_is(header, cells, attribute, scheme):
    column = drafted(id=KEYS, **{header.replace(" ", "__"): times(*cells)})[header]
    assert (column.attribute, column.scheme) == (attribute, scheme)
    assert column.confidence >= Confidence.LIKELY
    assert not any(cell in column.why for cell in cells)


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("phone", ["call reception", "none"]),
        ("birthday", ["next week"]),
        ("email", ["yes", "no"]),
        ("x1", ["2125550142", "312"]),
        ("x1", ["IT", "NO"]),
        ("x1", ["1986-04-12"]),
        ("x1", ["110105194912310021"]),
    ],
)
def test_cells_that_do_not_look_like_what_the_header_says_leave_a_column_unread(header, cells):
    assert drafted(id=KEYS, **{header: times(*cells)})[header].attribute is None


@pytest.mark.parametrize(
    ("cells", "pattern", "said"),
    [
        (["04/23/1986", "12/31/1990"], "MM/dd/yyyy", None),
        (["23/04/1986", "12/11/1990"], "dd/MM/yyyy", None),
        (["04/03/1986", "12/11/1990"], "MM/dd/yyyy", "cannot be told apart"),
        (["23.04.1986"], "dd.MM.yyyy", None),
        (["1986-04-23"], "yyyy-MM-dd", None),
        (["19860423"], "yyyyMMdd", None),
        (["23-Apr-1986"], "dd-MMM-yyyy", None),
        (["1986年4月23日"], "yyyy年MM月dd日", None),
        (["1986-04-23 10:11:12"], "yyyy-MM-dd HH:mm:ss", None),
        (["23/04/1986 10:11"], "dd/MM/yyyy HH:mm", None),
        (["1986-04-23T10:11:12Z", "1986-04-23T10:11:12.5+02:00"], None, None),
        (["1986-04-23"] * 6 + ["23.4.1986"] * 4, "yyyy-MM-dd", "60% of them"),
    ],
)
def test_the_pattern_of_dates_is_told_by_the_cells(cells, pattern, said):
    column = drafted(id=KEYS, born=times(*cells, count=40))["born"]
    assert (column.attribute, column.date_format) == ("birth_date", pattern)
    assert said is None or said in column.why


@given(st.lists(st.text(max_size=12), max_size=8))
def test_shapes_are_shares_whatever_the_cells_hold(cells):
    filled = pl.Series(cells, dtype=pl.String).str.strip_chars()
    filled = filled.filter(filled.str.len_bytes() > 0)
    assert all(0 <= share <= 1 for share in {**shares_of(filled), **date_patterns_of(filled)}.values())


def test_a_moment_in_iso_8601_needs_no_pattern():
    assert date_patterns_of(pl.Series(["2026-01-02T03:04:05Z"])) == {ISO: 1.0}


KEY_CASES = [
    ({"id": KEYS, "name": times("Ada")}, "id", Confidence.SURE),
    ({"id": [*KEYS[:22], None, None], "name": times("Ada")}, "id", Confidence.LIKELY),
    ({"ref": times("a"), "id": KEYS}, "id", Confidence.SURE),
    ({"x1": times("a", "b"), "x2": KEYS}, "x2", Confidence.GUESS),
    ({"email": [f"{key}@example.org" for key in KEYS], "modified": times("2026-01-01T00:00:00Z")}, "email", Confidence.GUESS),
    ({"born": ["1986-04-12"]}, "born", Confidence.GUESS),
    ({"x1": []}, "x1", Confidence.GUESS),
]


@pytest.mark.parametrize(("columns", "key", "confidence"), KEY_CASES)
def test_exactly_one_column_is_the_key(columns, key, confidence):
    found = drafted(**columns)
    assert [name for name, column in found.items() if column.attribute == "source_key"] == [key]
    assert found[key].confidence is confidence


NEIGHBOURS = [
    ({"street": ["12 Oak Street"]}, "street", "address_line1"),
    ({"street": ["12 Oak Street"], "house_number": ["12"]}, "street", "street_name"),
    ({"street": ["Oak Street"]}, "street", "street_name"),
    ({"address": ["12 Oak Street"], "city": ["Chicago"]}, "address", "address_line1"),
    ({"address": ["12 Oak Street, Chicago, IL 60614"], "city": ["Chicago"]}, "address", "address"),
    ({"company": ["Lakeside"], "first_name": ["Ada"], "last_name": ["Marlow"]}, "company", "employer"),
    ({"company": ["Lakeside"]}, "company", "legal_name"),
    ({"nom": ["Marlow"], "prenom": ["Ada"]}, "nom", "family_name"),
    ({"nom": ["Ada Marlow"]}, "nom", "full_name"),
    ({"created": ["2026-01-01T00:00:00Z"], "date_created": ["2026-01-01T00:00:00Z"]}, "date_created", None),
]


@pytest.mark.parametrize(("columns", "header", "attribute"), NEIGHBOURS)
def test_neighbours_tell_what_a_column_is(columns, header, attribute):
    assert drafted(id=KEYS, **{name: times(*cells) for name, cells in columns.items()})[header].attribute == attribute


ODD_HEADERS = [
    "null",
    "true",
    "12",
    "a: b",
    "# c",
    "tab\there",
    "quote\"'",
    "\u202eright",
    "名",
    "line\nbreak",
    "-",
    "{x}",
    " padded ",
]


def test_odd_headers_are_written_so_that_the_contract_reads_them_back():
    sample = pl.DataFrame({header: [f"{header}{n}" for n in range(30)] for header in ["id", *ODD_HEADERS]})
    text = contract_text(DraftedSource("crm", "data/*.csv", "csv", "utf-8", ",", 30), draft_columns(sample))
    assert parse_contract(text, file="crm.odcs.yaml").key_column.name == "id"
    assert all(parse_yaml(f"name: {quoted(header)}", file="x").content == {"name": header} for header in ODD_HEADERS)
    assert "\u202e" not in text


def test_the_draft_says_what_is_required_and_what_could_be_unique_and_holds_no_value():
    cells = [f"ada{n}@example.org" for n in range(24)]
    columns = draft_columns(
        pl.DataFrame({"id": KEYS, "mail": cells, "mobile": [*["(312) 555-0142"] * 23, None], "memo": times("Ada")})
    )
    text = contract_text(DraftedSource("crm", "data/*.csv", "csv", "gb18030", ";", 24, "likely"), columns)
    contract = parse_contract(text, file="crm.odcs.yaml")
    assert [(c.name, c.is_required, c.is_unique, c.is_personal) for c in contract.columns] == [
        ("id", True, True, False), ("mail", True, False, True), ("mobile", False, False, True),
    ]  # fmt: skip
    assert (contract.encoding, contract.delimiter) == ("gb18030", ";")
    assert "# unique: true" in text
    assert "# - name: memo" in text
    assert not any(value in text for value in ("Ada", "ada0", "555"))
