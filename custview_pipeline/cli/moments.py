"""Moments as people name them on the command line: a day stands for its end, in UTC."""

from datetime import UTC, datetime, time
from typing import Annotated, Final

import typer

_DAY: Final = "%Y-%m-%d"
_MOMENT: Final = "%Y-%m-%dT%H:%M:%S"


def read_moment(written: str | datetime) -> datetime:
    """Return the moment that somebody names, UTC: of a day its end.

    Raises:
        BadParameter: It is neither a day (2026-03-31) nor a moment (2026-03-31T12:00:00).
    """
    if isinstance(written, datetime):  # click parses a default again
        return written
    for form, is_day in ((_DAY, True), (_MOMENT, False)):
        try:
            named = datetime.strptime(written, form)  # noqa: DTZ007 -- it is given its zone below
        except ValueError:
            continue
        return (datetime.combine(named, time.max) if is_day else named).replace(tzinfo=UTC)
    raise typer.BadParameter("should be a day as 2026-03-31, or a moment as 2026-03-31T12:00:00")


AsOfOption = Annotated[
    datetime | None,
    typer.Option(
        parser=read_moment,
        metavar="DATE",
        help="Day or moment (UTC) asked about; a day to its end. Now by default.",
        show_default=False,
    ),
]
