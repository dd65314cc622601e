"""Match models to a file and back, so that another lake can score with the same version."""

import math
from collections.abc import Iterable
from typing import Final

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.model_file import ModelFile, Shares, WrittenComparison, WrittenMatchModel
from custview_pipeline.contracts.written_model import read_model
from custview_pipeline.contracts.yaml_text import KeyPath, YamlText, parse_yaml, suggest
from custview_pipeline.flows.models import StoredModel
from custview_pipeline.matching.comparisons import COMPARISONS, Comparison
from custview_pipeline.matching.model import MatchModel, Table

_CLOSE_ENOUGH: Final = 1e-6  # probabilities add up to one


def models_as_json(models: Iterable[StoredModel]) -> str:
    """Return models as the text of a file that ``read_models`` takes; numbers are written in full."""
    return ModelFile(models=tuple(_written(stored) for stored in models)).model_dump_json(indent=1) + "\n"


def read_models(text: str, *, file: str) -> tuple[StoredModel, ...]:
    """Return the models of a file, as imported ones.

    Args:
        text: What the file says.
        file: Its name, as errors show it.

    Raises:
        ProjectInvalid: It is not as it should be; names the line.
    """
    written = parse_yaml(text, file=file)  # JSON is YAML, and here every key knows its line
    models = tuple(_Reading(written, place, each).model() for place, each in enumerate(read_model(ModelFile, written).models))
    if not models:
        raise written.invalid("it holds no model", "models")
    if len({stored.model.entity_type for stored in models}) != len(models):
        raise written.invalid("two models of one entity type", "models")
    return models


class _Reading:
    """One model of a file, and where in the file it stands."""

    def __init__(self, written: YamlText, place: int, stated: WrittenMatchModel) -> None:
        self._written, self._path, self._stated = written, ("models", place), stated

    def model(self) -> StoredModel:
        stated = self._stated
        self._assert_whole([stated.shares.match, stated.shares.household, stated.shares.unrelated], "shares")
        model = MatchModel(
            entity_type=stated.entity_type,
            comparisons=self._comparisons(),
            match=self._table("match"),
            household=self._table("household"),
            unrelated=self._table("unrelated"),
            shares=(stated.shares.match, stated.shares.household, stated.shares.unrelated),
            record_count=stated.record_count,
            calibration=stated.calibration,
            decision_count=stated.decision_count,
            is_imported=True,
        )
        if stated.version not in {None, model.version}:
            what = "its numbers were changed by hand: leave the key 'version' out to import them as a version of their own"
            raise self._written.invalid(what, *self._path, "version")
        return StoredModel(model, stated.base, stated.trained_by_run, stated.trained_at, None)

    def _comparisons(self) -> tuple[Comparison, ...]:
        """Return the comparisons, in the order of a packed pattern."""
        known = {comparison.name: comparison for comparison in COMPARISONS[self._stated.entity_type]}
        for place, stated in enumerate(self._stated.comparisons):
            path: KeyPath = ("comparisons", place)
            if stated.name not in known:
                what = f"{stated.name!r} is no comparison of {self._stated.entity_type} records{suggest(stated.name, known)}"
                raise self._written.invalid(what, *self._path, *path, "name")
            self._assert_outcomes(stated, known[stated.name], path)
        names = [stated.name for stated in self._stated.comparisons]
        if not names:
            raise self._written.invalid("it compares nothing", *self._path, "comparisons")
        in_order = [name for name in known if name in names]
        if names != in_order:
            raise self._written.invalid(
                f"the comparisons should stand once each, in the order {', '.join(in_order)}", *self._path, "comparisons"
            )
        return tuple(known[name] for name in names)

    def _assert_outcomes(self, stated: WrittenComparison, comparison: Comparison, path: KeyPath) -> None:
        if set(stated.outcomes) != set(comparison.outcomes):
            what = f"{comparison.name!r} should have the outcomes {', '.join(comparison.outcomes)}"
            raise self._written.invalid(what, *self._path, *path, "outcomes")
        for kind in ("match", "household", "unrelated"):
            self._assert_whole([getattr(each, kind) for each in stated.outcomes.values()], *path, "outcomes", of=f" of {kind}")

    def _assert_whole(self, numbers: list[float], *path: str | int, of: str = "") -> None:
        if abs(math.fsum(numbers) - 1) > _CLOSE_ENOUGH:
            raise self._written.invalid(f"the numbers{of} should add up to 1, not {math.fsum(numbers):.6g}", *self._path, *path)

    def _table(self, kind: str) -> Table:
        by_name = {stated.name: stated.outcomes for stated in self._stated.comparisons}
        return tuple(
            (0.0, *(getattr(by_name[comparison.name][outcome], kind) for outcome in comparison.outcomes))
            for comparison in COMPARISONS[EntityType(self._stated.entity_type)]
            if comparison.name in by_name
        )


def _written(stored: StoredModel) -> WrittenMatchModel:
    model = stored.model
    match, household, unrelated = model.shares
    return WrittenMatchModel(
        entity_type=model.entity_type,
        version=model.version,
        shares=Shares(match=match, household=household, unrelated=unrelated),
        calibration=model.calibration,
        decision_count=model.decision_count,
        record_count=model.record_count,
        base=stored.base,
        trained_by_run=stored.trained_by_run,
        trained_at=stored.trained_at,
        comparisons=tuple(_written_comparison(model, place) for place in range(len(model.comparisons))),
    )


def _written_comparison(model: MatchModel, place: int) -> WrittenComparison:
    comparison = model.comparisons[place]
    outcomes = {
        outcome: Shares(
            match=model.match[place][level], household=model.household[place][level], unrelated=model.unrelated[place][level]
        )
        for level, outcome in enumerate(comparison.outcomes, 1)
    }
    return WrittenComparison(name=comparison.name, outcomes=outcomes)
