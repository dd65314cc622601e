"""What every command that reveals values does first: ask the access policy, and write the access log."""

import os
import pwd
from typing import Annotated, Final, NamedTuple

import typer

from custview_pipeline.adapters.access_log import AccessLog
from custview_pipeline.adapters.key_files import key_directory
from custview_pipeline.contracts.access import LONGEST_NAME
from custview_pipeline.contracts.project import Project
from custview_pipeline.kernel.errors import AccessDenied, ProjectInvalid
from custview_pipeline.protection.access_chain import Access, Outcome
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.permission import Claim, Grant, Wish, permit

LONGEST_REASON: Final = 500  # characters

AsOption = Annotated[
    str | None,
    typer.Option("--as", metavar="USER", help="Your name in access.yaml; else that of the system's user.", show_default=False),
]
PurposeOption = Annotated[
    str | None,
    typer.Option(
        metavar="PURPOSE", help="What for, as access.yaml names it; needed where there is a choice.", show_default=False
    ),
]
ReasonOption = Annotated[
    str, typer.Option(metavar="TEXT", help="Why, to be kept in the access log; name no person.", show_default=False)
]


class Said(NamedTuple):
    """What somebody who wants to see values says of themselves: the options --as, --purpose and --reason."""

    user: str | None
    purpose: str | None
    reason: str


def log_reveal(opened: Project, keyring: Keyring, what: str, wish: Wish, said: Said) -> Grant:
    """Return what somebody may see, once it is in the access log, before anything is opened; what is denied is logged too.

    Args:
        opened: The project.
        keyring: Its keys.
        what: What is to be opened, for the log; never a value.
        wish: The same, for the policy.
        said: Who, what for, why.

    Raises:
        ProjectInvalid: No reason is given, or no purpose where there is a choice.
        AccessDenied: They may not.
        LakeDamaged: It cannot be logged, so nothing may be revealed.
        KeyUnavailable: The anchor of the log cannot be written; the same holds.
    """
    reason, system_user = _reason(said.reason), os_user()
    user, purpose = _name(said.user, "--as") or system_user, _name(said.purpose, "--purpose")
    log = AccessLog(opened.lake, key_directory(opened.name), keyring)
    try:
        grant = permit(opened.access, Claim(user, purpose), wish, file=str(opened.access_file))
    except AccessDenied:
        roles = () if opened.access is None else opened.access.roles_of(user)
        log.append(Access(user, system_user, roles, purpose, what, reason, Outcome.DENIED, wish.fields))
        raise
    granted = (grant.roles, grant.purpose, what, reason, Outcome.GRANTED, grant.full, grant.masked)
    log.append(Access(user, system_user, *granted))
    return grant


def os_user() -> str:
    """Return the name of the user whose process this is; not what the environment says, which anybody can set."""
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # a container may run under a number that no name was given to
        return f"uid {number}"


def _reason(written: str) -> str:
    reason = written.strip()
    if not reason:
        raise ProjectInvalid("revealing needs --reason TEXT")
    if len(reason) > LONGEST_REASON or not _is_text(reason):
        raise ProjectInvalid(f"--reason must be a text of at most {LONGEST_REASON} characters")
    return reason


def _name(written: str | None, option: str) -> str:
    """Return a name as it was given, empty where it was not."""
    if written is None:
        return ""
    if not written or len(written) > LONGEST_NAME or not written.isprintable() or not _is_text(written):
        raise ProjectInvalid(f"{option} must be a name of at most {LONGEST_NAME} characters")
    return written


def _is_text(text: str) -> bool:
    """Return whether a text can be written; bytes of the command line that are no UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
