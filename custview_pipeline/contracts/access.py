"""Who may see which values, and what for: ``access.yaml``. What it does not allow is denied."""

import re
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.written_model import WrittenModel, read_model
from custview_pipeline.contracts.yaml_text import parse_yaml, suggest

ALL: Final = "all"
LONGEST_NAME: Final = 64  # characters of the name of a user, a role, a purpose
_WORD: Final = re.compile(r"[a-z][a-z0-9_]*")


class Level(StrEnum):
    """How much of a value a role sees."""

    FULL = "full"
    MASKED = "masked"


def _word(name: str) -> str:
    if not _WORD.fullmatch(name) or len(name) > LONGEST_NAME:
        raise ValueError("should be a word of small letters, digits and underscores")
    return name


def _golden_or_all(name: str) -> str:
    known = (*GOLDEN_ATTRIBUTES, ALL)
    if name not in known:
        raise ValueError(f"no golden attribute{suggest(name, known)}")
    return name


def _empty_where_nothing_is_written(written: object) -> object:
    return {} if written is None else written


Word = Annotated[str, AfterValidator(_word)]
UserName = Annotated[str, StringConstraints(pattern=r"^\S+$", max_length=LONGEST_NAME)]
Flag = Annotated[bool, Field(strict=True)]


class Role(WrittenModel):
    """What those who have a role may see, and for which purposes.

    Attributes:
        attributes: Level by golden attribute; ``all`` holds for those that are not named. What is in neither is denied.
        purposes: What the role may be used for; whoever reveals names one of them.
        may_export: Whether golden records may be written to a file with the values that the role sees in full.
        may_see_refused_rows: Whether rows in quarantine may be opened; any cell of such a row may hold anything.
    """

    attributes: dict[Annotated[str, AfterValidator(_golden_or_all)], Level] = Field(default_factory=dict)
    purposes: Annotated[tuple[Word, ...], Field(min_length=1)]
    may_export: Flag = False
    may_see_refused_rows: Flag = False

    def level_of(self, attribute: str) -> Level | None:
        """Return how much of a golden attribute the role sees; None where it sees nothing."""
        return self.attributes.get(attribute, self.attributes.get(ALL))


class AccessPolicy(WrittenModel):
    """The whole policy.

    Attributes:
        roles: The roles by name.
        users: By the name of a user, the roles they have.
    """

    roles: Annotated[dict[Word, Role], BeforeValidator(_empty_where_nothing_is_written)] = Field(default_factory=dict)
    users: Annotated[dict[UserName, tuple[Word, ...]], BeforeValidator(_empty_where_nothing_is_written)] = Field(
        default_factory=dict
    )

    def roles_of(self, user: str) -> tuple[str, ...]:
        """Return the names of a user's roles; none where the user is not named."""
        return self.users.get(user, ())


def parse_access(text: str, *, file: str) -> AccessPolicy:
    """Read ``access.yaml``.

    Args:
        text: What the file says.
        file: Its name, as errors show it.

    Raises:
        ProjectInvalid: A key, an attribute, a level or a role is unknown, or something holds what it cannot; names file and line.
    """
    written = parse_yaml(text, file=file)
    policy = read_model(AccessPolicy, written)
    for user, roles in policy.users.items():
        for place, role in enumerate(roles):
            if role not in policy.roles:
                raise written.invalid(f"no role {role!r} under roles{suggest(role, policy.roles)}", "users", user, place)
    return policy
