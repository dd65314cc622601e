"""The command ``custview diff``: what changed about a customer between two dates, and what did it."""

from datetime import datetime
from typing import Annotated, Final

import typer

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.cli.entry import ProjectOption, open_project, told_errors
from custview_pipeline.cli.history_pages import diff_as_json, print_diff
from custview_pipeline.cli.moments import read_moment
from custview_pipeline.cli.permission import AsOption, PurposeOption, ReasonOption, Said, log_reveal
from custview_pipeline.cli.terminal import results
from custview_pipeline.flows.customer_diff import diff_customer
from custview_pipeline.kernel.errors import ProjectInvalid, UnknownCustomer
from custview_pipeline.kernel.identifiers import Cuid, parse_cuid
from custview_pipeline.protection.permission import Act, Wish

EPILOG: Final = "Example: custview diff CUQM8403JRZBQKMZVAM 2026-03-31 2026-06-30"
_MOMENT: Final = "day (to its end) or moment, UTC."


def diff(  # noqa: PLR0913 -- each is an option of the command
    cuid: Annotated[str, typer.Argument(metavar="CUID", help="Customer id, as old as may be.", show_default=False)],
    first: Annotated[datetime, typer.Argument(metavar="FROM", parser=read_moment, help=f"Earlier {_MOMENT}", show_default=False)],
    second: Annotated[datetime, typer.Argument(metavar="TO", parser=read_moment, help=f"Later {_MOMENT}", show_default=False)],
    project: ProjectOption = None,
    *,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show what access.yaml lets you see in full; logged.")] = False,
    user: AsOption = None,
    purpose: PurposeOption = None,
    reason: ReasonOption = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Compare a customer with itself between two dates: values that came, went or changed, masked, and what did it.

    An id that was merged by then stands for the customer it went into; one that did not exist yet, for the customer it was split
    from. What was erased since is gone from both dates.
    """
    with told_errors():
        known, span = _parsed(cuid), (first, second)
        opened, keyring = open_project(project)
        in_full: tuple[str, ...] = ()
        if reveal:
            what = f"diff {known} {span[0]:%Y-%m-%dT%H:%M:%S} {span[1]:%Y-%m-%dT%H:%M:%S}"
            in_full = log_reveal(opened, keyring, what, Wish(Act.SHOW), Said(user, purpose, reason)).full
        found = diff_customer(DeltaLake(opened.lake, keyring).snapshot(), keyring, known, span, in_full=in_full)
        if as_json:
            results().print(diff_as_json(found), soft_wrap=True, markup=False)
        else:
            print_diff(found)


def _parsed(cuid: str) -> Cuid:
    try:
        return parse_cuid(cuid)
    except UnknownCustomer as error:
        raise ProjectInvalid(str(error)) from None
