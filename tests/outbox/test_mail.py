"""Mail: written correctly, handed in safely, retried; nobody can put a header into one, and no log names an address."""

from __future__ import annotations

import email
import email.policy
import io
import logging
import re
import smtplib
import socket
import ssl
import subprocess
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.utils import parseaddr
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from moderation import settings as settings_
from moderation.__main__ import main
from moderation.outbox import diagnostics
from moderation.outbox.smtp import Letter, Link, Quote, Smtp, composed, send
from moderation.outbox.undelivered import Undelivered
from moderation.settings import Settings, SettingsError
from moderation.text.addresses import checked_email
from tests.conftest import missing
from tests.html import Page
from tests.outbox.postbox import Postbox, postbox

SENDER = "Garden <comments@garden.example>"
HEADERS = {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "List-Unsubscribe", "List-Unsubscribe-Post",
           "MIME-Version", "Content-Type"}  # fmt: skip


def write(to: str = "ann@mail.example", **more: str) -> email.message.EmailMessage:
    letter = Letter(to, more.get("subject", "Hello"), ("Some words.", Link("Here", "https://x.example/a?b&c"), Quote(more.get("text", "Said."))),
                    more.get("name", ""), "https://c.example/u")  # fmt: skip
    return composed(letter, Address("Garden", "comments", "garden.example"), "reply.01", "c.example", 1_800_000_000_000)


def test_a_mail_is_plain_text_and_html_and_says_that_a_machine_wrote_it(box: Postbox) -> None:
    send(Smtp.of(box.url, SENDER), write(text="<b>Ünïcode</b>\nand more"), "c.example")
    (mail,) = box.mails
    assert mail["From"] == "Garden <comments@garden.example>" and mail["To"] == "ann@mail.example"
    assert mail["Message-ID"] == "<reply.01@c.example>" and mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime.isoformat() == "2027-01-15T08:00:00+00:00"
    assert mail["List-Unsubscribe"] == "<https://c.example/u>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    words, marked = mail.get_body(("plain",)), mail.get_body(("html",))
    assert words and "> <b>Ünïcode</b>\n> and more" in words.get_content().replace("\r\n", "\n")
    assert "Here:\nhttps://x.example/a?b&c" in words.get_content().replace("\r\n", "\n")
    assert marked
    page = Page(marked.get_content())
    assert "<b>Ünïcode</b>" in page.text() and page.one("br").next_sibling == "and more"
    assert page.link("Here") == "https://x.example/a?b&c"
    assert page.one("html").attrs == {"lang": "en"}
    raw = bytes(box.got[0].content or b"")
    assert raw.isascii() and all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert box.got[0].mail_from == "comments@garden.example"


def head(box: Postbox) -> dict[str, bytes]:
    """The headers of the last mail as its server got them, unfolded by RFC 5322, 2.2.3, and not decoded."""
    raw = box.got[-1].content
    assert isinstance(raw, bytes)
    top = raw.partition(b"\r\n\r\n")[0]
    assert all(len(line) <= 998 for line in top.split(b"\r\n"))
    lines = re.sub(rb"\r\n(?=[ \t])", b"", top).split(b"\r\n")
    return {line.partition(b":")[0].decode(): line.partition(b": ")[2] for line in lines}


@pytest.mark.parametrize(
    ("unsubscribe", "sent"),
    [
        ("https://c.example/u", b"https://c.example/u"),
        (f"https://comments.{'garden.' * 10}example/comments/subscriptions/{'x' * 300}",
         f"https://comments.{'garden.' * 10}example/comments/subscriptions/{'x' * 300}".encode()),
        ("https://müller.example/ä?a=1&b=2", b"https://xn--mller-kva.example/%C3%A4?a=1&b=2"),
        ("https://c.example/=?utf-8?q?a?=", b"https://c.example/=?utf-8?q?a?="),
    ],
)  # fmt: skip
def test_the_button_to_unsubscribe_is_plain_on_the_wire(box: Postbox, unsubscribe: str, sent: bytes) -> None:
    letter = Letter("ann@mail.example", "Hello", ("Words.",), unsubscribe=unsubscribe)
    mail = composed(letter, Address("Garden", "comments", "garden.example"), "reply.01", f"{'c.' * 60}example", 0)
    send(Smtp.of(box.url, SENDER), mail, "c.example")
    headers = head(box)
    assert headers["List-Unsubscribe"] == b"<" + sent + b">"
    assert headers["List-Unsubscribe-Post"] == b"List-Unsubscribe=One-Click"
    assert headers["Message-ID"] == f"<reply.01@{'c.' * 60}example>".encode()
    assert headers["Date"] == b"Thu, 01 Jan 1970 00:00:00 +0000"


def test_a_service_with_an_international_name_sends_mail(box: Postbox) -> None:
    host = Settings(public_url="https://müller.example/").host_name
    sender = Address("Müller", "comments", "garden.example")
    mail = composed(Letter("ann@mail.example", "Hello", ("Words.",)), sender, "reply.01", host, 0)
    send(Smtp.of(box.url, SENDER), mail, host)
    assert head(box)["Message-ID"] == b"<reply.01@xn--mller-kva.example>"


NAMES = [
    "Garden", "The “Garden” & Co., Ltd. <since 1984> (Berlin)", 'say "hi" \\ there', "=?utf-8?q?Bcc?= x", "a@b.example, c@d.example",
    "Der Garten – Blog über Bäume & Sträucher und ihre Früchte, mit vielen Bildern", "花园评论" * 20, "😀" * 90, "x" * 100, "a b " * 24,
    "word " * 12 + "ü", "ü" + "a" * 70 + " ü",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_long_names_and_subjects_are_what_they_were(box: Postbox, name: str) -> None:
    """Read as RFC 2047 (6.2) says, by the decoder that mail programs of old share."""
    name = name.strip()[:100]
    sender = Address(name, "comments", "garden.example")
    mail = composed(Letter("ann@mail.example", name * 2, ("Words.",), name), sender, "reply.01", "c.example", 0)
    send(Smtp.of(box.url, SENDER), mail, "c.example")
    headers = {field: str(make_header(decode_header(value.decode("ascii")))) for field, value in head(box).items()}
    assert headers["Subject"] == (name * 2)[:200]
    for field, address in (("From", "comments@garden.example"), ("To", "ann@mail.example")):
        assert parseaddr(head(box)[field].decode())[1] == address
        shown = headers[field].removesuffix(f" <{address}>")
        quoted = head(box)[field].startswith(b'"')
        assert (re.sub(r"\\(.)", r"\1", shown.strip('"')) if quoted else shown) == name
    raw = bytes(box.got[-1].content or b"").partition(b"\r\n\r\n")[0]
    assert all(len(line) <= 76 for line in raw.split(b"\r\n") if b"=?utf-8?" in line)


def test_the_same_letter_is_the_same_bytes() -> None:
    assert bytes(write(text="Ünïcode")) == bytes(write(text="Ünïcode"))


@pytest.mark.parametrize(
    ("to", "envelope"),
    [
        ("jörg@mail.example", "jörg@mail.example"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("用户@例子.example", "用户@xn--fsqu00a.example"),
    ],
)
def test_international_addresses(box: Postbox, to: str, envelope: str) -> None:
    send(Smtp.of(box.url, SENDER), write(to, name="Jörg, “the” <Gärtner>"), "c.example")
    assert box.got[0].rcpt_tos == [envelope]
    assert box.mails[0]["To"].addresses[0].addr_spec == envelope
    assert box.mails[0]["To"].addresses[0].display_name == "Jörg, “the” <Gärtner>"


def test_a_server_that_knows_no_international_addresses_refuses_only_those() -> None:
    with postbox(utf8=False) as box:
        send(Smtp.of(box.url, SENDER), write("ann@bücher.example"), "c.example")
        with pytest.raises(Undelivered, match="SMTPUTF8") as told:
            send(Smtp.of(box.url, SENDER), write("jörg@mail.example"), "c.example")
        assert told.value.final and len(box.got) == 1


HOSTILE = st.text(alphabet=st.one_of(st.sampled_from("\r\n\t:<>@,;\"\\=? \x00\x0b\x85\u2028\u202e"), st.characters(exclude_categories=["Cs"])), max_size=300)  # fmt: skip


@effort(deadline=None)
@given(name=HOSTILE, subject=HOSTILE, text=HOSTILE)
def test_nothing_that_somebody_typed_becomes_a_header_or_a_recipient(name: str, subject: str, text: str) -> None:
    for subject_ in (subject, f"x\r\nBcc: eve@evil.example\r\n\r\n{subject}"):
        raw = bytes(write(name=name, subject=subject_, text=text))
        head, _, _ = raw.partition(b"\r\n\r\n")
        named = {line.partition(b":")[0].decode() for line in head.split(b"\r\n") if line[:1] not in (b" ", b"\t")}
        assert named == HEADERS
        read = email.message_from_bytes(raw, policy=email.policy.default)
        assert [a.addr_spec for a in read["To"].addresses] == ["ann@mail.example"]
        assert read["Bcc"] is None and read["Cc"] is None
        assert len(list(read.walk())) == 3, "no part but the two"
        assert "\n" not in read["Subject"] and "\r" not in read["Subject"]
        assert raw.partition(b"\r\n\r\n")[0].isascii()


@effort(deadline=None)
@given(address=st.one_of(st.emails(), HOSTILE.map(lambda t: f"{t[:40]}@mail.example")))
def test_whatever_passes_as_an_address_is_one_recipient(address: str) -> None:
    checked = checked_email(address)
    if checked:
        try:
            mail = write(checked)
        except Undelivered:
            return
        assert len(mail["To"].addresses) == 1 and b"\r\nBcc" not in bytes(mail)


def test_a_password_goes_to_a_server_that_asks_for_it_and_into_no_text() -> None:
    with postbox(login=True) as box:
        send(Smtp.of(box.url, SENDER), write(), "c.example")
        assert len(box.got) == 1
        wrong = Smtp.of(box.url.replace("p%40ss", "wrong"), SENDER)
        with pytest.raises(Undelivered, match="name or password") as told:
            send(wrong, write(), "c.example")
        assert "wrong" not in str(told.value) and "wrong" not in repr(wrong) and told.value.__cause__ is None


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    folder: Path = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=relay",
               "-keyout", str(folder / "key"), "-out", str(folder / "cert")]  # fmt: skip
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        missing("openssl is not installed")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert", folder / "key")
    return context


def test_what_is_offered_encrypted_goes_encrypted(certificate: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    with postbox(certificate) as box:
        send(Smtp.of(box.url, SENDER), write(), "c.example")
        assert box.tls == [True]
        # to any other machine, a certificate that nobody vouches for is none
        monkeypatch.setattr(Smtp, "is_here", False)
        with pytest.raises(Undelivered, match="SSLCertVerificationError"):
            send(Smtp.of(box.url, SENDER), write(), "c.example")
        assert len(box.got) == 1


def test_a_password_is_not_sent_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Smtp, "is_here", False)
    with postbox(login=True) as box, pytest.raises(Undelivered, match="in the clear"):
        send(Smtp.of(box.url, SENDER), write(), "c.example")
    assert box.got == []


@pytest.mark.parametrize(("said", "final"), [("550 no such user ann@mail.example", True), ("450 come again", False)])
def test_a_refused_recipient_is_named_nowhere(
    box: Postbox, said: str, final: bool, caplog: pytest.LogCaptureFixture
) -> None:
    box.rcpt = {"ann@mail.example": [said]}
    with caplog.at_level(logging.DEBUG), pytest.raises(Undelivered) as told:
        send(Smtp.of(box.url, SENDER), write(), "c.example")
    assert (told.value.final, told.value.alone) == (final, True)
    assert "mail.example" not in str(told.value) and told.value.__suppress_context__
    ours = "\n".join(
        r.getMessage() for r in caplog.records if not r.name.startswith("mail.")
    )  # aiosmtpd is the other end
    assert "mail.example" not in ours


def test_a_server_that_is_not_there_is_an_undelivered_mail() -> None:
    with postbox() as box:
        gone = Smtp.of(box.url, SENDER)
    with pytest.raises(Undelivered, match="does not answer") as told:
        send(gone, None, "c.example")
    assert not told.value.final and not told.value.alone


@pytest.mark.parametrize(
    ("url", "sender", "named"),
    [
        ("http://relay.example", SENDER, "SMTP_URL"),
        ("smtp://", SENDER, "SMTP_URL"),
        ("smtp://u:p@relay:port", SENDER, "SMTP_URL"),
        ("smtp://u:hunter2@relay.example", "", "MAIL_FROM"),
        ("smtp://u:hunter2@relay.example", "nobody", "MAIL_FROM"),
    ],
)
def test_a_wrong_mail_setting_is_named_without_its_password(url: str, sender: str, named: str) -> None:
    with pytest.raises(SettingsError, match=named) as told:
        settings_.load(smtp_url=url, mail_from=sender)
    assert "hunter2" not in str(told.value)


def test_settings_show_no_secret() -> None:
    given = {"secret_key": "s" * 16, "metrics_token": "m" * 16, "database": "postgresql://u:hunter2@db.example/x"}
    found = repr(Settings(smtp_url="smtp://u:hunter2@relay.example", mail_from=SENDER, **given))
    assert "hunter2" not in found and "s" * 16 not in found and "m" * 16 not in found


def with_a_moderator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that `check` finds nothing wrong with."""
    monkeypatch.setenv("MODERATION_DATABASE", str(tmp_path / "db"))
    monkeypatch.setenv("MODERATION_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("MODERATION_PORT", "1")
    monkeypatch.setattr("sys.stdin", io.StringIO("a password of some length\n"))
    assert main(["add-moderator", "op@example.org", "--password-stdin"]) == 0
    Settings(database=str(tmp_path / "db")).secret()


def test_an_operator_can_try_the_mail(
    box: Postbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with_a_moderator(tmp_path, monkeypatch)
    assert main(["test-mail", "eve@mail.example"]) == 1
    assert "MODERATION_SMTP_URL" in capsys.readouterr().err
    main(["check"])
    assert "mail: not set up" in capsys.readouterr().out
    monkeypatch.setenv("MODERATION_SMTP_URL", box.url)
    monkeypatch.setenv("MODERATION_MAIL_FROM", SENDER)
    assert main(["test-mail", "nobody"]) == 1
    assert main(["test-mail", "eve@mail.example"]) == 0
    assert [mail["To"] for mail in box.mails] == ["eve@mail.example"]
    assert main(["check"]) == 0
    assert "mail: ok" in capsys.readouterr().out
    monkeypatch.setenv("MODERATION_SMTP_URL", "smtp://127.0.0.1:1")
    assert main(["check"]) == 1
    assert main(["test-mail", "eve@mail.example"]) == 1
    told = capsys.readouterr()
    assert "mail: the mail server does not answer" in told.out and "eve@" not in told.err + told.out
    assert "Nothing listens at 127.0.0.1:1" in told.out and "Nothing listens at 127.0.0.1:1" in told.err


def test_check_sends_a_test_mail_where_it_is_asked_to(
    box: Postbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with_a_moderator(tmp_path, monkeypatch)
    assert main(["check", "--mail", "eve@mail.example"]) == 1
    assert "mail: not set up" in capsys.readouterr().out
    monkeypatch.setenv("MODERATION_SMTP_URL", box.url)
    monkeypatch.setenv("MODERATION_MAIL_FROM", SENDER)
    assert main(["check", "--mail", "nobody"]) == 1
    assert main(["check", "--mail", "eve@mail.example"]) == 0
    assert "mail: The mail server has taken it." in capsys.readouterr().out
    assert [mail["To"] for mail in box.mails] == ["eve@mail.example"]
    box.rcpt = {"eve@mail.example": ["550 5.7.1 no relaying for eve@mail.example"]}
    assert main(["check", "--mail", "eve@mail.example"]) == 1
    told = capsys.readouterr().out
    assert "refuses the recipient (550). It says: “5.7.1 no relaying for …”" in told and "eve@" not in told


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (socket.gaierror(-2, "Name or service not known"), "relay.example is not known"),
        (ssl.SSLError(1, "wrong version number"), "is it smtp:// (port 587)?"),
        (TimeoutError(), "keeps silent"),
        (ConnectionRefusedError(), "Nothing listens at relay.example:465"),
        (smtplib.SMTPServerDisconnected("Connection unexpectedly closed"), "ended the conversation"),
    ],
)
def test_a_silent_server_is_explained(error: Exception, told: str) -> None:
    said = diagnostics.why_silent(Smtp.of("smtps://ann:hunter2@relay.example", SENDER), error)
    assert told in said and "hunter2" not in said and "ann" not in said


def test_what_the_server_says_is_quoted_without_secrets_and_addresses() -> None:
    server = Smtp.of("smtp://ann:hunter2@relay.example", SENDER)
    words = b"5.7.1 <eve@mail.example>: \r\n\x1b[31mann hunter2 aHVudGVyMg== denied " + b"x" * 500
    said = diagnostics.quoted(server, words)
    assert said.startswith("It says: “5.7.1 <…>: [31m… … … denied x") and len(said) < 220
    assert diagnostics.quoted(server, b"") == ""
