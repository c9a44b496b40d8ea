"""What is known without a number: fixed texts of programs in their languages, the programs, and letters for people."""

from __future__ import annotations

import pytest

from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.explain.programs import load_programs
from smtp_wizard.engine.explain.readers import bounce_prose as letters
from smtp_wizard.engine.explain.readers.fixed_texts import load_fixed_texts
from smtp_wizard.engine.smtp.symptom import Fault, TlsFault

TEXTS = load_fixed_texts()
PROGRAMS = load_programs()


@pytest.mark.parametrize(
    ("text", "fault", "tls"),
    [
        ("Der Zielprinzipalname ist falsch.", Fault.TLS_FAILED, TlsFault.WRONG_NAME),
        ("Le nom principal de la cible est incorrect.", Fault.TLS_FAILED, TlsFault.WRONG_NAME),
        ("El certificado de seguridad ha caducado.", Fault.TLS_FAILED, TlsFault.EXPIRED),
        ("Il certificato del server è scaduto.", Fault.TLS_FAILED, TlsFault.EXPIRED),
        ("Certyfikat serwera wygasł.", Fault.TLS_FAILED, TlsFault.EXPIRED),
        ("サーバーは自己署名証明書を使用しています。", Fault.TLS_FAILED, TlsFault.SELF_SIGNED),
        ("服务器使用自签名证书", Fault.TLS_FAILED, TlsFault.SELF_SIGNED),
    ],
)
def test_fixed_texts(text: str, fault: Fault, tls: TlsFault) -> None:
    found = TEXTS.find(text)
    assert found is not None
    assert (found.fault, found.tls, found.stage) == (fault, tls, Stage.TLS)
    assert found.words
    assert found.words in text


@pytest.mark.parametrize("text", ["", "Hello", "Guten Tag, anbei die Rechnung.", "Bonjour, voici la facture."])
def test_other_texts_are_not_fixed_ones(text: str) -> None:
    assert TEXTS.find(text) is None


@pytest.mark.parametrize(
    ("text", "name", "more"),
    [
        ("homeassistant.components.smtp: it failed", "Home Assistant", "logger"),
        ("at /var/www/wp-includes/pluggable.php", "WordPress", "debug log"),
        ("nextcloud: mail could not be sent", "Nextcloud", "mail_smtpdebug"),
        ("org.keycloak.email.EmailException", "Keycloak", "mail"),
    ],
)
def test_a_program_and_how_it_says_more(text: str, name: str, more: str) -> None:
    program = PROGRAMS.named_in(text)
    assert program is not None
    assert program.name == name
    assert more in program.more


def test_no_program_is_named_in_other_texts() -> None:
    assert PROGRAMS.named_in("It did not work.") is None


LETTER = """\
Your message could not be delivered to the following address:

   <ana@customer.test>

The reason: 550 5.1.1 no such user (in reply to RCPT TO command)
Write to postmaster@mail.firm.test for help.
"""


def test_a_letter_says_who_and_why() -> None:
    assert letters.recipient_in(LETTER) == "ana@customer.test"
    assert letters.reason_in(LETTER).startswith("550 5.1.1 no such user")
    assert letters.command_in(LETTER) == "RCPT TO"
    assert not letters.is_delay(LETTER)


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("host mx.customer.test[192.0.2.1] said: 550 no", "mx.customer.test"),
        ("rejected by the server [mx.customer.test]", "mx.customer.test"),
        ("Generating server: mail.firm.test", ""),
        ("no server at all", ""),
    ],
)
def test_which_server_refused(text: str, server: str) -> None:
    assert letters.server_in(text) == server


@pytest.mark.parametrize(
    ("text", "late"),
    [
        ("THIS IS A WARNING MESSAGE ONLY.", True),
        ("Ihre Nachricht wurde noch nicht zugestellt.", True),
        ("Votre message n'a pas encore été remis.", True),
        ("It has been delayed, and the server has given up.", False),
        ("It could not be delivered.", False),
    ],
)
def test_late_is_not_lost(text: str, late: bool) -> None:
    assert letters.is_delay(text) is late


def test_until_when_it_is_tried() -> None:
    assert letters.until_in("The message will be retried for 2 more day(s)") == "2 more day(s)"
    assert letters.until_in("It is tried for some time.") == ""


@pytest.mark.parametrize(
    ("words", "forwarded"),
    [
        ("forwarding to ana@other.test failed", True),
        ("host a said: 550 host b said: 554 no", True),
        ("host a said: 550 no such user", False),
    ],
)
def test_whether_it_was_forwarded(words: str, forwarded: bool) -> None:
    assert letters.is_forwarded(words) is forwarded


def test_the_server_that_wrote_the_letter() -> None:
    assert letters.reporter_in("This is the mail system at host mail.firm.test.") == "mail.firm.test"
