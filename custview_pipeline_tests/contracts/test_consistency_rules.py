"""By which rules between fields a contract can be judged."""

import pytest

from custview_pipeline.contracts.attributes import ATTRIBUTES
from custview_pipeline.contracts.consistency_rules import CONSISTENCY_RULES
from custview_pipeline.contracts.source_contract import SourceColumn
from custview_pipeline_tests.validation.batches import a_contract

POSTAL, BORN, GENDER, PHONE = CONSISTENCY_RULES


@pytest.mark.parametrize(
    ("carried", "scheme", "judged"),
    [
        ([], None, {}),
        (["address"], None, {POSTAL: "address"}),
        (["address_line1", "postal_code", "region"], None, {POSTAL: "address_line1"}),
        (["postal_code", "city"], None, {}),
        (["phone"], None, {}),
        (["phone", "country"], None, {PHONE: "phone"}),
        (["national_id", "birth_date"], "cn.ric", {BORN: "national_id"}),
        (["national_id", "birth_date", "gender"], "cn.ric", {BORN: "national_id", GENDER: "national_id"}),
        (["national_id", "birth_date", "gender"], "us.ssn", {}),
        (["tax_id", "birth_date"], "cn.ric", {}),
    ],
)
def test_a_contract_is_judged_by_what_it_carries(carried, scheme, judged):
    columns = [SourceColumn(name, name, scheme=scheme) for name in carried]
    found = {name: rule.attribute(a_contract(*columns)) for name, rule in CONSISTENCY_RULES.items()}
    assert {name: attribute for name, attribute in found.items() if attribute} == judged


def test_a_scheme_may_be_told_by_its_issuer():
    columns = SourceColumn("ric", "national_id", scheme="ric", issuer="CN"), SourceColumn("born", "birth_date")
    assert CONSISTENCY_RULES[BORN].attribute(a_contract(*columns)) == "national_id"


def test_rules_speak_of_attributes_of_the_dictionary():
    for rule in CONSISTENCY_RULES.values():
        assert {*rule.reported_on, *(name for needed in rule.needs for name in needed)} <= set(ATTRIBUTES)
        assert rule.meaning
