"""The command ``custview receipt``: the whole chain of one value, and whether a receipt of before still holds."""

from pathlib import Path
from typing import Annotated, Final

import typer
from pydantic import ValidationError

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.erasure_ledger import ErasureLedger
from custview_pipeline.adapters.key_files import key_directory
from custview_pipeline.cli.entry import FAILED, ProjectOption, open_project, told_errors
from custview_pipeline.cli.permission import AsOption, PurposeOption, ReasonOption, Said, log_reveal
from custview_pipeline.cli.receipt_pages import print_receipt, print_verification, receipt_as_json, verification_as_json
from custview_pipeline.cli.terminal import results
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.receipt import RECEIPT_VERSION, Receipt
from custview_pipeline.contracts.steward_source import with_steward
from custview_pipeline.contracts.yaml_text import suggest
from custview_pipeline.flows.receipt import Archive, issue_receipt
from custview_pipeline.flows.verify_receipt import Verification, Witness, verify_receipt
from custview_pipeline.kernel.errors import ProjectInvalid, UnknownCustomer
from custview_pipeline.kernel.identifiers import Cuid, parse_cuid
from custview_pipeline.protection.permission import Act, Wish

EPILOG: Final = "Example: custview receipt CUQM8403JRZBQKMZVAM email --json > email.json; custview receipt --verify email.json"
_LARGEST: Final = 16 * 2**20  # bytes of a file that may be a receipt


def receipt(  # noqa: PLR0913 -- each is an option of the command
    cuid: Annotated[str | None, typer.Argument(metavar="CUID", help="Customer id.", show_default=False)] = None,
    attribute: Annotated[
        str | None, typer.Argument(metavar="ATTRIBUTE", help="Which value, such as email.", show_default=False)
    ] = None,
    project: ProjectOption = None,
    *,
    verify: Annotated[
        Path | None,
        typer.Option(
            "--verify",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Verify the receipt in this file (JSON) instead.",
            show_default=False,
        ),
    ] = None,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show the value as access.yaml lets you see it; logged.")] = False,
    user: AsOption = None,
    purpose: PurposeOption = None,
    reason: ReasonOption = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: the receipt to keep, which --verify reads.")] = False,
) -> None:
    """Account for one value of a customer: where it comes from, what it passed, why it won, and the rows that prove it.

    The value is masked unless you ask to reveal. With --verify, tell of each stored row that a receipt cites whether it holds,
    was replaced by a newer version, was erased, was altered or is missing. Exit code 1 where something was altered or is missing,
    or the receipt itself was changed.
    """
    with told_errors():
        if verify is not None:
            if cuid is not None or reveal:
                raise ProjectInvalid("--verify goes with a file alone: without CUID, ATTRIBUTE and --reveal")
            found = _verified(project, verify)
            if as_json:
                results().print(verification_as_json(found), soft_wrap=True, markup=False)
            else:
                print_verification(found)
            code = 0 if found.is_sound else FAILED
        else:
            made = _issued(project, cuid, attribute, Said(user, purpose, reason) if reveal else None)
            if as_json:
                results().print(receipt_as_json(made), soft_wrap=True, markup=False)
            else:
                print_receipt(made)
            code = 0
    raise typer.Exit(code)


def _issued(project: Path | None, cuid: str | None, attribute: str | None, said: Said | None) -> Receipt:
    """Return the receipt of a value; where somebody wants it revealed, that is logged first."""
    known, wanted = _named(cuid, attribute)
    opened, keyring = open_project(project)
    in_full: tuple[str, ...] = ()
    if said is not None:
        in_full = log_reveal(opened, keyring, f"receipt {known} {wanted}", Wish(Act.REVEAL, (wanted,)), said).full
    archive = Archive(DeltaLake(opened.lake, keyring).snapshot(), keyring, with_steward(opened.contracts), opened.rulebook)
    return issue_receipt(archive, known, wanted, in_full=in_full)


def _named(cuid: str | None, attribute: str | None) -> tuple[Cuid, str]:
    if cuid is None or attribute is None:
        raise ProjectInvalid("name a customer and an attribute, such as custview receipt CUID email; or --verify FILE")
    if attribute not in GOLDEN_ATTRIBUTES:
        raise ProjectInvalid(f"no attribute {attribute!r} of a customer{suggest(attribute, GOLDEN_ATTRIBUTES)}")
    try:
        return parse_cuid(cuid), attribute
    except UnknownCustomer as error:
        raise ProjectInvalid(str(error)) from None


def _verified(project: Path | None, file: Path) -> Verification:
    stated = _read(file)
    opened, keyring = open_project(project)
    erased = ErasureLedger(key_directory(opened.name)).record_marks()
    return verify_receipt(Witness(DeltaLake(opened.lake, keyring).snapshot(), keyring, erased), stated)


def _read(file: Path) -> Receipt:
    """Return the receipt in a file; what the file says is not repeated.

    Raises:
        ProjectInvalid: It is none, or one of a version that is not known here.
    """
    try:
        if file.stat().st_size > _LARGEST:
            raise ProjectInvalid("is too large for a receipt", file=file)
        return Receipt.model_validate_json(file.read_bytes())
    except (ValidationError, OSError):
        raise ProjectInvalid(
            f"is no receipt of version {RECEIPT_VERSION} as custview receipt --json prints it", file=file
        ) from None
