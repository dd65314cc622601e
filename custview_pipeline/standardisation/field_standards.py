"""The field standards: every rule that a value can break, and the dimension of quality it belongs to."""

from typing import Final

PLACEHOLDER: Final = "placeholder"
TOO_LONG: Final = "too_long"

DIMENSIONS: Final[dict[str, str]] = {
    PLACEHOLDER: "completeness",
    TOO_LONG: "conformity",
    "not_a_name": "conformity",
    "not_a_phone_number": "conformity",
    "not_an_email_address": "conformity",
    "not_an_address": "conformity",
    "not_a_postal_code": "conformity",
    "not_a_date": "conformity",
    "partial_date": "conformity",
    "impossible_date": "accuracy",
    "future_date": "accuracy",
    "not_an_identifier": "conformity",
    "not_a_country": "conformity",
    "not_a_gender": "conformity",
    "not_a_consent": "conformity",
    "not_an_entity_type": "conformity",
    "not_a_timestamp": "conformity",
    "not_a_website": "conformity",
    "not_an_industry_code": "conformity",
    "not_a_language": "conformity",
    "not_a_number": "conformity",
    "postal_code_of_another_region": "consistency",
    "birth_date_of_another_person": "consistency",
    "gender_of_another_person": "consistency",
    "phone_of_another_country": "consistency",
}
SEVERITY: Final = "warning"
