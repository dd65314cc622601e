"""The review queue: everything that asks for a person, under ids that last, ranked by what an answer would change."""

import base64
import hashlib
from enum import StrEnum
from typing import Final

import polars as pl

from custview_pipeline.contracts.base import UTC_TIME
from custview_pipeline.kernel.identifiers import CROCKFORD_ALPHABET

HALF_EFFECT: Final = 20.0  # records and golden values at stake for which the effect is one half
_MOST_DOUBT: Final = 0.5  # where evidence stands against evidence, or there is none, nobody knows

_ID_CHARACTERS: Final = 10  # 50 bits: among a million items two alike are a matter of one in two thousand
_DIGEST_BYTES: Final = 7
_BASE32: Final = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", CROCKFORD_ALPHABET.encode())
_MISREAD: Final = str.maketrans("OIL", "011", "- ")


class ItemKind(StrEnum):
    """What an item is about."""

    PAIR = "pair"  # records of two customers
    CUSTOMER = "customer"  # one customer, by the pair of its records that speaks most against it
    VALUE = "value"  # a golden value that another is trusted no less than
    DELIVERY = "delivery"  # a delivery that was held


class ItemStatus(StrEnum):
    """How an item stands."""

    OPEN = "open"
    ASSIGNED = "assigned"
    UNSURE = "unsure"  # somebody looked and could not tell; it is open again when its evidence changes
    DONE = "done"


LETTERS: Final = {ItemKind.PAIR: "M", ItemKind.CUSTOMER: "C", ItemKind.VALUE: "V", ItemKind.DELIVERY: "D"}
WAITING: Final = (ItemStatus.OPEN.value, ItemStatus.ASSIGNED.value)

ITEMS: Final = pl.Schema(
    {
        "item_id": pl.String(),
        "kind": pl.String(),  # of ItemKind
        "reason": pl.String(),  # why it is asked: a kind of review_tasks, contested_value or held_delivery
        "left_id": pl.Int64(),  # pair and customer: the records that are shown
        "right_id": pl.Int64(),
        "cuids": pl.List(pl.String()),  # customers that it is about; one where it is about a customer or a value
        "attribute": pl.String(),  # value: which
        "source_system": pl.String(),  # delivery: of which source
        "held_id": pl.String(),  # delivery: its id
        "weight": pl.Float64(),  # bits for one customer
        "probability": pl.Float64(),  # that both records are one customer
        "record_count": pl.Int64(),  # source records that the answer speaks for
        "value_count": pl.Int64(),  # golden values that it may change
        "effect": pl.Float64(),  # 0 to 1
        "found_at": UTC_TIME,
        "status": pl.String(),  # of ItemStatus
        "assigned_to": pl.String(),
        "due_on": pl.Date(),
    }
)
QUEUE_COLUMNS: Final = tuple(ITEMS.names())


def parse_item_id(written: str) -> str | None:
    """Return an item id as people type it in its canonical form: case, spaces and dashes are free, as in a CUID.

    Returns:
        None where it is none.
    """
    compact = written.upper().translate(_MISREAD)
    is_formed = len(compact) == 1 + _ID_CHARACTERS and compact[0] in LETTERS.values()
    return compact if is_formed and set(compact[1:]) <= set(CROCKFORD_ALPHABET) else None


def pair_items(tasks: pl.DataFrame, customers: pl.DataFrame) -> pl.DataFrame:
    """Return the items about records of two customers.

    At stake are the records of both customers, and the golden values of the one that has more.

    Args:
        tasks: left_id, right_id, kind, left_cuid, right_cuid, weight (bits), found_at, and ``status``: done or unsure where the
            pair was answered, else open.
        customers: cuid, record_count, value_count.

    Returns:
        ``ITEMS`` without assignments.
    """
    between = tasks.filter(pl.col("left_cuid") != pl.col("right_cuid"))
    for side in ("left", "right"):
        sizes = customers.select(
            pl.col("cuid").alias(f"{side}_cuid"),
            pl.col("record_count").alias(f"{side}_records"),
            pl.col("value_count").alias(f"{side}_values"),
        )
        between = between.join(sizes, on=f"{side}_cuid", how="left", maintain_order="left")
    at_stake = between.with_columns(
        # A customer that was matched and has no golden record yet has a record at least.
        record_count=pl.col("left_records").fill_null(1) + pl.col("right_records").fill_null(1),
        value_count=pl.max_horizontal("left_values", "right_values").fill_null(0),
        cuids=pl.concat_list("left_cuid", "right_cuid"),
    )
    return _ranked(at_stake, ItemKind.PAIR, ["left_id", "right_id"], is_wrong=_probability())


def customer_items(tasks: pl.DataFrame, customers: pl.DataFrame) -> pl.DataFrame:
    """Return the items about customers that may be two; each is shown by its most doubtful pair that is not answered yet.

    At stake are the records and the golden values of the customer.

    Args:
        tasks: See ``pair_items``.
        customers: cuid, record_count, value_count.

    Returns:
        ``ITEMS`` without assignments.
    """
    within = tasks.filter(pl.col("left_cuid") == pl.col("right_cuid")).rename({"left_cuid": "cuid"})
    is_answered = pl.col("status") != ItemStatus.OPEN.value
    shown = within.sort(is_answered, "weight", "left_id", "right_id").unique("cuid", keep="first", maintain_order=True)
    at_stake = shown.join(customers, on="cuid", how="left", maintain_order="left").with_columns(
        pl.col("record_count").fill_null(2), pl.col("value_count").fill_null(0), cuids=pl.concat_list("cuid")
    )
    return _ranked(at_stake, ItemKind.CUSTOMER, ["cuid"], is_wrong=1 - _probability())


def value_items(contested: pl.DataFrame) -> pl.DataFrame:
    """Return the items about golden values that another is trusted no less than.

    At stake are the one value and the records that it speaks for.

    Args:
        contested: cuid, attribute, record_count, found_at, and ``status``: done where somebody decided, else open.

    Returns:
        ``ITEMS`` without assignments.
    """
    at_stake = contested.with_columns(
        kind=pl.lit("contested_value"), value_count=pl.lit(1), cuids=pl.concat_list("cuid"), weight=pl.lit(None, pl.Float64)
    )
    return _ranked(at_stake, ItemKind.VALUE, ["cuid", "attribute"], is_wrong=pl.lit(_MOST_DOUBT))


def delivery_items(held: pl.DataFrame) -> pl.DataFrame:
    """Return the items about deliveries that were held: at stake are the records that they would delete.

    Args:
        held: held_id, source_system, record_count, found_at, and ``status``: done where somebody decided, else open.

    Returns:
        ``ITEMS`` without assignments.
    """
    at_stake = held.with_columns(kind=pl.lit("held_delivery"), value_count=pl.lit(0), weight=pl.lit(None, pl.Float64))
    return _ranked(at_stake, ItemKind.DELIVERY, ["held_id"], is_wrong=pl.lit(_MOST_DOUBT))


def rank_items(items: pl.DataFrame, assignments: pl.DataFrame) -> pl.DataFrame:
    """Return the queue: the items with whose they are and until when, the largest effect first.

    Args:
        items: Of all kinds.
        assignments: Rows of review_assignments; the newest of an item holds. Whether an item is done is told by what was
            decided, not by them.
    """
    holding = assignments.sort("item_id", "assigned_at", "assigned_by").unique("item_id", keep="last", maintain_order=True)
    told = items.drop("assigned_to", "due_on").join(
        holding.select("item_id", "assigned_to", "due_on"), on="item_id", how="left", maintain_order="left"
    )
    is_taken = (pl.col("status") == ItemStatus.OPEN.value) & pl.col("assigned_to").is_not_null()
    status = pl.when(is_taken).then(pl.lit(ItemStatus.ASSIGNED.value)).otherwise("status")
    return told.with_columns(status=status).select(QUEUE_COLUMNS).sort("effect", "item_id", descending=[True, False])


def _ranked(at_stake: pl.DataFrame, kind: ItemKind, about: list[str], *, is_wrong: pl.Expr) -> pl.DataFrame:
    """Return items of one kind.

    The effect is x / (x + HALF_EFFECT), where x is the number of records and golden values at stake times the doubt: the
    probability, by the evidence of the pair, that what holds now is wrong, and one half at most. Beyond one half the evidence of
    the pair stands against a rule or against other records, and where there is none nothing speaks for either side.

    Args:
        at_stake: ``kind`` (why it is asked), record_count, value_count, weight and what else of ``ITEMS`` is known.
        kind: Which.
        about: Columns that name what an item is about: its id is a digest of them.
        is_wrong: The probability that what holds now is wrong.
    """
    known = at_stake.rename({"kind": "reason"}).with_columns(
        _ids(at_stake.select(about), kind), kind=pl.lit(kind.value), probability=_probability()
    )
    expected = (pl.col("record_count") + pl.col("value_count")) * pl.min_horizontal(is_wrong, pl.lit(_MOST_DOUBT))
    ranked = known.with_columns(effect=expected / (expected + HALF_EFFECT))
    return ranked.select(
        (pl.col(name) if name in ranked.columns else pl.lit(None).alias(name)).cast(dtype) for name, dtype in ITEMS.items()
    )


def _probability() -> pl.Expr:
    """Return the probability of one customer at a weight in bits."""
    return 1 / (1 + 2.0 ** (-pl.col("weight")))


def _ids(about: pl.DataFrame, kind: ItemKind) -> pl.Series:
    """Return ``item_id``: a letter and 50 bits of a SHA-256 of what the items are about, in Crockford's base32."""
    letter = LETTERS[kind]
    digests = (hashlib.sha256("/".join([letter, *map(str, row)]).encode()).digest() for row in about.iter_rows())
    coded = (base64.b32encode(digest[:_DIGEST_BYTES])[:_ID_CHARACTERS].translate(_BASE32).decode() for digest in digests)
    return pl.Series("item_id", [letter + each for each in coded], dtype=pl.String)
