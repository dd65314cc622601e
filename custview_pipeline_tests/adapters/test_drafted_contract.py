"""Tests of ``custview init --from`` below the command: the form of a file is seen, a sample read, a project written."""

import gzip
import json

import polars as pl
import pytest

from custview_pipeline.adapters.new_project import draft_project
from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.adapters.sniffed_file import sniff
from custview_pipeline.adapters.source_files import SourceFiles
from custview_pipeline.demo.world import generate
from custview_pipeline.kernel.errors import ProjectInvalid, SourceUnreadable

CHINESE = "编号;姓名;手机\n" + "".join(f"k{n};李雷;1380013{n:04d}\n" for n in range(30))
FRENCH = "id;nom;prénom;ville\n" + "".join(f"{n};Lefèvre;Zoé;Orléans\n" for n in range(30))
PLAIN = "id,name\n" + "".join(f"{n},Ada Marlow\n" for n in range(30))


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (PLAIN.encode(), ("csv", "utf-8", ",")),
        (PLAIN.replace(",", "\t").encode("utf-8-sig"), ("csv", "utf-8", "\t")),
        (PLAIN.replace(",", "|").encode("utf-16"), ("csv", "utf-16", "|")),
        (CHINESE.encode(), ("csv", "utf-8", ";")),
        (CHINESE.encode("gb18030"), ("csv", "gb18030", ";")),
        (FRENCH.encode("latin-1"), ("csv", "latin-1", ";")),
        (FRENCH.replace("Z", "“Z").encode("cp1252"), ("csv", "cp1252", ";")),
        ((PLAIN * 50_000 + FRENCH).encode("latin-1"), ("csv", "latin-1", ",")),
        (b"id\n1\n2\n", ("csv", "utf-8", ",")),
        (b'id,name\n1,"Marlow; Ada"\n2,"a;b;c"\n', ("csv", "utf-8", ",")),
        (b'{"id": 1}\n', ("jsonl", "utf-8", ",")),
        ('{"名": "李雷"}\n'.encode("gb18030"), ("jsonl", "gb18030", ",")),
        (b"PAR1....", ("parquet", "utf-8", ",")),
        (b"PK\x03\x04....", ("xlsx", "utf-8", ",")),
    ],
)
def test_the_form_of_a_file_is_seen_by_its_bytes(tmp_path, content, form):
    (tmp_path / "file").write_bytes(content)
    assert sniff(tmp_path / "file")[:3] == form


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf \n", "the file is empty"),
        (gzip.compress(b"id\n1\n", mtime=0), "packed (gzip)"),
        (b"\xd0\xcf\x11\xe0rest", "save it as .xlsx"),
        (b'[{"id": 1}]', "a JSON array"),
        (b"\x89\xff\x00\x9dnoise\n,\x00\n", "neither text nor Parquet nor an Excel workbook"),
        (b"PAR1....", "not a Parquet file"),
        (b"PK\x03\x04....", "not an Excel workbook"),
        (b"id,id\n1,2\n", "each needs a header of its own"),
        (b"1,Ada Marlow,ada@example.org\n2,Otto,otto@example.org\n", "looks like a record and not like a header (column 1)"),
        (b"Ada,Chicago,US\nOtto,Boston,US\n", "looks like a record and not like a header (column 3)"),
        (b"Ada Marlow,Chicago\nOtto Keating,Boston\n", "its first row may be a record: add a header"),
    ],
)
def test_a_file_that_no_contract_can_be_drafted_from_is_told_of_without_a_value(tmp_path, content, said):
    (tmp_path / "customers.csv").write_bytes(content)
    with pytest.raises(SourceUnreadable) as raised:
        draft_project(tmp_path / "mine", tmp_path / "customers.csv")
    assert said in str(raised.value)
    assert not any(value in str(raised.value) for value in ("Ada", "Marlow", "example"))
    assert not (tmp_path / "mine").exists()


KEY_ATTRIBUTES = {
    "source_key", "entity_type", "full_name", "given_name", "family_name", "legal_name", "email", "phone", "address",
    "address_line1", "street_name", "city", "postal_code", "country", "birth_date", "national_id", "tax_id", "updated_at",
}  # fmt: skip

LEFT_TO_THE_READER = {"Delivery address"}  # whether a second address is the customer's, no header tells


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    directory = tmp_path_factory.mktemp("drafted") / "demo"
    generate(directory, records=400)
    return load_project(directory)


@pytest.mark.parametrize("source", ["billing", "crm", "support", "web_shop"])
def test_the_draft_of_each_file_of_the_demo_finds_what_its_contract_says(demo, tmp_path, source):
    written = demo.contract_of(source)
    (file,) = SourceFiles(demo.directory, written).files()
    draft_project(tmp_path / "mine", file.path)
    (drafted,) = load_project(tmp_path / "mine").contracts
    found = {column.name: column for column in drafted.columns}
    for column in written.columns:
        if column.name in LEFT_TO_THE_READER:
            continue
        assert column.name in found, column.name
        if column.attribute in KEY_ATTRIBUTES:
            got = found[column.name]
            assert (got.attribute, got.scheme) == (column.attribute, column.scheme)
            assert got.date_format in {None, column.date_format}, "a moment in ISO 8601 needs no format"
    rows = sum(batch.frame.height for batch in SourceFiles(tmp_path / "mine", drafted).batches())
    assert rows == sum(batch.frame.height for batch in SourceFiles(demo.directory, written).batches())


def test_a_second_file_becomes_a_second_source_and_the_first_is_never_written_over(tmp_path):
    for folder in ("shop", "crm"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "customers.csv").write_text(PLAIN)
    first = draft_project(tmp_path / "mine", tmp_path / "shop/customers.csv")
    second = draft_project(tmp_path / "mine", tmp_path / "crm/customers.csv")
    assert [path.name for path in (*first, *second)] == [
        "custview.yaml", "rulebook.yaml", "access.yaml", "customers.odcs.yaml", "crm_customers.odcs.yaml",
    ]  # fmt: skip
    assert [contract.path_pattern for contract in load_project(tmp_path / "mine").contracts] == [
        "../crm/customers.csv", "../shop/customers.csv",
    ]  # fmt: skip
    with pytest.raises(ProjectInvalid, match=r"customers\.odcs\.yaml: exists already"):
        draft_project(tmp_path / "mine", tmp_path / "shop/customers.csv")


def test_a_name_that_looks_like_a_pattern_means_the_file_itself(tmp_path):
    (tmp_path / "2026 [new].csv").write_text(PLAIN)
    draft_project(tmp_path, tmp_path / "2026 [new].csv")
    project = load_project(tmp_path)
    assert [file.name for file in SourceFiles(tmp_path, project.contracts[0]).files()] == ["2026 [new].csv"]
    assert project.contracts[0].source_system == "new"


def test_columns_that_cannot_be_read_are_left_out_and_said_so(tmp_path):
    pl.DataFrame({"id": ["a", "b"], "photo": [b"x", b"y"]}).write_parquet(tmp_path / "crm.parquet")
    *_, contract = draft_project(tmp_path / "mine", tmp_path / "crm.parquet")
    assert "left out: column 2 holds bytes" in contract.read_text()


def test_fields_of_later_lines_of_json_are_found_too(tmp_path):
    lines = [{"id": "a"}, {"id": "b", "email": "ada@example.org"}]
    (tmp_path / "shop.json").write_text("".join(json.dumps(line) + "\n" for line in lines))
    draft_project(tmp_path / "mine", tmp_path / "shop.json")
    assert [column.attribute for column in load_project(tmp_path / "mine").contracts[0].columns] == ["source_key", "email"]
