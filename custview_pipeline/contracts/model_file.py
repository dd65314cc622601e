"""Match models as a file, for another lake to score with the same versions; there is no value and no token in it."""

from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, AwareDatetime, Field

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.written_model import WrittenModel

FORMAT: Final = 1

# Of a class of pairs. That of an outcome may be smaller, as large lists teach it: scoring takes it for 1e-9 then, but no share.
_LEAST_SHARE: Final = 1e-9
_MOST_BITS: Final = 12.0  # as far as training ever calibrates
_MOST_COUNTED: Final = 2**63 - 1  # an Int64 of the lake

Probability = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=_MOST_COUNTED)]
Name = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_.-]+$")]


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("should be a moment of the years 1 to 9999 in UTC") from None


class Shares(WrittenModel):
    """A number for each class of pairs: one customer, one household, strangers."""

    match: Probability
    household: Probability
    unrelated: Probability


def _telling(shares: Shares) -> Shares:
    if min(shares.match, shares.household, shares.unrelated) < _LEAST_SHARE:
        raise ValueError(f"each should be at least {_LEAST_SHARE:g}")
    return shares


class WrittenComparison(WrittenModel):
    """What a model knows of one comparison.

    Attributes:
        name: What is compared.
        outcomes: By the short name of each outcome, how often it occurs in each class.
    """

    name: str
    outcomes: dict[str, Shares]


class WrittenMatchModel(WrittenModel):
    """One model of one entity type.

    Attributes:
        version: Digest of what decides a score; where it is left out none is checked.
        shares: Share of all pairs in each class.
        calibration: Bits added to every weight.
        decision_count: Answers of stewards that it was learned from.
        record_count: Records that it was learned from.
        base: Version that it refined.
        trained_by_run, trained_at: Where it was learned, and when, in UTC.
    """

    entity_type: EntityType
    version: str | None = None
    shares: Annotated[Shares, AfterValidator(_telling)]
    calibration: Annotated[float, Field(ge=-_MOST_BITS, le=_MOST_BITS, allow_inf_nan=False)] = 0.0
    decision_count: Count = 0
    record_count: Count
    base: Name | None = None
    trained_by_run: Name
    trained_at: Annotated[AwareDatetime, AfterValidator(_in_utc)]
    comparisons: tuple[WrittenComparison, ...]


class ModelFile(WrittenModel):
    """A file of models, at most one of each entity type."""

    format: Literal[1] = FORMAT
    models: tuple[WrittenMatchModel, ...]
