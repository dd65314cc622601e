"""What matching left out and why, in words with counts and never a value."""

from typing import Final

import numpy as np

from custview_pipeline.matching.blocking import RuleYield
from custview_pipeline.matching.clusters import Components
from custview_pipeline.matching.records import LONGEST_LIST, Records

_LARGE_SHARE: Final = 0.05  # of the records, that one left-out block must hold to be worth a warning
_LEAST_BLOCK: Final = 1_000
_MOST_RULES: Final = 5
_LISTED: Final = {
    "phones": "phones", "emails": "e-mail addresses", "identifiers": "identifiers", "name_words": "words in their names",
    "enterprise_names": "names", "further_streets": "addresses",
}  # fmt: skip


def warnings_of(records: Records, yields: tuple[RuleYield, ...], found: Components | None) -> tuple[str, ...]:
    """Return one sentence for each thing a person should know.

    Args:
        records: The records of one entity type.
        yields: What each blocking rule brought and dropped.
        found: The components; None where nothing was compared.
    """
    who = f"{records.entity_type} records"
    told = [f"{who}: none of {records.count} shares anything to compare by"] if records.count > 1 and not records.filled else []
    least = max(_LEAST_BLOCK, _LARGE_SHARE * records.count)
    common = [rule for rule in yields if rule.largest_dropped >= least and " one edit apart" not in rule.rule]
    common.sort(key=lambda rule: -rule.largest_dropped)
    told += [
        f"{who}: {rule.largest_dropped} agree on {rule.rule}, which is too common to pair by: {rule.dropped_pairs} pairs left out"
        for rule in common[:_MOST_RULES]
    ]
    if len(common) > _MOST_RULES:
        told.append(f"{who}: the same holds of {len(common) - _MOST_RULES} further rules")
    told += [
        f"{who}: {rule.newly_dropped} blocks of {rule.rule} became too large since the model was learned: custview model train"
        for rule in yields
        if rule.newly_dropped
    ]
    told += [
        f"{who}: {lists.cut_count} have more than {LONGEST_LIST} {_LISTED[feature]}; the others of them are not compared"
        for feature, lists in records.lists.items()
        if lists.cut_count and feature in _LISTED
    ]
    if found is not None and found.cut_count:
        told.append(f"{who}: {found.cut_count} links left out, because they joined groups over the limit of max_component")
    if found is not None and found.sliced_count:
        largest = int(np.max(found.size))
        told.append(
            f"{who}: {found.sliced_count} stayed in groups over the limit and were cut into customers of at most {largest}"
        )
    return tuple(told)
