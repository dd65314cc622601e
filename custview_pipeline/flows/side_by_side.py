"""Two records side by side, attribute by attribute: what each says, masked or revealed, and how far they agree."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.comparison_outcomes import COMPARED_ATTRIBUTES, COMPARISON_OUTCOMES
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.flows.named_records import Member
from custview_pipeline.flows.record_values import record_values
from custview_pipeline.flows.weighing import Link
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.masking import mask
from custview_pipeline.stewardship.pack import FieldPair, Outcome, compare_field

Values = Mapping[tuple[int, str], Mapping[str, str]]
"""By record id and attribute: of each readable value the same as it may be shown."""


def shown_values(snapshot: Snapshot, keyring: Keyring, records: Sequence[Member], *, in_full: Collection[str] = ()) -> Values:
    """Return what some records say, readable, to be compared, and as it may be shown.

    Args:
        snapshot: The lake.
        keyring: Its keys.
        records: The records; no other is opened.
        in_full: Attributes that are not masked; the caller has logged their reveal.
    """
    values: dict[tuple[int, str], dict[str, str]] = defaultdict(dict)
    opened = record_values(snapshot, keyring, records, in_full=GOLDEN_ATTRIBUTES)
    for record_id, attribute, value in opened.select("record_id", "attribute", "value").iter_rows():
        values[record_id, attribute][value] = value if attribute in in_full else mask(attribute, value)
    return values


def fields_of(link: Link, values: Values) -> tuple[FieldPair, ...]:
    """Return what two records say, in the order of the dictionary; what neither has is left out."""
    sides = {name: [values.get((side.record_id, name), {}) for side in (link.left, link.right)] for name in GOLDEN_ATTRIBUTES}
    outcomes = _outcomes(link, [name for name, (left, right) in sides.items() if left and right])
    return tuple(
        compare_field(name, left, right, outcomes.get(name, ())) for name, (left, right) in sides.items() if left or right
    )


def _outcomes(link: Link, shared: Iterable[str]) -> dict[str, list[Outcome]]:
    """Return by attribute what the comparisons said; one that looks at several is told where both have one."""
    names, both = COMPARISON_OUTCOMES[EntityType(link.left.entity_type)], set(shared)
    said: dict[str, list[Outcome]] = defaultdict(list)
    for level in link.levels:
        looked_at = [name for name in COMPARED_ATTRIBUTES.get(level.comparison, ()) if name in both]
        if len(looked_at) == 1 and level.comparison in names:
            said[looked_at[0]].append(Outcome(level.comparison, names[level.comparison][level.level - 1], level.meaning))
    return said
