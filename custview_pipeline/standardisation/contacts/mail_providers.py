"""What mail providers ignore in an address, so that two addresses of one mailbox compare equal.

Only what a provider documents: Gmail's dots and its domain googlemail.com ("Dots don't matter in Gmail addresses"), Fastmail's
subdomain addressing (anything@user.fastmail.com), Proton's short and former domains ("Addresses and aliases": an address is its
owner's in all of them) and Yandex' ("Mailbox aliases": each mailbox has the others). What stands behind a plus is a tag (RFC
5233) at Gmail, Outlook, iCloud, Fastmail, Proton and Yandex, and is left out at any other provider as well. A hyphen is never a
mark: what stands before it in Yahoo's disposable addresses is not the account's name, and people's names hold hyphens.
"""

from typing import Final, NamedTuple

from custview_pipeline.standardisation.text import word_pairs

_SAME_DOMAIN: Final = word_pairs(
    """googlemail.com gmail.com pm.me proton.me protonmail.com proton.me protonmail.ch proton.me
    ya.ru yandex.com yandex.ru yandex.com yandex.by yandex.com yandex.kz yandex.com yandex.ua yandex.com"""
)
_DOTS_IGNORED: Final = "gmail.com"
_FASTMAIL: Final = ("fastmail.com", "fastmail.fm")


class Mailboxes(NamedTuple):
    """What the addresses of a domain are compared by.

    Attributes:
        domain: The domain compared.
        owner: The local part compared, whatever is written; None where it is the one written.
        are_dots_ignored: Whether dots of the local part are left out.
    """

    domain: str
    owner: str | None = None
    are_dots_ignored: bool = False


def mailboxes_of(domain: str) -> Mailboxes:
    """Return what the addresses of a domain, given in its normal form, are compared by."""
    owner, _, provider = domain.partition(".")
    if provider in _FASTMAIL:
        return Mailboxes(provider, owner)
    same = _SAME_DOMAIN.get(domain, domain)
    return Mailboxes(same, are_dots_ignored=same == _DOTS_IGNORED)


def comparable_email(address: str) -> str:
    """Return the mailbox that an address reaches: without tag, without what its provider ignores."""
    local, _, domain = address.rpartition("@")
    mailboxes = mailboxes_of(domain)
    if mailboxes.owner:
        return f"{mailboxes.owner}@{mailboxes.domain}"
    if not local.startswith('"'):
        local = local.partition("+")[0] or local
    if mailboxes.are_dots_ignored:
        local = local.replace(".", "") or local
    return f"{local}@{mailboxes.domain}"
