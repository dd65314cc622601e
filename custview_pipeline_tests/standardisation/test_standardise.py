"""A whole batch, from raw cells to the four frames."""

import json
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.match_features import FEATURES, FLAGS
from custview_pipeline.contracts.source_contract import SourceColumn
from custview_pipeline.contracts.standardised_record import FEATURE_TEXTS, ISSUES, RECORDS, VALUES
from custview_pipeline.kernel.errors import Redacted
from custview_pipeline.standardisation.field_standards import DIMENSIONS
from custview_pipeline.standardisation.standardise import RULE_SETS, rule_set_version, standardise
from custview_pipeline_tests.standardisation.contracts import CRM, SMITH, contract_of, frame, run


def values_of(batch, attribute):
    return batch.values.filter(pl.col("attribute") == attribute)["value"].to_list()


def rules_of(batch):
    return set(batch.issues.select("attribute", "rule").rows())


def test_all_frames_have_exactly_their_schemas():
    for rows in ((), (SMITH,), (SMITH, {"id": "2"})):
        batch = run(CRM, *rows)
        assert batch.records.schema == RECORDS
        assert batch.values.schema == VALUES
        assert batch.features.schema == FEATURE_TEXTS
        assert batch.issues.schema == ISSUES
        assert batch.records["row"].to_list() == batch.features["row"].to_list() == list(range(len(rows)))


def test_a_record_carries_its_key_type_country_and_time():
    batch = run(CRM, SMITH)
    assert batch.records.row(0) == (0, "person", "US", datetime(2024, 3, 4, 8, tzinfo=UTC), None)


def test_every_value_is_standardised():
    batch = run(CRM, SMITH)
    assert dict(batch.values.filter(pl.col("slot") == 0).select("attribute", "value").rows()) == {
        "name": "John A Smith Jr",
        "phone": "+12127365000",
        "email": "john.smith+x@gmail.com",
        "address": "123 N Main St Apt 4, Springfield, IL 62704",
        "country": "US",
        "birth_date": "1985-03-12",
        "national_id": "536-90-4399",
        "occupation": "Baker",
    }
    assert batch.values["is_valid"].all()
    assert batch.issues.is_empty()


def test_values_stand_in_the_order_of_row_attribute_and_slot():
    values = run(CRM, SMITH, {**SMITH, "id": "2"}).values
    assert values.equals(values.sort("row", "attribute", "slot"))
    assert set(values["attribute"]) <= set(GOLDEN_ATTRIBUTES)


def test_two_phones_have_two_slots_and_a_repeated_one_has_one():
    assert values_of(run(CRM, SMITH), "phone") == ["+12127365000", "+16467365001"]
    assert values_of(run(CRM, {**SMITH, "landline": "1-212-736-5000"}), "phone") == ["+12127365000"]


def test_features_are_what_matching_compares():
    features = run(CRM, SMITH).features.row(0, named=True)
    expected = {
        "given": "john",
        "given_group": "john",
        "given_groups": ["john"],
        "given_initial": "j",
        "given_sound": "JN",
        "given_prefix": "joh",
        "middle": None,
        "middle_initial": "a",
        "family": "smith",
        "family_sound": "SM0",
        "family_prefix": "smi",
        "name_suffix": "jr",
        "name_words": ["john", "smith"],
        "native_name": None,
        "birth_date": "1985-03-12",
        "birth_year": "1985",
        "birth_month": "03",
        "birth_day": "12",
        "is_birth_first_of_january": False,
        "email": "johnsmith@gmail.com",
        "email_local": "johnsmith",
        "email_domain": "gmail.com",
        "is_email_from_name": True,
        "emails": ["johnsmith@gmail.com"],
        "phones": ["2127365000", "6467365001"],
        "phone_tails": ["7365000", "7365001"],
        "house_number": "123",
        "street": "main",
        "unit": "4",
        "city": "springfield",
        "postal_code": "62704",
        "postal_area": "627",
        "identifiers": ["us.ssn\x1f536904399"],
        "identifier_schemes": ["us.ssn"],
        "national_ids": ["us.ssn\x1f536904399"],
        "national_id_schemes": ["us.ssn"],
        "occupation": "baker",
        "is_enterprise": False,
        "enterprise_name": None,
        "enterprise_names": [],
    }
    assert {name: features[name] for name in expected} == expected


def test_flags_and_lists_are_never_null():
    features = run(CRM, SMITH, {"id": "2"}).features
    for name, feature in FEATURES.items():
        if feature.is_list or name in FLAGS:
            assert features[name].null_count() == 0


def test_a_nickname_shares_a_group_of_its_formal_name():
    batch = run(CRM, {"id": "1", "name": "Bob Doe"}, {"id": "2", "name": "Robert Doe"})
    assert batch.features["given_group"].n_unique() == 1
    assert all("robert" in groups for groups in batch.features["given_groups"])


def test_placeholders_are_missing_and_said_to_be():
    batch = run(
        CRM,
        {**SMITH, "job": "N/A", "mail": "none@none.com", "mobile": "555-555-5555", "born": "01/01/1900", "ssn": "000-00-0000"},
    )
    assert rules_of(batch) == {(name, "placeholder") for name in ("occupation", "email", "phone", "birth_date", "national_id")}
    assert set(batch.issues["dimension"]) == {"completeness"}
    assert values_of(batch, "occupation") == []


def test_what_breaks_a_standard_is_kept_and_marked_invalid():
    batch = run(
        CRM,
        {
            **SMITH,
            "mail": "john@",
            "mobile": "907-4740",
            "born": "02/30/1985",
            "address": "over there",
            "country": "Narnia",
            "modified": "then",
        },
    )
    invalid = batch.values.filter(~pl.col("is_valid"))
    assert set(invalid.select("attribute", "value").rows()) == {
        ("email", "john@"),
        ("phone", "907-4740"),
        ("birth_date", "02/30/1985"),
        ("address", "over there"),
        ("country", "Narnia"),
    }
    assert rules_of(batch) == {
        ("email", "not_an_email_address"),
        ("phone", "not_a_phone_number"),
        ("birth_date", "impossible_date"),
        ("address", "not_an_address"),
        ("country", "not_a_country"),
        ("updated_at", "not_a_timestamp"),
    }
    assert set(batch.issues["severity"]) == {"warning"}
    assert batch.records["country"][0] == "US"


def test_the_records_country_decides_how_its_phone_is_read():
    batch = run(CRM, {"id": "1", "name": "Jane Doe", "mobile": "020 7946 0958", "country": "England"})
    assert (values_of(batch, "phone"), batch.records["country"][0]) == (["+442079460958"], "GB")


ENTERPRISES = contract_of(
    SourceColumn("site", "legal_name"),
    SourceColumn("brand", "trading_name"),
    SourceColumn("contact", "full_name"),
    SourceColumn("web", "website"),
    SourceColumn("ein", "tax_id", scheme="us.ein"),
    SourceColumn("line", "address_line1"),
    SourceColumn("zip", "postal_code"),
    SourceColumn("phone", "phone"),
)


def test_an_enterprise_has_its_names_and_no_persons():
    batch = run(
        ENTERPRISES,
        {
            "id": "1",
            "site": "Acme Child\nCare, Inc.",
            "brand": "Little Acme",
            "web": "HTTPS://www.Acme.org/",
            "ein": "91-1144442",
            "line": "1145 W Wilson Avenue \n",
            "zip": "60640",
            "phone": "9074740",
        },
    )
    assert batch.records["entity_type"].to_list() == ["enterprise"]
    assert values_of(batch, "legal_name") == ["Acme Child Care Inc"]
    assert json.loads(batch.values.filter(pl.col("attribute") == "legal_name")["parts"][0]) == {
        "name": "Acme Child Care",
        "legal_form": "Inc",
    }
    assert (values_of(batch, "website"), values_of(batch, "tax_id"), values_of(batch, "name")) == (
        ["acme.org"],
        ["91-1144442"],
        [],
    )
    features = batch.features.row(0, named=True)
    assert features["is_enterprise"]
    assert (features["enterprise_name"], features["enterprise_lead"]) == ("acmechildcare", "acme child")
    assert features["enterprise_names"] == ["acmechildcare", "littleacme"]
    assert features["name_words"] == ["acme", "care", "child", "little"]
    assert (features["phones"], features["phone_tails"], features["house_number"], features["street"]) == (
        ["9074740"],
        ["9074740"],
        "1145",
        "wilson",
    )


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ({"kind": "ORGANIZATION", "name": "John Smith"}, "enterprise"),
        ({"kind": "private person", "name": "Acme Inc"}, "person"),
        ({"name": "Acme Inc"}, "enterprise"),
        ({"name": "春风技术有限公司"}, "enterprise"),
        ({"name": "John Smith"}, "person"),
        ({"kind": "wizard", "name": "John Smith"}, "person"),
        ({}, "person"),
    ],
)
def test_the_entity_type_is_what_the_source_says_or_its_columns_show(row, kind):
    batch = run(CRM, {"id": "1", **row})
    assert batch.records["entity_type"][0] == kind
    assert (("entity_type", "not_an_entity_type") in rules_of(batch)) == (row.get("kind") == "wizard")


def test_an_enterprise_in_the_field_of_full_names_has_a_legal_name():
    assert values_of(run(CRM, {"id": "1", "kind": "company", "name": "Acme, Inc."}), "legal_name") == ["Acme Inc"]


def test_columns_named_as_the_rooms_own_are_no_trouble():
    contract = contract_of(
        SourceColumn("row", "family_name"),
        SourceColumn("country", "given_name"),
        SourceColumn("cell", "country"),
        SourceColumn("position", "phone"),
    )
    batch = run(contract, {"id": "7", "row": "Doe", "country": "Jane", "cell": "GB", "position": "020 7946 0958"})
    assert (values_of(batch, "name"), values_of(batch, "phone"), batch.records["country"][0]) == (
        ["Jane Doe"],
        ["+442079460958"],
        "GB",
    )


def test_a_second_family_name_is_a_former_one():
    contract = contract_of(
        SourceColumn("first", "given_name"), SourceColumn("last", "family_name"), SourceColumn("maiden", "family_name")
    )
    batch = run(contract, {"id": "1", "first": "Anna", "last": "Smith", "maiden": "Jones"})
    assert (batch.features["family"][0], batch.features["name_words"][0].to_list()) == ("smith", ["anna", "jones", "smith"])
    assert values_of(batch, "name") == ["Anna Smith"]


def test_two_addresses_of_a_record_have_two_slots_and_the_first_is_compared():
    contract = contract_of(SourceColumn("home", "address"), SourceColumn("work", "address"))
    batch = run(
        contract,
        {"id": "1", "home": "12 Oak Ave, Reno, NV 89501", "work": "PO Box 9, Reno, NV 89505"},
        {"id": "2", "work": "PO Box 9, Reno, NV 89505"},
    )
    assert values_of(batch, "address") == ["12 Oak Ave, Reno, NV 89501", "PO Box 9, Reno, NV 89505", "PO Box 9, Reno, NV 89505"]
    assert batch.features["house_number"].to_list() == ["12", "9"]


def test_chinese_records_are_read_in_their_own_script():
    row = {
        "id": "1",
        "name": "王小明",
        "mobile": "138 1234 5678",
        "address": "北京市朝阳区建国路88号1201室",
        "country": "中国",
        "born": "1985年3月12日",
    }
    batch = run(CRM, row, region="CN")
    assert dict(batch.values.select("attribute", "value").rows()) == {
        "name": "王小明",
        "phone": "+8613812345678",
        "address": "北京市朝阳区建国路88号1201室",
        "country": "CN",
        "birth_date": "1985-03-12",
    }
    features = batch.features.row(0, named=True)
    assert [features[name] for name in ("given", "family", "native_name", "street", "city")] == [
        "xiaoming",
        "wang",
        "王小明",
        "jianguo",
        "beijing",
    ]


def test_full_width_digits_and_letters_are_read():
    fullwidth = "".join(chr(ord(char) + 0xFEE0) for char in "13812345678")
    assert values_of(run(CRM, {"id": "1", "mobile": fullwidth, "country": "CN"}), "phone") == ["+8613812345678"]


def test_a_cell_without_end_is_cut_and_said_to_be():
    batch = run(CRM, {**SMITH, "job": "x" * 5000})
    assert ("occupation", "too_long") in rules_of(batch)


def test_the_same_batch_comes_to_the_same_result_and_order_of_rows_does_not_matter():
    rows = [SMITH, {**SMITH, "id": "2", "name": "Jane Doe", "mobile": None}, {"id": "3", "name": "Acme Inc"}]
    first, second, reverse = run(CRM, *rows), run(CRM, *rows), run(CRM, *rows[::-1])
    for left, right in zip(first, second, strict=True):
        assert left.equals(right)
    assert reverse.features.reverse().drop("row").equals(first.features.drop("row"))


def test_a_missing_column_is_an_error_without_values():
    with pytest.raises(Redacted, match="invented") as caught:
        standardise(frame(CRM, SMITH).drop("mail"), CRM, region="US")
    assert "Smith" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_every_rule_has_a_dimension_of_the_data_contract_standard():
    assert set(DIMENSIONS.values()) <= {
        "accuracy",
        "completeness",
        "conformity",
        "consistency",
        "coverage",
        "timeliness",
        "uniqueness",
    }


@pytest.mark.parametrize(
    ("modified", "is_known"), [("2026-07-01T10:00:00Z", True), ("2026-07-02T00:00:01Z", False), ("2099-12-30", False)]
)
def test_a_record_from_the_future_is_not_the_most_recent_one(modified, is_known):
    batch = run(CRM, SMITH | {"modified": modified})

    assert (batch.records["updated_at"].item() is not None) is is_known
    assert (("updated_at", "future_date") in rules_of(batch)) is not is_known


def test_the_version_names_every_rule_set():
    every = {"names", "addresses", "phones", "emails", "dates", "identifiers", "codes", "numbers", "features", "consistency"}
    assert set(RULE_SETS) == every
    assert all(f"{name}={version}" in rule_set_version() for name, version in RULE_SETS.items())


_ANYTHING = st.one_of(
    st.none(), st.text(max_size=30), st.text(alphabet="0123456789-/. ABab王小路号@#,'\"\n\x00\u202e", max_size=30)
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.fixed_dictionaries({column.name: _ANYTHING for column in CRM.columns}), max_size=4),
    st.sampled_from(["US", "GB", "CN", "DE", "ZZ"]),
)
def test_no_text_breaks_a_batch(rows, region):
    batch = run(CRM, *rows, region=region)
    assert batch.records.height == batch.features.height == len(rows)
    assert set(batch.values.filter(pl.col("is_valid").not_()).select("row").unique()["row"]) <= set(batch.issues["row"])
    assert batch.values["value"].null_count() == batch.values["comparable"].null_count() == 0


@pytest.mark.parametrize(("name", "text"), [("mail", "a@b.example,"), ("mobile", "212-736-5000;")])
def test_a_cell_of_more_values_than_anyone_has_is_read(name, text):
    batch = run(CRM, SMITH | {name: text * 300}, SMITH | {"id": "2"})
    assert batch.records.height == 2
    assert batch.values.filter(pl.col("row") == 1).height == run(CRM, SMITH).values.height


def test_chinese_addresses_are_compared_by_their_words():
    rows = [
        {**SMITH, "id": address, "country": "CN", "address": address}
        for address in ("北京市朝阳区建国路88号", "上海市浦东新区世纪大道88号")
    ]
    addresses = run(CRM, *rows).values.filter(pl.col("attribute") == "address")
    assert addresses["comparable"].n_unique() == 2
