"""Identifiers of persons and enterprises: python-stdnum by scheme; what it does not know is kept and compared."""

import re
import unicodedata
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Final

from stdnum.exceptions import ValidationError
from stdnum.util import get_cc_module

from custview_pipeline.contracts.source_contract import SourceColumn
from custview_pipeline.standardisation.codes.resident_ids import is_resident_id, with_century
from custview_pipeline.standardisation.field_standards import PLACEHOLDER
from custview_pipeline.standardisation.reading import Reading
from custview_pipeline.standardisation.text import fold, to_json, word_set

RESIDENT_ID: Final = "cn.ric"
SCHEME_ENDS: Final = "\x1f"  # parts scheme and number of a feature
# Schemes that stdnum lacks and whose form is published. Sources: HMRC NIM39110 (prefixes that are never issued included);
# ICAO 9303-4 (a passport's number has up to nine characters); US Department of State (nine digits, or a letter and eight);
# HM Passport Office; Passport Seva; National Immigration Administration of China; AAMVA card design standard (up to 25
# characters); DVLA.
PATTERN_SCHEMES: Final[dict[str, str]] = {
    "gb.nino": r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][0-9]{6}[A-D]?",
    "passport": r"(?=.*[0-9])[A-Z0-9]{5,9}",
    "us.passport": r"[0-9]{9}|[A-Z][0-9]{8}",
    "gb.passport": r"[0-9]{9}",
    "in.passport": r"[A-Z][0-9]{7}",
    "cn.passport": r"[DEGPS][0-9]{7,8}|[DEPS][A-HJ-NP-Z][0-9]{7}",
    "drivers_license": r"(?=.*[0-9])[A-Z0-9]{4,25}",
    "gb.drivers_license": r"[A-Z9]{5}[0-9](?:[05][1-9]|[16][0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9][A-Z9]{2}[A-Z0-9][A-Z]{2}",
}
# Schemes under which a customer has one number for life, so that two numbers are two customers: of persons, then of enterprises.
# Left out are numbers that are given anew (passports, licences, VAT), that a provisional one may precede (Canada, Norway, Spain's
# NIE), that follow a name (Italy, Mexico) or an establishment (Korea, Brazil). By python-stdnum's modules; of general knowledge.
NATIONAL_SCHEMES: Final = word_set(
    """us.ssn cn.ric gb.nino ar.dni be.nn bg.egn br.cpf cz.rc de.idnr ee.ik es.dni fi.hetu gr.amka hr.oib il.idnr in.aadhaar
    in.pan kr.rrn lt.asmens my.nric nl.bsn pl.pesel ro.cnp si.emso sk.rc th.pin tr.tckimlik za.idnr
    us.ein cn.uscc lei au.acn ch.uid dk.cvr ee.registrikood fi.ytunnus fr.siren jp.cn no.orgnr se.orgnr sg.uen tw.ubn ua.edrpou"""
)
# Of a national insurance number the last letter is often left out, and no two have all signs before it: it is not compared.
_COMPARED_LENGTHS: Final[dict[str, int]] = {"gb.nino": len("AB123456")}
_LEAST_LENGTH: Final = 4
_SCHEME: Final = re.compile(r"(?:([a-z]{2})\.)?([a-z][a-z0-9_]*)")
# Running numbers, and social security numbers that became public in advertisements. Source: Social Security Administration.
KNOWN_PLACEHOLDERS: Final = word_set(
    """123456789 1234567890 12345678 1234567 123456 987654321 0123456789 123456789012345678 078051120 219099999 457555462"""
)
_SIGNS: Final = re.compile(r"[\W_]")
_LABEL: Final = re.compile(r"^[A-Za-z][A-Za-z. ]*(?:[:#]\s*| (?=\d))")
# 536904399.0 is what becomes of a number in a column of decimals; its last digit is none of the number's.
_DECIMAL: Final = re.compile(r"^(\d{5,})\.0$", re.ASCII)
_MASKED: Final = re.compile(r"[*•]|[xX#]{3,}")


def scheme_of(column: SourceColumn) -> str:
    """Return the scheme of a column's identifiers: the contract's, with its issuer where that is known (vat of DE: de.vat)."""
    if column.attribute == "lei":
        return "lei"
    scheme = column.scheme or column.attribute
    national = f"{column.issuer}.{scheme}".lower()
    return national if column.issuer and is_checked_scheme(national) else scheme


def is_checked_scheme(scheme: str) -> bool:
    """Return whether a scheme's identifiers are checked: python-stdnum's by its names (us.ssn, lei), and some by pattern."""
    return scheme in PATTERN_SCHEMES or _checker(scheme) is not None


def read_identifier(text: str, scheme: str) -> tuple[Reading]:
    """Return one identifier; its feature is scheme and value, joined by U+001F.

    One digit repeated, a running number or a masked value is a placeholder. An identifier that its scheme refuses is kept, and is
    no evidence.

    Args:
        text: A cleaned cell.
        scheme: The contract's; see ``is_checked_scheme``. Identifiers of other schemes are kept and compared as they are.
    """
    is_checked, written = is_checked_scheme(scheme), _DECIMAL.sub(r"\1", text)
    bare = _bare(written) if is_checked else _in_own_script(written)
    if _is_placeholder(text, bare):
        return (Reading(None, rule=PLACEHOLDER),)
    shown, is_valid = _check_labelled(written, bare, scheme) if is_checked else (bare, True)
    shown = shown if is_valid else text
    number = _bare(shown) if is_valid and is_checked else bare
    if _is_placeholder(shown, number):
        return (Reading(None, rule=PLACEHOLDER),)  # 0001234567 of a scheme that drops leading noughts
    parts = to_json({"scheme": scheme, "number": number})
    compared = number[: _COMPARED_LENGTHS.get(scheme)]
    feature = f"{scheme}{SCHEME_ENDS}{compared}" if is_valid and len(number) >= _LEAST_LENGTH else None
    return (Reading(shown, f"{scheme}:{number}", feature, None if is_valid else "not_an_identifier", parts, 2),)


def _is_placeholder(text: str, bare: str) -> bool:
    if len(set(bare)) <= 1 or bare in KNOWN_PLACEHOLDERS:
        return True
    return _MASKED.search(text) is not None


def _bare(text: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", fold(text).upper()) or re.sub(r"\W", "", text).upper()


def _in_own_script(text: str) -> str:
    """Return letters and digits of any script: 军字第1234567号 is not 士字第1234567号."""
    return _bare(text) if text.isascii() else _SIGNS.sub("", unicodedata.normalize("NFKC", text).upper())


def _check_labelled(text: str, bare: str, scheme: str) -> tuple[str, bool]:
    """Check a number, then what stands behind its label (SSN 536-90-4399, VAT: ...)."""
    shown, is_valid = _check(text, bare, scheme)
    unlabelled = _LABEL.sub("", text)
    return (shown, is_valid) if is_valid or unlabelled == text else _check(unlabelled, _bare(unlabelled), scheme)


def _check(text: str, bare: str, scheme: str) -> tuple[str, bool]:
    """Return how the identifier is shown, and whether its scheme accepts it."""
    if pattern := PATTERN_SCHEMES.get(scheme):
        is_valid = re.fullmatch(pattern, bare) is not None
        return (bare if is_valid else text), is_valid
    if scheme == RESIDENT_ID:
        number = with_century(bare)
        return (number, True) if is_resident_id(number) else (text, False)
    checker = _checker(scheme)
    if checker is None:
        return text, False
    # Some schemes need the sign between their parts (131052-308T), most accept any.
    accepted = _validated(checker, bare) or _validated(checker, text)
    return (text, False) if accepted is None else (_shown(checker, accepted), True)


def _validated(checker: ModuleType, text: str) -> str | None:
    try:
        return str(checker.validate(text))
    except (ValidationError, KeyError, ValueError, IndexError, AttributeError, TypeError):
        return None  # stdnum's own refusal, or what some modules raise on text of another length or script


def _shown(checker: ModuleType, number: str) -> str:
    return str(checker.format(number)) if hasattr(checker, "format") else number


@cache
def _checker(scheme: str) -> ModuleType | None:
    """Return python-stdnum's module for a scheme named as its modules are: ``country.name``, or ``name``."""
    named = _SCHEME.fullmatch(scheme)
    if named is None:
        return None
    country, name = named.groups()
    if country:
        found = get_cc_module(country, name)
    else:
        try:
            found = import_module(f"stdnum.{name}")
        except ImportError:
            return None
    return found if isinstance(found, ModuleType) and hasattr(found, "validate") else None
