"""From when on a source that extracts changes is asked for them: what the lake holds of it says so."""

from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl

from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.flows.delivery_marks import is_understood_alike
from custview_pipeline.kernel.ports import Snapshot

# A transaction of the source may end after one that began later: what it wrote says an earlier time than what was seen by then.
_OVERLAP: Final = timedelta(hours=1)


def changed_since(snapshot: Snapshot, contract: SourceContract, region: str) -> datetime | None:
    """Return when the record of a source that changed last did so, by its own word, less an hour; None where none says.

    It is None, too, where the contract does not extract changes, for files, which hold what they hold, and where every row is to
    be worked on again, because the contract gives its columns another meaning or key material may have been forgotten.

    Rows of that hour are read again, and are known by their content. A moment that lies ahead, by a clock or a finger that was
    wrong, does not count: nothing would be read until then.

    Args:
        snapshot: The lake.
        contract: The source's contract.
        region: Default country of the project.
    """
    if contract.extract != "changes" or contract.origin is None or not is_understood_alike(snapshot, contract, region):
        return None
    is_of_source = pl.col("source_system") == contract.source_system
    stored = snapshot.read(PROTECTED_RECORDS.name, ["source_system", "updated_at"], where=is_of_source)
    latest = stored.filter(pl.col("updated_at") <= datetime.now(UTC))["updated_at"].max()
    return latest - _OVERLAP if isinstance(latest, datetime) else None
