"""From each symptom, as the checks produce it, to its cause and who must act."""

from __future__ import annotations

from typing import Any

import pytest

from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.diagnosis.rule_file import UNKNOWN
from smtp_wizard.engine.smtp.symptom import Fault, Hints, Symptom, TlsFault
from tests.engine.diagnosis.symptoms import CODES, DIAGNOSIS, FINDINGS, NONE_587, REPLIES, _rows, happened, replied
from tests.support.rows import each_row


@each_row("name", FINDINGS)
def test_finding(name: str) -> None:
    symptom, code, who = FINDINGS[name]
    finding = DIAGNOSIS.explain(symptom)
    assert (finding.code, finding.who) == (code, who)
    assert finding.steps
    assert (finding.forward is None) is (who is Who.YOU)
    assert finding.fix == symptom.other
    assert finding.warning is (code in ("injected_before_tls", "cert_expires_soon"))


def test_every_cause_is_found() -> None:
    reached = {DIAGNOSIS.explain(symptom).code for symptom, _, _ in FINDINGS.values()}
    assert reached == set(DIAGNOSIS.causes)


def told(stage: Stage, **more: Any) -> Symptom:
    """Somebody said in which stage it was, and nothing else that could be understood."""
    facts = {"stage_is": "told", **more.pop("facts", {})}
    return Symptom(stage=stage, fault=Fault.REJECTED, words=shown("It did not work."), facts=facts, **more)


TOLD = [
    (told(Stage.DNS), "dns_host_not_found"),
    (told(Stage.DNS, facts={"host_of": "provider"}), "no_network"),
    (told(Stage.CONNECT), "port_blocked"),
    (told(Stage.CONNECT, hints=Hints(host=shown("localhost"))), "wrong_host_or_port"),
    (told(Stage.TLS), "tls_failed"),
    (told(Stage.TLS, hints=Hints(port=587, security=Security.TLS)), "tls_use_starttls"),
    (told(Stage.GREETING), "port_blocked"),
    (told(Stage.GREETING, hints=Hints(port=465, security=Security.NONE)), "tls_use_implicit"),
    (told(Stage.EHLO), "helo_rejected"),
    (told(Stage.STARTTLS), "tls_failed"),
    (told(Stage.AUTH), "bad_credentials"),
    (told(Stage.AUTH, provider="sendgrid"), "service_key_needed"),
    (told(Stage.AUTH, provider="icloud"), "app_password_required"),
    (told(Stage.AUTH, hints=Hints(auth=Auth.XOAUTH2)), "oauth_token_invalid"),
    (told(Stage.MAIL), "sender_not_allowed"),
    (told(Stage.MAIL, enhanced="5.7.1", facts={"side": "receiving"}), "sending_ip_rejected"),
    (told(Stage.RCPT), "recipient_rejected"),
    (told(Stage.RCPT, enhanced="5.7.1"), "auth_missing"),
    (told(Stage.DATA), "content_rejected"),
]


@each_row(("symptom", "code"), TOLD)
def test_a_stage_that_somebody_named_says_something_by_itself(symptom: Symptom, code: str) -> None:
    assert DIAGNOSIS.explain(symptom).code == code


@pytest.mark.parametrize("stage", Stage)
def test_a_stage_alone_says_nothing_to_a_check(stage: Stage) -> None:
    """What a check of our own knows no rule for stays unknown: it has the words, and they can be shown."""
    symptom = Symptom(stage=stage, fault=Fault.REJECTED, words=shown("It did not work."))
    assert DIAGNOSIS.explain(symptom).code == UNKNOWN


NOT_OF_A_CHECK = (
    happened(Stage.DNS, Fault.SILENT, words="dial tcp: lookup smtp.firm.test on 127.0.0.11:53: i/o timeout"),
    happened(Stage.STARTTLS, Fault.SILENT),
    happened(Stage.GREETING, Fault.SILENT, words="The read operation timed out"),
    happened(
        Stage.TLS, Fault.TLS_FAILED, tls=TlsFault.SELF_SIGNED, words="self-signed certificate in certificate chain"
    ),
    happened(Stage.TLS, Fault.TLS_FAILED, tls=TlsFault.UNKNOWN_ISSUER, provider="fastmail"),
    happened(Stage.TLS, Fault.TLS_FAILED, tls=TlsFault.VERSION, words="SSL_accept error: no shared cipher"),
    replied(Stage.RCPT, "504 5.5.2 <mail>: Helo command rejected: need fully-qualified name", facts={"log": "own"}),
    replied(Stage.RCPT, "550 Your server requires confirmation"),
    replied(Stage.DATA, "550 sender rejected AUP#CDRBL", endpoint=Endpoint("a.cloudfilter.net", 25, Security.NONE)),
    replied(Stage.RCPT, "550 user name ana not unique"),
    replied(Stage.RCPT, "550 unknown (expanded from <ana@customer.test>)", facts={"returned": "failed"}),
    happened(Stage.AUTH, Fault.REJECTED, words="invalid_client: The OAuth client was not found."),
    replied(Stage.DATA, "554 SMTPUTF8 is required, but was not offered by host mx.customer.test"),
    replied(Stage.RCPT, "550 Failure sending mail. Try again later"),
    happened(Stage.DNS, Fault.NO_SUCH_HOST, words="defer (-1): host lookup did not complete"),
    replied(Stage.RCPT, "550 Too many failures (Tried all MXs)", facts={"returned": "failed"}),
    replied(Stage.RCPT, "554 5.4.0 <ms1.customer.test #4.4.1>"),
    replied(Stage.DATA, "550 Message rejected. See https://support.google.com/mail/answer/69585"),
)
"""What only texts say, or servers to each other: no check of this program meets it."""


WHOSE_FAULT = (
    replied(Stage.RCPT, "550 Mailbox does not exist", facts={"happens": "sometimes"}),
    replied(Stage.RCPT, "550 Unauthenticated mail not allowed from this range", facts={"side": "forwarder"}),
    replied(Stage.RCPT, "554 5.7.1 <b@c.test>: Recipient address rejected: Access denied", facts={"sign_in": "none"}),
    replied(Stage.RCPT, "550 5.1.1 User unknown", facts={"returned": "failed", "side": "forwarder"}),
    replied(Stage.CONNECT, "550 Unable to find the socket transport"),
    replied(Stage.AUTH, "550 ServiceNotConnectedException"),
    happened(Stage.CONNECT, Fault.SILENT, words="timed out; 250 2.0.0 Ok: queued as 4ZxQ"),
    replied(Stage.DATA, "451 Unable_to_run_qmail-remote."),
    happened(Stage.CONNECT, Fault.NO_NETWORK, words="connect to mx.customer.test[192.0.2.1]:25: No route to host"),
    happened(Stage.DNS, Fault.NO_SUCH_HOST, words="getaddrinfo ENOTFOUND smtp.firm.test;"),
    happened(Stage.CONNECT, Fault.SILENT, words="connect to mx.customer.test[192.0.2.1]:25: Connection timed out"),
    happened(
        Stage.CONNECT,
        Fault.NO_NETWORK,
        words="Network is unreachable in /home/ana/public_html/mail",
        facts={"host_of": "provider"},
    ),
    happened(Stage.CONNECT, Fault.SILENT, facts={"sign": "weak"}),
    happened(Stage.TLS, Fault.CLOSED, words="Could not convert socket to TLS"),
    happened(Stage.TLS, Fault.TLS_FAILED, tls=TlsFault.VERSION, words="no peer certificate available"),
    happened(
        Stage.TLS,
        Fault.TLS_FAILED,
        tls=TlsFault.VERSION,
        words="Received fatal alert: protocol_version",
        facts={"pasted": "program"},
    ),
    happened(Stage.STARTTLS, Fault.NOT_OFFERED, lacking="STARTTLS", words="5.7.0 Must issue a STARTTLS command first"),
    happened(Stage.EHLO, Fault.NOT_OFFERED, lacking="STARTTLS"),
    replied(Stage.MAIL, "451 rate limited due to IP reputation", provider="sendgrid"),
    replied(Stage.MAIL, "451 SPF temperror"),
    replied(Stage.DATA, "554 5.7.1 <END-OF-MESSAGE>: End-of-data rejected: no"),
    replied(Stage.DATA, "554 see help?ip=192.0.2.1&c=hd"),
    replied(Stage.DATA, "554 see help?ip=192.0.2.1&c=bl"),
    replied(Stage.DATA, "421 4.7.28 no"),
    replied(Stage.EHLO, "501 5.5.4 Invalid domain name", facts={"pasted": "program"}),
)

PLAIN_REASONS = (
    replied(Stage.AUTH, "421 4.7.0 Error: too many errors"),
    replied(Stage.RCPT, "450 fails because only 250 is taken, not 251 User not local; will forward"),
    happened(Stage.CONNECT, Fault.SILENT, words="Called EHLO without being connected"),
    happened(Stage.CONNECT, Fault.SILENT, Endpoint("mail.protonmail.com", 587, Security.STARTTLS)),
    replied(Stage.RCPT, "502 5.5.1 VRFY command is disabled"),
    replied(Stage.AUTH, "535 5.7.8 Invalid authentication mechanism"),
    replied(Stage.DATA, "550 5.7.1 Mail service over limit", facts={"side": "receiving"}),
    replied(Stage.RCPT, "550 5.4.316 Message expired, connection refused", facts={"returned": "failed"}),
    replied(Stage.RCPT, "550 5.4.300 Message expired, unable to connect", facts={"returned": "failed"}),
    replied(Stage.GREETING, "554 Bad DNS PTR resource record."),
    replied(Stage.DATA, "550 5.7.1 This message is likely unsolicited mail"),
    replied(Stage.RCPT, "550 relay not permitted", facts={"log": "own"}),
    replied(Stage.MAIL, "504 5.5.2 <office@False>: Sender address rejected: need fully-qualified address"),
    replied(Stage.AUTH, "535 Error: authentication failed"),
    replied(Stage.AUTH, "535 5.7.3 Authentication unsuccessful", provider="outlook-com"),
)
"""What decides plainly, before a keyword or the class of a code."""


def test_every_rule_decides_something_here() -> None:
    """A rule that stands behind one which takes all its cases is dead; one without a case here is unproved."""
    cases = [symptom for symptom, _, _ in FINDINGS.values()]
    for stage, provider, said, _ in [*_rows(REPLIES), *_rows(CODES)]:
        cases.append(replied(Stage(stage), said, provider=None if provider == "-" else provider))
    cases += [
        replied(Stage.AUTH, "530 No", endpoint=NONE_587),
        replied(Stage.MAIL, "530 No", endpoint=NONE_587),
        replied(Stage.AUTH, "535 No", endpoint=Endpoint("smtp.zeptomail.com", 587, Security.STARTTLS)),
        replied(Stage.DATA, "554 You are not authorized to send from ana@example.com", provider="sendgrid"),
        replied(Stage.RCPT, "550 Policy rejection on the target address"),
        replied(Stage.MAIL, "550 5.2.0 Mail rejected."),
        replied(Stage.MAIL, "535 No"),
        happened(Stage.CONNECT, Fault.SILENT, Endpoint("localhost", 25, Security.NONE)),
        happened(Stage.CONNECT, Fault.SILENT, Endpoint("imap.example.com", 993, Security.TLS)),
        replied(Stage.AUTH, "535 No", username="ana"),
        replied(Stage.AUTH, "535 5.7.8 This is not the practice password", provider="sandbox"),
        replied(Stage.MAIL, "550 No", username="ana@example.com", sender="bob@example.com"),
        replied(Stage.AUTH, "535 No", endpoint=None, hints=Hints(auth=Auth.XOAUTH2)),
        happened(Stage.RCPT, Fault.NO_SUCH_HOST),
        happened(Stage.TLS, Fault.TLS_FAILED, tls=TlsFault.WRONG_NAME, facts={"certificate_of": "stranger"}),
        happened(Stage.DNS, Fault.NO_SUCH_HOST, facts={"host_of": "provider"}),
        happened(Stage.CONNECT, Fault.REFUSED, facts={"host_of": "provider"}),
        happened(Stage.CONNECT, Fault.NO_NETWORK, words="192.0.2.1:587 timed out, 2001:db8::1 unreachable"),
        happened(Stage.CONNECT, Fault.NO_NETWORK, words="Cannot assign requested address"),
        happened(Stage.GREETING, Fault.OTHER_PROTOCOL, words="220 ****************"),
        happened(
            Stage.STARTTLS,
            Fault.TLS_FAILED,
            Endpoint("localhost", 1025, Security.STARTTLS),
            tls=TlsFault.UNKNOWN_ISSUER,
        ),
        happened(Stage.STARTTLS, Fault.TLS_FAILED, tls=TlsFault.UNKNOWN_ISSUER, provider="proton"),
        replied(Stage.RCPT, "550 The IP you use is not authorized to send to us", facts={"side": "receiving"}),
        replied(Stage.RCPT, "550 This mailbox is disabled", facts={"side": "receiving"}),
        replied(Stage.AUTH, "503 AUTH command used when not advertised", endpoint=NONE_587),
        happened(Stage.CONNECT, Fault.SILENT, Endpoint("mx.example.com", 587, Security.STARTTLS)),
        happened(Stage.GREETING, Fault.CLOSED, Endpoint("localhost", 1025, Security.NONE)),
        happened(Stage.STARTTLS, Fault.RESET),
        Symptom(stage=Stage.MAIL, fault=Fault.REJECTED, enhanced="4.3.2", words=shown("Service not active")),
        happened(Stage.AUTH, Fault.CLOSED, words="SASL LOGIN authentication failed, lost connection after AUTH"),
        replied(Stage.RCPT, "550 Relaying denied", endpoint=Endpoint("smtp-relay.gmail.com", 587, Security.STARTTLS)),
        happened(Stage.TLS, Fault.TLS_FAILED, tls=TlsFault.VERSION, provider="gmail"),
        happened(Stage.TLS, Fault.TLS_FAILED, tls=TlsFault.VERSION, words="protocol is disabled or cipher suites"),
        replied(Stage.RCPT, "550 Relaying denied", facts={"side": "receiving"}),
        replied(Stage.RCPT, "550 Direct mail not allowed from this range", facts={"side": "receiving"}),
        replied(Stage.MAIL, "550 MailFrom domain is listed in Spamhaus"),
        replied(Stage.RCPT, "452 The mailbox is full", facts={"side": "receiving"}),
        replied(Stage.RCPT, "550 5.4.7 message too old", facts={"returned": "failed"}),
        replied(Stage.RCPT, "552 5.2.2 no", facts={"returned": "failed"}),
        replied(Stage.DATA, "550 Blocked by reputation", facts={"side": "forwarder"}),
        replied(Stage.RCPT, "550 Couldn't find any host named x", facts={"returned": "failed"}),
        replied(Stage.DATA, "550 5.7.1 TRANSPORT.RULES.RejectMessage", facts={"returned": "failed"}),
        replied(Stage.MAIL, "550 blocked using a list", facts={"returned": "failed", "sent_by": "provider"}),
        replied(Stage.MAIL, "550 not authorized to send mail directly"),
        *(
            replied(Stage.AUTH, "535 5.7.8 no", facts={"typed": clue})
            for clue in ("letters", "blanks", "app-password", "idn", "plus")
        ),
        *(
            replied(Stage.AUTH, "535 5.7.3 no", endpoint=None, hints=Hints(auth=Auth.XOAUTH2), facts={"token": said})
            for said in ("other-service", "no-user")
        ),
        *(
            replied(Stage.AUTH, f"535 AADSTS{number}: no")
            for number in ("7000222", "7000215", "700016", "90002", "900023")
        ),
        replied(Stage.EHLO, "421 4.7.0 try again with your full host name"),
        happened(
            Stage.GREETING,
            Fault.CLOSED,
            Endpoint("mail.example.com", 26, Security.NONE),
            words="SERVER -> CLIENT: SMTP NOTICE: EOF caught while checking",
        ),
        happened(Stage.TLS, Fault.TLS_FAILED, tls=TlsFault.UNKNOWN_ISSUER, words="the fingerprint does not match"),
        happened(Stage.CONNECT, Fault.SILENT, facts={"returned": "delayed"}),
        replied(Stage.DATA, "250 not been delivered yet", facts={"returned": "delayed"}),
        replied(Stage.RCPT, "554 blocked using zen.spamhaus.org; Error: open resolver"),
        replied(Stage.MAIL, "554 Sender address rejected: Access denied", facts={"side": "receiving"}),
        replied(Stage.MAIL, "451 unable to verify address"),
        happened(Stage.DNS, Fault.NO_SUCH_HOST, facts={"returned": "failed", "side": "receiving"}),
        happened(Stage.CONNECT, Fault.SILENT, facts={"returned": "failed", "sent_by": "provider"}),
        happened(Stage.CONNECT, Fault.REFUSED, words="connect to 127.0.0.1[127.0.0.1]:10024: Connection refused"),
        replied(Stage.DATA, "451 mail transport unavailable"),
        replied(Stage.RCPT, "554 mail for customer.test loops back to myself"),
        replied(
            Stage.RCPT,
            "554 Client host [40.107.1.2] blocked using zen.spamhaus.org",
            facts={"returned": "failed", "sent_by": "provider"},
        ),
        replied(Stage.MAIL, "550 empty envelope senders not allowed"),
        replied(Stage.RCPT, "550 invalid address", facts={"side": "receiving"}),
        replied(Stage.RCPT, "550 Mailbox temporarily disabled", facts={"returned": "failed", "side": "receiving"}),
        replied(Stage.MAIL, "550 no", facts={"side": "receiving"}),
        replied(Stage.MAIL, "550 Verification failed for <office@firm.test>"),
        *NOT_OF_A_CHECK,
        replied(Stage.MAIL, "550 5.7.708 Access denied, traffic not accepted from this IP"),
        replied(Stage.MAIL, "550 5.1.8 Access denied, bad outbound sender"),
        replied(Stage.DATA, "451 4.4.2 Timeout waiting for data from client"),
        replied(Stage.DATA, "550 SMTPUTF8 is required, but was not offered by host ::1[::1]"),
        happened(Stage.CONNECT, Fault.SILENT, Endpoint("mail.example.com", 25, Security.NONE)),
        *PLAIN_REASONS,
        *WHOSE_FAULT,
        *(symptom for symptom, _ in TOLD),
    ]
    deciding = [DIAGNOSIS.rule_for(case) for case in cases]
    assert [place for place, rule in enumerate(DIAGNOSIS.rules, 1) if rule not in deciding] == []
