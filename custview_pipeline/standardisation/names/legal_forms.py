"""Legal forms of enterprises by their spellings, behind a name or before it.

Forms of the Americas, Britain, Europe, Russia, Australia, India, South-East Asia, Japan, Korea and China, of general
knowledge and from no published list. Each is shown in one spelling, without dots.
"""

# ruff: noqa: RUF001 - Cyrillic letters that look like Latin ones are meant

import re
from functools import cache, lru_cache
from typing import Final

from custview_pipeline.standardisation.text import fold, word_set


def _longest_first(table: str) -> tuple[str, ...]:
    return tuple(sorted(word_set(table), key=lambda form: (-len(form), form)))


# Legal form as shown -> its spellings, folded; dots and spaces make no difference.
_BEHIND: Final[dict[str, str]] = {
    "Inc": "inc|incorporated",
    "LLC": "llc|limited liability company|limited liability co",
    "Corp": "corp|corporation",
    "Co": "co|company",
    "Co Ltd": "co ltd|company limited|co limited|company ltd",
    "Ltd": "ltd|limited",
    "Ltée": "ltee|limitee",
    "Ltda": "ltda|limitada",
    "LP": "lp|limited partnership",
    "LLP": "llp|limited liability partnership",
    "LLLP": "lllp",
    "PLLC": "pllc|professional limited liability company",
    "PC": "pc|professional corporation",
    "PLC": "plc|public limited company",
    "NA": "national association",
    "ULC": "ulc|unlimited liability company",
    "CIC": "cic|community interest company",
    "CIO": "cio|charitable incorporated organisation",
    "Pty Ltd": "pty ltd|pty limited|proprietary limited",
    "Pty": "pty|proprietary",
    "Pvt Ltd": "pvt ltd|private limited|pvt limited|pte ltd|pte limited",
    "Pte": "pte",
    "GmbH": "gmbh|gesellschaft mit beschrankter haftung|ges m b h",
    "gGmbH": "ggmbh",
    "GmbH & Co KG": "gmbh & co kg|gmbh und co kg|gmbh co kg",
    "GmbH & Co KGaA": "gmbh & co kgaa|gmbh und co kgaa",
    "GmbH & Co OHG": "gmbh & co ohg|gmbh und co ohg",
    "AG": "ag|aktiengesellschaft",
    "AG & Co KG": "ag & co kg|ag und co kg",
    "AG & Co KGaA": "ag & co kgaa|ag und co kgaa",
    "SE & Co KGaA": "se & co kgaa|se und co kgaa",
    "KGaA": "kgaa",
    "KG": "kg|kommanditgesellschaft",
    "OHG": "ohg|offene handelsgesellschaft",
    "GbR": "gbr",
    "UG": "ug|ug haftungsbeschrankt|unternehmergesellschaft",
    "eK": "ek|eingetragener kaufmann",
    "eV": "ev|eingetragener verein",
    "eG": "eg|eingetragene genossenschaft",
    "SE": "se",
    "SA": "sa|societe anonyme|sociedad anonima|sociedade anonima",
    "SA de CV": "sa de cv|sociedad anonima de capital variable",
    "SAB de CV": "sab de cv",
    "S de RL de CV": "s de rl de cv",
    "S de RL": "s de rl",
    "SAU": "sau",
    "SARL": "sarl|societe a responsabilite limitee",
    "SAS": "sas|societe par actions simplifiee",
    "SASU": "sasu",
    "EURL": "eurl",
    "SNC": "snc",
    "SCI": "sci",
    "BV": "bv|besloten vennootschap",
    "BVBA": "bvba",
    "NV": "nv|naamloze vennootschap",
    "VOF": "vof",
    "SpA": "spa|societa per azioni",
    "SRL": "srl|societa a responsabilita limitata",
    "SRLS": "srls",
    "SL": "sl|sociedad limitada",
    "SLU": "slu|sociedad limitada unipersonal",
    "SLL": "sll",
    "Lda": "lda",
    "AB": "ab|aktiebolag",
    "AS": "as|aksjeselskap",
    "ASA": "asa|allmennaksjeselskap",
    "A/S": "a/s|aktieselskab",
    "ApS": "aps|anpartsselskab",
    "Oy": "oy|osakeyhtio",
    "Oyj": "oyj",
    "Oy Ab": "oy ab",
    "ehf": "ehf",
    "OÜ": "ou|osauhing",
    "SIA": "sia",
    "UAB": "uab",
    "Sp z oo": "sp z oo|spolka z ograniczona odpowiedzialnoscia",
    "Sp j": "sp j|spolka jawna",
    "Sp k": "sp k|spolka komandytowa",
    "sro": "sro|spol s ro|spolecnost s rucenim omezenym",
    "as": "akciova spolecnost",
    "doo": "doo",
    "dd": "dd",
    "EOOD": "eood",
    "OOD": "ood",
    "Kft": "kft|korlatolt felelossegu tarsasag",
    "Zrt": "zrt",
    "Nyrt": "nyrt",
    "Bt": "bt",
    "AŞ": "anonim sirketi",
    "Ltd Şti": "ltd sti|limited sirketi",
    "OOO": "ooo",
    "OAO": "oao",
    "ZAO": "zao",
    "PAO": "pao",
    "Sdn Bhd": "sdn bhd|sendirian berhad",
    "Bhd": "bhd|berhad",
    "Tbk": "tbk",
    "KK": "kk|kabushiki kaisha|kabushiki gaisha",
    "GK": "godo kaisha",
    "YK": "yugen kaisha|yugen gaisha",
    "FZE": "fze",
    "FZCO": "fzco",
    "FZ LLC": "fz llc",
    "WLL": "wll",
    "Pvt": "pvt",
}
# Letters that are also words, initials or other people's abbreviations: a form only as it is written here.
_AMBIGUOUS: Final = word_set(
    """AB AS SE SL eV eG eK Oy KK SpA SAS SCI SNC PC LP UG KG NA SAU SIA OÜ ehf dd doo sro Bt Lda
    SLL CIO Pty Pte Pvt ASA VOF GbR OOD"""
)
# Chinese, Japanese and Korean forms, joined to the name; the longer ones first.
_JOINED: Final = _longest_first(
    """集团股份有限公司 集團股份有限公司 集团有限责任公司 集团有限公司 集團有限公司 股份有限公司 有限责任公司 有限責任公司
    股份公司 有限公司 集团公司 集團公司 集团总公司 总公司 總公司 分公司 公司 有限合伙企业 普通合伙企业 合伙企业
    个人独资企业 个体工商户 农民专业合作社 株式会社 株式會社 有限会社 合同会社 合資会社 合名会社 주식회사 유한회사 유한책임회사"""
)
JOINED_BEFORE: Final = _longest_first(
    """株式会社 有限会社 合同会社 合資会社 合名会社 一般社団法人 公益社団法人 一般財団法人 公益財団法人 学校法人 医療法人
    社会福祉法人 주식회사 유한회사"""
)
_SHORT_JOINED: Final = {
    "(株)": "株式会社",
    "㈱": "株式会社",
    "(有)": "有限会社",
    "㈲": "有限会社",
    "(주)": "주식회사",
    "㈜": "주식회사",
}
# Forms that stand before the name, parted by a space.
FORMS_BEFORE: Final[dict[str, str]] = {
    form.casefold(): form for form in word_set("""ООО ОАО ЗАО ПАО АО НАО ТОО ОДО УП РУП ЧУП ТОВ OOO OAO ZAO PAO UAB SIA PT CV""")
}
_BEFORE_IN_CAPITALS: Final = word_set("АО УП PT CV SIA ТОВ")
_LONGEST: Final = 5
_QUOTES: Final = "\"'«»„“”"


@cache
def _behind() -> dict[str, str]:
    return {_squeeze(spelling): form for form, spellings in _BEHIND.items() for spelling in spellings.split("|")}


@lru_cache(50_000)
def _squeeze(text: str) -> str:
    return re.sub(r"[^a-z/]", "", fold(text))


@cache
def form_endings() -> frozenset[str]:
    """Return every end of a spelling, letters alone: a text whose last word is none of them has no form behind its name."""
    return frozenset(spelling[k:] for spelling in _behind() for k in range(len(spelling) + 1))


@cache
def joined_forms() -> frozenset[str]:
    """Return the Chinese, Japanese and Korean forms, which are written without a space."""
    return frozenset((*_JOINED, *JOINED_BEFORE))


def split_joined_form(text: str) -> tuple[str, str, bool] | None:
    """Return name, legal form and whether it stands before the name, where it is written in East Asian characters."""
    bare = text.replace(" ", "") if not re.search("[A-Za-z]", text) else text
    for short, form in _SHORT_JOINED.items():
        bare = bare.replace(short, form)
    for form in _JOINED:
        if bare.endswith(form) and _has_name(bare.removesuffix(form)):
            return bare.removesuffix(form).strip(), form, False
    for form in JOINED_BEFORE:
        if bare.startswith(form) and _has_name(bare.removeprefix(form)):
            return bare.removeprefix(form).strip(), form, True
    return None


def _has_name(text: str) -> bool:
    return re.search(r"\w", text) is not None


def split_form(text: str) -> tuple[str, str, bool] | None:
    """Return name, legal form and whether it stands before the name, where words of an alphabet tell it."""
    pieces = text.split(" ")
    if len(pieces) == 1:
        return None
    return _split_before(pieces) or _split_behind(pieces)


def _split_before(pieces: list[str]) -> tuple[str, str, bool] | None:
    for written, others, is_before in ((pieces[0], pieces[1:], True), (pieces[-1], pieces[:-1], False)):
        form = FORMS_BEFORE.get(written.strip(_QUOTES).casefold())
        # Behind a name they stand in Russian alone: a Roman capital there is an initial or a word.
        if form and (written == form or form not in _BEFORE_IN_CAPITALS) and (is_before or not form.isascii()):
            name = " ".join(others).strip(f" ,{_QUOTES}")
            if _has_name(name):
                return name, form, is_before
    return None


def _split_behind(pieces: list[str]) -> tuple[str, str, bool] | None:
    squeezed = [_squeeze(piece) for piece in pieces[-_LONGEST:]]
    if squeezed[-1] not in form_endings():
        return None
    for count in range(min(_LONGEST, len(pieces) - 1), 0, -1):
        form = _behind().get("".join(squeezed[-count:]))
        if form is None:
            continue
        name, written = " ".join(pieces[:-count]).rstrip(" ,;-("), " ".join(pieces[-count:])
        if _has_name(name) and _is_meant(written, form, name):
            return name, form, False
    return None


def _is_meant(written: str, form: str, name: str) -> bool:
    """Return whether letters that may be a word or an initial are a legal form: only as it is written, and not among capitals."""
    if form not in _AMBIGUOUS:
        return True
    bare = written.strip(" ,")
    is_spelled_out = _squeeze(written) != _squeeze(form)
    is_dotted = "." in bare and bare.replace(".", "").replace(" ", "").lower() == form.lower()
    return (is_spelled_out or is_dotted or bare == form) and not f"{name} {form}".isupper()
