"""An access policy for small worlds, and what the access log of one says."""

import json
from typing import Any, Final

from custview_pipeline_tests.worlds import World

POLICY: Final = """\
roles:
  steward:
    attributes: {all: full, birth_date: masked}
    purposes: [data_quality]
    may_export: true
    may_see_refused_rows: true
  support:
    attributes: {email: full, name: masked}
    purposes: [customer_request, complaint]
users:
  ada: [steward]
  bob: [support]
"""
AS_ADA: Final = ("--as", "ada", "--reason", "asked by the customer")


def allow(world: World, policy: str = POLICY) -> None:
    """Write the access policy of a world."""
    (world.directory / "access.yaml").write_text(policy, encoding="utf-8")


def access_log(world: World) -> list[dict[str, Any]]:
    """Return the entries of the world's access log."""
    file = world.lake / "access_log.jsonl"
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
