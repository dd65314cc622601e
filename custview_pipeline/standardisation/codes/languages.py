"""Languages by code, BCP 47 tag, and English, Chinese or own name: ISO 639 as pycountry has it, other usual names here."""

import gettext
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Final

import pycountry

from custview_pipeline.standardisation.field_standards import PLACEHOLDER
from custview_pipeline.standardisation.reading import Reading
from custview_pipeline.standardisation.text import fold, word_pairs

# ISO 639 gives these for "no language told".
_NOTHING_TOLD: Final = frozenset({"und", "mis", "zxx"})
# Codes that were given up (IANA language subtag registry: Preferred-Value), and Mandarin, which is what zh means to most.
_PREFERRED: Final[dict[str, str]] = word_pairs("iw he in id ji yi jw jv mo ro cmn zh")
_USUAL_NAMES: Final[dict[str, str]] = word_pairs(
    """greek el ellinika el farsi fa dari fa mandarin zh putonghua zh cantonese yue taiwanese nan hokkien nan flemish nl
    castilian es castellano es brazilian pt punjabi pa sinhalese si uyghur ug pashto ps odia or kyrgyz ky kirghiz ky
    filipino fil gaelic gd valencian ca moldovan ro norsk no bokmal nb nynorsk nn slovene sl bangla bn azeri az malay ms
    nepali ne swahili sw occitan oc tonga to simplifiedchinese zh traditionalchinese zh chinesesimplified zh chinesetraditional zh
    americanenglish en britishenglish en brazilianportuguese pt portuguesbrasileiro pt bahasamelayu ms persan fa
    slovencina sk cestina cs ellinik el
    普通话 zh 國語 zh 国语 zh 华文 zh 汉文 zh 简体中文 zh 繁体中文 zh 繁體中文 zh 簡體中文 zh
    粤语 yue 粵語 yue 广东话 yue 廣東話 yue 白话 yue 闽南语 nan 台语 nan 臺語 nan 韩语 ko 韓語 ko 韩文 ko 韓文 ko
    老挝语 lo 希腊语 el 希腊文 el 印度尼西亚语 id 印度语 hi 吉尔吉斯语 ky ελληνικά el norskbokmal nb
    हिन्दी hi हिंदी hi বাংলা bn ไทย th తెలుగు te اردو ur tiengviet vi bahasaindonesia id"""
)
_TAG: Final = re.compile(r"([a-z]{2,3})(?:[-_.@]([a-z]{3})(?![a-z0-9]))?(?:[-_.@][a-z0-9]{1,8})*", re.IGNORECASE)
_IN_BRACKETS: Final = re.compile("\\s*[(\uff08[].*$")


def _key(text: str) -> str:
    return re.sub(r"[^a-z]", "", fold(text)) or text.strip().casefold()


@cache
def _codes() -> dict[str, str]:
    """Return the shortest ISO 639 code by every code: eng, ger and deu beside en and de."""
    found: dict[str, str] = {}
    for language in pycountry.languages:
        if language.scope != "S":
            shortest = getattr(language, "alpha_2", language.alpha_3)
            codes = (shortest, language.alpha_3, getattr(language, "bibliographic", shortest))
            found |= dict.fromkeys(codes, _PREFERRED.get(shortest, shortest))
    return found | _PREFERRED


@cache
def _names() -> dict[str, str]:
    """Return the code by every usual, English and Chinese name; of equals the language with a code of two letters."""
    found = dict(_USUAL_NAMES)
    chinese = [_translation(locale) for locale in ("zh_CN", "zh_TW")]
    for language in sorted(pycountry.languages, key=lambda language: not hasattr(language, "alpha_2")):
        if code := _codes().get(language.alpha_3):
            for name in _english(language):
                found.setdefault(_key(name), code)
            for name in _in(language, chinese):
                found.setdefault(_key(name), code)
                found.setdefault(re.sub("语$", "文", name), code)
    return found


@cache
def _own_names() -> dict[str, str]:
    """Return the code by each language's name in itself."""
    folders = sorted((files("pycountry") / "locales").iterdir(), key=lambda folder: folder.name)
    locales = [folder.name for folder in folders if (folder / "LC_MESSAGES" / "iso639-3.mo").is_file()]
    languages = {language.alpha_2: language for language in pycountry.languages if hasattr(language, "alpha_2")}
    return {
        _key(name): _codes()[code]
        for locale in locales
        if (code := locale.partition("_")[0]) in languages
        for name in _in(languages[code], [_translation(locale)])
    }


def _english(language: pycountry.db.Data) -> Iterator[str]:
    for kind in ("name", "common_name", "inverted_name"):
        if name := getattr(language, kind, None):
            yield from (name, _IN_BRACKETS.sub("", name))


def _in(language: pycountry.db.Data, translations: list[gettext.NullTranslations]) -> Iterator[str]:
    """Yield the names of a language in other languages, where it has a code of two letters: these are translated."""
    if hasattr(language, "alpha_2"):
        for name in ";".join(translation.gettext(language.name) for translation in translations).split(";"):
            yield _IN_BRACKETS.sub("", name).strip()


def _translation(locale: str) -> gettext.NullTranslations:
    return gettext.translation("iso639-3", pycountry.LOCALES_DIR, languages=[locale])


def language_of(text: str) -> str | None:
    """Return the BCP 47 primary subtag of a language: zh of zh-CN, zho, Chinese, 中文; None where it is no language."""
    if (tag := _TAG.fullmatch(text)) and (code := _of_tag(tag[1].lower(), (tag[2] or "").lower())):
        return code
    # One letter is a code of some system's own; that there is a language called E says nothing.
    keys = [key for key in (_key(text), _key(_IN_BRACKETS.sub("", text))) if not key.isascii() or len(key) > 1]
    return next((code for names in (_names, _own_names) for key in keys if (code := names().get(key))), None)


def _of_tag(primary: str, further: str) -> str | None:
    """Return the subtag; an extended one takes the place of what it extends (zh-yue)."""
    codes = _codes()
    return codes.get(further) if primary in codes and further in codes else codes.get(primary)


def read_language(text: str) -> tuple[Reading]:
    """Return a language as its BCP 47 primary subtag; what is none is kept as given.

    Script and region of a tag are left out: they tell how and where, not which. The codes for "undetermined" say nothing.
    """
    if text.lower() in _NOTHING_TOLD:
        return (Reading(None, rule=PLACEHOLDER),)
    code = language_of(text)
    if code is None:
        return (Reading(text, fold(text) or text.casefold(), None, "not_a_language"),)
    return (Reading(code, code, code),)
