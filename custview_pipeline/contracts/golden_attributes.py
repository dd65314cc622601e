"""The attributes that survive into a golden record; parts that belong together survive as one."""

from dataclasses import dataclass
from typing import Final

from custview_pipeline.contracts.attributes import EntityType


@dataclass(frozen=True, slots=True)
class GoldenAttribute:
    """One value of a golden record.

    Attributes:
        name: Name of the column, and of the attribute in ``values`` of a standardised record.
        meaning: One line for a reader outside engineering.
        entity_types: Which customers have it.
        is_open: Whether the value itself may be stored readable; otherwise a pointer to the sealed record is.
        is_group: Whether it has parts (an address, a name); parts of two records are never mixed.
        is_number: Whether it is a number that may be compared and added up; numbers are open.
    """

    name: str
    meaning: str
    entity_types: tuple[EntityType, ...] = (EntityType.PERSON, EntityType.ENTERPRISE)
    is_open: bool = False
    is_group: bool = False
    is_number: bool = False


_PERSON: Final = (EntityType.PERSON,)
_ENTERPRISE: Final = (EntityType.ENTERPRISE,)

_ALL: Final = (
    GoldenAttribute("name", "Name of the person, with its parts", _PERSON, is_group=True),
    GoldenAttribute("legal_name", "Registered name of the enterprise, legal form apart", _ENTERPRISE, is_group=True),
    GoldenAttribute("trading_name", "Name the enterprise trades under", _ENTERPRISE),
    GoldenAttribute("gender", "Gender", _PERSON),
    GoldenAttribute("birth_date", "Date of birth, ISO 8601", _PERSON),
    GoldenAttribute("birth_place", "Place of birth", _PERSON),
    GoldenAttribute("occupation", "Occupation", _PERSON),
    GoldenAttribute("employer", "Employer", _PERSON),
    GoldenAttribute("email", "E-mail address"),
    GoldenAttribute("phone", "Telephone number, E.164, with its type and extension", is_group=True),
    GoldenAttribute("address", "Postal address with its parts", is_group=True),
    GoldenAttribute("country", "Country, ISO 3166 alpha-2", is_open=True),
    GoldenAttribute("national_id", "Identifier of the person, with its scheme", _PERSON, is_group=True),
    GoldenAttribute("tax_id", "Tax identifier, with its scheme", is_group=True),
    GoldenAttribute("lei", "Legal entity identifier", _ENTERPRISE, is_open=True),
    GoldenAttribute("website", "Website", _ENTERPRISE),
    GoldenAttribute("industry_code", "Industry", _ENTERPRISE, is_open=True),
    GoldenAttribute("employee_count", "Number of employees", _ENTERPRISE, is_open=True, is_number=True),
    GoldenAttribute("loyalty_points", "Balance of loyalty points", is_open=True, is_number=True),
    GoldenAttribute("consent", "Consent to be contacted", is_open=True),
    GoldenAttribute("language", "Language the customer prefers, BCP 47 primary subtag", is_open=True),
)

GOLDEN_ATTRIBUTES: Final[dict[str, GoldenAttribute]] = {attribute.name: attribute for attribute in _ALL}
