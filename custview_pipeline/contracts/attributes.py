"""The attribute dictionary: every meaning that a source's column can carry."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

Kind = Literal["key", "name", "date", "contact", "address", "identifier", "code", "text", "time"]


class EntityType(StrEnum):
    """What a customer can be."""

    PERSON = "person"
    ENTERPRISE = "enterprise"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One meaning.

    Attributes:
        name: What contracts write under ``customProperties: attribute``.
        meaning: One line for a reader outside engineering.
        kind: Which standardiser is responsible.
        is_personal: Whether a value says something about a person; such values are stored sealed only.
    """

    name: str
    meaning: str
    kind: Kind
    is_personal: bool = True


_DICTIONARY: Final = (
    Attribute("source_key", "The record's key in its source system", "key", is_personal=False),
    Attribute("entity_type", "Person or enterprise, in any spelling", "code", is_personal=False),
    Attribute("full_name", "The whole name in one field, of a person or an enterprise", "name"),
    Attribute("given_name", "Given name", "name"),
    Attribute("middle_name", "Middle name or initial", "name"),
    Attribute("family_name", "Family name; a second column may hold a former one", "name"),
    Attribute("name_prefix", "Title before the name", "name"),
    Attribute("name_suffix", "What follows the name: Jr, Sr, III", "name"),
    Attribute("native_name", "The name in its own script", "name"),
    Attribute("gender", "Gender", "code"),
    Attribute("birth_date", "Date of birth", "date"),
    Attribute("birth_place", "Place of birth", "text"),
    Attribute("occupation", "Occupation", "text"),
    Attribute("email", "E-mail address", "contact"),
    Attribute("phone", "Telephone number", "contact"),
    Attribute("address", "Postal address in one line", "address"),
    Attribute("address_line1", "First line of the postal address", "address"),
    Attribute("address_line2", "Second line of the postal address", "address"),
    Attribute("house_number", "House number", "address"),
    Attribute("street_name", "Street", "address"),
    Attribute("unit", "Flat, suite or room", "address"),
    Attribute("po_box", "Post office box", "address"),
    Attribute("city", "City", "address"),
    Attribute("region", "State, province or county", "address"),
    Attribute("postal_code", "Postal code", "address"),
    Attribute("country", "Country", "code", is_personal=False),
    Attribute("national_id", "Identifier of a person, by scheme", "identifier"),
    Attribute("tax_id", "Tax identifier, by scheme", "identifier"),
    Attribute("lei", "Legal entity identifier (ISO 17442)", "identifier", is_personal=False),
    Attribute("legal_name", "Registered name of an enterprise", "name"),
    Attribute("trading_name", "Name an enterprise trades under", "name"),
    Attribute("website", "Website", "contact"),
    Attribute("industry_code", "Industry, by scheme", "code", is_personal=False),
    Attribute("parent_key", "Key of the parent enterprise in the same source", "key", is_personal=False),
    Attribute("employer", "Employer", "text"),
    Attribute("consent", "Consent to be contacted, as the source states it", "code", is_personal=False),
    Attribute("updated_at", "When the record last changed in its source", "time", is_personal=False),
    Attribute("created_at", "When the record was made in its source", "time", is_personal=False),
)

ATTRIBUTES: Final[dict[str, Attribute]] = {attribute.name: attribute for attribute in _DICTIONARY}

NAME_PARTS: Final = ("full_name", "given_name", "middle_name", "family_name", "name_prefix", "name_suffix", "native_name")
ENTERPRISE_NAMES: Final = ("legal_name", "trading_name")
ADDRESS_PARTS: Final = (
    "address", "address_line1", "address_line2", "house_number", "street_name", "unit", "po_box", "city", "region", "postal_code",
)  # fmt: skip
IDENTIFIERS: Final = ("national_id", "tax_id", "lei")
