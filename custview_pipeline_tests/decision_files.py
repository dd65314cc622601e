"""Decision files as the page of a steward pack writes them: one decision a line."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from custview_pipeline.contracts.decision_file import FORMAT, HandedIn, PackName, read_decision_file

FIRST_LINE = 8  # of the decisions


def answer(item_id: str, decision: str, at: datetime, **further: Any) -> dict[str, Any]:
    """Return a decision as the page writes it."""
    return {"item_id": item_id, "decision": decision, "reason_code": None, "note": None, "decided_at": at.isoformat(), **further}


def file_text(pack: PackName | Mapping[str, Any], seal: str, decisions: Iterable[Mapping[str, Any]], **further: Any) -> str:
    """Return what the page saves; ``further`` replaces what stands at its top."""
    name = pack.model_dump(mode="json") if isinstance(pack, PackName) else pack
    head = {"format": FORMAT, "pack": name, "seal": seal, "decided_by": "ada", "saved_at": "2026-03-03T12:00:00Z", **further}
    lines = ",\n".join(json.dumps(each, ensure_ascii=False) for each in decisions)
    return (
        "{\n"
        + ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in head.items())
        + f',\n"decisions": [\n{lines}\n]\n}}\n'
    )


def handed_in(*arguments: Any, **further: Any) -> HandedIn:
    """Return what is read of such a file."""
    return read_decision_file(file_text(*arguments, **further), file="decisions.json")
