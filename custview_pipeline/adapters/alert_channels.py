"""How somebody who is not looking hears of a failure: by e-mail, and by a webhook."""

import smtplib
import ssl
from collections.abc import Callable
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Final, Literal
from urllib.parse import SplitResult, unquote, urlsplit

import requests

from custview_pipeline.kernel import settings
from custview_pipeline.kernel.errors import ProjectInvalid

_SECONDS: Final = 10.0  # to connect, and for each answer; a tick of a sensor has 60
_PORTS: Final = {"smtp": 587, "smtps": 465}  # RFC 6409 and RFC 8314, section 3.3
_FIRST_ERROR: Final = 300  # of the status codes of HTTP; a redirect is not followed, for it may lead anywhere

What = Literal["run failed", "gave up", "delivery held"]
Sending = Callable[["Alert"], str | None]


@dataclass(frozen=True, slots=True)
class Alert:
    """What somebody should hear of; names and counts only.

    Attributes:
        project: The project's name.
        what: What happened.
        job: The job, or the sensor.
        stage: The step it happened in, or the source it is about.
        reason: Why, in one line.
        run_id: The run, for Dagster's UI; empty where it is about none.
    """

    project: str
    what: What
    job: str
    stage: str
    reason: str
    run_id: str = ""

    @property
    def line(self) -> str:
        """Return all of it in one line."""
        run = f" (run {self.run_id})" if self.run_id else ""
        return " ".join(f"custview {self.project}: {self.what}: {self.job}, {self.stage}: {self.reason}{run}".split())


def send(alert: Alert) -> list[str]:
    """Tell everybody who is to be told, once each.

    Returns:
        Who could not be told and why, a line each; a channel that fails keeps no other from being told, and raises nothing.
    """
    try:
        channels = alert_channels()
    except ProjectInvalid as error:
        return [str(error)]
    failures = ((name, sending(alert)) for name, sending in channels.items())
    return [f"the alert could not be sent by {name}: {why}" for name, why in failures if why is not None]


def alert_channels() -> dict[str, Sending]:
    """Return how alerts are sent, by the name of the channel; empty where nobody is to be told.

    Raises:
        ProjectInvalid: A variable cannot be used; it is named, and not quoted, for it may hold a password.
    """
    channels: dict[str, Sending] = {}
    if to := settings.read(settings.ALERT_EMAIL):
        channels["e-mail"] = _mail(to)
    elif settings.read(settings.SMTP_URL):
        raise ProjectInvalid(f"{settings.SMTP_URL} says how to send alerts, and no {settings.ALERT_EMAIL} to whom")
    if settings.read(settings.ALERT_WEBHOOK):
        channels["webhook"] = _webhook()
    return channels


def _mail(to: str) -> Sending:
    recipients = tuple(address.strip() for address in to.split(",") if address.strip())
    if not recipients or not all(_is_address(address) for address in recipients):
        raise ProjectInvalid(f"{settings.ALERT_EMAIL} should be addresses such as ops@example.org, separated by commas")
    server = _url(settings.SMTP_URL, tuple(_PORTS))

    def sending(alert: Alert) -> str | None:
        try:
            return _hand_over(_message(alert, recipients, _sender(server, recipients)), server)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            return type(error).__name__

    return sending


def _is_address(text: str) -> bool:
    name, _, domain = text.rpartition("@")
    return bool(name and domain) and text.isascii() and not any(letter.isspace() or letter in "<>\"'," for letter in text)


def _url(variable: str, schemes: tuple[str, ...]) -> SplitResult:
    wanted = " or ".join(f"{scheme}://" for scheme in schemes)
    try:
        parts = urlsplit(settings.read(variable) or "")
        is_good = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good:
        raise ProjectInvalid(f"{variable} should be a URL that begins with {wanted} and names a host")
    return parts


def _sender(server: SplitResult, recipients: tuple[str, ...]) -> str:
    """Return the address it is sent from: of the account where that is one, for many servers take no other."""
    account = unquote(server.username or "")
    return account if _is_address(account) else recipients[0]


def _message(alert: Alert, recipients: tuple[str, ...], sender: str) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = " ".join(f"custview {alert.project}: {alert.what}, {alert.job}".split())
    message["From"] = sender
    message["To"] = ", ".join(recipients)
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office notes, please
    message.set_content("".join(f"{name.replace('_', ' ')}: {value}\n" for name, value in asdict(alert).items() if value))
    return message


def _hand_over(message: EmailMessage, server: SplitResult) -> str | None:
    """Give a message to the server; a password goes over an encrypted connection only."""
    host, port, trust = server.hostname or "", server.port or _PORTS[server.scheme], ssl.create_default_context()
    is_tls = server.scheme == "smtps"
    with (
        smtplib.SMTP_SSL(host, port, timeout=_SECONDS, context=trust)
        if is_tls
        else smtplib.SMTP(host, port, timeout=_SECONDS) as connection
    ):
        connection.ehlo()
        if not is_tls and connection.has_extn("starttls"):
            connection.starttls(context=trust)
            connection.ehlo()
            is_tls = True
        if server.username:
            if not is_tls:
                return "the server offers no encryption, and the password is not sent without"
            connection.login(unquote(server.username), unquote(server.password or ""))
        refused = connection.send_message(message)
    return f"{len(refused)} of the addresses were refused" if refused else None


def _webhook() -> Sending:
    url = _url(settings.ALERT_WEBHOOK, ("https", "http")).geturl()

    def sending(alert: Alert) -> str | None:
        try:
            # "text" is what the incoming webhooks of chat services show; the rest is for programs.
            said = {"text": alert.line, **asdict(alert)}
            status = requests.post(url, json=said, timeout=_SECONDS, allow_redirects=False).status_code
        except (requests.RequestException, ValueError, OSError) as error:
            return type(error).__name__
        return f"it answered {status}" if status >= _FIRST_ERROR else None

    return sending
