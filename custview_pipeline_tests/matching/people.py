"""A small invented population, of which a test adds the few records that it is about."""

import random
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.flows.match_state import settings_of
from custview_pipeline.matching.blocking import BlockingLimits
from custview_pipeline.matching.found import MatchedType
from custview_pipeline.matching.frequencies import Frequencies
from custview_pipeline.matching.judging import Told
from custview_pipeline.matching.match import match
from custview_pipeline.matching.match import neighbours_of as near_values
from custview_pipeline.matching.pairs import Compared, Pairs
from custview_pipeline.matching.patterns import Ints
from custview_pipeline.matching.records import Records
from custview_pipeline.matching.setup import MatchSettings
from custview_pipeline_tests.factories import features, neighbours_of, person, tokens

Facts = dict[str, Any]

GIVEN = (
    "ada berta clara doris edna frieda gisela helga irma judith karl ludwig martin norbert otto paul quentin rudolf simon tobias"
)
FAMILY = "abbott bertram calloway dunmore ellison fairfax garland hobson ingram jarvis keating lorimer mayhew nesbitt oakley"
STREETS = "alder birch cedar dogwood elm fir gum hazel ironwood juniper larch maple"
CUSTOMERS = 60
LIMITS = BlockingLimits(block_cap=150, pair_budget=40)
SETTINGS = replace(settings_of(Rulebook()), limits=LIMITS, threads=1)


def settings(**changes: Any) -> MatchSettings:
    """Return the settings of the default rulebook on one thread; ``changes`` are fields of ``MatchSettings``."""
    return replace(SETTINGS, **changes)


def population(seed: int = 7) -> list[Facts]:
    """Return two records each of some customers: the second lacks the e-mail address or has a typo in the family name.

    Every third customer lives with the one before, under one family name.
    """
    chance = random.Random(seed)  # noqa: S311 -- an invented world, the same every time
    records: list[Facts] = []
    for number in range(CUSTOMERS):
        facts = {
            "given": chance.choice(GIVEN.split()),
            "family": chance.choice(FAMILY.split()),
            "birth_date": f"{chance.randint(1940, 2000)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
            "email": f"mailbox{number * 7919}@example.org",
            "phones": [f"202{chance.randint(2_000_000, 9_999_999)}"],
            "house_number": str(chance.randint(1, 90)),
            "street": chance.choice(STREETS.split()),
            "postal_code": str(chance.randint(10_000, 10_020)),
        }
        if number % 3 == 2:
            shared = ("family", "phones", "house_number", "street", "postal_code")
            others = [name for name in GIVEN.split() if name != records[-1]["given"]]
            facts |= {key: records[-2][key] for key in shared} | {"given": chance.choice(others)}
        family = facts["family"]
        records += [facts, {**facts, "email": None} if number % 2 else {**facts, "family": family[:-1] + "z", "phones": []}]
    return records


def matched(*records: Facts, among: list[Facts] | None = None, **given: Any) -> MatchedType:
    """Match persons among a population; the ids of ``records`` count from 1, of the others from 1001."""
    others = population() if among is None else among
    texts = features(*(person(**facts) for facts in (*records, *others)))
    ids = [*range(1, len(records) + 1), *range(1001, 1001 + len(others))]
    return match_texts(texts, ids, **given)[0]


def match_texts(texts: pl.DataFrame, ids: list[int] | None = None, **given: Any) -> tuple[MatchedType, ...]:
    """Match the records of a frame of features; ``given`` are models in use, what is told, and settings that differ."""
    known, told = given.pop("known", None), Told(**{name: given.pop(name) for name in Told._fields if name in given})
    return match(tokens(texts, ids), neighbours_of(texts), settings(**given), lambda _what, _count: None, known=known, told=told)


def groups(found: MatchedType) -> set[frozenset[int]]:
    """Return the clusters as sets of record ids."""
    gathered = found.clusters.group_by("cluster").agg("record_id")["record_id"]
    return {frozenset(ids) for ids in gathered.to_list()}


def cluster_of(found: MatchedType, record_id: int) -> set[int]:
    """Return the records that are one customer with this one."""
    return next(set(group) for group in groups(found) if record_id in group)


def compared_among(texts: pl.DataFrame, entity_type: EntityType = EntityType.PERSON, **known: Any) -> Compared:
    """Return what the records of a frame of features are compared with; their ids count from 1.

    ``frequencies`` are counted on the records themselves unless given.
    """
    records = Records.of(tokens(texts), entity_type)
    near = near_values([records], neighbours_of(texts), {})
    return Compared(records, near, known.get("frequencies") or Frequencies.of(records))


def rows_of(records: Records, record_ids: Ints) -> Ints:
    """Return the row of each record."""
    by_id = np.argsort(records.record_ids)
    return by_id[np.searchsorted(records.record_ids[by_id], record_ids)]


def couples(compared: Compared) -> Pairs:
    """Return the pairs of the first and second record, the third and fourth, and so on."""
    odd = np.arange(1, compared.records.count, 2)
    return Pairs(compared, rows_of(compared.records, odd), rows_of(compared.records, odd + 1))
