"""A steward pack as one page that needs no server and no network, and as JSON for other programs."""

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, StrictUndefined
from rich.markup import render

from custview_pipeline.cli.explain_pages import against_in_words, decided_in_words
from custview_pipeline.cli.terminal import printable
from custview_pipeline.contracts.decision_file import FORMAT, LONGEST_NAME, LONGEST_NOTE
from custview_pipeline.contracts.stewardship_tables import REASON_CODES
from custview_pipeline.flows.named_records import Member
from custview_pipeline.flows.steward_pack import PackedPair, StewardPack
from custview_pipeline.kernel.identifiers import Cuid, group_cuid
from custview_pipeline.matching.edge_words import say_bits
from custview_pipeline.protection.masking import HIDDEN
from custview_pipeline.stewardship.pack import Agreement, FieldPair

WHY_SHOWN: Final[Mapping[str, str]] = {  # by kind of review_tasks
    "possible_match": "The evidence is strong enough to ask, and not strong enough to link them by itself.",
    "contradicted_match": "These two alone would be one customer; the other records of their customers speak against it.",
    "rule_conflict": "The evidence says one customer, and a rule forbids it.",
    "contradicted_customer": "They are one customer now, and of all its records these two fit least.",
    "large_customer": "They are one customer now, which has more records than is usual.",
}
_AGREEMENT: Final[Mapping[Agreement, str]] = {
    Agreement.SAME: "same",
    Agreement.SIMILAR: "similar",
    Agreement.DIFFERENT: "different",
    Agreement.ONE_SIDED: "one side only",
}
_MOST_BITS: Final = 16.0  # a bar is full here: odds of 65,536 to 1


def pack_as_page(pack: StewardPack) -> str:
    """Return the page: masked values, its style and script inside, and a policy that lets it load and send nothing."""
    parts = _parts()
    data = {"format": FORMAT, "pack": pack.name.model_dump(mode="json"), "seal": pack.seal}
    return (
        _environment()
        .from_string(parts["page.html"])
        .render(
            pack=pack,
            exported_on=f"{pack.maker.at:%Y-%m-%d %H:%M} UTC",
            items=[_item(pair, pack) for pair in pack.pairs],
            reasons={code: code.replace("_", " ") for code in REASON_CODES},
            limits={"name": LONGEST_NAME, "note": LONGEST_NOTE},
            hidden=HIDDEN,
            data=_as_script_data(data),
            style=parts["page.css"],
            script=parts["page.js"],
            style_hash=_hash(parts["page.css"]),
            script_hash=_hash(parts["page.js"]),
        )
    )


def pack_as_json(pack: StewardPack) -> str:
    """Return the same for other programs: what a decision file has to repeat (``pack``, ``seal``), and the items."""
    said = {
        "pack": pack.name.model_dump(mode="json"),
        "seal": pack.seal,
        "exported_by": pack.maker.name,
        "is_blind": pack.maker.is_blind,
        "items": [_item(pair, pack) for pair in pack.pairs],
    }
    return json.dumps(said, indent=1, ensure_ascii=False)


def _item(pair: PackedPair, pack: StewardPack) -> dict[str, Any]:
    """Return one pair as it is shown; where scores are hidden, so is all that tells what matching thinks of it."""
    link = pair.link
    shown = {
        "item_id": pair.item_id,
        "entity_type": link.left.entity_type,
        "left": _record(link.left, is_blind=pack.maker.is_blind),
        "right": _record(link.right, is_blind=pack.maker.is_blind),
        "fields": [_field(field) for field in pair.fields],
        "evidence": [{"words": level.meaning} for level in link.levels],
    }
    return shown if pack.maker.is_blind else {**shown, **_scores(pair, pack)}


def _scores(pair: PackedPair, pack: StewardPack) -> dict[str, Any]:
    link = pair.link
    evidence = [("starting odds", link.starting_bits), *((level.meaning, level.bits) for level in link.levels)]
    return {
        "why_shown": WHY_SHOWN[pair.reason],
        "is_one_customer": link.left.cuid is not None and link.left.cuid == link.right.cuid,
        "decided": render(decided_in_words(link)).plain,
        "probability": f"{link.probability:.1%}",
        "against": against_in_words(link),
        "total": say_bits(link.weight),
        "thresholds": [say_bits(pack.match_weight), say_bits(pack.review_weight)],
        "evidence": [{"words": words, "bits": say_bits(bits), **_bar(bits)} for words, bits in evidence],
    }


def _bar(bits: float) -> dict[str, Any]:
    """Return length and side of the bar of some evidence: in hundredths of half the width."""
    return {"length": round(100 * min(abs(bits), _MOST_BITS) / _MOST_BITS, 1), "is_for": bits >= 0}


def _record(member: Member, *, is_blind: bool) -> dict[str, str | None]:
    known: dict[str, str | None] = {"source_system": member.source_system, "source_key": _plain(member.source_key)}
    return known if is_blind else {**known, "cuid": None if member.cuid is None else group_cuid(Cuid(member.cuid))}


def _field(field: FieldPair) -> dict[str, Any]:
    sides = {
        side: [{"value": _plain(shown), "is_shared": is_shared} for shown, is_shared in values]
        for side, values in (("left", field.left), ("right", field.right))
    }
    label = field.attribute.replace("_", " ")
    return {
        "attribute": field.attribute,
        "label": label,
        **sides,
        "agreement": str(field.agreement),
        "agreement_words": _AGREEMENT[field.agreement],
        "words": list(field.words),
    }


@cache
def _parts() -> dict[str, str]:
    """Return template, style and script."""
    folder = files("custview_pipeline") / "cli" / "steward_pack"
    return {name: (folder / name).read_text(encoding="utf-8") for name in ("page.html", "page.css", "page.js")}


@cache
def _environment() -> Environment:
    return Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def _as_script_data(data: Mapping[str, Any]) -> str:
    """Return JSON that cannot end the element that it stands in, whatever it holds."""
    written = json.dumps(data, ensure_ascii=True)
    return written.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _hash(part: str) -> str:
    """Return how a content security policy names an inline part (W3C Content Security Policy Level 3, section 2.3.1)."""
    return f"sha256-{base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()}"


def _plain(text: str) -> str:
    """Return a text of a source with what is not seen, or turns the direction of writing, written out as escapes."""
    return render(printable(text)).plain
