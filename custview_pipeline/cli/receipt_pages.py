"""Pages of receipts: the chain of one value, and what became of the rows that a receipt cites."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from rich.markup import escape
from rich.table import Table

from custview_pipeline.cli.pages import NO_KEY, reason_in_words, why_won
from custview_pipeline.cli.terminal import printable, results
from custview_pipeline.contracts.matching_rules import MODEL
from custview_pipeline.contracts.receipt import CitedDecision, CitedMatch, Receipt, Rival
from custview_pipeline.flows.verify_receipt import CheckedRow, State, Verification
from custview_pipeline.kernel.identifiers import Cuid, group_cuid
from custview_pipeline.matching.edge_words import say_bits
from custview_pipeline.survivorship.reasons import SUMMED

_SHORT: Final = 12  # characters of a digest that tell it apart on a page
_SHOWN: Final = {"masked": "masked", "full": "revealed, logged", "open": "stored open", "no_key": "its key is gone"}
_STATES: Final = {
    State.HOLDS: "holds",
    State.REPLACED: "replaced since",
    State.ERASED: "erased",
    State.ALTERED: "[bold red]altered[/]",
    State.MISSING: "[bold red]missing[/]",
}


def print_receipt(receipt: Receipt) -> None:
    """Print a receipt: the value, then its chain, a line a link."""
    console, value = results(), receipt.value.value
    console.print(f"[bold]{receipt.attribute}[/] of [bold]{group_cuid(Cuid(receipt.cuid))}[/]  {receipt.entity_type}")
    console.print(f"{NO_KEY if value is None else printable(value)}  [dim]({_SHOWN[receipt.value.shown]})[/]")
    console.print()
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column("link", no_wrap=True, style="bold")
    table.add_column("what", overflow="fold")
    for link, lines in _chain(receipt):
        for place, line in enumerate(lines):
            table.add_row("" if place else link, line)
    console.print(table)


def receipt_as_json(receipt: Receipt) -> str:
    """Return a receipt as JSON, as ``custview receipt --verify`` reads it again."""
    return receipt.model_dump_json(indent=1)


def print_verification(found: Verification) -> None:
    """Print what became of a receipt, and of each row that it cites and that does not hold any more."""
    console = results()
    console.print(_verdict(found))
    changed = [row for row in found.rows if row.state is not State.HOLDS]
    if not changed:
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("link", no_wrap=True)
    table.add_column("stored row", overflow="fold")
    table.add_column("state", no_wrap=True)
    for row in changed:
        table.add_row(row.what, printable(_named(row)), _state(row))
    console.print(table)


def verification_as_json(found: Verification) -> str:
    """Return the same as JSON: ``is_sound``, ``is_unchanged`` and the ``rows``."""
    rows = [row._asdict() for row in found.rows]
    return json.dumps({"is_sound": found.is_sound, "is_unchanged": found.is_unchanged, "rows": rows}, indent=1)


def _chain(receipt: Receipt) -> Iterator[tuple[str, Sequence[str]]]:
    yield "record", _record(receipt)
    yield "delivery", _delivery(receipt)
    yield "checks", _checks(receipt)
    yield "held for", _handling(receipt)
    yield "won", _won(receipt)
    yield "rivals", [_rival(rival) for rival in receipt.rivals] or ["none"]
    yield "matches", [_match(match) for match in receipt.matches] or ["none needed: its record is where the customer began"]
    yield "decisions", [_decision(each) for each in receipt.decisions] or ["none"]
    rows = sum(len(group.rows) for group in receipt.evidence)
    tables = len({group.table for group in receipt.evidence})
    yield (
        "proof",
        [f"sha256 {receipt.sha256[:_SHORT]} over {rows} stored rows of {tables} tables; issued {_at(receipt.issued_at)}"],
    )


def _record(receipt: Receipt) -> list[str]:
    record = receipt.record
    slot = f", value {record.slot + 1}" if record.slot else ""
    now = f"; version {record.newest_version} holds now" if record.newest_version != record.version else ""
    changed = f", changed {record.updated_at:%Y-%m-%d}" if record.updated_at else ""
    return [f"{printable(f'{record.source_system}:{record.source_key}')}, version {record.version}{slot}{changed}{now}"]


def _delivery(receipt: Receipt) -> list[str]:
    delivery = receipt.delivery
    if delivery is None:
        return ["not stored"]
    released = " (released from quarantine)" if delivery.origin == "quarantine" else ""
    return [
        f"{delivery.delivery_id}{released}, {_at(delivery.delivered_at)}, run {escape(delivery.run_id)}",
        f"contract {escape(delivery.contract_version)}, fingerprint {delivery.fingerprint[:_SHORT]}",
    ]


def _checks(receipt: Receipt) -> list[str]:
    outcomes = Counter(check.outcome for check in receipt.checks)
    broken = [f"{check.attribute} {check.rule}" for check in receipt.checks if check.outcome == "broken"]
    lines = [f"{outcomes['kept']} kept, {outcomes['broken']} broken{': ' if broken else ''}{escape(', '.join(broken))}"]
    if outcomes["of_delivery"]:
        lines[0] += f", {outcomes['of_delivery']} of the delivery"
    if outcomes["not_executed"]:
        lines[0] += f", {outcomes['not_executed']} not executed"
    if receipt.delivery and receipt.handling.contract_version not in (None, receipt.delivery.contract_version):
        lines.append(f"as contract {escape(str(receipt.handling.contract_version))} states them now")
    return [*lines, *_scores(receipt)]


def _scores(receipt: Receipt) -> list[str]:
    """Return how the delivery did, in at most a line: only what missed its target is named."""
    shares = [(each, 1 - each.failed_count / each.judged_count) for each in receipt.delivery_scores if each.judged_count]
    below = [f"{each.dimension} of {each.attribute} {share:.1%}" for each, share in shares if share < each.target]
    if not shares:
        return []
    good = f"{len(shares) - len(below)} of {len(shares)} scores of the delivery on target"
    return [f"{good}; below: {', '.join(below)}" if below else good]


def _handling(receipt: Receipt) -> list[str]:
    held = receipt.handling
    source = f" ({held.consent_source})" if held.consent_source else ""
    said = {"purpose": held.purpose, "legal basis": held.legal_basis, "owner": held.owner}
    consent = "unknown" if held.consent is None else f"{printable(held.consent)}{source}"
    return [
        "; ".join([f"{name} {printable(text) if text else 'not stated'}" for name, text in said.items()] + [f"consent {consent}"])
    ]


def _won(receipt: Receipt) -> list[str]:
    election = receipt.election
    rule = "the rulebook has changed since" if election.rule is None else f"rule: {', then '.join(election.rule)}"
    parts = 1 + sum(rival.reason == SUMMED for rival in receipt.rivals) if election.reason == SUMMED else None
    made = f"golden version {election.golden_version}, {_at(election.valid_from_at)}"
    return [
        f"{escape(why_won({**election.model_dump(), 'part_count': parts}))}, trust {election.trust_score:.2f}",
        escape(rule),
        f"{made}, rulebook {election.rulebook_version}, run {escape(election.run_id)}",
    ]


def _rival(rival: Rival) -> str:
    name = f"{rival.source_system or 'unknown'}:{rival.source_key or 'unknown'}"
    kept = ", kept too" if rival.is_kept and rival.reason != SUMMED else ""
    return f"{printable(name)}  {escape(reason_in_words(rival.reason))}, trust {rival.trust_score:.2f}{kept}"


def _match(match: CitedMatch) -> str:
    rule = "" if match.rule == MODEL else f", decided by {escape(match.rule)}"
    return f"{printable(match.left)} and {printable(match.right)}  {say_bits(match.weight)} bits, {match.probability:.2%}{rule}"


def _decision(said: CitedDecision) -> str:
    why = f", {said.reason_code.replace('_', ' ')}" if said.reason_code else ""
    what = said.decision.replace("_", " ")
    return f"{what} by {printable(said.decided_by)}, {said.decided_at:%Y-%m-%d}{why} ({said.decision_id})"


def _verdict(found: Verification) -> str:
    if not found.is_unchanged:
        return "[bold red]the receipt itself was changed[/], or another lake issued it"
    counts = Counter(row.state for row in found.rows)
    said = ", ".join(f"{counts[state]} {_STATES[state]}" for state in State if counts[state])
    return f"{'the receipt is sound' if found.is_sound else '[bold red]the receipt no longer holds[/]'}: {said}"


def _named(row: CheckedRow) -> str:
    return f"{row.table} {', '.join(f'{name} {part}' for name, part in row.key.items() if part is not None)}"


def _state(row: CheckedRow) -> str:
    now = f": version {row.version} holds now" if row.version is not None and row.state is State.REPLACED else ""
    return f"{_STATES[row.state]}{now}"


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
