"""Fields of one record that contradict each other."""

import json
from datetime import date

import polars as pl
import pytest
from stdnum.cn import ric

from custview_pipeline.contracts.consistency_rules import CONSISTENCY_RULES
from custview_pipeline.contracts.source_contract import SourceColumn, SourceContract
from custview_pipeline.contracts.standardised_record import ISSUES, RECORDS, VALUES
from custview_pipeline.standardisation.addresses.postal_regions import chinese_postal_prefixes, us_zip_prefixes
from custview_pipeline.standardisation.consistency import check_consistency
from custview_pipeline.standardisation.field_standards import DIMENSIONS
from custview_pipeline.standardisation.standardise import standardise

COLUMNS = (
    SourceColumn("id", "source_key"),
    SourceColumn("address", "address"),
    SourceColumn("number", "national_id", scheme="cn.ric"),
    SourceColumn("born", "birth_date"),
    SourceColumn("sex", "gender"),
    SourceColumn("phone", "phone"),
    SourceColumn("country", "country"),
)


def contract_of(*columns):
    return SourceContract("crm", "1.0.0", "CRM", None, None, None, "*.csv", "csv", "utf-8", ",", columns)


def judge(country, values, *, is_stated=True, columns=COLUMNS):
    """Return the rules that one record breaks; values are attribute, value, and what is not as usual."""
    records = pl.DataFrame([{"row": 0, "entity_type": "person", "country": country}], schema=RECORDS)
    usual = {"row": 0, "slot": 0, "is_valid": True, "part_count": 1, "parts": None}
    rows = [{**usual, "attribute": attribute, "value": value, "comparable": value, **more} for attribute, value, more in values]
    stated = pl.Series([0] if is_stated else [], dtype=pl.UInt32)
    issues = check_consistency(records, pl.DataFrame(rows, schema=VALUES), stated, contract_of(*columns))
    assert issues.schema == ISSUES
    return issues.rows()


def address(**parts):
    return ("address", "as written", {"parts": json.dumps(parts, ensure_ascii=False, sort_keys=True)})


@pytest.mark.parametrize(
    ("parts", "is_told"),
    [
        ({"country": "US", "region": "CA", "postal_code": "94105"}, False),
        ({"country": "US", "region": "NY", "postal_code": "94105"}, True),
        ({"country": "US", "region": "NY", "postal_code": "06390"}, False),  # Fishers Island
        ({"country": "US", "region": "CT", "postal_code": "06510"}, False),
        ({"country": "US", "region": "DC", "postal_code": "20500"}, False),
        ({"country": "US", "region": "PR", "postal_code": "00901"}, False),
        ({"country": "US", "region": "AE", "postal_code": "09012"}, False),
        ({"country": "US", "region": "GU", "postal_code": "96910"}, False),
        ({"country": "US", "region": "HI", "postal_code": "96910"}, True),
        ({"country": "US", "region": "NY", "postal_code": "00012"}, False),  # nobody's prefix: another rule's business
        ({"country": "US", "region": "Ontario", "postal_code": "94105"}, False),
        ({"country": "US", "region": "NY"}, False),
        ({"country": "US", "postal_code": "94105"}, False),
        ({"country": "DE", "region": "NY", "postal_code": "94105"}, False),
        ({"country": "AU", "region": "WA", "postal_code": "6000"}, False),
        ({"country": "CN", "region": "广东省", "postal_code": "518057"}, False),
        ({"country": "CN", "region": "广东省", "postal_code": "100020"}, True),
        ({"country": "CN", "region": "北京市", "postal_code": "100020"}, False),
        ({"country": "CN", "region": "内蒙古自治区", "postal_code": "750300"}, False),  # Alxa
        ({"country": "CN", "region": "宁夏回族自治区", "postal_code": "750001"}, False),
        ({"country": "CN", "region": "香港特别行政区", "postal_code": "999077"}, False),
        ({"country": "US", "region": "浙江省", "postal_code": "518057"}, True),  # the characters tell, not the assumed country
        ({"country": "US", "region": 'x", "postal_code": "94105', "city": '"region": "NY"'}, False),
    ],
)
def test_a_postal_code_lies_in_the_region_of_its_address(parts, is_told):
    told = [(0, "address", "postal_code_of_another_region", "consistency", "warning")] if is_told else []
    assert judge(parts["country"], [address(**parts)]) == told


def test_the_codes_of_every_state_and_province_are_known():
    states, provinces = {state for state, _ in us_zip_prefixes()}, {province for province, _ in chinese_postal_prefixes()}

    assert len(states) == 50 + len(["DC", "PR", "VI", "GU", "AS", "MP", "FM", "MH", "PW"]) + len(["AA", "AE", "AP"])
    assert len(provinces) == 31
    assert len({prefix for _, prefix in us_zip_prefixes()}) > 900


def resident(born="19850312", order=7):
    number = f"440305{born}{order:03}"
    return f"cn.ric:{number}{ric.calc_check_digit(number + '0')}"


@pytest.mark.parametrize(
    ("born", "is_told"),
    [
        (["1985-03-12"], False),
        (["1985-03"], False),
        (["1985"], False),
        (["1986"], True),
        (["1985-12-03"], True),
        (["1985-12-03", "1985-03-12"], False),
        ([], False),
    ],
)
def test_a_resident_id_holds_the_date_of_birth(born, is_told):
    values = [("national_id", resident(), {}), *(("birth_date", day, {"slot": slot}) for slot, day in enumerate(born))]
    assert [issue[1:3] for issue in judge("CN", values)] == ([("national_id", "birth_date_of_another_person")] if is_told else [])


@pytest.mark.parametrize(
    ("order", "gender", "is_told"),
    [(7, "m", False), (7, "f", True), (8, "f", False), (8, "m", True), (0, "f", False), (7, "x", False)],
)
def test_a_resident_id_holds_the_gender(order, gender, is_told):
    values = [("national_id", resident(order=order), {}), ("gender", gender, {})]
    assert [issue[1:3] for issue in judge("CN", values)] == ([("national_id", "gender_of_another_person")] if is_told else [])


@pytest.mark.parametrize(
    ("number", "more"),
    [("cn.ric:440305198503120000", {"is_valid": False}), ("us.ssn:536904399", {}), ("passport:440305198503120078", {})],
)
def test_only_valid_resident_ids_are_judged(number, more):
    assert judge("CN", [("national_id", number, more), ("birth_date", "1970-01-01", {}), ("gender", "f", {})]) == []


@pytest.mark.parametrize(
    ("country", "phones", "is_told"),
    [
        ("US", ["+14155552671"], False),
        ("CA", ["+14155552671"], False),
        ("US", ["+442079460958"], True),
        ("CN", ["+8613912345678"], False),
        ("HK", ["+85221234567"], False),
        ("CN", ["+85221234567"], True),
        ("KZ", ["+77012345678"], False),
        ("US", ["+14155552671", "+442079460958"], True),
        ("AQ", ["+14155552671"], False),  # no calling code of its own
    ],
)
def test_a_phone_belongs_to_the_stated_country(country, phones, is_told):
    values = [("phone", phone, {"slot": slot}) for slot, phone in enumerate(phones)]
    told = [(0, "phone", "phone_of_another_country", "consistency", "warning")] if is_told else []

    assert judge(country, values) == told
    assert judge(country, values, is_stated=False) == []


def test_a_phone_that_is_not_valid_is_not_judged():
    assert judge("US", [("phone", "+44 555", {"is_valid": False})]) == []


def test_a_rule_is_judged_where_the_contract_carries_its_fields_only():
    values = [("phone", "+442079460958", {}), address(country="US", region="NY", postal_code="94105")]
    parts = [SourceColumn(name, name) for name in ("street_name", "region", "postal_code", "phone")]

    assert [issue[1:3] for issue in judge("US", values, columns=parts)] == [("street_name", "postal_code_of_another_region")]
    assert judge("US", values, columns=COLUMNS[:1]) == []


def test_every_rule_of_the_contracts_is_judged_and_has_its_dimension():
    assert {DIMENSIONS[rule] for rule in CONSISTENCY_RULES} == {"consistency"}
    values = [
        address(country="US", region="NY", postal_code="94105"),
        ("phone", "+442079460958", {}),
        ("national_id", resident(), {}),
        ("birth_date", "1970-01-01", {}),
        ("gender", "f", {}),
    ]
    assert {issue[2] for issue in judge("US", values)} == set(CONSISTENCY_RULES)


def test_standardising_tells_contradictions_and_leaves_the_values_valid():
    rows = {
        "id": ["1", "2", "3"],
        "address": ["1 Main St, Springfield, NY 94105", "广东省深圳市南山区科技园路5号 100020", "1 Main St, Albany, NY 12207"],
        "number": [None, resident().removeprefix("cn.ric:"), None],
        "born": [None, "1970-01-01", None],
        "sex": [None, "F", None],
        "phone": ["+44 20 7946 0958", "+44 20 7946 0958", "+44 20 7946 0958"],
        "country": ["USA", "中国", None],
    }
    batch = standardise(pl.DataFrame(rows), contract_of(*COLUMNS), region="US", today=date(2026, 1, 1))

    told = batch.issues.filter(pl.col("dimension") == "consistency").select("row", "attribute", "rule").rows()
    assert told == [
        (0, "address", "postal_code_of_another_region"),
        (0, "phone", "phone_of_another_country"),
        (1, "address", "postal_code_of_another_region"),
        (1, "national_id", "birth_date_of_another_person"),
        (1, "national_id", "gender_of_another_person"),
        (1, "phone", "phone_of_another_country"),
    ]
    assert batch.values["is_valid"].all()
