"""Person or enterprise by the words of a name, for fields that may hold either."""

import re
from functools import cache, lru_cache
from typing import Final

import polars as pl

from custview_pipeline.standardisation.names.legal_forms import (
    FORMS_BEFORE,
    JOINED_BEFORE,
    form_endings,
    split_form,
    split_joined_form,
)
from custview_pipeline.standardisation.names.nicknames import given_names
from custview_pipeline.standardisation.text import fold, word_set

# Words that name a legal form or a kind of house wherever they stand; few people have them for a name. Of general knowledge.
_HOUSES: Final = word_set(
    """inc llc ltd limited corp corporation incorporated company co plc llp pllc gmbh ag sarl sas bv nv pty pvt sdn bhd
    bank trust foundation association university college school academy church ministries hospital clinic center centre
    services solutions systems group holdings partners associates industries enterprises technologies technology international
    institute institution society club league union federation agency council department ministry bureau commission committee
    authority restaurant cafe bakery pizzeria brewery winery hotel motel resort store stores shop shoppe boutique market
    supermarket pharmacy drugstore motors automotive logistics consulting consultants advisors contractors contracting
    construction builders plumbing roofing landscaping electric electrical electronics heating realty properties insurance
    mortgage financial investments ventures equity media studio studios productions publishing design designs marketing
    advertising software networks telecom communications pharmaceuticals laboratories labs dental orthodontics pediatrics
    veterinary manufacturing mfg products supply supplies equipment rentals transport transportation trucking shipping freight
    airlines airways railway catering grill diner bistro pizza gym fitness salon spa museum library theatre theater gallery
    orchestra cooperative coop farms foods beverages trading imports exports wholesale distributors energy petroleum mining
    engineering architects attorneys bros sons subsidiary
    banco banque banca universidad universidade universite universita universitat hochschule volkshochschule haftungsbeschrankt
    klinikum krankenhaus verein stiftung hopital escuela ecole colegio fundacion fundacao fondation asociacion associacao sociedad
    societe societa sociedade gesellschaft werke gebruder sohne fils hijos hermanos irmaos figli compania compagnia compagnie
    groupe grupo gruppo ooo oao zao pao uab kft zrt nyrt doo sro srl oyj kgaa"""
)
_HOUSE: Final = f"(?:^|[^a-z])(?:{'|'.join(sorted(_HOUSES))})(?:[^a-z]|$)"
_EAST_ASIAN_HOUSE: Final = (
    f"^(?:{'|'.join(JOINED_BEFORE)}).|"
    "(?:公司|集团|集團|银行|銀行|大学|大學|学校|學校|学院|學院|小学|中学|幼儿园|医院|醫院|病院|诊所|药房|药店|中心|厂|廠|店|协会|協會|学会|商会|"
    "基金会|基金會|研究所|研究院|事务所|事務所|委员会|委員會|酒店|宾馆|饭店|餐厅|超市|商行|商场|企业|企業|工作室|合作社|出版社|旅行社|分行|支行|"
    "管理局|政府|法院|公安局|会社|大使馆|俱乐部|博物馆|图书馆|个体工商户|은행|대학교|병원|회사)$"
)
_HOUSE_OF: Final = "(?:^(?:city|county|diocese|estate|port|state|town|village)|(?:^| )offices?) of "
_BEGINNING: Final = re.compile(rf"^the (?!hon|right|rev|late|very|most)[^ ]+ [^ ]|{_HOUSE_OF}", re.IGNORECASE)  # no Honourable
_TRADING: Final = re.compile(r"[ ,](?:d/b/a|dba|d\.b\.a|t/a|trading as|doing business as)[ .:]", re.IGNORECASE)
_TITLE: Final = re.compile(r"^(?:mr|mrs|ms|miss|mister|herr|frau|monsieur|madame)[. ]", re.IGNORECASE)
_INVERTED: Final = re.compile(r"^[^ ,]+, [^ ,]+(?: [A-Za-z][.]?)?$")
_DOTTED: Final = re.compile(r"(?:[A-Za-z][.] ?){2,}$|[Aa]/[Ss]$")
_SHORT_FORM: Final = 3
_FORMS_LIKE_INITIALS: Final = frozenset({"PT", "CV", "УП"})
# Kinds of house that are surnames too, and words before them that are a church's more often than a person's.
_SURNAMES_TOO: Final = word_set("""bank church council market shop store""")
_NAMES_OF_CHURCHES: Final = word_set("""christ faith grace hope trinity""")
_SHORTEST, _MOST = 2, 3  # words of a person's name that ends with such a surname
_MAY_BE: Final = f"{_HOUSE}|{_HOUSE_OF}|^the |(?:^|[^a-z])(?:d/?b/?a|t/a|trading as|doing business as)(?:[^a-z]|$)"
_house, _east_asian_house = re.compile(_HOUSE), re.compile(_EAST_ASIAN_HOUSE)


@lru_cache(50_000)
def names_enterprise(text: str) -> bool:
    """Return whether a name in a field that may hold either is an enterprise's, by its legal form or kind of house."""
    if not text.isascii() and _east_asian_house.search(re.sub(r"\W", "", text)):
        return True
    if _has_form(text) or _TRADING.search(text):
        return True
    folded = fold(text).replace(".", "")
    if _TITLE.search(text) or _INVERTED.search(text) or _ends_with_surname(folded):
        return False
    return _BEGINNING.search(text) is not None or _house.search(folded) is not None


def _has_form(text: str) -> bool:
    """Return whether a legal form stands with a name; a short one, which may be a surname (Sá), only as it is written."""
    if not text.isascii() and split_joined_form(text):
        return True
    found = split_form(text)
    if found is None:
        return False
    _, form, is_before = found
    if is_before:
        return form not in _FORMS_LIKE_INITIALS
    written = text.rstrip(" ,")
    return len(form) > _SHORT_FORM or (written.endswith(form) and not text.isupper()) or _DOTTED.search(written) is not None


def _ends_with_surname(folded: str) -> bool:
    words = re.findall("[a-z]+", folded)
    if not _SHORTEST <= len(words) <= _MOST or words[-1] not in _SURNAMES_TOO or words[0] in _NAMES_OF_CHURCHES:
        return False
    return words[0] in given_names() and not _house.search(" ".join(words[:-1]))


def name_enterprises(texts: pl.Series) -> pl.Series:
    """Return ``names_enterprise`` of every text, false where there is none.

    Most names are a person's because no word of theirs is an enterprise's; only the others are looked at one by one.
    """
    small = pl.col("text").str.to_lowercase().str.replace_all(".", "", literal=True)
    frame = pl.DataFrame({"text": texts}).with_columns(small=small)
    small, text = pl.col("small"), pl.col("text")
    end, start = small.str.extract(r"([^ ]*)$").str.replace_all("[^a-z/]", ""), small.str.extract("^([^ ]*)")
    is_form = end.is_in(_endings()) | start.str.strip_chars("\"'").is_in(_beginnings())
    is_latin_person = text.str.contains("^[ -~]+$") & ~small.str.contains(_MAY_BE) & ~is_form
    is_chinese_person = text.str.contains("^[\u4e00-\u9fff]+$") & ~text.str.contains(_EAST_ASIAN_HOUSE)
    is_open = ~frame.select((is_latin_person | is_chinese_person).fill_null(value=True)).to_series()
    left = frame.filter(is_open)["text"]
    verdicts = pl.Series([names_enterprise(text) for text in left.to_list()], dtype=pl.Boolean)
    return (~is_open & False).scatter(is_open.arg_true(), verdicts)


@cache
def _endings() -> pl.Series:
    return pl.Series(sorted(form_endings()), dtype=pl.String).implode()


@cache
def _beginnings() -> pl.Series:
    return pl.Series(sorted(FORMS_BEFORE), dtype=pl.String).implode()
