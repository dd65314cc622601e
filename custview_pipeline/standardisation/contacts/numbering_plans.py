"""The numbering plans of the world as polars expressions, made of the metadata that phonenumbers packages.

Every function here is a step of ``phonenumbers.parse`` and ``phonenumbers.number_type``, in their order and with their patterns,
over a column of ASCII digits. A new release of the package is followed, because nothing of its metadata is written down here.
"""

import re
from functools import cache
from typing import Final, NamedTuple

import phonenumbers
import polars as pl
from phonenumbers.phonemetadata import PhoneMetadata, PhoneNumberDesc

_NEVER: Final = pl.lit(value=False)
# In the order in which phonenumbers.number_type asks for them; their names in lower case are its types.
_SPECIAL_TYPES: Final = (
    "premium_rate",
    "toll_free",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
)


class Plan(NamedTuple):
    """How numbers dialled in a region are taken apart.

    Attributes:
        calling_code: Of the country.
        abroad: Pattern of what is dialled to call abroad (00, 011, ...); empty where nothing is.
        trunk: Pattern of what is dialled before a number within the country (0, 1, ...); empty where nothing is.
        rewriting_group: Where the trunk pattern's group of this number matches, the number is rewritten; 0 where none is.
        general: Pattern of all national numbers.
        lengths: Of national numbers, in digits.
    """

    calling_code: int
    abroad: str
    trunk: str
    rewriting_group: int
    general: str
    lengths: tuple[int, ...]


@cache
def calling_codes() -> str:
    """Return the pattern of all country calling codes; none is the beginning of another."""
    return f"^(?:{'|'.join(str(code) for code in sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE))})"


@cache
def plan_of_region(region: str) -> Plan | None:
    """Return the plan of a region, ISO 3166 alpha-2; None where the package knows none."""
    return _plan(PhoneMetadata.metadata_for_region(region))


@cache
def plan_of_code(calling_code: int) -> Plan | None:
    """Return the plan by which numbers with a calling code are taken apart: its main region's."""
    region = phonenumbers.region_code_for_country_code(calling_code)
    return _plan(PhoneMetadata.metadata_for_region_or_calling_code(calling_code, region))


def _plan(metadata: PhoneMetadata | None) -> Plan | None:
    if metadata is None or metadata.general_desc is None:
        return None
    trunk, general = metadata.national_prefix_for_parsing or "", metadata.general_desc
    return Plan(
        metadata.country_code or 0,
        metadata.international_prefix or "",
        trunk,
        re.compile(trunk).groups if metadata.national_prefix_transform_rule else 0,
        general.national_number_pattern or "",
        tuple(general.possible_length),
    )


def without_prefix_abroad(digits: pl.Expr, plan: Plan) -> pl.Expr:
    """Return what follows a prefix dialled to call abroad; null where there is none."""
    if not plan.abroad:
        return pl.lit(None, pl.String)
    prefix = _anchored(plan.abroad)
    rest = digits.str.replace(prefix, "")
    return pl.when(digits.str.contains(prefix) & ~rest.str.starts_with("0")).then(rest)


def has_calling_code(digits: pl.Expr, plan: Plan) -> pl.Expr:
    """Return whether a number dialled at home begins with the calling code of home, written without a plus."""
    code = str(plan.calling_code)
    bare = without_trunk_prefix(digits.str.slice(len(code)), plan)
    is_better = ~_matches(digits, plan.general) & _matches(bare, plan.general)
    is_too_long = digits.str.len_bytes() > max(plan.lengths)
    return digits.str.starts_with(code) & (is_better | is_too_long)


def without_trunk_prefix(digits: pl.Expr, plan: Plan) -> pl.Expr:
    """Return the number without what is dialled before it within the country; null where the plan rewrites the number."""
    if not plan.trunk:
        return digits
    prefix = _anchored(plan.trunk)
    rest = digits.str.replace(prefix, "")
    is_kept = _matches(digits, plan.general) & ~_matches(rest, plan.general)
    found = pl.when(is_kept).then(digits).otherwise(rest)
    if not plan.rewriting_group:
        return found
    return pl.when(digits.str.extract(prefix, plan.rewriting_group).is_null()).then(found)


def national_number(digits: pl.Expr, plan: Plan) -> pl.Expr:
    """Return the national significant number; null where the plan rewrites the number or it is longer than any."""
    rest = without_trunk_prefix(digits, plan)
    length = rest.str.len_bytes()
    return pl.when(length.is_in(plan.lengths)).then(rest).when(length <= max(plan.lengths)).then(digits)


def with_types(numbers: pl.DataFrame, calling_code: int, fewest: int) -> list[pl.DataFrame]:
    """Return the numbers that are valid, with ``type`` as phonenumbers.number_type names it, in lower case.

    Args:
        numbers: Column ``national`` and any other; all of one calling code.
        calling_code: Its regions are asked one after the other, as the package does.
        fewest: Numbers that asking a region is worth its while; where fewer are left for each further region, they are left out.
    """
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[calling_code]
    found, left = [], numbers
    for place, region in enumerate(regions):
        metadata = PhoneMetadata.metadata_for_region_or_calling_code(calling_code, region)
        if metadata is None or left.height < fewest * (len(regions) - place if place else 1):
            break
        if metadata.leading_digits and len(regions) > 1:
            is_here = pl.col("national").str.contains(_anchored(metadata.leading_digits))
            typed, left = left.filter(is_here).with_columns(type=_type(metadata)), left.filter(~is_here)
        else:
            typed = left.with_columns(type=_type(metadata))
            left = typed.filter(pl.col("type").is_null()).drop("type")
        found.append(typed.drop_nulls("type"))
    return found


def _type(metadata: PhoneMetadata) -> pl.Expr:
    is_fixed = is_mobile = _fits(metadata.fixed_line)
    if not metadata.same_mobile_and_fixed_line_pattern:
        is_mobile = _fits(metadata.mobile)
    kinds = [(_fits(getattr(metadata, kind)), kind) for kind in _SPECIAL_TYPES if getattr(metadata, kind) is not None]
    kinds += [(is_fixed & is_mobile, "fixed_line_or_mobile"), (is_fixed, "fixed_line"), (is_mobile, "mobile")]
    found = pl.lit(None, pl.String)
    for fits, kind in reversed(kinds):
        found = pl.when(fits).then(pl.lit(kind)).otherwise(found)
    return pl.when(_fits(metadata.general_desc)).then(found)


def _fits(description: PhoneNumberDesc | None) -> pl.Expr:
    """Return whether the national number is one of a description's: by its length, then by its pattern."""
    if description is None or not description.national_number_pattern:
        return _NEVER
    matches = _matches(pl.col("national"), description.national_number_pattern)
    if not description.possible_length:
        return matches
    return pl.col("national").str.len_bytes().is_in(description.possible_length) & matches


def _matches(digits: pl.Expr, pattern: str) -> pl.Expr:
    return digits.str.contains(_anchored(pattern) + "$")


def _anchored(pattern: str) -> str:
    """Return a pattern of the package for the beginning of ASCII digits: any script's digits take long to compile."""
    return f"^(?:{pattern})".replace(r"\d", "[0-9]")
