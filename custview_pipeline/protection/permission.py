"""Whether a person may see what they ask for, by the project's access policy. What it does not allow is denied."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from custview_pipeline.contracts.access import AccessPolicy, Level, Role
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.kernel.errors import AccessDenied, ProjectInvalid


class Act(StrEnum):
    """What somebody wants to do with values."""

    REVEAL = "reveal"  # some attributes of one customer
    SHOW = "show"  # one customer whole, masked where the role sees no more
    EXPORT = "export"  # all customers, to a file
    REFUSED_ROW = "refused row"  # a row in quarantine


class Wish(NamedTuple):
    """What somebody asks for.

    Attributes:
        act: What is to be done.
        fields: The golden attributes named; for ``REVEAL`` only.
    """

    act: Act
    fields: tuple[str, ...] = ()


class Claim(NamedTuple):
    """Who asks, as they say themselves.

    Attributes:
        user: Name of the user.
        purpose: What for; empty where the user's roles leave no choice.
    """

    user: str
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """What somebody may see.

    Attributes:
        roles: The roles by which they may, in the order of the policy.
        purpose: What for.
        full: Golden attributes that may be seen in full.
        masked: Golden attributes that were asked for and may be seen masked.
    """

    roles: tuple[str, ...]
    purpose: str
    full: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()


_FLAGS: Final[Mapping[Act, str]] = {Act.EXPORT: "may_export", Act.REFUSED_ROW: "may_see_refused_rows"}


def permit(policy: AccessPolicy | None, claim: Claim, wish: Wish, *, file: str) -> Grant:
    """Return what a person may see of what they ask for.

    The roles count that allow the purpose and, for an export or a refused row, say so; where several do, the wider one holds.

    Args:
        policy: The policy; None where nobody wrote one.
        claim: Who asks, and what for.
        wish: What they ask for.
        file: Where the policy is, or would be, for the message.

    Raises:
        AccessDenied: They may not; says what is missing and where to write it.
        ProjectInvalid: No purpose is named, and their roles allow several.
    """
    if policy is None:
        raise AccessDenied(f"nobody may see values: there is no {file}, which says who may; custview init writes one to go by")
    own = {name: policy.roles[name] for name in policy.roles_of(claim.user)}
    if not own:
        raise AccessDenied(f"{claim.user!r} has no role: name them under users in {file}, with the roles that they have")
    purpose = claim.purpose or _only_purpose(own)
    roles = _with_purpose(own, purpose, file)
    if wish.act in _FLAGS:
        roles = _with_flag(roles, _FLAGS[wish.act], file)
    if wish.act is Act.REFUSED_ROW:
        return Grant(tuple(roles), purpose)
    if wish.act is Act.REVEAL:
        return _named(roles, purpose, wish.fields, file)
    return _whole(roles, purpose, file)


def _only_purpose(roles: Mapping[str, Role]) -> str:
    purposes = sorted({purpose for role in roles.values() for purpose in role.purposes})
    if len(purposes) != 1:
        raise ProjectInvalid(f"name the purpose with --purpose: {', '.join(purposes)}")
    return purposes[0]


def _with_purpose(roles: Mapping[str, Role], purpose: str, file: str) -> dict[str, Role]:
    allowed = {name: role for name, role in roles.items() if purpose in role.purposes}
    if not allowed:
        raise AccessDenied(f"the purpose {purpose!r} is not allowed: add it to {_keys(roles, 'purposes')} in {file}")
    return allowed


def _with_flag(roles: Mapping[str, Role], flag: str, file: str) -> dict[str, Role]:
    allowed = {name: role for name, role in roles.items() if getattr(role, flag)}
    if not allowed:
        raise AccessDenied(f"this is not allowed: it takes {_keys(roles, flag)}: true in {file}")
    return allowed


def _named(roles: Mapping[str, Role], purpose: str, fields: Sequence[str], file: str) -> Grant:
    levels = {field: _level(roles, field) for field in fields}
    if missing := [field for field, level in levels.items() if level is None]:
        raise AccessDenied(f"not allowed to see {', '.join(missing)}: add to {_keys(roles, 'attributes')} in {file}")
    full = tuple(field for field, level in levels.items() if level is Level.FULL)
    masked = tuple(field for field, level in levels.items() if level is Level.MASKED)
    return Grant(tuple(roles), purpose, full, masked)


def _whole(roles: Mapping[str, Role], purpose: str, file: str) -> Grant:
    full = tuple(field for field in GOLDEN_ATTRIBUTES if _level(roles, field) is Level.FULL)
    if not full:
        raise AccessDenied(f"not allowed to see any attribute in full: add to {_keys(roles, 'attributes')} in {file}")
    return Grant(tuple(roles), purpose, full)


def _level(roles: Mapping[str, Role], attribute: str) -> Level | None:
    levels = {role.level_of(attribute) for role in roles.values()}
    return next((level for level in (Level.FULL, Level.MASKED) if level in levels), None)


def _keys(roles: Mapping[str, Role], key: str) -> str:
    return " or ".join(f"roles.{name}.{key}" for name in roles)
