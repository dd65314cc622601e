"""What one column of an undescribed file probably is."""

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

_LEAST_ROWS: Final = 20  # fewer say nothing about what may be empty


class Confidence(IntEnum):
    """How sure a draft is."""

    NONE = 0
    GUESS = 1
    LIKELY = 2
    SURE = 3


@dataclass(frozen=True, slots=True)
class DraftedColumn:
    """What one column probably is; nothing in it is a value.

    Attributes:
        header: Its header.
        attribute: What it probably carries; None where nothing is known.
        confidence, why: How sure that is, and by what.
        logical_type: Of ODCS.
        date_format: JDK pattern; None where it is no date, or ISO 8601.
        row_count, filled_count, distinct_count: Over the sample.
        is_line: Whether its cells look like whole addresses in one line.
        has_digits: Whether most cells have a digit.
    """

    header: str
    attribute: str | None
    confidence: Confidence
    why: str
    row_count: int
    filled_count: int
    distinct_count: int
    scheme: str | None = None
    logical_type: str = "string"
    date_format: str | None = None
    is_line: bool = False
    has_digits: bool = False

    @property
    def is_filled(self) -> bool:
        """Return whether the sample is large enough to tell and no cell of it is empty."""
        return self.row_count >= _LEAST_ROWS and self.filled_count == self.row_count

    @property
    def all_differ(self) -> bool:
        """Return whether no filled cell of the sample occurs twice."""
        return self.filled_count > 0 and self.distinct_count == self.filled_count

    @property
    def key_share(self) -> float:
        """Return how well its cells could be keys: different cells as a share of the rows."""
        return self.distinct_count / self.row_count if self.row_count else 0.0

    def without(self, why: str) -> "DraftedColumn":
        """Return the column without an attribute."""
        return replace(self, attribute=None, scheme=None, confidence=Confidence.NONE, why=why)
