"""Codes with few values in many spellings: gender, consent, entity type."""

import re
from typing import Final

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.standardisation.field_standards import PLACEHOLDER
from custview_pipeline.standardisation.reading import Reading
from custview_pipeline.standardisation.text import PLACEHOLDERS, fold, word_set

_GENDERS: Final = {
    "m": """m male man boy mr masculine masc 男 男性 男士 先生 mann herr mannlich maennlich homme masculin masculino hombre
        maschio maschile homem mannelijk mand monsieur senor mezczyzna м муж мужской мужчина 男の人 おとこ 남 남성 남자 1""",
    "f": """f female woman girl mrs ms miss feminine fem w 女 女性 女士 小姐 frau weiblich femme feminin feminino femenino mujer
        femmina femminile mulher vrouwelijk vrouw kvinna kvinde kvinne madame mme mademoiselle mlle senora senorita sra kobieta
        ж жен женский женщина おんな 여 여성 여자 2""",
    "x": "x other nonbinary diverse divers d nb enby indeterminate intersex third genderqueer genderfluid agender mx 其他 其它",
}
# Source: ISO 5218, whose 0 is "not known" and 9 "not applicable".
_NO_GENDER: Final = word_set("0 9 u unspecified undisclosed notdisclosed prefernottosay withheld 保密 未说明")
_CONSENTS: Final = {
    "granted": """y yes true t 1 granted grant given optin in agreed agree accepted accept consented consent allowed active
        subscribed on
        optedin subscribe ja oui si sim
        是 同意 已同意 有""",
    "denied": """n no false f 0 denied deny refused refuse declined decline optout out withdrawn revoked rejected unsubscribed off
        donotcontact dnc optedout unsubscribe nein non nao nee 否 不同意 拒绝 已撤回""",
    "unknown": "unknown unset pending none na notasked unspecified undefined null 未知",
}
_ENTITY_TYPES: Final = {
    EntityType.PERSON.value: """person persons individual individuals private privateperson p natural naturalperson human people
        consumer i ind per retail household resident citizen 个人 自然人 个人客户 privat privatperson""",
    EntityType.ENTERPRISE.value: """enterprise organization organisation org orgs company companies business corporate corporation
        firm legal legalentity legalperson juridical juridicalperson o c e b ent biz co comp institution government nonprofit ngo
        association partnership trust commercial 企业 公司 法人 单位 组织 机构 企业客户 firma unternehmen""",
}
# Compounds such as "organization_unit" or "personal" are told by how they begin.
_STEMS: Final = {
    EntityType.PERSON.value: "person individ privat natural consumer",
    EntityType.ENTERPRISE.value: "organi compan enterpr busin corp legal juridic institut",
}


def _spellings(table: dict[str, str]) -> dict[str, str]:
    return {word: code for code, line in table.items() for word in line.split()}


_DECIMAL: Final = re.compile(r"(?<=^\d)\.0$", re.ASCII)
GENDERS: Final = _spellings(_GENDERS)
CONSENTS: Final = _spellings(_CONSENTS)
ENTITY_TYPES: Final = _spellings(_ENTITY_TYPES)


def _key(text: str) -> str:
    # 1.0 is how 1 comes out of a column of decimals.
    return re.sub(r"[^a-z0-9]", "", fold(_DECIMAL.sub("", text))) or text.strip().casefold()


def read_gender(text: str) -> tuple[Reading]:
    """Return m, f or x; only m and f are evidence for matching. A code for "not known" says nothing."""
    if _key(text) in _NO_GENDER:
        return (Reading(None, rule=PLACEHOLDER),)
    code = GENDERS.get(_key(text))
    if code is None:
        return (Reading(text, text.casefold(), None, "not_a_gender"),)
    return (Reading(code, code, code if code != "x" else None),)


def read_consent(text: str) -> tuple[Reading]:
    """Return granted, denied or unknown; what says nothing elsewhere (-, ?) is unknown here."""
    code = CONSENTS.get(_key(text)) or ("unknown" if text.lower() in PLACEHOLDERS else None)
    if code is None:
        return (Reading(text, text.casefold(), None, "not_a_consent"),)
    return (Reading(code, code),)


def entity_type_of(text: str) -> str | None:
    """Return person or enterprise for a word in any spelling; None where it is neither."""
    key = _key(text)
    stems = ((stem, code) for code, line in _STEMS.items() for stem in line.split())
    return ENTITY_TYPES.get(key) or next((code for stem, code in stems if key.startswith(stem)), None)
