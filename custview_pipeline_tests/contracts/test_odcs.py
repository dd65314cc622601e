"""Contracts as people write them."""

from importlib.resources import files
from pathlib import Path

import pytest

from custview_pipeline.contracts.odcs import parse_contract
from custview_pipeline.contracts.source_contract import QualityRule
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline_tests.contracts.written_contracts import FILE, TEXT, changed, contract, line_of

SHARED = Path(__file__).parents[3] / "shared"
REAL = sorted([*SHARED.glob("examples/contracts/*.yaml"), *SHARED.glob("data/*/contracts/*.yaml")])
DEMO = sorted(Path(str(files("custview_pipeline.demo"))).glob("project/contracts/*.odcs.yaml"))


def test_a_contract_is_read_whole():
    shop = contract()
    assert (shop.source_system, shop.version, shop.title, shop.domain) == ("shop", "1.2.0", "Shop customers", "sales")
    assert (shop.owner, shop.purpose, shop.path_pattern, shop.file_format) == (
        "owner@example.org",
        "Orders",
        "data/shop/*.csv",
        "csv",
    )
    assert (shop.encoding, shop.delimiter, shop.extract, shop.legal_basis) == ("utf-8", ",", "changes", "contract")
    assert (shop.trust, shop.trust_by_attribute, shop.max_refused_share, shop.freshness_hours) == (
        0.9,
        {"birth_date": 0.5},
        0.1,
        48.0,
    )
    assert [column.name for column in shop.columns] == ["id", "customer", "mobile", "landline", "born", "PASSPORT", "status"]
    assert shop.file == FILE


def test_the_columns_carry_their_meaning_and_limits():
    by_name = {column.name: column for column in contract().columns}
    assert contract().key_column == by_name["id"]
    assert (by_name["id"].is_required, by_name["id"].is_unique) == (True, True)
    assert (by_name["customer"].is_required, by_name["customer"].is_personal, by_name["customer"].is_critical) == (
        True,
        True,
        True,
    )
    assert by_name["customer"].description == "Customer"
    assert (by_name["mobile"].min_length, by_name["mobile"].max_length, by_name["mobile"].pattern) == (7, 20, "^[0-9+() -]+$")
    assert (by_name["born"].date_format, by_name["born"].earliest, by_name["born"].latest) == ("%m/%d/%Y", "1900-01-01", None)
    assert (by_name["PASSPORT"].scheme, by_name["PASSPORT"].issuer, by_name["PASSPORT"].is_unique) == ("passport", "GB", True)
    assert by_name["status"].allowed == ("01", "yes")


def test_a_key_need_not_be_called_primary():
    key = contract(("        primaryKey: true\n", "")).key_column
    assert (key.is_required, key.is_unique) == (True, True)


def test_what_is_demanded_of_a_column_that_is_not_read_is_reported():
    demanded = [rule for rule in contract().quality if not rule.is_executable]
    assert [(rule.metric, rule.column) for rule in demanded] == [("required", "notes")]


@pytest.mark.parametrize("path", REAL or [None], ids=lambda path: path.stem if path else "absent")
def test_the_shared_contracts_can_be_read(path):
    if path is None:
        pytest.skip("the shared folder is not here")
    assert parse_contract(path.read_text(), file=path.name).key_column.is_unique


@pytest.mark.parametrize("path", DEMO or [None], ids=lambda path: path.stem if path else "absent")
def test_the_contracts_of_the_demo_can_be_read(path):
    if path is None:
        pytest.skip("the demo is not here")
    assert parse_contract(path.read_text(), file=path.name).key_column.is_unique


SERVER = "  - {server: production, type: local, path: data/shop/*.csv, format: csv}"
PHONE = "customProperties: [{property: attribute, value: phone}]"


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("apiVersion: v3.2.0", "apiVersion: v2.2.2", "apiVersion", "apiVersion should be v3.x"),
        ("kind: DataContract\n", "", "apiVersion", "kind should be DataContract"),
        ("kind: DataContract", "kind: DataProduct", "kind", "kind should be DataContract"),
        (
            "id: shop",
            "id: Web Shop",
            "id:",
            "id 'Web Shop' names tables: it should be small letters, digits and _, a letter first; try 'web_shop'",
        ),
        ("id: shop\n", "", "apiVersion", "names tables"),
        ("version: 1.2.0", "version: 1.2", "version: 1.2\n", "'version': should be a valid string"),
        ("domain: sales", "domian: sales", "domian", "unknown key 'domian'; did you mean 'domain'?"),
        (
            "        required: true\n        class",
            "        requierd: true\n        class",
            "requierd",
            "unknown key 'requierd'; did you mean 'required'?",
        ),
        ("schema:\n", "x-schema:\n", "x-schema", "unknown key 'x-schema'; did you mean 'schema'?"),
        ("value: phone}", "value: phones}", "value: phones", "unknown attribute 'phones' of 'mobile'; did you mean 'phone'?"),
        (
            "customProperties: [{property: attribute, value: source_key}]",
            "description: Key",
            "    properties:",
            "no column carries source_key: add customProperties [{property: attribute, value: source_key}] to 'id'",
        ),
        ("value: full_name", "value: source_key", "    properties:", "two columns carry source_key: 'id', 'customer'; one must"),
        (
            "        required: true\n        class",
            "        primaryKey: true\n        class",
            "primaryKey: true\n        class",
            "'customer' is a primaryKey and no source_key",
        ),
        (
            "      - name: landline",
            "      - name: mobile",
            "      - name: mobile\n        custom",
            "two columns are called 'mobile'",
        ),
        (
            "{property: attribute, value: source_key}",
            "{property: attribut, value: source_key}",
            "{property: attribut,",
            "unknown custom property 'attribut'; did you mean 'attribute'?",
        ),
        ("type: local", "type: lokal", "type: lokal", "a server of type 'lokal' is not supported; did you mean 'local'?"),
        (SERVER, "  []", "servers", "no servers"),
        (
            SERVER,
            SERVER + "\n" + SERVER.replace("data/shop", "data/other"),
            "  - {server: production, type: local, path: data/other",
            "several servers that can be read: call the one to read production",
        ),
        (", path: data/shop/*.csv", "", "  - {server", "the server needs a path"),
        (
            "format: csv",
            "format: avro",
            "format: avro",
            "format 'avro' is not supported; supported are csv, json, jsonl, ndjson, parquet, xlsx",
        ),
        ("format: csv", "format: csv, delimiter: ab", "  - {server", "delimiter should be one ASCII character"),
        ("format: csv", "format: csv, encoding: utf-7000", "encoding", "unknown encoding 'utf-7000'"),
        ("value: 0.9", "value: 1.5", "value: 1.5", "'trust' should be a number from 0 to 1"),
        ("value: 0.9", "value: high", "value: high", "'trust' should be a number from 0 to 1"),
        (
            "trust.birth_date",
            "trust.birthdate",
            "property: trust.birthdate",
            "no attribute 'birthdate' survives; did you mean 'birth_date'?",
        ),
        ("trust.birth_date", "trust.source_key", "property: trust.source_key", "no attribute 'source_key' survives"),
        (
            "  - {property: trust, value: 0.9}",
            "  - {property: trsut, value: 0.9}",
            "property: trsut",
            "unknown custom property 'trsut'; did you mean 'trust'?",
        ),
        (
            "{property: legal_basis, value: contract}",
            "{property: extract, value: snapshot}",
            "  - {property: extract, value: changes}",
            "the custom property 'extract' is written twice",
        ),
        ("value: changes", "value: change", "value: change}", "extract should be snapshot or changes; did you mean 'changes'?"),
        ("unit: d", "unit: fortnight", "unit: fortnight", "unknown unit 'fortnight' of frequency"),
        ("value: 2, unit", "value: often, unit", "value: often", "frequency should be a number above 0"),
        (
            "logicalType: date",
            "logicalType: dat",
            "logicalType: dat\n",
            "logicalType 'dat' of 'born' is not supported; did you mean 'date'?",
        ),
        ("logicalType: date", "logicalType: array", "logicalType: array", "logicalType 'array' of 'born' is not supported"),
        ("MM/dd/yyyy", "MM/DD/YYYY", "format: MM/DD", "the date pattern uses 'DD', which is not supported; did you mean 'dd'?"),
        ("minimum: '1900-01-01'", "minimum: '1900'", "minimum", "'minimum' should be a date"),
        (
            "minimum: '1900-01-01'",
            "exclusiveMinimum: '1900-01-01'",
            "exclusiveMinimum",
            "'exclusiveMinimum' is not supported for date; did you mean 'minimum'?",
        ),
        (
            "minimum: '1900-01-01'",
            "minimum: '1900-01-01', maximum: '1800-01-01'",
            "logicalTypeOptions: {format",
            "the lower limit lies above the upper one",
        ),
        ("minLength: 7", "minLength: -7", "minLength", "'minLength' should be a whole number, 0 or more"),
        ("minLength: 7", "minLenght: 7", "minLenght", "'minLenght' is not supported for string; did you mean 'minLength'?"),
        ("'^[0-9+() -]+$'", "'^[0-9'", "pattern", "the pattern cannot be used"),
        ("'^[0-9+() -]+$'", "'^(?!0)[0-9]+$'", "pattern", "look-around and back-references are not supported"),
        (
            "schema:\n  - name: customers",
            "schema:\n  - {name: other}\n  - name: customers",
            "  - name: customers",
            "describes two tables",
        ),
    ],
)
def test_what_cannot_be_used_names_file_line_and_what_was_meant(old, new, place, message):
    text = changed((old, new))
    with pytest.raises(ProjectInvalid) as raised:
        parse_contract(text, file=FILE)
    assert message in str(raised.value)
    assert str(raised.value).startswith(f"{FILE}:{line_of(place, text)}: ")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("text", "message"), [("", "expected keys"), ("- a\n", "expected keys"), ("kind: [", "not valid YAML")])
def test_a_file_that_is_no_contract_is_said_to_be_none(text, message):
    with pytest.raises(ProjectInvalid, match=message):
        parse_contract(text, file=FILE)


def test_a_contract_without_a_table_says_so():
    text = TEXT[: TEXT.index("schema:")]
    with pytest.raises(ProjectInvalid, match="has no schema"):
        parse_contract(text, file=FILE)


@pytest.mark.parametrize(
    ("written", "known"), [("csv", "csv"), ("json", "jsonl"), ("ndjson", "jsonl"), ("JSONL", "jsonl"), ("parquet", "parquet")]
)
def test_formats_are_known_by_their_usual_names(written, known):
    assert contract(("format: csv", f"format: {written}")).file_format == known


@pytest.mark.parametrize(
    ("written", "encoding", "delimiter"),
    [
        ("format: csv, encoding: GB18030, delimiter: ';'", "gb18030", ";"),
        ("format: csv, encoding: utf-8-sig, delimiter: tab", "utf-8-sig", "\t"),
        ("format: csv, encoding: latin-1, delimiter: '|'", "latin-1", "|"),
    ],
)
def test_encoding_and_delimiter_are_the_servers(written, encoding, delimiter):
    shop = contract(("format: csv", written))
    assert (shop.encoding, shop.delimiter) == (encoding, delimiter)


def test_custom_properties_of_the_contract_go_before_the_servers():
    added = ("{property: encoding, value: latin-1}", "{property: delimiter, value: ;}", "{property: max_refused_share, value: 0}")
    text = changed(("format: csv", "format: csv, encoding: utf-8")) + "".join(f"  - {line}\n" for line in added)
    shop = parse_contract(text, file=FILE)
    assert (shop.encoding, shop.delimiter, shop.max_refused_share) == ("latin-1", ";", 0.0)


@pytest.mark.parametrize(("written", "share"), [("", 0.2), ("0", 0.0), ("0.5", 0.5), ("1", 1.0)])
def test_the_share_of_records_that_may_go_is_a_custom_property(written, share):
    added = f"  - {{property: max_deleted_share, value: {written}}}\n" if written else ""
    assert parse_contract(TEXT + added, file=FILE).max_deleted_share == share


@pytest.mark.parametrize("written", ["-0.1", "1.1", "many", "true"])
def test_a_share_that_is_none_is_an_error(written):
    with pytest.raises(ProjectInvalid, match="'max_deleted_share' should be a number from 0 to 1"):
        parse_contract(TEXT + f"  - {{property: max_deleted_share, value: {written}}}\n", file=FILE)


def test_custom_properties_of_other_tools_are_left_alone():
    assert parse_contract(TEXT + "  - {property: catalog_colour, value: [1, 2]}\n", file=FILE) == contract()


def test_trust_in_a_part_is_trust_in_the_whole():
    shop = contract(("trust.birth_date", "trust.full_name"))
    assert shop.trust_by_attribute == {"name": 0.5, "legal_name": 0.5}


def test_parts_of_one_value_cannot_be_trusted_differently():
    text = changed(("trust.birth_date", "trust.city")) + "  - {property: trust.street_name, value: 0.7}\n"
    with pytest.raises(ProjectInvalid, match="part of 'address', which survives as one"):
        parse_contract(text, file=FILE)


@pytest.mark.parametrize(("value", "unit", "hours"), [(1, "h", 1.0), (30, "m", 0.5), (2, "days", 48.0), (1, "week", 168.0)])
def test_frequency_is_read_in_hours(value, unit, hours):
    assert contract(("value: 2, unit: d", f"value: {value}, unit: {unit}")).freshness_hours == hours


@pytest.mark.parametrize(
    ("written", "is_personal"),
    [("pii", True), ("Confidential", True), ("highly-sensitive", True), ("internal", False), ("5", False)],
)
def test_classification_says_what_is_personal(written, is_personal):
    assert contract(("classification: PII", f"classification: '{written}'")).columns[1].is_personal is is_personal


def test_a_format_that_no_field_standard_covers_is_reported_as_not_executed():
    shop = contract(("minLength: 7", "format: uuid, minLength: 7"))
    assert ("format", "mobile", False) in [(rule.metric, rule.column, rule.is_executable) for rule in shop.quality]


ROWS = "      - {type: library, metric: rowCount, mustBeGreaterThan: 0, severity: error}\n"


def _table_rule(rule: str) -> QualityRule:
    return contract((ROWS, f"      - {rule}\n")).quality[0]


def _column_rule(rule: str) -> QualityRule:
    return contract((PHONE, f"{PHONE}\n        quality: [{rule}]")).quality[1]


@pytest.mark.parametrize(
    ("written", "metric", "operator", "threshold"),
    [
        ("{metric: rowCount, mustBe: 5}", "rowCount", "mustBe", (5.0,)),
        ("{metric: rowCount, mustNotBe: 5}", "rowCount", "mustNotBe", (5.0,)),
        ("{metric: rowCount, mustBeGreaterOrEqualTo: 5}", "rowCount", "mustBeGreaterOrEqualTo", (5.0,)),
        ("{type: library, metric: rowCount, mustBeLessThan: 5}", "rowCount", "mustBeLessThan", (5.0,)),
        ("{rule: rowCount, mustBeLessOrEqualTo: 5}", "rowCount", "mustBeLessOrEqualTo", (5.0,)),
        ("{metric: rowCount, mustBeBetween: [5, 7.5]}", "rowCount", "mustBeBetween", (5.0, 7.5)),
        ("{metric: rowCount, mustNotBeBetween: [5, 7]}", "rowCount", "mustNotBeBetween", (5.0, 7.0)),
    ],
)
def test_every_operator_is_read(written, metric, operator, threshold):
    rule = _table_rule(written)
    assert (rule.metric, rule.operator, rule.threshold) == (metric, operator, threshold)
    assert (rule.column, rule.severity, rule.dimension, rule.unit, rule.is_executable) == (
        None,
        "error",
        "completeness",
        "rows",
        True,
    )


@pytest.mark.parametrize(
    ("written", "metric", "dimension", "arguments"),
    [
        ("{metric: nullValues, mustBe: 0}", "nullValues", "completeness", ()),
        (
            "{metric: missingValues, arguments: {missingValues: [null, N/A, 00]}, mustBe: 0}",
            "missingValues",
            "completeness",
            (("missingValues", ("", "N/A", "00")),),
        ),
        (
            "{metric: invalidValues, arguments: {validValues: [01, 'no']}, mustBe: 0}",
            "invalidValues",
            "conformity",
            (("validValues", ("01", "no")),),
        ),
        (
            "{metric: invalidValues, arguments: {pattern: '^[0-9]+$'}, mustBe: 0}",
            "invalidValues",
            "conformity",
            (("pattern", ("^[0-9]+$",)),),
        ),
        ("{metric: duplicateValues, mustBe: 0}", "duplicateValues", "uniqueness", ()),
        ("{rule: duplicateCount, mustBe: 0}", "duplicateValues", "uniqueness", ()),
    ],
)
def test_every_metric_of_a_column_is_read(written, metric, dimension, arguments):
    rule = _column_rule(written)
    assert (rule.metric, rule.dimension, rule.arguments, rule.column) == (metric, dimension, arguments, "mobile")
    assert (rule.severity, rule.is_executable) == ("warning", True)


def test_severity_dimension_unit_and_name_are_kept():
    rule = _column_rule(
        "{name: Few blanks, metric: nullValues, mustBeLessThan: 5, unit: percent, dimension: coverage, severity: error}"
    )
    assert (rule.name, rule.unit, rule.dimension, rule.severity) == ("few_blanks", "percent", "coverage", "error")
    assert _column_rule("{metric: nullValues, mustBe: 0, severity: info}").severity == "warning"


@pytest.mark.parametrize(
    "written",
    [
        "{type: sql, query: SELECT 1, mustBe: 1}",
        "{type: custom, engine: soda, implementation: checks}",
        "{type: text, description: Ask the owner}",
        "{description: Ask the owner}",
    ],
)
def test_a_rule_for_people_or_other_engines_is_kept_as_not_executed(written):
    assert not _table_rule(written).is_executable
    assert not _column_rule(written).is_executable


def test_a_rule_about_a_column_that_is_not_read_is_kept_as_not_executed():
    shop = contract(("      - name: notes\n", "      - name: notes\n        quality: [{metric: nullValues, mustBe: 0}]\n"))
    assert [(rule.metric, rule.is_executable) for rule in shop.quality if rule.column == "notes"] == [
        ("nullValues", False),
        ("required", False),
    ]


def test_columns_that_are_unique_together_are_known_by_their_headers():
    rule = _table_rule("{metric: duplicateValues, arguments: {properties: [customer, passport_no]}, mustBe: 0}")
    assert (rule.argument("properties"), rule.is_executable) == (("customer", "PASSPORT"), True)
    assert not _table_rule("{metric: duplicateValues, arguments: {properties: [customer, notes]}, mustBe: 0}").is_executable


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("{metric: nulValues, mustBe: 0}", "unknown metric 'nulValues'; did you mean 'nullValues'?"),
        ("{type: library, mustBe: 0}", "a library rule needs a metric"),
        ("{type: libary, metric: nullValues, mustBe: 0}", "unknown type of rule 'libary'; did you mean 'library'?"),
        ("{metric: nullValues}", "the rule has no threshold"),
        ("{metric: nullValues, mustBeLess: 3}", "unknown key 'mustBeLess'; did you mean 'mustBeLessThan'?"),
        ("{metric: nullValues, mustBe: 0, mustNotBe: 3}", "two thresholds"),
        ("{metric: nullValues, mustBe: none}", "'mustBe' should be a number"),
        ("{metric: nullValues, mustBeBetween: [5, 1]}", "the smaller number first"),
        ("{metric: nullValues, mustBeBetween: [5]}", "mustBeBetween"),
        ("{metric: nullValues, mustBe: 0, unit: permille}", "unknown unit 'permille'"),
        ("{metric: nullValues, mustBe: 101, unit: percent}", "between 0 and 100"),
        ("{metric: nullValues, mustBe: 0, dimension: beauty}", "unknown dimension 'beauty'"),
        ("{metric: nullValues, mustBe: 0, severity: critical}", "unknown severity 'critical'"),
        ("{metric: invalidValues, mustBe: 0}", "needs arguments"),
        ("{metric: invalidValues, arguments: {validValues: x}, mustBe: 0}", "should be a list"),
        ("{metric: invalidValues, arguments: {validValue: [x]}, mustBe: 0}", "did you mean 'validValues'?"),
        ("{metric: invalidValues, arguments: {pattern: '('}, mustBe: 0}", "the pattern cannot be used"),
        ("{metric: rowCount, mustBe: 0}", "rowCount is about the table"),
    ],
)
def test_a_rule_that_cannot_be_understood_is_an_error(rule, message):
    with pytest.raises(ProjectInvalid) as raised:
        _column_rule(rule)
    assert message in str(raised.value)
    assert str(raised.value).startswith(f"{FILE}:{line_of(PHONE, TEXT) + 1}: ")


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("{metric: nullValues, mustBe: 0}", "about a column"),
        ("{metric: duplicateValues, mustBe: 0}", "needs arguments"),
        (
            "{metric: duplicateValues, arguments: {properties: [customr]}, mustBe: 0}",
            "no column is called 'customr'; did you mean 'customer'?",
        ),
        ("{metric: rowCount, mustBe: 0, unit: percent}", "no share to give in percent"),
    ],
)
def test_a_rule_of_the_table_that_cannot_be_understood_is_an_error(rule, message):
    with pytest.raises(ProjectInvalid) as raised:
        _table_rule(rule)
    assert message in str(raised.value)
