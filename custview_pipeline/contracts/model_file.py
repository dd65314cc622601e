"""Match models as a file, for another lake to score with the same versions; there is no value and no token in it."""

from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.written_model import WrittenModel

FORMAT: Final = 1

Probability = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]


class Shares(WrittenModel):
    """A number for each class of pairs: one customer, one household, strangers."""

    match: Probability
    household: Probability
    unrelated: Probability


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
        trained_by_run, trained_at: Where it was learned.
    """

    entity_type: EntityType
    version: str | None = None
    shares: Shares
    calibration: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    decision_count: Annotated[int, Field(ge=0)] = 0
    record_count: Annotated[int, Field(ge=0)]
    base: str | None = None
    trained_by_run: str
    trained_at: AwareDatetime
    comparisons: tuple[WrittenComparison, ...]


class ModelFile(WrittenModel):
    """A file of models, at most one of each entity type."""

    format: Literal[1] = FORMAT
    models: tuple[WrittenMatchModel, ...]
