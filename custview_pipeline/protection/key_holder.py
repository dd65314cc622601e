"""What objects that hold keys have in common: no copy of a key leaves the process by accident."""

from typing import NoReturn, SupportsIndex


class KeyHolder:
    """Can be neither copied nor pickled, and its repr shows no key."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"

    def __reduce_ex__(self, protocol: SupportsIndex, /) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds keys: it stays in its process")
