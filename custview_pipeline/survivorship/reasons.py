"""Why candidates win and lose: the closed list of reasons, each in a steward's words."""

from collections.abc import Mapping
from typing import Final

import polars as pl

ALONE: Final = "only_candidate"
AGREES, CONFIRMED = "agrees", "confirmed_by_others"
INVALID, VALID = "invalid", "valid"
TIE: Final = "tie_smaller_record_id"
OUTSIDE, WITHIN = "outside_condition", "within_condition"
PINNED, OVERRIDDEN, NOT_PINNED, EARLIER_DECISION = "pinned", "overridden", "not_pinned", "earlier_decision"
SUMMED, NO_NUMBER, HAS_NUMBER = "summed", "no_open_number", "open_number"

MEANINGS: Final[Mapping[str, str]] = {
    ALONE: "won: no other record says anything",
    CONFIRMED: "won: the next candidate says the same",
    VALID: "won: it keeps its field standard and the others break it",
    WITHIN: "won: it keeps the conditions of a preference and the others do not",
    "most_trusted": "won: its source is trusted most",
    "most_recent": "won: its record changed last",
    "earliest": "won: its record has not changed for longest",
    "most_frequent": "won: more records say it than anything else",
    "most_complete": "won: it has the most parts",
    "longest": "won: it is the longest",
    "smallest": "won: it is the smallest number",
    "largest": "won: it is the largest number",
    HAS_NUMBER: "won: the others cannot be read as open numbers",
    SUMMED: "is part of the sum",
    PINNED: "won: a steward pinned it",
    OVERRIDDEN: "won: a steward gave this value in the place of all others",
    TIE: "nothing told the candidates apart, so the record with the smaller id won",
    AGREES: "lost: says the same as the winner",
    INVALID: "lost: breaks its field standard",
    OUTSIDE: "lost: does not keep the conditions of a preference",
    "less_trusted": "lost: its source is trusted less",
    "less_recent": "lost: its record changed earlier",
    "later": "lost: its record changed later",
    "less_frequent": "lost: fewer records say it",
    "less_complete": "lost: it has fewer parts",
    "shorter": "lost: it is shorter",
    "larger": "lost: it is a larger number",
    "smaller": "lost: it is a smaller number",
    NO_NUMBER: "lost: cannot be read as an open number",
    NOT_PINNED: "lost: a steward chose another value",
    EARLIER_DECISION: "lost: a steward decided otherwise later",
}

REASONS: Final = pl.Enum(sorted(MEANINGS))
"""Every reason why a candidate won or lost."""

WINNING: Final = tuple(name for name, meaning in MEANINGS.items() if not meaning.startswith("lost"))
"""Reasons that a winner can have."""

LOST_BY: Final[Mapping[str, str]] = {
    "most_trusted": "less_trusted",
    "most_recent": "less_recent",
    "earliest": "later",
    "most_frequent": "less_frequent",
    "most_complete": "less_complete",
    "longest": "shorter",
    "smallest": "larger",
    "largest": "smaller",
}
"""Why a candidate lost, by what the winner had more of."""

WON_BECAUSE: Final[Mapping[str, str]] = {
    AGREES: CONFIRMED,
    INVALID: VALID,
    OUTSIDE: WITHIN,
    NO_NUMBER: HAS_NUMBER,
    TIE: TIE,
    # An election with a decision names it, whatever the winner had over the others.
    NOT_PINNED: PINNED,
    EARLIER_DECISION: PINNED,
    **{lost: won for won, lost in LOST_BY.items()},
}
"""What the winner had over the candidate next to it, by why that one lost."""
