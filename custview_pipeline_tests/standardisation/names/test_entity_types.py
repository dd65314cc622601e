"""Person or enterprise, where one field may hold either."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.contracts.source_contract import SourceColumn
from custview_pipeline.standardisation.names.kinds_of_house import name_enterprises, names_enterprise
from custview_pipeline_tests.standardisation.contracts import contract_of, run

PERSONS = """John Smith|Smith, John|Charlotte Church|Church, Charlotte|Mary Bank|Ann Banks|王小明|欧阳娜娜|De Haas|Mary Incledon
Dr. John Q. Public III, M.D.|Jane Doe, CPA|María Sá|Иван Петров|김철수|タナカ タロウ|田中太郎|Mrs Grace Market|Van der Berg, Anna
John & Mary Smith|O'Connor, Sinéad|The Honorable Jane Doe|阿凡提·买买提|P. T. Barnum|John Smith PhD|Ludwig von Beethoven
Maria de la Cruz|Prince|Chan Tai Man|Sir John Soane|Jane Doe c/o John Roe|Yo Yo Ma|Ab Smith|Pat Sasse|Nova King|John Doe Jr
Kim Min-jun|Wong, Peter|Petra Kaufmann-Koch|Γιώργος Παπαδόπουλος""".replace("\n", "|").split("|")
ENTERPRISES = """Smith & Sons Ltd|ACME INC|春风大学|St Mary's Hospital|Bank of Nowhere|春风餐饮有限公司|Riverside Church
Grace Church|Acme S.A.|Exemple SA|株式会社春風|ハル株式会社|ООО «Ромашка»
Ромашка ООО|Müller GmbH & Co. KG|Beispiel AG|Acme Sp. z o.o.|Acme, L.L.C.|John Roe dba Roe Plumbing
The Corner Bakery|The Home Place|Universidad de Nada|Université de Nulle Part|Banco Nada|Volkshochschule Musterstadt
Stiftung Muster|Acme Oy|Acme A/S|Acme K.K.|Smith Dental|Joe's Diner|Joe's Pizza|City of Nowhere
Springfield Public Library|Law Offices of Jane Doe|Smith, Jones & Partners|Roe Plumbing|春风超市|春风酒店
朝阳区人民政府|春风五金店|春风银行上海分行|春风小学|春风村民委员会|하늘은행
주식회사 하늘|Acme Holdings|Doe Family Trust|Estate of John Doe|Roe and Associates|Harvest PLC|UAB Vilnius
Nova Labs|Acme Sdn Bhd|Acme d.o.o.|Acme Kft.|Jane Doe MD PC|Acme UG (haftungsbeschränkt)""".replace("\n", "|").split("|")
# A surname that is a kind of house or a legal form; a name of a house without any word that tells it.
MISTAKEN_FOR_ENTERPRISES = ["Wei Co", "Tom Group", "Ed School", "Jose Trust", "Linda Gallery", "李公司", "张小店"]
MISTAKEN_FOR_PERSONS = ["Acme", "Johnson & Johnson", "Blue Heron", "PT Maju", "ACME L.P."]


@pytest.mark.parametrize("text", PERSONS)
def test_a_name_is_a_person_s(text):
    assert not names_enterprise(text)


@pytest.mark.parametrize("text", ENTERPRISES)
def test_a_name_is_an_enterprise_s(text):
    assert names_enterprise(text)


def test_known_mistakes():
    assert all(map(names_enterprise, MISTAKEN_FOR_ENTERPRISES))
    assert not any(map(names_enterprise, MISTAKEN_FOR_PERSONS))


def test_a_batch_is_told_apart_as_each_name_alone():
    texts = [*PERSONS, *ENTERPRISES, *MISTAKEN_FOR_ENTERPRISES, *MISTAKEN_FOR_PERSONS]
    texts = [form for text in texts for form in (text, text.upper(), text.lower(), f"{text} .")]
    assert name_enterprises(pl.Series([*texts, None])).to_list() == [*map(names_enterprise, texts), False]


_KNOWN = [
    "Smith",
    "Jane",
    "Church",
    "Co.",
    "Inc.",
    "L.",
    "C.",
    "S.A.",
    "A/S",
    "the",
    "The",
    "dba",
    "d/b/a",
    "trading",
    "as",
    "city",
]
_KNOWN += ["of", "Estate", "é", "春风", "公司", "株式会社", "ООО", "PT", "UAB", "Oy", "eV", "&", ",", "3"]
_WORDS = st.sampled_from(_KNOWN) | st.text(max_size=6)


@given(st.lists(st.lists(_WORDS, min_size=1, max_size=5).map(" ".join), max_size=10))
def test_any_batch_is_told_apart_as_each_name_alone(texts):
    assert name_enterprises(pl.Series(texts, dtype=pl.String)).to_list() == [*map(names_enterprise, texts)]


def test_a_stated_type_is_believed_and_columns_of_parts_tell_a_person():
    either = contract_of(
        SourceColumn("kind", "entity_type"), SourceColumn("name", "full_name"), SourceColumn("first", "given_name")
    )
    rows = [
        {"id": "1", "name": "Acme Inc"},
        {"id": "2", "name": "Acme Inc", "kind": "Individual"},
        {"id": "3", "name": "Jane Doe", "kind": "Company"},
        {"id": "4", "name": "Jane Doe"},
        {"id": "5", "name": "Acme Inc", "first": "Jane"},
        {"id": "6"},
    ]
    kinds = run(either, *rows).records["entity_type"].to_list()
    assert kinds == ["enterprise", "person", "enterprise", "person", "person", "person"]
