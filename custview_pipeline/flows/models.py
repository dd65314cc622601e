"""The match models of a lake: every version that was ever put to use or kept, and which is in use now."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import polars as pl

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.match_index import IndexPart
from custview_pipeline.contracts.matching_tables import MATCH_MODEL
from custview_pipeline.kernel.errors import UnknownModel
from custview_pipeline.kernel.ports import LakeWriter, Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.matching.comparisons import Comparison
from custview_pipeline.matching.model import MatchModel

_GROWN: Final = 2  # times as many records as a model was learned from: it is learned anew
_NEVER: Final = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model and its history.

    Attributes:
        base: Version that was in use when it was made, where one was.
        trained_by_run: Run that learned it, of this lake or, where it was imported, of another.
        trained_at: When, UTC.
        activated_at: When it was put to use last, UTC; None where it was only kept.
    """

    model: MatchModel
    base: str | None
    trained_by_run: str
    trained_at: datetime
    activated_at: datetime | None


def stored_models(snapshot: Snapshot) -> tuple[StoredModel, ...]:
    """Return every model of the lake that this package can score with, each once; the one put to use last comes last."""
    with silenced("reading the match models"):
        rows = snapshot.read(MATCH_MODEL.name).with_columns(pl.col("activated_at").fill_null(_NEVER))
        latest = rows.filter(pl.col("activated_at") == pl.col("activated_at").max().over("model_version"))
        found = [_stored(frame) for frame in latest.partition_by("model_version", maintain_order=True)]
        known = [stored for stored in found if stored is not None]
        return tuple(sorted(known, key=lambda stored: (stored.activated_at or _NEVER, stored.trained_at, stored.model.version)))


def active_models(snapshot: Snapshot) -> dict[EntityType, MatchModel]:
    """Return the model in use of each entity type, the one put to use last; none where this package cannot score with it."""
    rows = snapshot.read(MATCH_MODEL.name, ["model_version", "entity_type", "activated_at"]).drop_nulls("activated_at")
    latest = rows.sort("activated_at", "model_version").unique("entity_type", keep="last")["model_version"].to_list()
    return {stored.model.entity_type: stored.model for stored in stored_models(snapshot) if stored.model.version in latest}


def find_model(snapshot: Snapshot, version: str) -> StoredModel:
    """Return one model by its version, or by the beginning of one that no other has.

    Raises:
        UnknownModel: There is none such, or more than one.
    """
    found = [stored for stored in stored_models(snapshot) if stored.model.version.startswith(version.strip().lower() or "-")]
    if len(found) != 1:
        what = "the versions of several models begin so" if found else "no model has this version"
        raise UnknownModel(f"{what}: custview model list names them")
    return found[0]


def is_usable(model: MatchModel, comparisons: Iterable[Comparison], record_count: int) -> bool:
    """Tell whether a stored model scores these records well, so that none need be learned.

    It must compare just what the rulebook lets count: rules about what it leaves out would not hold. One that was learned here
    serves until the records have doubled since, one that was imported stays, because somebody wants it so.
    """
    if tuple(comparisons) != model.comparisons:
        return False
    return model.is_imported or record_count < _GROWN * max(model.record_count, 1)


def new_rows(
    models: Iterable[MatchModel],
    in_use: Mapping[EntityType, MatchModel],
    *,
    run_id: str,
    now: datetime,
    is_kept_only: bool = False,
) -> pl.DataFrame:
    """Return models that a run has just learned as rows to append to match_model.

    Args:
        models: The models.
        in_use: The models in use before.
        run_id: The run.
        now: The moment, UTC.
        is_kept_only: They are not put to use.
    """
    made = [
        StoredModel(model, _version(in_use.get(model.entity_type)), run_id, now, None if is_kept_only else now)
        for model in models
    ]
    return pl.concat([MATCH_MODEL.empty(), *(_rows(stored) for stored in made)])


def put_to_use(lake: LakeWriter, models: Iterable[StoredModel], *, run_id: str, now: datetime) -> None:
    """Make stored or imported models those in use; the next run scores with them, and counts anew how common values are.

    Args:
        lake: The lake, held for writing.
        models: The models, of different entity types.
        run_id: The run.
        now: The moment, UTC.
    """
    with silenced("storing the match models"), lake.commit(run_id) as commit:
        chosen = tuple(models)
        commit.append(MATCH_MODEL.name, pl.concat([_rows(replace(stored, activated_at=now)) for stored in chosen]))
        types = [str(stored.model.entity_type) for stored in chosen]
        commit.rewrite_index(IndexPart.FREQUENCIES, lambda rows: rows.filter(~pl.col("entity_type").is_in(types)))


def _rows(stored: StoredModel) -> pl.DataFrame:
    history = {name: getattr(stored, name) for name in ("base", "trained_by_run", "trained_at", "activated_at")}
    types = MATCH_MODEL.types
    return stored.model.to_frame().with_columns(pl.lit(value, types[name]).alias(name) for name, value in history.items())


def _stored(frame: pl.DataFrame) -> StoredModel | None:
    first = frame.row(0, named=True)
    try:
        model = MatchModel.from_frame(frame.unique(["position", "level"]))
    except UnknownModel:  # of another version of this package; a run learns anew
        return None
    activated_at = None if first["activated_at"] == _NEVER else first["activated_at"]
    return StoredModel(model, first["base"], first["trained_by_run"], first["trained_at"], activated_at)


def _version(model: MatchModel | None) -> str | None:
    return None if model is None else model.version
