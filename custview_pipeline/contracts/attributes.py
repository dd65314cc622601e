"""The attribute dictionary: every meaning that a source's column can carry, and the standard that its values keep."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

Kind = Literal["key", "name", "date", "contact", "address", "identifier", "code", "number", "text", "time"]
DataType = Literal["string", "date", "timestamp", "number"]
Confidentiality = Literal["open", "personal", "restricted"]

LONGEST_TEXT: Final = 2000  # characters of a cell that are read; what is longer is cut off and reported


class EntityType(StrEnum):
    """What a customer can be."""

    PERSON = "person"
    ENTERPRISE = "enterprise"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One meaning, and the standard of its standardised values.

    Attributes:
        name: What contracts write under ``customProperties: attribute``.
        meaning: One line for a reader outside engineering.
        meaning_zh: The same in Chinese.
        kind: Which standardiser is responsible.
        data_type: What a standardised value is; every value is kept as text, dates and times as ISO 8601.
        longest: Characters of the longest value that is kept.
        format: What values look like, in words.
        pattern: Regular expression (RE2) that every valid value matches as a whole; None where any text is one.
        allowed: The closed list of valid values; empty where there is none.
        earliest: First date that is valid, ISO 8601; the last one is the day of the delivery.
        is_required: Whether a row without it is refused whatever the contract says.
        is_optional: Whether most customers have none, so that its completeness has a target only where the contract states one.
        is_critical: Whether it is a critical data element where a contract does not say ``criticalDataElement``.
        is_distinguishing: Whether two customers are not expected to share a value, so that its repeats are scored.
        reference: What its accuracy is measured against; None where there is nothing to measure it by.
        sensitivity: open is stored readable, personal is sealed, restricted is sealed and does most harm where it leaks.
        examples: Invented valid values, standardised.
    """

    name: str
    meaning: str
    meaning_zh: str
    kind: Kind
    data_type: DataType = "string"
    longest: int = LONGEST_TEXT
    format: str = "text, single spaces"
    pattern: str | None = None
    allowed: tuple[str, ...] = ()
    earliest: str | None = None
    is_required: bool = False
    is_optional: bool = False
    is_critical: bool = False
    is_distinguishing: bool = False
    reference: str | None = None
    sensitivity: Confidentiality = "personal"
    examples: tuple[str, ...] = ()

    @property
    def is_personal(self) -> bool:
        """Return whether a value says something about a person; such values are stored sealed only."""
        return self.sensitivity != "open"


_DATE: Final = r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_CALENDAR: Final = "the calendar and the day of the delivery: impossible and future dates"
_CHECKED: Final = "the check digits and registers of its scheme"

_DICTIONARY: Final = (
    Attribute(
        "source_key", "The record's key in its source system", "记录在来源系统中的主键", "key", format="as the source writes it",
        is_required=True, is_critical=True, is_distinguishing=True, sensitivity="open", examples=("C-0000017",),
    ),
    Attribute(
        "entity_type", "Person or enterprise, in any spelling", "客户类型 (个人或企业)", "code", longest=10, format="code",
        allowed=(EntityType.PERSON.value, EntityType.ENTERPRISE.value), sensitivity="open", examples=("person",),
    ),
    Attribute(
        "full_name", "The whole name in one field, of a person or an enterprise", "个人全名或企业名称", "name",
        is_critical=True, examples=("Ada Example",),
    ),
    Attribute("given_name", "Given name", "名", "name", examples=("Ada",)),
    Attribute("middle_name", "Middle name or initial", "中间名或其首字母", "name", is_optional=True, examples=("M.",)),
    Attribute(
        "family_name", "Family name; a second column may hold a former one", "姓 (第二列可为曾用姓)", "name",
        is_critical=True, examples=("Example",),
    ),
    Attribute("name_prefix", "Title before the name", "称谓", "name", is_optional=True, examples=("Dr",)),
    Attribute(
        "name_suffix", "What follows the name: Jr, Sr, III", "姓名后缀 (如 Jr、Sr、III)", "name",
        is_optional=True, examples=("Jr",),
    ),
    Attribute("native_name", "The name in its own script", "本国文字姓名", "name", is_optional=True, examples=("李样例",)),
    Attribute(
        "gender", "Gender", "性别", "code", longest=1, format="code: m male, f female, x other", allowed=("m", "f", "x"),
        examples=("f",),
    ),
    Attribute(
        "birth_date", "Date of birth", "出生日期", "date", "date", 10, "ISO 8601 date", _DATE, earliest="1000-01-01",
        is_critical=True, reference=_CALENDAR, examples=("1985-03-12",),
    ),
    Attribute("birth_place", "Place of birth", "出生地", "text", examples=("Springfield",)),
    Attribute("occupation", "Occupation", "职业", "text", examples=("teacher",)),
    Attribute(
        "email", "E-mail address", "电子邮箱", "contact", longest=254, format="local@domain, small letters (RFC 5321, RFC 6531)",
        pattern=r'(?:[^@\s]{1,64}|"(?:[^"\\]|\\.){1,64}")@[^@\s]+\.[^@\s]+', is_critical=True, is_distinguishing=True,
        examples=("ada@example.org",),
    ),
    Attribute(
        "phone", "Telephone number", "电话号码", "contact", longest=20, pattern=r"\+[1-9][0-9]{5,18}",
        format="E.164; up to 19 digits, for some numbering plans go beyond its 15", examples=("+12025550143",),
    ),
    Attribute("address", "Postal address in one line", "单行地址", "address", examples=("12 Main St, Springfield, IL 62701",)),
    Attribute("address_line1", "First line of the postal address", "地址第一行", "address", examples=("12 Main Street",)),
    Attribute(
        "address_line2", "Second line of the postal address", "地址第二行", "address",
        is_optional=True, examples=("Apt 4",),
    ),
    Attribute("house_number", "House number", "门牌号", "address", examples=("12",)),
    Attribute("street_name", "Street", "街道", "address", examples=("Main Street",)),
    Attribute("unit", "Flat, suite or room", "单元、房间号", "address", is_optional=True, examples=("Apt 4",)),
    Attribute("po_box", "Post office box", "邮政信箱", "address", is_optional=True, examples=("PO Box 17",)),
    Attribute("city", "City", "城市", "address", examples=("Springfield",)),
    Attribute("region", "State, province or county", "省、州或郡", "address", examples=("IL",)),
    Attribute("postal_code", "Postal code", "邮政编码", "address", examples=("62701",)),
    Attribute(
        "country", "Country", "国家或地区", "code", longest=2, format="ISO 3166-1 alpha-2", pattern=r"[A-Z]{2}",
        sensitivity="open", examples=("US",),
    ),
    Attribute(
        "national_id", "Identifier of a person, by scheme", "个人证件号码 (按证件类型)", "identifier",
        format="that of its scheme",         is_critical=True, is_distinguishing=True,
        reference=_CHECKED, sensitivity="restricted", examples=("P4829175",),
    ),
    Attribute(
        "tax_id", "Tax identifier, by scheme", "纳税人识别号 (按类型)", "identifier",
        format="that of its scheme",         is_critical=True, is_distinguishing=True,
        reference=_CHECKED, sensitivity="restricted", examples=("98-7650001",),
    ),
    Attribute(
        "lei", "Legal entity identifier (ISO 17442)", "法人机构识别编码 LEI", "identifier", longest=20,
        format="ISO 17442", pattern=r"[A-Z0-9]{18}[0-9]{2}", is_critical=True, is_distinguishing=True,
        reference=_CHECKED, sensitivity="open", examples=("CUST00VIEWDEMO000122",),
    ),
    Attribute(
        "legal_name", "Registered name of an enterprise", "企业注册名称", "name", is_critical=True,
        examples=("Example Trading Ltd",),
    ),
    Attribute(
        "trading_name", "Name an enterprise trades under", "企业商号", "name",
        is_optional=True, examples=("Example Shop",),
    ),
    Attribute(
        "website", "Website", "网站", "contact", format="host and path, without scheme and www",
        pattern=r"(?:[a-z0-9_-]+\.)+[a-z0-9_-]{2,}(?::[0-9]+)?(?:/(?s:.*))?", examples=("shop.example.org",),
    ),
    Attribute(
        "industry_code", "Industry, by scheme", "行业代码 (按分类标准)", "code", longest=8,
        format="code of NAICS, ISIC, NACE or GB/T 4754", pattern=r"[A-Z]|[A-Z]?[0-9][0-9.]*", sensitivity="open",
        examples=("541511",),
    ),
    # Seven digits before the point are enough for both, and too few for a telephone number, an identifier or a date: what may
    # stand readable in the lake must not become a place for those.
    Attribute(
        "employee_count", "Number of employees", "员工人数", "number", "number", 7, "whole number", r"0|[1-9][0-9]{0,6}",
        is_optional=True, sensitivity="open", examples=("250",),
    ),
    Attribute(
        "loyalty_points", "Balance of loyalty points", "会员积分余额", "number", "number", 11, "number, at most two decimals",
        r"-?(?:0|[1-9][0-9]{0,6})(?:\.[0-9]?[1-9])?", is_optional=True, sensitivity="open", examples=("1250.5",),
    ),
    Attribute(
        "language", "Language the customer prefers", "首选语言", "code", longest=3, format="BCP 47 primary subtag",
        pattern=r"[a-z]{2,3}", sensitivity="open", examples=("en",),
    ),
    Attribute(
        "parent_key", "Key of the parent enterprise in the same source", "上级企业在同一来源中的主键", "key",
        format="as the source writes it", is_optional=True, sensitivity="open", examples=("C-0000018",),
    ),
    Attribute("employer", "Employer", "工作单位", "text", examples=("Example Trading Ltd",)),
    Attribute(
        "consent", "Consent to be contacted, as the source states it", "来源系统所记的联系同意", "code", longest=7,
        format="code", allowed=("granted", "denied", "unknown"), is_critical=True, sensitivity="open", examples=("granted",),
    ),
    Attribute(
        "updated_at", "When the record last changed in its source", "记录在来源系统中的最后更新时间", "time", "timestamp", 27,
        "ISO 8601 timestamp, UTC", sensitivity="open", examples=("2026-01-31T08:30:00Z",),
    ),
    Attribute(
        "created_at", "When the record was made in its source", "记录在来源系统中的创建时间", "time", "timestamp", 27,
        "ISO 8601 timestamp, UTC", sensitivity="open", examples=("2024-06-01T00:00:00Z",),
    ),
    Attribute(
        "deletion_flag", "Whether the source has deleted the record", "来源系统是否已删除该记录", "code", longest=5,
        format="code", allowed=("true", "false"), is_optional=True, sensitivity="open", examples=("true",),
    ),
)  # fmt: skip

ATTRIBUTES: Final[dict[str, Attribute]] = {attribute.name: attribute for attribute in _DICTIONARY}

NAME_PARTS: Final = ("full_name", "given_name", "middle_name", "family_name", "name_prefix", "name_suffix", "native_name")
ENTERPRISE_NAMES: Final = ("legal_name", "trading_name")
ADDRESS_PARTS: Final = (
    "address", "address_line1", "address_line2", "house_number", "street_name", "unit", "po_box", "city", "region", "postal_code",
)  # fmt: skip
IDENTIFIERS: Final = ("national_id", "tax_id", "lei")
JUDGED_TOGETHER: Final = (frozenset({*NAME_PARTS, *ENTERPRISE_NAMES}), frozenset(ADDRESS_PARTS))


def judged_with(attribute: str) -> frozenset[str]:
    """Return the attributes that are read and judged as one with ``attribute``, itself among them: of a name, an address."""
    return next((group for group in JUDGED_TOGETHER if attribute in group), frozenset({attribute}))
