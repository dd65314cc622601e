"""Pages about match models: the list, one model, two side by side, what training changed."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import polars as pl
from rich.table import Table

from custview_pipeline.cli.terminal import printable, results
from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.flows.models import StoredModel
from custview_pipeline.flows.train_model import Trained
from custview_pipeline.matching.model import MatchModel
from custview_pipeline.matching.model_changes import WORTH_TELLING, ModelChange, bits_beside, level_bits

_MOMENT: Final = "%Y-%m-%d %H:%M"
_KIN: Final = {EntityType.PERSON: "household", EntityType.ENTERPRISE: "group"}
_MEMBERS: Final = {EntityType.PERSON: "people", EntityType.ENTERPRISE: "branches or enterprises"}
_BIT_COLUMNS: Final = ("stranger_bits", "household_bits", "stranger_bits_after", "household_bits_after")


def print_models(models: Sequence[StoredModel], in_use: Mapping[EntityType, MatchModel]) -> None:
    """Print one line a model, the one put to use last at the end."""
    if not models:
        results().print("no models yet: custview run learns one where it can compare records")
        return
    table = _table(
        "version", "entity type", "state", "learned (UTC)", "by run", "put to use (UTC)", numbers=("records", "answers")
    )
    for stored in models:
        model = stored.model
        table.add_row(
            model.version, str(model.entity_type), _state(stored, in_use), f"{stored.trained_at:{_MOMENT}}",
            printable(stored.trained_by_run), _when(stored.activated_at), f"{model.record_count:,}", f"{model.decision_count:,}",
        )  # fmt: skip
    results().print(table)


def models_as_json_list(models: Sequence[StoredModel], in_use: Mapping[EntityType, MatchModel]) -> str:
    """Return the list as JSON."""
    versions = {model.version for model in in_use.values()}
    rows = [_facts(stored) | {"is_in_use": stored.model.version in versions} for stored in models]
    return json.dumps(rows, indent=1)


def print_model(stored: StoredModel, *, match_weight: float, review_weight: float) -> None:
    """Print one model; the weights are the rulebook's thresholds, in bits."""
    console, model, kin = results(), stored.model, _KIN[stored.model.entity_type]
    match, household, _ = model.shares
    origin = "imported; learned" if model.is_imported else "learned"
    console.print(f"[bold]{model.entity_type} {model.version}[/]")
    console.print(
        f"{origin} {stored.trained_at:{_MOMENT}} UTC by {printable(stored.trained_by_run)} from {model.record_count:,} records "
        f"and {model.decision_count:,} answers of stewards; refined {printable(stored.base or 'no other model')}; put to use "
        f"{_when(stored.activated_at)}"
    )
    console.print(f"of all pairs {match:.3g} are one customer and {household:.3g} one {kin}, before anything is compared")
    console.print(
        f"MATCH above {match_weight:g} bits, POSSIBLE_MATCH from {review_weight:g}; calibration {model.calibration:+.2f} bits"
    )
    console.print()
    table = _table("comparison", "level", numbers=("same customer", kin, "strangers", "bits", f"bits in a {kin}"))
    rows = level_bits(model).iter_rows(named=True)
    former = ""
    for row in rows:
        name = "" if row["comparison"] == former else row["comparison"]
        former = row["comparison"]
        shares = (f"{row[f'{kind}_probability']:.3g}" for kind in ("match", "household", "unrelated"))
        table.add_row(name, row["meaning"], *shares, _bits(row["stranger_bits"]), _bits(row["household_bits"]))
    console.print(table)
    console.print(
        f"bits: evidence for one customer against strangers, and against two {_MEMBERS[model.entity_type]} of one {kin}"
    )
    if any(comparison.frequency for comparison in model.comparisons):
        console.print("the bits of an agreement on a name, date, place or contact are those of its value: the rarer, the more")
    console.print()


def model_as_json(stored: StoredModel) -> str:
    """Return one model as JSON."""
    levels = level_bits(stored.model).to_dicts()
    return json.dumps(_facts(stored) | {"shares": list(stored.model.shares), "levels": levels}, indent=1)


def print_comparison(before: StoredModel, after: StoredModel, counted: pl.DataFrame) -> None:
    """Print two models of one entity type side by side.

    Args:
        before: The one.
        after: The other.
        counted: What ``flows.rescore_edges.count_decisions`` returns.
    """
    console = results()
    one, other = before.model, after.model
    console.print(f"[bold]{one.entity_type}: {one.version} and {other.version}[/]")
    console.print(_beside(bits_beside(one, other), one, other))
    console.print(f"calibration {one.calibration:+.2f} and {other.calibration:+.2f} bits")
    console.print()
    _print_decisions(counted)


def print_trained(trained: Collection[Trained]) -> None:
    """Print what was learned and what it changes."""
    console = results()
    if not trained:
        console.print("there are no two records to compare: no model was learned")
    for each in trained:
        model = each.model
        console.print(
            f"[bold]{model.entity_type} {model.version}[/]: learned from {model.record_count:,} records and "
            f"{model.decision_count:,} answers of stewards"
        )
        if each.change is None:
            console.print("there was no model in use before")
        else:
            _print_change(each.change)
        console.print()


def _print_change(change: ModelChange) -> None:
    console, before, after = results(), change.before, change.after
    if before.version == after.version:
        console.print("the same as the model in use")
        return
    if change.levels.is_empty():
        console.print(f"no level moved by more than {WORTH_TELLING:g} bits against {before.version}")
    else:
        console.print(f"levels that moved by more than {WORTH_TELLING:g} bits:")
        console.print(_beside(change.levels, before, after))
    console.print(f"calibration {before.calibration:+.2f} bits before, {after.calibration:+.2f} after")
    if change.answer_count:
        console.print(
            f"of {change.answer_count:,} answers of stewards {change.agreeing_before:,} agree with the model before, "
            f"{change.agreeing_after:,} after"
        )


def _print_decisions(counted: pl.DataFrame) -> None:
    console = results()
    total = counted["pairs"].sum()
    changed = counted.filter(pl.col("before") != pl.col("after"))
    console.print(f"of {total:,} stored pairs that a model decided {changed['pairs'].sum():,} would be decided otherwise")
    if changed.height:
        table = _table("the one", "the other", numbers=("pairs",))
        for before, after, pairs in changed.iter_rows():
            table.add_row(before, after, f"{pairs:,}")
        console.print(table)


def _beside(levels: pl.DataFrame, one: MatchModel, other: MatchModel) -> Table:
    kin = _KIN[one.entity_type]
    table = _table("comparison", "level", numbers=[f"{what}{each.version}" for each in (one, other) for what in ("", f"{kin} ")])
    for row in levels.iter_rows(named=True):
        table.add_row(row["comparison"], row["meaning"], *(_bits(row[name]) for name in _BIT_COLUMNS))
    return table


def _facts(stored: StoredModel) -> dict[str, Any]:
    model = stored.model
    return {
        "version": model.version,
        "entity_type": str(model.entity_type),
        "trained_at": stored.trained_at.isoformat(),
        "trained_by_run": stored.trained_by_run,
        "activated_at": None if stored.activated_at is None else stored.activated_at.isoformat(),
        "base": stored.base,
        "is_imported": model.is_imported,
        "record_count": model.record_count,
        "decision_count": model.decision_count,
        "calibration": model.calibration,
    }


def _state(stored: StoredModel, in_use: Mapping[EntityType, MatchModel]) -> str:
    active = in_use.get(stored.model.entity_type)
    words = ["in use"] if active is not None and active.version == stored.model.version else []
    return ", ".join([*words, *(["imported"] if stored.model.is_imported else [])]) or (
        "kept" if stored.activated_at is None else ""
    )


def _when(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment:{_MOMENT}}"


def _bits(value: float | None) -> str:
    return "" if value is None else f"{value:+.1f}"


def _table(*columns: str, numbers: Sequence[str]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column)
    for column in numbers:
        table.add_column(column, justify="right", no_wrap=True)
    return table
