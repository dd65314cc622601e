"""Every stored table and its contract. What is not here cannot be stored."""

from collections.abc import Mapping
from typing import Final

from custview_pipeline.contracts.audit_tables import AUDIT_FINDINGS, QUALITY_SCORES, REVIEW_SAMPLES
from custview_pipeline.contracts.base import TableContract
from custview_pipeline.contracts.golden_tables import CHANGE_FEED, CUSTOMER_CORE, GOLDEN_LINEAGE, GOLDEN_RECORDS
from custview_pipeline.contracts.intake_tables import (
    DELIVERIES,
    HELD_DELIVERIES,
    PROTECTED_RECORDS,
    QUARANTINED_RECORDS,
    RECORD_ISSUES,
)
from custview_pipeline.contracts.matching_tables import (
    CROSSWALK,
    CUID_HISTORY,
    MATCH_EDGES,
    MATCH_GROUPS,
    MATCH_MODEL,
    MATCH_RUNS,
    MATCH_VOLUMES,
    REVIEW_TASKS,
)
from custview_pipeline.contracts.steward_packs import STEWARD_PACKS
from custview_pipeline.contracts.stewardship_tables import REVIEW_ASSIGNMENTS, REVIEW_DECISIONS

CONTRACTS: Final[Mapping[str, TableContract]] = {
    contract.name: contract
    for contract in (
        DELIVERIES,
        HELD_DELIVERIES,
        PROTECTED_RECORDS,
        RECORD_ISSUES,
        QUARANTINED_RECORDS,
        MATCH_MODEL,
        MATCH_EDGES,
        MATCH_GROUPS,
        MATCH_RUNS,
        MATCH_VOLUMES,
        REVIEW_TASKS,
        REVIEW_DECISIONS,
        REVIEW_ASSIGNMENTS,
        CROSSWALK,
        CUID_HISTORY,
        GOLDEN_RECORDS,
        GOLDEN_LINEAGE,
        CHANGE_FEED,
        CUSTOMER_CORE,
        QUALITY_SCORES,
        AUDIT_FINDINGS,
        REVIEW_SAMPLES,
        STEWARD_PACKS,
    )
}
