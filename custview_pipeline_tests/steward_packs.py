"""A small world in which pairs wait for a decision, and the steward pack that the command makes of it."""

import re
from collections.abc import Sequence
from pathlib import Path

from custview_pipeline_tests.worlds import Outcome, Row, SourceSpec, World, make_world

CAUTIOUS = "matching:\n  match_weight: 60.0\n  review_weight: 4.0\n"  # so that likely pairs are asked about, and none is linked


def asking_world(root: Path, rows: Sequence[Row]) -> World:
    """Return a world in which it is asked of each person whether two records of two sources are one customer.

    Args:
        root: Where it is made.
        rows: The people as the source crm has them; the source shop has them at another address, without e-mail and identifiers.
    """
    world = make_world(root, SourceSpec("crm"), SourceSpec("shop", file_format="jsonl"))
    (world.directory / "rulebook.yaml").write_text(CAUTIOUS, encoding="utf-8")
    world.deliver("crm", rows)
    moved: Row = {"mail": None, "ssn": None, "street": "7 Harbour Lane, Springfield, IL 62704", "job": "baker"}
    world.deliver("shop", [row | moved | {"ref": f"shop-{number:05d}"} for number, row in enumerate(rows)])
    outcome = world.refresh()
    assert outcome.code == 0, outcome
    return world


def review(world: World, *arguments: str | Path, **environment: str) -> Outcome:
    """Run a command of ``custview review``."""
    return world.run("review", *arguments, "--project", world.directory, **environment)


def export(world: World, path: Path, *options: str) -> str:
    """Make a pack and return its id."""
    outcome = review(world, "export", "--output", path, *options)
    assert outcome.code == 0, outcome
    found = re.match(r"pack (P\w{10}): ", outcome.out)
    assert found, outcome
    return found[1]
