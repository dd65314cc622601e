"""The command ``custview explain``: why two records are one customer or are not, and what holds a customer together."""

from collections.abc import Sequence
from typing import Annotated, Final

import typer

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.erasure_ledger import ErasureLedger
from custview_pipeline.adapters.key_files import key_directory
from custview_pipeline.cli.entry import ProjectOption, open_project, told_errors
from custview_pipeline.cli.explain_pages import customer_as_json, pair_as_json, print_explained_customer, print_explained_pair
from custview_pipeline.cli.permission import AsOption, PurposeOption, ReasonOption, Said, log_reveal
from custview_pipeline.cli.terminal import results
from custview_pipeline.contracts.project import Project
from custview_pipeline.flows.explain import assert_comparable, explain_customer, explain_pair
from custview_pipeline.flows.named_records import Member, Registry, find_record
from custview_pipeline.flows.record_values import record_values
from custview_pipeline.flows.weighing import Scales, scales_of
from custview_pipeline.kernel.errors import ProjectInvalid, UnknownCustomer, UnknownRecord
from custview_pipeline.kernel.identifiers import Cuid, parse_cuid
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.permission import Act, Wish
from custview_pipeline.protection.wrapped_keys import Purpose

EPILOG: Final = "Example: custview explain crm:4711 shop:0815; or: custview explain CUQM8403JRZBQKMZVAM"
CONTEXT: Final = {"ignore_unknown_options": True}  # a record id may be negative, and is no option
_PLACES: Final = ("the first record", "the second record")


def explain(  # noqa: PLR0913 -- each is an option of the command
    name: Annotated[
        str, typer.Argument(metavar="RECORD|CUID", help="SOURCE:KEY or a record id; or a customer id.", show_default=False)
    ],
    other: Annotated[
        str | None, typer.Argument(metavar="RECORD", help="The other record, named likewise.", show_default=False)
    ] = None,
    project: ProjectOption = None,
    *,
    reveal: Annotated[
        bool,
        typer.Option("--reveal", help="Two records: show their values beside each comparison, as access.yaml lets you; logged."),
    ] = False,
    user: AsOption = None,
    purpose: PurposeOption = None,
    reason: ReasonOption = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Explain why two records are one customer or are not; or what holds the records of a customer together.

    Of two records: the weight of each comparison in bits, the rule that decided where one did, and why they are one customer, or
    are not, where the pair alone says otherwise. Of a customer: the strongest links that hold it together, the weakest of them,
    and the pair of its records that speaks most against it. No value is shown unless you ask to reveal.
    """
    with told_errors():
        names = tuple(each for each in (name, other) if each is not None)
        _assert_usable(names, reveal=reveal)
        cuid = _customer(name) if other is None else None
        opened, keyring = open_project(project)
        snapshot = DeltaLake(opened.lake, keyring).snapshot()
        scales = scales_of(snapshot, opened.rulebook, opened.contracts)
        if cuid is not None:
            _explain_customer(scales, cuid, as_json=as_json)
            return
        left, right = _found(snapshot, opened, keyring, names)
        assert_comparable(left, right)
        in_full: tuple[str, ...] = ()
        if reveal:
            what = f"explain {left.record_id} {right.record_id}"
            in_full = log_reveal(opened, keyring, what, Wish(Act.SHOW), Said(user, purpose, reason)).full
        explained = explain_pair(scales, left, right)
        values = record_values(snapshot, keyring, (left, right), in_full=in_full) if reveal else None
        if as_json:
            results().print(pair_as_json(explained, values), soft_wrap=True, markup=False)
        else:
            print_explained_pair(explained, values)


def _assert_usable(names: Sequence[str], *, reveal: bool) -> None:
    """Refuse what looks like an option, which would be taken for a name, and a reveal that would do nothing.

    Raises:
        ProjectInvalid: It is.
    """
    if any(each.startswith("--") or (each.startswith("-") and not each[1:].isdecimal()) for each in names):
        raise ProjectInvalid("no such option: custview explain --help lists them")
    if reveal and len(names) == 1:
        raise ProjectInvalid("--reveal goes with two records; custview show CUID --reveal shows the values of a customer")


def _customer(written: str) -> Cuid:
    try:
        return parse_cuid(written)
    except UnknownCustomer as error:
        raise ProjectInvalid(f"{error}; to explain records, name two") from None


def _found(snapshot: Snapshot, opened: Project, keyring: Keyring, names: Sequence[str]) -> tuple[Member, ...]:
    erased = ErasureLedger(key_directory(opened.name)).record_marks()
    registry = Registry(snapshot, keyring.current(Purpose.ID)[1], erased)
    try:
        return tuple(find_record(registry, each, nth) for each, nth in zip(names, _PLACES, strict=True))
    except UnknownRecord as error:
        raise ProjectInvalid(str(error)) from None


def _explain_customer(scales: Scales, cuid: Cuid, *, as_json: bool) -> None:
    try:
        explained = explain_customer(scales, cuid)
    except UnknownCustomer as error:
        raise ProjectInvalid(str(error)) from None
    if as_json:
        results().print(customer_as_json(explained), soft_wrap=True, markup=False)
    else:
        print_explained_customer(explained)
