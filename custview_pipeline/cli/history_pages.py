"""Pages that compare a customer with itself at two moments."""

import json
from typing import Any, Final

from rich.markup import escape
from rich.table import Table

from custview_pipeline.cli.pages import EVENTS, NO_KEY, reason_in_words, sum_in_words
from custview_pipeline.cli.terminal import printable, results
from custview_pipeline.flows.as_of import say_moment
from custview_pipeline.flows.change_causes import Cause, CauseKind
from custview_pipeline.flows.customer_diff import Change, CustomerDiff, End, SaidValue
from custview_pipeline.flows.customer_history import Event
from custview_pipeline.kernel.identifiers import Cuid, group_cuid

_MARKS: Final = {Change.CAME: "[green]+[/]", Change.WENT: "[red]-[/]", Change.CHANGED: "[yellow]~[/]", Change.MOVED: "="}
_CAUSES: Final = {
    CauseKind.DECISION: "decision {name}",
    CauseKind.MERGE: "merge with {name}",
    CauseKind.SPLIT: "split, {name}",
    CauseKind.DELIVERY: "delivery {name}",
    CauseKind.DELETION: "deleted, delivery {name}",
    CauseKind.RULES: "rulebook {name}",
    CauseKind.ELECTION: "other candidates changed",
}


def print_diff(found: CustomerDiff) -> None:
    """Print what changed about a customer; + came, - went, ~ changed, = the same from another record.

    Of an attribute that keeps several values, those kept beside the winner have lines of their own.
    """
    console = results()
    console.print(f"[bold]{group_cuid(found.cuid)}[/] from {say_moment(found.before.moment)} to {say_moment(found.after.moment)}")
    for end in (found.before, found.after):
        for line in _notes(end):
            console.print(line)
    for event in found.events:
        console.print(_told(event))
    if not found.values and not found.records:
        console.print("nothing changed")
        return
    if found.values:
        console.print()
        console.print(_values_table(found))
    if found.records:
        console.print()
        console.print(_records_table(found))


def diff_as_json(found: CustomerDiff) -> str:
    """Return the same as JSON: ``before`` and ``after`` (whom the id stood for), ``events``, ``values`` and ``records``."""
    said = {
        "cuid": found.cuid,
        "before": _end_as_json(found.before),
        "after": _end_as_json(found.after),
        "events": [{**event._asdict(), "happened_at": event.happened_at.isoformat()} for event in found.events],
        "values": [
            {
                "attribute": each.attribute,
                "change": each.change,
                "before": each.before and each.before._asdict(),
                "after": each.after and each.after._asdict(),
                "cause": _cause_as_json(each.cause),
            }
            for each in found.values
        ],
        "records": [{**each._asdict(), "cause": _cause_as_json(each.cause)} for each in found.records],
    }
    return json.dumps(said, indent=1, ensure_ascii=False)


def _notes(end: End) -> list[str]:
    lines = [f"{say_moment(end.moment)}: {end.note}"] if end.note else []
    if end.erased_count:
        was = "1 source record of then was" if end.erased_count == 1 else f"{end.erased_count} source records of then were"
        lines.append(f"{say_moment(end.moment)}: {was} erased since; what they said is gone")
    return lines


def _told(event: Event) -> str:
    other = "" if event.other_cuid is None else f" {group_cuid(event.other_cuid)}"
    return f"{event.happened_at:%Y-%m-%d %H:%M}: {group_cuid(event.cuid)} {EVENTS[event.event]}{other}"


def _values_table(found: CustomerDiff) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("attribute", no_wrap=True)
    for side in ("before", "after"):
        table.add_column(side, min_width=12, overflow="fold")
    table.add_column("because of", min_width=12)
    for each in found.values:
        sides = [_said(side) for side in (each.before, each.after)]
        table.add_row(_MARKS[each.change], each.attribute, *sides, _because(each.cause))
    return table


def _records_table(found: CustomerDiff) -> Table:
    table = Table("", "record", "because of", box=None, header_style="bold", pad_edge=False)
    for each in found.records:
        because = "not told" if each.cause is None else _because(each.cause)
        table.add_row(_MARKS[each.change], printable(f"{each.source_system}:{each.source_key}"), because)
    return table


def _said(side: SaidValue | None) -> str:
    if side is None:
        return ""
    value = NO_KEY if side.value is None else printable(side.value)
    if side.part_count:
        return f"{value}  [dim]{sum_in_words(side.part_count)}[/]"
    return f"{value}  [dim]{side.source_system or 'unknown'}, {escape(reason_in_words(side.reason))}[/]"


def _because(cause: Cause) -> str:
    is_customer = cause.kind in (CauseKind.MERGE, CauseKind.SPLIT)
    name = group_cuid(Cuid(cause.name)) if is_customer else cause.name
    return f"{escape(_CAUSES[cause.kind].format(name=name))}, {cause.happened_at:%Y-%m-%d %H:%M}"


def _end_as_json(end: End) -> dict[str, Any]:
    return {**end._asdict(), "moment": end.moment.isoformat()}


def _cause_as_json(cause: Cause | None) -> dict[str, Any] | None:
    return None if cause is None else {**cause._asdict(), "happened_at": cause.happened_at.isoformat()}
