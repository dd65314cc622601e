"""Alerts by e-mail and webhook, against real servers on the loopback: heard once, and a server that is down fails nothing."""

import smtplib
import socket
import ssl
from datetime import UTC, datetime, timedelta
from email import message_from_bytes

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from custview_pipeline.adapters.alert_channels import Alert, alert_channels, send
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline_tests.launch.serving import listening

ALERT = Alert("small-world", "run failed", "refresh", "admit_crm", "crm: 7 of 10 rows refused", "0a1b")
PASSWORD = "hunter2butlonger"
VARIABLES = ("CUSTVIEW_ALERT_EMAIL", "CUSTVIEW_SMTP_URL", "CUSTVIEW_ALERT_WEBHOOK")


@pytest.fixture(autouse=True)
def nobody_told(monkeypatch):
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)


class Mailbox:
    """Keeps what it is sent, and who logged in."""

    def __init__(self):
        self.mails, self.logins = [], []

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 -- the name that aiosmtpd calls
        """Keep a mail."""
        self.mails.append((envelope.rcpt_tos, message_from_bytes(envelope.content)))
        return "250 kept"

    def login(self, _server, _session, _envelope, _mechanism, data):
        """Let in who knows the password."""
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=data.password.decode() == PASSWORD)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Return the path of a certificate for localhost that signs itself, with its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    built = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
    signed = (
        built.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def mail_server(certificate):
    """Return a function that starts a mail server and returns its mailbox and port; all are ended at the end of the test."""
    running = []

    def start(*, tls=None, login=False):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        box = Mailbox()
        asked = {"authenticator": box.login, "auth_required": True, "auth_require_tls": True} if login else {}
        encrypted = {"ssl_context": context} if tls == "smtps" else {"tls_context": context} if tls == "starttls" else {}
        controller = Controller(box, hostname="localhost", port=free_port(), **encrypted, **asked)
        controller.start()
        running.append(controller)
        return box, controller.port

    yield start
    for controller in running:
        controller.stop()


def free_port():
    with socket.create_server(("localhost", 0)) as free:
        return free.getsockname()[1]


def test_where_nobody_is_to_be_told_nothing_is_sent():
    assert alert_channels() == {}
    assert send(ALERT) == []


@pytest.mark.parametrize("tls", ["starttls", "smtps"])
def test_a_mail_goes_out_once_to_all_over_an_encrypted_connection(monkeypatch, mail_server, certificate, tls):
    box, port = mail_server(tls=tls, login=tls == "starttls")
    account = f"ops%40example.org:{PASSWORD}@" if tls == "starttls" else ""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setenv("CUSTVIEW_ALERT_EMAIL", "first@example.org, second@example.org")
    monkeypatch.setenv("CUSTVIEW_SMTP_URL", f"{'smtps' if tls == 'smtps' else 'smtp'}://{account}localhost:{port}")
    assert send(ALERT) == []
    ((to, mail),) = box.mails
    assert to == ["first@example.org", "second@example.org"]
    assert mail["Subject"] == "custview small-world: run failed, refresh"
    assert mail["From"] == ("ops@example.org" if account else "first@example.org")
    assert "reason: crm: 7 of 10 rows refused" in mail.get_payload()
    assert "run id: 0a1b" in mail.get_payload()
    assert box.logins == ([("ops@example.org", PASSWORD)] if account else [])


def test_a_relay_without_encryption_gets_the_mail_and_never_a_password(monkeypatch, mail_server):
    box, port = mail_server()
    monkeypatch.setenv("CUSTVIEW_ALERT_EMAIL", "ops@example.org")
    monkeypatch.setenv("CUSTVIEW_SMTP_URL", f"smtp://localhost:{port}")
    assert send(ALERT) == []
    assert len(box.mails) == 1
    monkeypatch.setenv("CUSTVIEW_SMTP_URL", f"smtp://ops:{PASSWORD}@localhost:{port}")
    (failure,) = send(ALERT)
    assert "by e-mail: the server offers no encryption" in failure
    assert len(box.mails) == 1


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(monkeypatch, mail_server):
    box, port = mail_server(tls="starttls")
    monkeypatch.setenv("CUSTVIEW_ALERT_EMAIL", "ops@example.org")
    monkeypatch.setenv("CUSTVIEW_SMTP_URL", f"smtp://localhost:{port}")
    assert send(ALERT) == ["the alert could not be sent by e-mail: SSLCertVerificationError"]
    assert box.mails == []


def test_a_webhook_hears_each_alert_once_as_json(monkeypatch):
    with listening() as hook:
        monkeypatch.setenv("CUSTVIEW_ALERT_WEBHOOK", hook.url)
        assert send(ALERT) == []
    assert hook.heard == [
        {
            "text": "custview small-world: run failed: refresh, admit_crm: crm: 7 of 10 rows refused (run 0a1b)",
            "project": "small-world",
            "what": "run failed",
            "job": "refresh",
            "stage": "admit_crm",
            "reason": "crm: 7 of 10 rows refused",
            "run_id": "0a1b",
        }
    ]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_webhook_that_does_not_take_it_is_told_of(monkeypatch, status):
    with listening(status) as hook:
        monkeypatch.setenv("CUSTVIEW_ALERT_WEBHOOK", hook.url)
        assert send(ALERT) == [f"the alert could not be sent by webhook: it answered {status}"]


def test_a_server_that_is_down_keeps_no_other_from_being_told_and_raises_nothing(monkeypatch):
    port = free_port()
    monkeypatch.setenv("CUSTVIEW_ALERT_EMAIL", "ops@example.org")
    monkeypatch.setenv("CUSTVIEW_SMTP_URL", f"smtp://ops:{PASSWORD}@localhost:{port}")
    with listening() as hook:
        monkeypatch.setenv("CUSTVIEW_ALERT_WEBHOOK", hook.url)
        assert send(ALERT) == ["the alert could not be sent by e-mail: ConnectionRefusedError"]
        assert len(hook.heard) == 1
        monkeypatch.setenv("CUSTVIEW_ALERT_WEBHOOK", f"http://localhost:{port}/{PASSWORD}")
        failures = send(ALERT)
    assert failures[1] == "the alert could not be sent by webhook: ConnectionError"
    assert PASSWORD not in str(failures)


def test_an_error_of_the_mail_server_that_quotes_is_told_by_its_type(monkeypatch):
    class Refusing:
        def __init__(self, *_, **__):
            raise smtplib.SMTPServerDisconnected(f"do not repeat {PASSWORD}")

    monkeypatch.setattr(smtplib, "SMTP", Refusing)
    monkeypatch.setenv("CUSTVIEW_ALERT_EMAIL", "ops@example.org")
    monkeypatch.setenv("CUSTVIEW_SMTP_URL", "smtp://localhost")
    assert send(ALERT) == ["the alert could not be sent by e-mail: SMTPServerDisconnected"]


WRONG = {
    "no address": ({"EMAIL": "ops"}, "CUSTVIEW_ALERT_EMAIL should be addresses"),
    "a second line": ({"EMAIL": "ops@example.org\nBcc:all@example.org"}, "CUSTVIEW_ALERT_EMAIL should be addresses"),
    "commas alone": ({"EMAIL": " , "}, "CUSTVIEW_ALERT_EMAIL should be addresses"),
    "no server": ({"EMAIL": "ops@example.org"}, "CUSTVIEW_SMTP_URL should be a URL that begins with smtp:// or smtps://"),
    "nobody to tell": ({"SMTP": f"smtp://ops:{PASSWORD}@localhost"}, "CUSTVIEW_SMTP_URL says how to send alerts, and no"),
    "another scheme": ({"EMAIL": "ops@example.org", "SMTP": f"http://ops:{PASSWORD}@localhost"}, "CUSTVIEW_SMTP_URL should be"),
    "no number": ({"EMAIL": "ops@example.org", "SMTP": f"smtp://ops:{PASSWORD}@localhost:mail"}, "CUSTVIEW_SMTP_URL should be"),
    "no URL": ({"HOOK": PASSWORD}, "CUSTVIEW_ALERT_WEBHOOK should be a URL that begins with https:// or http://"),
    "no host": ({"HOOK": f"https:///{PASSWORD}"}, "CUSTVIEW_ALERT_WEBHOOK should be"),
    "half an address": ({"HOOK": f"https://[::1/{PASSWORD}"}, "CUSTVIEW_ALERT_WEBHOOK should be"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_settings_that_cannot_be_used_are_named_and_not_quoted(monkeypatch, case):
    given, said = WRONG[case]
    for variable, key in zip(VARIABLES, ("EMAIL", "SMTP", "HOOK"), strict=True):
        monkeypatch.setenv(variable, given.get(key, ""))
    with pytest.raises(ProjectInvalid) as raised:
        alert_channels()
    assert str(raised.value).startswith(said)
    assert PASSWORD not in str(raised.value)
    assert send(ALERT) == [str(raised.value)]


def test_an_alert_is_one_line_whatever_it_is_given():
    assert Alert("p", "gave up", "crm_changed", "crm", "two\nlines").line == "custview p: gave up: crm_changed, crm: two lines"
