"""The names that may be told of in metadata: those that the code or a contract declares, and no other text."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from custview_pipeline.contracts.attributes import ATTRIBUTES
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.odcs_quality import DIMENSIONS
from custview_pipeline.contracts.registry import CONTRACTS
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.standardisation.field_standards import DIMENSIONS as STANDARDS
from custview_pipeline.validation.rules import rules_of

_OF_CODE: Final = frozenset(
    {
        *CONTRACTS,
        *(column for contract in CONTRACTS.values() for column in contract.types),
        *ATTRIBUTES,
        *GOLDEN_ATTRIBUTES,
        *DIMENSIONS,
        *(f"{dimension}__{attribute}__{rule}" for attribute in ATTRIBUTES for rule, dimension in STANDARDS.items()),
        "record",  # in the place of an attribute: the record as a whole
    }
)
_SNAKE_CASE: Final = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Declared:
    """A set of names; ``text in declared`` tells whether a text is one of them, or one that the code declares."""

    names: frozenset[str] = frozenset()

    @classmethod
    def by(cls, *contracts: SourceContract) -> Self:
        """Return what contracts declare: source system, version, files, owner, channel, rules."""
        return cls(frozenset(name for contract in contracts for name in _names_of(contract)))

    def and_former(self, names: Iterable[str]) -> Self:
        """Return these names and those of sources and attributes that the lake still has of contracts that are gone."""
        return type(self)(self.names | {name for name in names if _SNAKE_CASE.fullmatch(name)})

    def __contains__(self, text: str) -> bool:
        return text in self.names or text in _OF_CODE


NONE: Final = Declared()


def _names_of(contract: SourceContract) -> Iterable[str]:
    said = (
        contract.source_system,
        contract.version,
        contract.file,
        contract.path_pattern,
        contract.file_format,
        contract.extract,
        contract.owner,
        contract.channel,
    )
    yield from (name for name in said if name is not None)
    for rule in rules_of(contract):
        yield from (rule.name, rule.attribute)
