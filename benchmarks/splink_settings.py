"""The Splink model of the baseline: the strongest configuration known to us, by which columns are filled and how many rows.

Nothing is tuned to one data set by name. It needs Splink 5 and runs without our package.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import polars as pl
import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import SettingsCreator, block_on

SMALL, SMALLEST = 60_000, 20_000  # records up to which more blocking is affordable
RARELY_FILLED, OFTEN_FILLED, HALF_FILLED, SOMETIMES_FILLED = 0.01, 0.2, 0.5, 0.05
INITIAL, TWO_OF_LAST, THREE_OF_LAST = "substr(fc,1,1)", "substr(last,1,2)", "substr(last,1,3)"
SAME_PLACE = "(zip_l=zip_r or city_l=city_r)"
Comparison = Any  # Splink's creators and dictionaries
Parts = tuple[str, ...]

# Blocking: a shared identifier must agree on an initial, for households.
EVERY_SIZE: tuple[Parts, ...] = (
    ("email", INITIAL), ("phone", INITIAL), ("nid", INITIAL), ("nid", TWO_OF_LAST), ("fc", "last"), ("last", "dob", INITIAL),
    ("fc", "dob"), ("hz", INITIAL, TWO_OF_LAST), ("hz", "fc"), ("split_part(email,'@',1)", THREE_OF_LAST, INITIAL), ("org",),
    ("phone", "substr(org,1,1)"), ("house", "street", "substr(org,1,2)"), ("zip", "substr(org,1,3)"),
)  # fmt: skip
SMALL_ONLY: tuple[Parts, ...] = (
    ("dob", INITIAL), ("dob", TWO_OF_LAST), ("last", "substr(first,1,2)"), ("first", THREE_OF_LAST), ("house", "street", INITIAL),
    ("substr(org,1,6)",), ("substr(first,1,2)", TWO_OF_LAST, "substr(dob,1,4)"),
)  # fmt: skip
SMALLEST_ONLY: tuple[Parts, ...] = (("nid",), ("email",), ("phone",), ("fc",), ("last",), ("dob",), ("zip",), ("street",))
SMALL_WITHOUT_STREETS: tuple[Parts, ...] = (
    ("zip", "first"), ("zip", "last"), ("zarea", "first"), ("zarea", "last"), ("zarea", "dob"), ("dob", "birth_place"),
    ("last", "birth_place"), ("first", "birth_place", "substr(dob,1,4)"), ("substr(first,1,3)", "substr(last,1,4)"),
    ("zarea", "substr(dob,1,4)", "occupation"),
)  # fmt: skip
CERTAIN: tuple[Parts, ...] = (
    ("nid", "fc"), ("email", "fc"), ("phone", "fc", "last"), ("fc", "last", "hz"), ("fc", "last", "dob"), ("phone", "house"),
    ("org", "house", "street"),
)  # fmt: skip


class Filled:
    """Which columns are filled, and how far."""

    def __init__(self, records: pl.DataFrame) -> None:
        self.rows = records.height
        self._share = {name: 1 - records[name].null_count() / records.height for name in records.columns}

    def has(self, *expressions: str, share: float = RARELY_FILLED) -> bool:
        """Tell whether the columns that the expressions speak of are filled in this share of the rows."""
        return all(self._share[column_of(expression)] >= share for expression in expressions)


def column_of(expression: str) -> str:
    """Return the column that an expression speaks of: first, substr(first,1,2)."""
    return re.sub(r"^\w+\(", "", expression).split(",")[0].rstrip(")")


class Model(NamedTuple):
    """What Splink is told.

    Attributes:
        settings: Comparisons and blocking.
        certain: Rules that find sure matches, for the share of matches.
        training: Rules whose blocks the probabilities are learned from.
    """

    settings: SettingsCreator
    certain: list[Any]
    training: list[Any]


def model_of(records: pl.DataFrame) -> Model:
    """Return the model for standardised records."""
    filled = Filled(records)
    has_streets = filled.has("street", share=SOMETIMES_FILLED)
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="uid",
        comparisons=comparisons(filled, has_streets=has_streets),
        blocking_rules_to_generate_predictions=blocking(filled, has_streets=has_streets),
        retain_matching_columns=False,
        retain_intermediate_calculation_columns=False,
    )
    certain = CERTAIN if has_streets else (*CERTAIN, ("zip", "dob"))
    training: list[tuple[Parts, bool]] = [
        (("nid",), True),
        (("email",), True),
        (("phone",), True),
        (("fc", "last"), True),
        (("org",), True),
        (("house", "street"), filled.has("org", share=HALF_FILLED)),
        (("dob",), filled.has("dob", share=HALF_FILLED)),
    ]
    return Model(
        settings,
        [block_on(*parts) for parts in certain if filled.has(*parts)],
        [block_on(*parts) for parts, is_useful in training if is_useful and filled.has(*parts, share=OFTEN_FILLED)],
    )


def blocking(filled: Filled, *, has_streets: bool) -> list[Any]:
    """Return the rules by which pairs are compared."""
    wanted: Sequence[Parts] = (
        *EVERY_SIZE,
        *(SMALL_ONLY if filled.rows <= SMALL else ()),
        *(SMALLEST_ONLY if filled.rows <= SMALLEST else ()),
        *(SMALL_WITHOUT_STREETS if filled.rows <= SMALL and not has_streets else ()),
    )
    rules: list[Any] = [block_on(*parts) for parts in wanted if filled.has(*parts)]
    if filled.has("first", "last"):
        rules.append("l.first = r.last and l.last = r.first")
    if filled.has("phone2"):
        alike = "(substr(l.fc,1,1) = substr(r.fc,1,1) or substr(l.org,1,1) = substr(r.org,1,1))"
        rules += [f"l.{one} = r.{other} and {alike}" for one, other in OTHER_PHONES]
    return rules


OTHER_PHONES = (("phone", "phone2"), ("phone2", "phone"), ("phone2", "phone2"))


def comparisons(filled: Filled, *, has_streets: bool) -> list[Comparison]:
    """Return a comparison of each column that is filled."""
    used = [make() for column, make in BY_COLUMN.items() if filled.has(column)]
    if filled.has("phone"):
        used.append(phones(has_second=filled.has("phone2")))
    if has_streets:
        used.append(addresses())
    elif filled.has("zip"):
        close = "substr(zip_l,1,2)=substr(zip_r,1,2)"
        used.append(levels("zip", exact("zip"), cll.CustomLevel("zarea_l = zarea_r", "district"), cll.CustomLevel(close, "area")))
    return used


def levels(column: str, *rules: Any) -> Comparison:
    """Return a comparison of one column with these levels between null and all else."""
    return {"output_column_name": column, "comparison_levels": [cll.NullLevel(column), *rules, cll.ElseLevel()]}


def exact(column: str) -> Any:
    """Return the level of equality, weighed by how frequent the value is."""
    return cll.ExactMatchLevel(column).configure(tf_adjustment_column=column)


def first_names() -> Comparison:
    initial = "(length(first_l)=1 or length(first_r)=1) and substr(first_l,1,1)=substr(first_r,1,1)"
    return levels(
        "first",
        exact("first"),
        cll.CustomLevel("fc_l = fc_r", "nickname"),
        cll.CustomLevel(initial, "initial"),
        cll.JaroWinklerLevel("first", 0.9),
        cll.CustomLevel("first_l = last_r and last_l = first_r", "swapped"),
    )


def phones(*, has_second: bool) -> Comparison:
    """Return the comparison of phones, of which a record may have two."""
    if not has_second:
        return levels("phone", cll.ExactMatchLevel("phone"), cll.LevenshteinLevel("phone", 1))
    same = " or ".join(f"{one}_l = {other}_r" for one, other in (("phone", "phone"), *OTHER_PHONES))
    return levels("phone", cll.CustomLevel(f"({same})", "a phone is the same"), cll.LevenshteinLevel("phone", 1))


def addresses() -> Comparison:
    null = " and ".join(f"({column}_l is null or {column}_r is null)" for column in ("street", "zip", "city"))
    close = "jaro_winkler_similarity(street_l,street_r)>=0.92"
    return {
        "output_column_name": "addr",
        "comparison_levels": [
            cll.CustomLevel(null, "null").configure(is_null_level=True),
            cll.CustomLevel(f"house_l=house_r and street_l=street_r and {SAME_PLACE}", "exact"),
            cll.CustomLevel(f"house_l=house_r and {close}", "close"),
            cll.CustomLevel(f"house_l=house_r and {SAME_PLACE}", "house and place"),
            cll.CustomLevel(close, "street"),
            cll.CustomLevel("zip_l=zip_r", "zip"),
            cll.CustomLevel("city_l=city_r", "city"),
            cll.ElseLevel(),
        ],
    }


BY_COLUMN: dict[str, Callable[[], Comparison]] = {
    "first": first_names,
    "last": lambda: levels("last", exact("last"), cll.JaroWinklerLevel("last", 0.92), cll.JaroWinklerLevel("last", 0.85)),
    "org": lambda: cl.JaroWinklerAtThresholds("org", [0.95, 0.88, 0.75]).configure(term_frequency_adjustments=True),
    "mid": lambda: cl.ExactMatch("mid"),
    "sfx": lambda: cl.ExactMatch("sfx"),
    "gender": lambda: cl.ExactMatch("gender"),
    "dob": lambda: cl.DateOfBirthComparison("dob", input_is_string=True),
    "email": lambda: cl.ExactMatch("email"),
    "nid": lambda: cl.DamerauLevenshteinAtThresholds("nid", [1, 2]),
    "birth_place": lambda: cl.ExactMatch("birth_place").configure(term_frequency_adjustments=True),
    "occupation": lambda: cl.ExactMatch("occupation").configure(term_frequency_adjustments=True),
}
