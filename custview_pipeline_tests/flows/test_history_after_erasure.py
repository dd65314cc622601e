"""What was erased is gone from every earlier time and from every receipt, and is said to be erased, not damaged."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import polars as pl
import pytest

from custview_pipeline.contracts.receipt import Receipt
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.flows.customer_diff import diff_customer
from custview_pipeline.flows.portrait import portray
from custview_pipeline.flows.receipt import Archive, issue_receipt
from custview_pipeline.flows.verify_receipt import State, Witness, verify_receipt
from custview_pipeline.kernel.errors import UnknownCustomer
from custview_pipeline.kernel.identifiers import Cuid
from custview_pipeline_tests.flows.erasing import Estate


class Aftermath(NamedTuple):
    """A lake out of which the second of Ada's records was erased, and Otto altogether, and what was known before."""

    estate: Estate
    moment: datetime
    ada: Cuid
    otto: Cuid
    receipts: dict[str, Receipt]

    def verify(self, name):
        """Return what became of a receipt."""
        witness = Witness(self.estate.lake.snapshot(), self.estate.keyring, self.estate.ledger.record_marks())
        return verify_receipt(witness, self.receipts[name])


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory):
    estate = Estate.settled(tmp_path_factory.mktemp("aftermath"))
    moment, ada, otto = datetime.now(UTC), Cuid(estate.customers()[1]), Cuid(estate.customers()[3])
    archive = Archive(estate.lake.snapshot(), estate.keyring, estate.house.contracts, Rulebook())
    wanted = {"winner": (ada, "email"), "rival": (ada, "name"), "other": (ada, "phone"), "whole": (otto, "name")}
    receipts = {name: issue_receipt(archive, *asked) for name, asked in wanted.items()}
    estate.ask_records(2)
    estate.ask_customer_of(3)
    estate.carry_out()
    return Aftermath(estate, moment, ada, otto, receipts)


def test_a_customer_that_lost_a_record_is_shown_without_it_and_that_is_said(aftermath):
    shown = portray(aftermath.estate.lake.snapshot(), aftermath.estate.keyring, aftermath.ada, as_of=aftermath.moment)

    assert (shown.erased_count, shown.records["source_key"].to_list()) == (1, ["k1"])
    assert "email" not in shown.values["attribute"].to_list()


def test_a_customer_that_was_erased_was_never_anything(aftermath):
    snapshot, keyring = aftermath.estate.lake.snapshot(), aftermath.estate.keyring
    said = r"^this customer was erased on \d{4}-\d\d-\d\d; what it was before is gone$"
    with pytest.raises(UnknownCustomer, match=said):
        portray(snapshot, keyring, aftermath.otto, as_of=aftermath.moment)
    with pytest.raises(UnknownCustomer, match=said):
        diff_customer(snapshot, keyring, aftermath.otto, (aftermath.moment, aftermath.moment + timedelta(days=1)))


def test_a_comparison_says_what_it_cannot_see(aftermath):
    span = (aftermath.moment, aftermath.moment + timedelta(days=1))
    found = diff_customer(aftermath.estate.lake.snapshot(), aftermath.estate.keyring, aftermath.ada, span)

    assert (found.before.erased_count, found.values, found.records) == (1, (), ())


@pytest.mark.parametrize(
    ("name", "erased"),
    [
        ("winner", {"golden record", "candidates", "source records", "membership", "matches"}),
        ("rival", {"candidates", "source records"}),
        ("other", set()),
        ("whole", {"golden record", "candidates", "source records", "membership"}),
    ],
)
def test_receipts_say_what_was_erased_and_that_the_rest_holds(aftermath, name, erased):
    found = aftermath.verify(name)

    assert found.is_sound
    assert {row.what for row in found.rows if row.state is State.ERASED} == erased
    assert {row.state for row in found.rows} <= {State.ERASED, State.HOLDS}


def test_without_the_ledger_the_same_would_be_damage(aftermath):
    nobody = Witness(aftermath.estate.lake.snapshot(), aftermath.estate.keyring, pl.Series("mark", [], pl.Int64))
    assert not verify_receipt(nobody, aftermath.receipts["whole"]).is_sound
