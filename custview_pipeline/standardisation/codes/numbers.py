"""Counts and balances: numbers in the ways that people and exports write them."""

import re
from typing import Final

from custview_pipeline.contracts.attributes import ATTRIBUTES
from custview_pipeline.standardisation.reading import Reading

# Marks between groups of three digits, and a decimal mark that is another one: 1,234.5 and 1.234,5 and 1 234,5 and 1'234.50.
_GROUPED: Final = re.compile(
    r"([-+]?)([1-9][0-9]{0,2}(?:([ ,.'\u00a0\u202f])[0-9]{3})(?:\3[0-9]{3})*)(?:(?!\3)[.,]([0-9]+))?", re.ASCII
)
_PLAIN: Final = re.compile(r"([-+]?)([0-9]+)(?:[.,]([0-9]+))?", re.ASCII)
# One point before three digits is a thousand in Germany and a thousandth elsewhere: it is not guessed.
_AMBIGUOUS: Final = re.compile(r"[-+]?[1-9][0-9]{0,2}\.[0-9]{3}", re.ASCII)
_NOT_A_DIGIT: Final = re.compile(r"[^0-9]", re.ASCII)


def read_number(text: str, attribute: str) -> tuple[Reading]:
    """Return a number as the standard of its attribute writes it: 1250.5 for ``1,250.50``; what is none is kept as given.

    A comma before three digits parts thousands; one point before three digits may mean either, so ``1.250`` is no number, but
    ``1.250.000`` and ``1.250,50`` are. Exponents, ranges (51-200) and units are no numbers.

    Args:
        text: The cleaned cell.
        attribute: An attribute whose kind is number.
    """
    value = None if _AMBIGUOUS.fullmatch(text) else _plain(text)
    pattern = ATTRIBUTES[attribute].pattern
    if value is None or pattern is None or not re.fullmatch(pattern, value):
        return (Reading(text, text.casefold(), None, "not_a_number"),)
    return (Reading(value, value),)


def _plain(text: str) -> str | None:
    """Return a number without marks between its digits, without idle zeros, with a point; None where it is no number."""
    if found := _GROUPED.fullmatch(text):
        sign, whole, decimals = found[1], found[2], found[4]
    elif found := _PLAIN.fullmatch(text):
        sign, whole, decimals = found.groups()
    else:
        return None
    size = _NOT_A_DIGIT.sub("", whole).lstrip("0") or "0"
    fraction = (decimals or "").rstrip("0")
    written = f"{size}.{fraction}" if fraction else size
    return f"-{written}" if sign == "-" and written != "0" else written
