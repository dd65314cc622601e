"""Pages that explain: the evidence between two records, what holds a customer together."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl
from rich.markup import escape
from rich.table import Table

from custview_pipeline.cli.terminal import printable, results
from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.comparison_outcomes import COMPARED_ATTRIBUTES
from custview_pipeline.contracts.matching_rules import MODEL
from custview_pipeline.flows.explain import Because, ExplainedCustomer, ExplainedPair
from custview_pipeline.flows.named_records import Member
from custview_pipeline.flows.weighing import Link
from custview_pipeline.kernel.identifiers import Cuid, group_cuid
from custview_pipeline.matching.edge_words import say_bits
from custview_pipeline.matching.evidence import HOUSEHOLD

_ONE: Final = "one customer"
_TWO: Final = "two customers"
_WHY: Final[Mapping[Because, str]] = {
    Because.EVIDENCE: "the evidence between them says so",
    Because.RULE: "that decides it",
    Because.DECISION: "a steward decided so",
    Because.THROUGH_OTHERS: "other records join them",
    Because.NOT_STORED: "other records join them, by evidence that is not stored: their customer has too many to weigh it again",
    Because.KEPT_APART: "though the pair alone would be one: two of their customers' records may not be linked",
    Because.NOT_MET: "though the pair alone would be one: no blocking rule brings them together, so they were never compared",
    Because.OTHERS_DISAGREE: "though the pair alone would be one: the other records of their customers speak against it",
    Because.EARLIER_RUN: "as the last run saw it; records, rules, decisions or model changed since: custview run matches anew",
}
_UNMATCHED: Final = "not matched yet: custview run decides whether they are one customer"

_Values = Mapping[tuple[int, str], tuple[str, ...]]
"""By record id and attribute, the values as they may be shown."""


def print_explained_pair(explained: ExplainedPair, values: pl.DataFrame | None = None) -> None:
    """Print the evidence between two records, and what came of it.

    Args:
        explained: The two.
        values: What ``flows.record_values.record_values`` returns of them, to be shown beside each comparison; the caller has
            logged it. None shows no value.
    """
    console, link = results(), explained.link
    console.print(f"[bold]{_name(link.left)}[/] and [bold]{_name(link.right)}[/]  {link.left.entity_type}")
    console.print(decided_in_words(link))
    console.print()
    console.print(_evidence_table(link, None if values is None else _by_attribute(values)))
    console.print()
    console.print(
        f"MATCH above {say_bits(explained.match_weight)} bits, POSSIBLE_MATCH from {say_bits(explained.review_weight)}; "
        f"probability {link.probability:.2%}, against {against_in_words(link)}; model {explained.model_version}"
    )
    for line in standing_in_words(explained):
        console.print(line)


def pair_as_json(explained: ExplainedPair, values: pl.DataFrame | None = None) -> str:
    """Return the same as JSON; with values each comparison has those of ``left`` and ``right`` beside it."""
    link, reason, shown = explained.link, explained.reason, None if values is None else _by_attribute(values)
    comparisons = [
        {**each, "left": _values(shown, link.left, name), "right": _values(shown, link.right, name)}
        if shown is not None
        else each
        for each in _levels_as_json(link)
        for name in [str(each["comparison"])]
    ]
    said = {
        **_link_as_json(link),
        "comparisons": comparisons,
        "match_weight": explained.match_weight,
        "review_weight": explained.review_weight,
        "model_version": explained.model_version,
        "is_one_customer": explained.is_one_customer,
        "because": reason.because,
        "through": [_link_as_json(each) for each in reason.through],
        "against": None if reason.against is None else _link_as_json(reason.against),
    }
    return json.dumps(said, indent=1, ensure_ascii=False)


def print_explained_customer(explained: ExplainedCustomer) -> None:
    """Print what holds a customer together: its strongest links, the weakest of them, the strongest contradiction."""
    console, count = results(), len(explained.members)
    sources = len({member.source_system for member in explained.members})
    of = f"{count:,} source records of {sources:,} {'source' if sources == 1 else 'sources'}" if count > 1 else "1 source record"
    console.print(f"[bold]{group_cuid(explained.cuid)}[/]  {explained.members[0].entity_type}, {of}")
    if count == 1:
        console.print(f"{_name(explained.members[0])} is its only record: nothing holds it together, and nothing needs to")
        return
    if explained.is_from_stored:
        console.print("so many records are not weighed pair by pair: these are the stored links, rounded to half a bit")
    console.print()
    console.print(_tree_table(explained.tree))
    console.print()
    for line in _findings(explained):
        console.print(line)
    console.print(f"model {explained.model_version}")


def customer_as_json(explained: ExplainedCustomer) -> str:
    """Return the same as JSON: ``cuid``, ``records``, ``links`` (the strongest first) and what they tell."""
    said = {
        "cuid": explained.cuid,
        "entity_type": explained.members[0].entity_type,
        "records": [_member_as_json(member) for member in explained.members],
        "links": [_link_as_json(link) for link in explained.tree],
        "weakest_link": _link_as_json(explained.tree[-1]) if explained.tree else None,
        "parts_without_weakest_link": list(explained.part_sizes),
        "strongest_contradiction": None if explained.contradiction is None else _link_as_json(explained.contradiction),
        "is_from_stored_edges": explained.is_from_stored,
        "unlinked_count": explained.unlinked_count,
        "model_version": explained.model_version,
    }
    return json.dumps(said, indent=1, ensure_ascii=False)


def _name(member: Member) -> str:
    return printable(f"{member.source_system}:{member.source_key}")


def _customer(member: Member) -> str:
    return "no customer yet" if member.cuid is None else group_cuid(Cuid(member.cuid))


def decided_in_words(link: Link) -> str:
    """Return what was decided of two records and by what, in one line of console markup."""
    if link.rule == MODEL:
        return f"[bold]{link.decision}[/] by the evidence, {say_bits(link.weight)} bits"
    return f"[bold]{link.decision}[/], decided by {escape(link.rule)}; the evidence alone has {say_bits(link.weight)} bits"


def against_in_words(link: Link) -> str:
    """Return what two records are likelier if they are not one customer."""
    if link.alternative != HOUSEHOLD:
        return "strangers"
    return "two of one household" if link.left.entity_type == EntityType.PERSON else "two branches of one enterprise"


def _evidence_table(link: Link, values: _Values | None) -> Table:
    table = Table(box=None, show_header=values is not None, header_style="bold", pad_edge=False)
    table.add_column("evidence", min_width=12)
    table.add_column("bits", no_wrap=True, justify="right")
    if values is not None:
        for side in (link.left, link.right):
            table.add_column(_name(side), min_width=12, overflow="fold")
    table.add_row("starting odds", say_bits(link.starting_bits))
    for level in link.levels:
        cells = [] if values is None else [_cell(values, side, level.comparison) for side in (link.left, link.right)]
        table.add_row(level.meaning, say_bits(level.bits), *cells)
    table.add_row("[bold]total[/]", f"[bold]{say_bits(link.weight)}[/]")
    return table


def _cell(values: _Values, member: Member, comparison: str) -> str:
    said = _values(values, member, comparison)
    return printable("; ".join(said)) if said else "[dim](none)[/]"


def _values(values: _Values | None, member: Member, comparison: str) -> list[str]:
    known = values or {}
    attributes = COMPARED_ATTRIBUTES.get(comparison, ())
    return [value for attribute in attributes for value in known.get((member.record_id, attribute), ())]


def _by_attribute(values: pl.DataFrame) -> _Values:
    gathered = values.group_by("record_id", "attribute", maintain_order=True).agg("value")
    return {(record_id, attribute): tuple(said) for record_id, attribute, said in gathered.iter_rows()}


def standing_in_words(explained: ExplainedPair) -> list[str]:
    """Return whether two records are one customer now, and why, in lines."""
    if explained.is_one_customer is None:
        return [_UNMATCHED]
    link, reason = explained.link, explained.reason
    why = _WHY[reason.because]
    customers = dict.fromkeys(_customer(side) for side in (link.left, link.right))
    head = f"{_ONE if explained.is_one_customer else _TWO} now, {' and '.join(customers)}: {why}"
    return [head, *(f"  {_in_words(each)}" for each in (*reason.through, *([reason.against] if reason.against else [])))]


def _in_words(link: Link) -> str:
    return f"{_name(link.left)} and {_name(link.right)} {say_bits(link.weight)}: {_evidence_in_words(link)}"


def _evidence_in_words(link: Link) -> str:
    decided = [] if link.rule == MODEL else [f"{link.decision} decided by {escape(link.rule)}"]
    levels = [f"{level.meaning} {say_bits(level.bits)}" for level in link.levels]
    return ", ".join([*decided, f"starting odds {say_bits(link.starting_bits)}", *levels])


def _tree_table(tree: Sequence[Link]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("bits", no_wrap=True, justify="right")
    table.add_column("record", no_wrap=True)
    table.add_column("record", no_wrap=True)
    table.add_column("evidence", min_width=24)
    for place, link in enumerate(tree, 1):
        mark = "[bold yellow]weakest link[/] " if place == len(tree) else ""
        table.add_row(say_bits(link.weight), _name(link.left), _name(link.right), f"{mark}{_evidence_in_words(link)}")
    return table


def _findings(explained: ExplainedCustomer) -> list[str]:
    """Return in lines what the weakest link holds, what speaks against the customer, and what was not seen."""
    lines = []
    if explained.part_sizes:
        parts = " and ".join(f"{size:,}" for size in explained.part_sizes)
        lines.append(f"without its weakest link the customer falls into {parts} records")
    if explained.contradiction is not None:
        strongest = "strongest contradiction" if explained.contradiction.decision != "MATCH" else "weakest pair, which agrees too"
        lines.append(f"{strongest}: {_in_words(explained.contradiction)}")
    if explained.unlinked_count:
        lines.append(
            f"{explained.unlinked_count:,} records hang by evidence that is not stored, because it is under the review weight"
        )
    return lines


def _member_as_json(member: Member) -> dict[str, Any]:
    return {name: getattr(member, name) for name in ("record_id", "source_system", "source_key", "cuid")}


def _levels_as_json(link: Link) -> list[dict[str, Any]]:
    return [level._asdict() for level in link.levels]


def _link_as_json(link: Link) -> dict[str, Any]:
    return {
        "left": _member_as_json(link.left),
        "right": _member_as_json(link.right),
        **{name: getattr(link, name) for name in ("decision", "rule", "weight", "probability", "alternative", "starting_bits")},
        "comparisons": _levels_as_json(link),
    }
