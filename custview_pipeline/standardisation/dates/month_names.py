"""Months by their names in the languages that customers of American and European sources write dates in.

Full names and abbreviations of CLDR (Gregorian calendar, wide and abbreviated) in German, Spanish, French, Italian, Dutch and
Portuguese, without accents; English ones by their first three letters.
"""

from calendar import month_abbr
from typing import Final

_ENGLISH: Final = {month_abbr[number].lower(): number for number in range(1, 13)}
_LETTERS: Final = 3
_OTHERS: Final = {
    name: number
    for number, names in enumerate(
        (
            "januar janner januari janvier janv enero ene gennaio gen janeiro",
            "februar feber februari fevrier fevr febrero febbraio fevereiro fev",
            "marz maerz mrz maart mrt mars marzo marco",
            "april avril avr abril abr aprile",
            "mai mei mayo maggio mag maio",
            "juni juin junio giugno giu junho",
            "juli juillet juil julio luglio lug julho",
            "august augustus aout agosto ago",
            "september septembre septiembre setiembre settembre setembro set",
            "oktober okt octobre octubre ottobre ott outubro out",
            "november novembre noviembre novembro",
            "dezember dez decembre diciembre dic dicembre dezembro december",
        ),
        start=1,
    )
    for name in names.split()
}


def month_of(word: str) -> int | None:
    """Return the number of a month, by its name in lower case without accents; None where it is none."""
    return _OTHERS.get(word) or _ENGLISH.get(word[:_LETTERS])
