"""Which word of a name is the family name, where it is not the last: Chinese, Russian and Spanish names."""

import re
from typing import Final

from custview_pipeline.standardisation.codes.countries import CHINESE_WRITING
from custview_pipeline.standardisation.names.name_cells import is_chinese, is_romanised
from custview_pipeline.standardisation.text import word_set, words

# A patronymic in Cyrillic letters ends a name that has the family name first: son or daughter of.
_PATRONYMIC: Final = re.compile(
    "(?:\u043e\u0432\u0438\u0447|\u0435\u0432\u0438\u0447|\u043e\u0432\u043d\u0430|\u0435\u0432\u043d\u0430|\u0438\u0447\u043d\u0430"
    "|\u0439\u043e\u0432\u0438\u0447|\u043e\u0433\u043b\u044b|\u043a\u044b\u0437\u044b|\u0456\u0432\u043d\u0430)$"
)
# Where a person has two surnames, the father's and the mother's; in Argentina and Uruguay most use one.
TWO_SURNAMES: Final = word_set("""ES MX CO CL PE VE EC GT CU BO DO HN PY SV NI CR PA""")
# Second given names: with one of them before the last word, there is one surname. Of general knowledge.
_SECOND_GIVEN: Final = word_set(
    """maria jose juan luis carlos antonio manuel jesus angel javier francisco miguel pedro pablo alberto alejandro andres enrique
    fernando eduardo ignacio rafael ramon ricardo roberto guadalupe carmen teresa isabel pilar elena luisa ana rosa cristina
    beatriz patricia alejandra fernanda gabriela mercedes victoria concepcion dolores david daniel felipe jorge cesar raul
    arturo armando alfonso ernesto gerardo guillermo hector ivan julio mario martin oscar ruben sergio victor xavier"""
)


def has_family_first(first: str, rest: str, country: str) -> bool:
    """Return whether a Chinese name is written family name first: "Wang Xiaoming" in China, "WANG Xiaoming" anywhere."""
    if not rest or not (is_chinese(words(rest), words(first), "CN") or is_romanised(words(rest), words(first))):
        return False
    return country in CHINESE_WRITING or (first.isupper() and not rest.isupper() and len(first) > 1)


def ends_with_patronymic(middle: str, last: str) -> bool:
    """Return whether three words are family name, given name and patronymic, in Cyrillic letters."""
    return not last.isascii() and _PATRONYMIC.search(last.lower()) is not None and not _PATRONYMIC.search(middle.lower())


def join_surnames(middle: str, last: str, country: str) -> tuple[str, str]:
    """Return the middle names and the surnames, two of them where people have two: Gabriel García Márquez."""
    *others, nearest = middle.split() or [""]
    folded = words(nearest)
    if country not in TWO_SURNAMES or not folded or len(folded[0]) == 1 or (not others and folded[0] in _SECOND_GIVEN):
        return middle, last
    return " ".join(others), f"{nearest} {last}"
