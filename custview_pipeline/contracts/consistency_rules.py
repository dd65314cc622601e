"""Rules between the fields of one record: which there are, where they are reported, and what a contract must carry for them.

Standardisation finds what breaks them (dimension consistency); validation lists those that a contract can be judged by. A value
that breaks one stays valid: which of the two fields is wrong, nobody knows.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from custview_pipeline.contracts.attributes import ADDRESS_PARTS
from custview_pipeline.contracts.source_contract import SourceColumn, SourceContract

RESIDENT_ID: Final = "cn.ric"  # GB 11643: holds date of birth and gender


class ConsistencyRule(NamedTuple):
    """One rule between fields.

    Attributes:
        reported_on: The attribute it is reported on is the first of these that the contract carries.
        needs: Alternatives; the contract must carry all attributes of one of them.
        meaning: What must hold, for a reader outside engineering.
        scheme: The scheme that a column of ``reported_on`` must have; None where any does.
    """

    reported_on: tuple[str, ...]
    needs: tuple[tuple[str, ...], ...]
    meaning: str
    scheme: str | None = None

    def attribute(self, contract: SourceContract) -> str | None:
        """Return the attribute of a contract that the rule is reported on; None where the contract cannot be judged by it."""
        carried = {column.attribute for column in contract.columns}
        if not any(carried.issuperset(needed) for needed in self.needs):
            return None
        attribute = next((name for name in self.reported_on if name in carried), None)
        if attribute is None or self.scheme is None:
            return attribute
        return attribute if any(self.scheme in _schemes(column) for column in contract.carrying(attribute)) else None


def _schemes(column: SourceColumn) -> tuple[str | None, str]:
    """Return how a column's scheme may be called: as the contract does, or with the issuer before it (ric of CN)."""
    return column.scheme, f"{column.issuer}.{column.scheme}".lower()


CONSISTENCY_RULES: Final[Mapping[str, ConsistencyRule]] = {
    "postal_code_of_another_region": ConsistencyRule(
        ADDRESS_PARTS, (("address",), ("postal_code", "region")), "the postal code lies in the region of the address"
    ),
    "birth_date_of_another_person": ConsistencyRule(
        ("national_id",), (("national_id", "birth_date"),), "the resident ID holds the date of birth of the record", RESIDENT_ID
    ),
    "gender_of_another_person": ConsistencyRule(
        ("national_id",), (("national_id", "gender"),), "the resident ID holds the gender of the record", RESIDENT_ID
    ),
    "phone_of_another_country": ConsistencyRule(
        ("phone",), (("phone", "country"),), "the telephone number belongs to the country of the record"
    ),
}
