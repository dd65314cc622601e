"""Identifiers of persons and enterprises: python-stdnum by scheme; what it does not know is kept and compared."""

import re
from functools import cache
from importlib import import_module
from typing import Any, Final

from stdnum.exceptions import ValidationError

from custview_pipeline.standardisation.field_standards import PLACEHOLDER
from custview_pipeline.standardisation.reading import Reading
from custview_pipeline.standardisation.text import fold, to_json, word_set

# Scheme of a contract -> module of python-stdnum.
CHECKED_SCHEMES: Final[dict[str, str]] = {
    "us.ssn": "us.ssn",
    "us.ein": "us.ein",
    "us.itin": "us.itin",
    "us.tin": "us.tin",
    "cn.ric": "cn.ric",
    "cn.uscc": "cn.uscc",
    "lei": "lei",
    "gb.nhs": "gb.nhs",
    "gb.utr": "gb.utr",
    "gb.vat": "gb.vat",
    "au.tfn": "au.tfn",
    "au.abn": "au.abn",
    "au.acn": "au.acn",
    "ca.sin": "ca.sin",
    "ca.bn": "ca.bn",
    "de.idnr": "de.idnr",
    "de.vat": "de.vat",
    "fr.nir": "fr.nir",
    "fr.siren": "fr.siren",
    "fr.siret": "fr.siret",
    "es.dni": "es.dni",
    "es.nie": "es.nie",
    "es.nif": "es.nif",
    "it.codicefiscale": "it.codicefiscale",
    "nl.bsn": "nl.bsn",
    "be.nn": "be.nn",
    "ch.ssn": "ch.ssn",
    "ch.uid": "ch.uid",
    "pl.pesel": "pl.pesel",
    "se.personnummer": "se.personnummer",
    "dk.cpr": "dk.cpr",
    "fi.hetu": "fi.hetu",
    "no.fodselsnummer": "no.fodselsnummer",
    "jp.cn": "jp.cn",
    "kr.rrn": "kr.rrn",
    "in.aadhaar": "in_.aadhaar",
    "in.pan": "in_.pan",
    "nz.ird": "nz.ird",
    "br.cpf": "br.cpf",
    "br.cnpj": "br.cnpj",
    "mx.curp": "mx.curp",
    "mx.rfc": "mx.rfc",
    "za.idnr": "za.idnr",
    "sg.uen": "sg.uen",
    "eu.vat": "eu.vat",
}
# Schemes that stdnum lacks and whose form is published. Source: HMRC NIM39110 (prefixes that are never issued included).
PATTERN_SCHEMES: Final[dict[str, str]] = {
    "gb.nino": r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]?",
}
_LEAST_LENGTH: Final = 4
_KNOWN_PLACEHOLDERS: Final = word_set("""123456789 1234567890 12345678 1234567 123456 987654321 078051120 219099999 0123456789""")
_MASKED: Final = re.compile(r"[*•]|[xX#]{3,}")


def read_identifier(text: str, scheme: str) -> tuple[Reading]:
    """Return one identifier; its feature is scheme and value, joined by U+001F.

    One digit repeated, a running number or a masked value is a placeholder. An identifier that its scheme refuses is kept, and is
    no evidence.

    Args:
        text: A cleaned cell.
        scheme: The contract's scheme; registered ones are in ``CHECKED_SCHEMES`` and ``PATTERN_SCHEMES``.
    """
    bare = re.sub(r"[^A-Z0-9]", "", fold(text).upper()) or re.sub(r"\W", "", text).upper()
    if _is_placeholder(text, bare):
        return (Reading(None, rule=PLACEHOLDER),)
    shown, number, is_valid = _check(text, bare, scheme)
    parts = to_json({"scheme": scheme, "number": number})
    feature = f"{scheme}\x1f{number}" if is_valid and len(number) >= _LEAST_LENGTH else None
    return (Reading(shown, f"{scheme}:{number}", feature, None if is_valid else "not_an_identifier", parts, 2),)


def _is_placeholder(text: str, bare: str) -> bool:
    if len(set(bare)) <= 1 or bare in _KNOWN_PLACEHOLDERS:
        return True
    return _MASKED.search(text) is not None


def _check(text: str, bare: str, scheme: str) -> tuple[str, str, bool]:
    """Return how the identifier is shown, its bare form, and whether its scheme accepts it."""
    if pattern := PATTERN_SCHEMES.get(scheme):
        return (bare, bare, True) if re.fullmatch(pattern, bare) else (text, bare, False)
    checker = _checker(scheme)
    if checker is None:
        return bare, bare, True
    try:
        number = str(checker.validate(text if scheme == "eu.vat" else bare))
    except (ValidationError, KeyError, ValueError, IndexError, AttributeError):
        # KeyError: cn.ric looks up the county of a number in a table that lacks some
        return text, bare, False
    return _shown(checker, number), re.sub(r"[^A-Z0-9]", "", number.upper()), True


def _shown(checker: Any, number: str) -> str:
    return str(checker.format(number)) if hasattr(checker, "format") else number


@cache
def _checker(scheme: str) -> Any:
    module = CHECKED_SCHEMES.get(scheme)
    return import_module(f"stdnum.{module}") if module else None
