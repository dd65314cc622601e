"""What headers stand for, in several languages and spellings."""

import pytest

from custview_pipeline.contracts.attributes import ATTRIBUTES
from custview_pipeline.contracts.drafting.header_words import _whole_phrases, attribute_of_header

HEADERS = [
    ("id", "source_key"), ("CustomerID", "source_key"), ("customer_no", "source_key"), ("Kundennummer", "source_key"),
    ("Ticket Contact Ref", "source_key"), ("客户编号", "source_key"), ("N° client", "source_key"),
    ("FirstName", "given_name"), ("first_name", "given_name"), ("Vorname", "given_name"), ("Prénom", "given_name"),
    ("LAST NAME", "family_name"), ("Nachname", "family_name"), ("apellidos", "family_name"),
    ("former_family_name", "family_name"),
    ("customer_name", "full_name"), ("Contact (Last, First)", "full_name"), ("客户姓名", "full_name"), ("姓名", "full_name"),
    ("E-Mail", "email"), ("e_mail", "email"), ("work_email", "email"), ("Adresse e-mail", "email"), ("邮箱", "email"),
    ("Telefon (privat)", "phone"), ("mobile", "phone"), ("Homephone", "phone"), ("联系人手机", "phone"), ("手机号码1", "phone"),
    ("street_address", "address"), ("Address Line 1", "address_line1"), ("line2", "address_line2"), ("Straße", "street_name"),
    ("PLZ", "postal_code"), ("billing_zip_code", "postal_code"), ("Código postal", "postal_code"), ("邮编", "postal_code"),
    ("Ort", "city"), ("ship_to_city", "city"), ("county", "region"), ("Bundesland", "region"), ("Land", "country"),
    ("国家", "country"), ("D.O.B.", "birth_date"), ("Date de naissance", "birth_date"), ("出生日期", "birth_date"),
    ("Anrede", "name_prefix"), ("Geschlecht", "gender"), ("company_name", "legal_name"), ("Firma", "legal_name"),
    ("trading_as", "trading_name"), ("works_at", "employer"), ("VAT no.", "tax_id"), ("emailOptIn", "consent"),
    ("parent_id", "parent_key"), ("kind", "entity_type"), ("last_modified", "updated_at"), ("创建时间", "created_at"),
]  # fmt: skip


@pytest.mark.parametrize(("header", "attribute"), HEADERS)
def test_a_header_is_understood(header, attribute):
    found = attribute_of_header(header)
    assert found is not None
    assert found.attribute == attribute


@pytest.mark.parametrize(
    ("header", "scheme"),
    [("SSN", "us.ssn"), ("身份证号", "cn.ric"), ("统一社会信用代码", "cn.uscc"), ("EIN", "us.ein"), ("Passport No", "passport")],
)
def test_a_header_may_tell_the_scheme_of_an_identifier(header, scheme):
    found = attribute_of_header(header)
    assert found is not None
    assert found.scheme == scheme


@pytest.mark.parametrize(
    "header", ["", "  ", "notes", "phone_type", "email_verified", "order_id", "x17", "fax", "客户备注", "language"]
)
def test_a_header_that_tells_nothing_or_is_about_a_value_stands_for_nothing(header):
    assert attribute_of_header(header) is None


def test_every_phrase_stands_for_an_attribute_of_the_dictionary():
    assert {attribute for attribute, _ in _whole_phrases().values()} <= set(ATTRIBUTES)
