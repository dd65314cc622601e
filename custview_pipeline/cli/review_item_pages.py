"""Pages of one item of the review queue: two records, rivals for a value, or a held delivery, and what an answer changes."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import polars as pl
from rich.markup import escape
from rich.table import Table

from custview_pipeline.cli.explain_pages import against_in_words, decided_in_words, standing_in_words
from custview_pipeline.cli.pages import NO_KEY
from custview_pipeline.cli.review_pages import BLIND_QUESTION, QUESTIONS, whose
from custview_pipeline.cli.terminal import age, printable, results
from custview_pipeline.contracts.stewardship_tables import IS_MATCH, NOT_A_MATCH
from custview_pipeline.flows.answer_effect import AnswerEffect, Share
from custview_pipeline.flows.named_records import Member
from custview_pipeline.flows.review_item import Item, Rival, SeenPair
from custview_pipeline.flows.value_changes import ANOTHER, CONTESTED, GAINED, KEPT, LOST, SETTLED
from custview_pipeline.flows.weighing import Link
from custview_pipeline.kernel.identifiers import Cuid, group_cuid
from custview_pipeline.matching.edge_words import say_bits
from custview_pipeline.stewardship.pack import Agreement, FieldPair
from custview_pipeline.stewardship.queue import ItemKind, ItemStatus

_MARKS: Final[Mapping[Agreement, str]] = {
    Agreement.SAME: "[green]=[/]",
    Agreement.SIMILAR: "[yellow]~[/]",
    Agreement.DIFFERENT: "[bold red]!=[/]",
    Agreement.ONE_SIDED: "",
}
_LEGEND: Final = "= same, ~ similar, != different; no mark where one of them is silent"
_UNWEIGHED: Final[Mapping[Agreement, str]] = {
    Agreement.SAME: "same value, not weighed",
    Agreement.DIFFERENT: "other value, not weighed",
}
_ANSWERS: Final = {IS_MATCH: "match", NOT_A_MATCH: "not a match"}
_CHANGES: Final[Mapping[str, str]] = {  # an equal value that comes from another record is none that a steward asks about
    ANOTHER: "other value",
    GAINED: "new value",
    LOST: "no value any more",
    CONTESTED: "contested from then on",
    SETTLED: "contested no more",
    KEPT: "other values kept beside it",
}


def print_item_head(item: Item, *, is_blind: bool) -> None:
    """Print what an item asks, how much hangs on it, and whose it is."""
    now = datetime.now(UTC)
    is_of_records = item.kind in {ItemKind.PAIR, ItemKind.CUSTOMER}
    asked = BLIND_QUESTION if is_blind and is_of_records else QUESTIONS[item.reason]
    said = [asked, *([] if is_blind else [f"effect {item.effect:.2f}"])]
    said += [f"found {age(item.found_at, now)} ago"] if item.found_at else []
    owner = whose(item._asdict(), now.date())
    state = item.status if item.status != ItemStatus.ASSIGNED else f"for {owner}"
    results().print(f"[bold]{item.item_id}[/]  {', '.join(said)}; {state}")


def print_pair(item: Item, seen: SeenPair, *, is_blind: bool) -> None:
    """Print two records side by side, masked or as they were handed in, and what either answer would change.

    Args:
        item: The item.
        seen: The records.
        is_blind: Whether to leave out what matching thinks: weights, what was decided and why, and what an answer would change,
            which tells it too.
    """
    console, link = results(), seen.explained.link
    console.print(link.left.entity_type if is_blind else _cuids_line(link))
    console.print()
    console.print(_fields_table(link, seen.fields, is_blind=is_blind))
    console.print(f"[dim]{_LEGEND}[/]")
    console.print()
    if not is_blind:
        for line in (*_verdict(seen), "", *_effects(seen)):
            console.print(line)
    _print_next(item, f"match {item.item_id}; or not-a-match, or unsure")


def print_value(item: Item, rivals: Sequence[Rival]) -> None:
    """Print the candidates for a golden value, equal ones under one letter."""
    console = results()
    console.print(f"{item.attribute} of {group_cuid(item.cuids[0])}")
    console.print()
    console.print(_rivals_table(rivals))
    console.print("[dim]candidates with the same letter say the same; the first is the value that holds[/]")
    console.print()
    console.print("[bold]pin[/]: the value of that record holds from the next run on; the other values of the customer stay")
    _print_next(item, f"pin {item.cuids[0]} {item.attribute} SOURCE:KEY; or override, to enter another")


def print_delivery(item: Item, row: Mapping[str, Any]) -> None:
    """Print a held delivery, and what either answer would change."""
    console, held = results(), item.held_id
    share = row["deleted_count"] / max(row["known_count"], 1)
    console.print(f"delivery {held} of {escape(row['source_system'])}: {row['row_count']:,} rows read")
    console.print(f"it would delete {row['deleted_count']:,} of {row['known_count']:,} records, {share:.0%}")
    console.print()
    console.print(
        f"[bold]approve[/]: the next run takes it in and deletes {row['deleted_count']:,} records; customers of which none is "
        "left end"
    )
    console.print("[bold]reject[/]: it is left out until the files change; records stay as they are")
    console.print(f"next: custview deliveries approve {held} --reason TEXT, or reject {held} --reason TEXT")


def _effects(seen: SeenPair) -> Iterator[str]:
    """Yield in lines what either answer would change."""
    if not seen.effects:
        yield "what an answer changes cannot be told: the next run matches everything anew"
    for effect in seen.effects:
        first, *more = effect_in_words(effect)
        yield f"[bold]{_ANSWERS[effect.decision]}[/]: {first}"
        yield from (f"  {line}" for line in more)


def effect_in_words(effect: AnswerEffect) -> list[str]:
    """Return in lines what an answer would change: customers first, then their golden values."""
    if not effect.has_any:
        return [
            "nothing changes; it is not asked again" if _is_as_said(effect) else "nothing changes: they are kept apart even so"
        ]
    lines = [_customers_in_words(effect), *_values_in_words(effect)]
    if effect.others_count:
        moved = "record of another customer moves" if effect.others_count == 1 else "records of other customers move"
        lines.append(f"{effect.others_count:,} {moved} too")
    return lines


def _is_as_said(effect: AnswerEffect) -> bool:
    """Return whether the customers are already as the answer says."""
    return (len(effect.before) == 1) == (effect.decision == IS_MATCH)


def _customers_in_words(effect: AnswerEffect) -> str:
    before, after = dict(effect.before), dict(effect.after)
    if before == after:
        return "the customers stay as they are"
    begun = [share for share in effect.after if share.cuid not in before]
    ended = [share for share in effect.before if share.cuid not in after]
    if len(after) == 1 and ended:
        (home,) = effect.after
        return f"{', '.join(map(_with_count, ended))} goes into {group_cuid(home.cuid)}, which then has {home.record_count:,}"
    stays = [f"{group_cuid(cuid)} has {count:,} then" for cuid, count in effect.after if cuid in before]
    return ", ".join(
        [
            *stays,
            *(
                f"{_records(share.record_count)} {'becomes' if share.record_count == 1 else 'become'} a new customer"
                for share in begun
            ),
        ]
    )


def _values_in_words(effect: AnswerEffect) -> list[str]:
    """Return in lines what becomes of golden values, customer by customer where there are several."""
    told = effect.values.filter(pl.col("change").is_in(list(_CHANGES)))
    by_change: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for cuid, change, attribute in told.select("cuid", "change", "attribute").iter_rows():
        by_change[cuid][change].append(attribute)
    lines = []
    for cuid, changes in by_change.items():
        said = [f"{words}: {', '.join(changes[change])}" for change, words in _CHANGES.items() if change in changes]
        lines += said if len(by_change) == 1 else [f"{group_cuid(Cuid(cuid))}: {'; '.join(said)}"]
    return lines


def _with_count(share: Share) -> str:
    return f"{group_cuid(share.cuid)} ({_records(share.record_count)})"


def _records(count: int) -> str:
    return "1 record" if count == 1 else f"{count:,} records"


def _cuids_line(link: Link) -> str:
    cuids = dict.fromkeys(side.cuid for side in (link.left, link.right) if side.cuid)
    return f"{link.left.entity_type}, now of {' and '.join(group_cuid(Cuid(cuid)) for cuid in cuids)}"


def _fields_table(link: Link, fields: Sequence[FieldPair], *, is_blind: bool) -> Table:
    bits = {level.meaning: level.bits for level in link.levels}
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("attribute", no_wrap=True)
    for side in (link.left, link.right):
        table.add_column(_name(side), min_width=12, overflow="fold")
    table.add_column("compared", min_width=16)
    for field in fields:
        values = ("\n".join(printable(shown) for shown, _ in side) or "[dim](none)[/]" for side in (field.left, field.right))
        said = [words if is_blind else f"{words} {say_bits(bits[words])}" for words in field.words]
        compared = "\n".join(said) if said else f"[dim]{_UNWEIGHED.get(field.agreement, '')}[/]"
        table.add_row(_MARKS[field.agreement], field.attribute, *values, compared)
    return table


def _verdict(seen: SeenPair) -> list[str]:
    """Return what matching thinks of two records, in lines."""
    link, explained = seen.explained.link, seen.explained
    odds = f"starting odds {say_bits(link.starting_bits)}, probability {link.probability:.1%}, against {against_in_words(link)}"
    return [f"{decided_in_words(link)}; {odds}", *standing_in_words(explained)]


def _rivals_table(rivals: Sequence[Rival]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("value", min_width=12, overflow="fold")
    table.add_column("record", min_width=12, overflow="fold")
    table.add_column("trust", no_wrap=True, justify="right")
    table.add_column("why", min_width=12)
    for rival in rivals:
        value = NO_KEY if rival.value is None else printable(rival.value)
        letter = "" if rival.says is None else _letter(rival.says)
        mark = f"[bold]{letter}[/]" if rival.rank == 1 else letter
        table.add_row(mark, value, _name(rival.record), f"{rival.trust_score:.2f}", rival.reason.replace("_", " "))
    return table


def _letter(number: int) -> str:
    """Return A, B, ... Z, AA, AB, ... for 1, 2, ..."""
    letters = ""
    while number:
        number, place = divmod(number - 1, 26)
        letters = chr(ord("A") + place) + letters
    return letters


def _name(member: Member) -> str:
    return printable(f"{member.source_system}:{member.source_key}")


def _print_next(item: Item, answer: str) -> None:
    if item.status != ItemStatus.DONE:
        results().print(f"next: custview review decide {escape(answer)}")
