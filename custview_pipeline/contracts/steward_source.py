"""The built-in source system ``steward``: values that stewards enter, each a record of its own that says one thing."""

from collections.abc import Sequence
from typing import Final

from custview_pipeline.contracts.attributes import ATTRIBUTES
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.source_contract import SourceColumn, SourceContract

STEWARD_SYSTEM: Final = "steward"
KEY_COLUMN: Final = "source_key"
TYPE_COLUMN: Final = "entity_type"
TIME_COLUMN: Final = "updated_at"
_READ_FROM: Final = {"name": "full_name"}  # golden attributes that no column is called by


def steward_contract(golden_attribute: str | None = None, *, scheme: str | None = None) -> SourceContract:
    """Return the contract of the values that stewards enter.

    A value that breaks its field standard is refused, not stored as invalid: somebody is there to mend it.

    Args:
        golden_attribute: The attribute that is entered; None for what every such record has.
        scheme: Of an identifier or a code: which one it is of (us.ssn, ...).
    """
    entered = () if golden_attribute is None else (_value_column(golden_attribute, scheme),)
    return SourceContract(
        source_system=STEWARD_SYSTEM,
        version="1.0.0",
        title="Values entered by stewards",
        domain=None,
        owner=None,
        purpose="correction of customer data",
        path_pattern="custview review decide override",
        file_format="python",
        encoding="utf-8",
        delimiter=",",
        columns=(
            SourceColumn(KEY_COLUMN, "source_key", is_required=True, is_unique=True),
            SourceColumn(TYPE_COLUMN, "entity_type", is_required=True),
            SourceColumn(TIME_COLUMN, "updated_at"),
            *entered,
        ),
        extract="changes",
        trust=1.0,
        max_refused_share=1.0,
        file="values entered by stewards",
    )


def value_column_of(golden_attribute: str) -> str:
    """Return the name of the column, and of the source attribute, that a golden attribute is entered in."""
    return _READ_FROM.get(golden_attribute, golden_attribute)


def with_steward(contracts: Sequence[SourceContract]) -> tuple[SourceContract, ...]:
    """Return the contracts of a project and that of the values that stewards enter, which no file describes; once."""
    others = (contract for contract in contracts if contract.source_system != STEWARD_SYSTEM)
    return (*others, steward_contract())


def can_be_entered(golden_attribute: str) -> bool:
    """Return whether a steward can enter a value of an attribute: whether it is a golden one that a column can carry."""
    return golden_attribute in GOLDEN_ATTRIBUTES and value_column_of(golden_attribute) in ATTRIBUTES


def _value_column(golden_attribute: str, scheme: str | None) -> SourceColumn:
    name = value_column_of(golden_attribute)
    is_personal = ATTRIBUTES[name].is_personal
    return SourceColumn(name, name, is_required=True, is_personal=is_personal, refuses_invalid=True, scheme=scheme)
