"""Symptoms as the checks produce them, each with the cause that it leads to."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.diagnosis.diagnosis import load_diagnosis
from smtp_wizard.engine.smtp.symptom import Fault, Hints, Symptom, TlsFault

NAMES = {"gmail": "Gmail", "yahoo": "Yahoo Mail", "microsoft365": "Microsoft 365", "ionos": "IONOS"}
DIAGNOSIS = load_diagnosis(names=NAMES)
TLS_465 = Endpoint("smtp.example.com", 465, Security.TLS)
STARTTLS_587 = Endpoint("smtp.example.com", 587, Security.STARTTLS)
NONE_587 = Endpoint("smtp.example.com", 587, Security.NONE)
NONE_25 = Endpoint("smtp.example.com", 25, Security.NONE)


def replied(stage: Stage, said: str, **more: Any) -> Symptom:
    """The symptom of a refusal: code, words and the enhanced code that they begin with, as the client reads them."""
    code, _, words = said.partition(" ")
    found = re.match(r"([245]\.\d{1,3}\.\d{1,3})(?=\s|$)", words)
    more.setdefault("endpoint", STARTTLS_587)
    enhanced = found[1] if found else None
    return Symptom(stage=stage, fault=Fault.REJECTED, code=int(code), enhanced=enhanced, words=shown(words), **more)


def happened(stage: Stage, fault: Fault, endpoint: Endpoint = STARTTLS_587, **more: Any) -> Symptom:
    words, facts = shown(more.pop("words", "")), {name: shown(fact) for name, fact in more.pop("facts", {}).items()}
    return Symptom(stage=stage, fault=fault, endpoint=endpoint, words=words, facts=facts, **more)


def refused_token(trouble: str) -> Symptom:
    """The symptom of an access token that the server refuses, and of which this much is known."""
    said = "535 5.7.8 Error: authentication failed (status: 401)"
    return replied(Stage.AUTH, said, hints=Hints(auth=Auth.XOAUTH2), facts={"token": trouble})


def no_token(number: str) -> Symptom:
    """The sign-in server refused, with a number of Microsoft's."""
    return happened(Stage.AUTH, Fault.NO_TOKEN, lacking="client", words=number)


GMAIL_535 = "535 5.7.8 Username and Password not accepted. For more information, go to 5.7.8 https://support.google.com"
FINDINGS: dict[str, tuple[Symptom, str, Who]] = {
    "name not found": (happened(Stage.DNS, Fault.NO_SUCH_HOST), "dns_host_not_found", Who.YOU),
    "only the other family": (
        happened(
            Stage.DNS,
            Fault.NO_SUCH_HOST,
            words="mail.example.com has no IPv6 address",
            facts={"host_of": "provider"},
        ),
        "dns_host_not_found",
        Who.YOU,
    ),
    "name leads inside": (happened(Stage.DNS, Fault.LEADS_INSIDE), "wrong_host_or_port", Who.YOU),
    "no network": (happened(Stage.DNS, Fault.NO_NETWORK), "no_network", Who.YOU),
    "no route": (happened(Stage.CONNECT, Fault.NO_NETWORK, words="Network is unreachable"), "no_network", Who.YOU),
    "no file left for it": (happened(Stage.CONNECT, Fault.NO_ROOM), "too_many_files", Who.YOU),
    "look-up hangs": (happened(Stage.DNS, Fault.SILENT), "no_network", Who.YOU),
    "IPv6 address without a route": (
        happened(Stage.CONNECT, Fault.NO_NETWORK, Endpoint("2001:db8::1", 587, Security.STARTTLS)),
        "ipv6_broken",
        Who.NETWORK,
    ),
    "IPv6 address among others, without a route": (
        happened(Stage.CONNECT, Fault.NO_NETWORK, words="connect EHOSTUNREACH 2001:db8:4002:c0f::6d:465"),
        "ipv6_broken",
        Who.NETWORK,
    ),
    "nobody on this computer": (
        happened(Stage.CONNECT, Fault.REFUSED, Endpoint("localhost", 25, Security.NONE)),
        "wrong_host_or_port",
        Who.YOU,
    ),
    "refused": (happened(Stage.CONNECT, Fault.REFUSED), "wrong_host_or_port", Who.YOU),
    "silent": (happened(Stage.CONNECT, Fault.SILENT), "port_blocked", Who.NETWORK),
    "opens, then silent": (happened(Stage.GREETING, Fault.SILENT), "port_blocked", Who.NETWORK),
    "reset": (happened(Stage.CONNECT, Fault.RESET), "connection_reset", Who.NETWORK),
    "forbidden here": (happened(Stage.CONNECT, Fault.DENIED), "local_firewall_denied", Who.ADMIN),
    "speaks TLS at once": (
        happened(Stage.GREETING, Fault.SPEAKS_TLS, Endpoint("smtp.example.com", 465, Security.STARTTLS), other=TLS_465),
        "tls_use_implicit",
        Who.YOU,
    ),
    "speaks clear text first": (
        happened(Stage.TLS, Fault.SPEAKS_PLAIN, Endpoint("smtp.example.com", 587, Security.TLS), other=STARTTLS_587),
        "tls_use_starttls",
        Who.YOU,
    ),
    "465 hangs up on clear text": (
        happened(Stage.GREETING, Fault.CLOSED, Endpoint("smtp.example.com", 465, Security.NONE)),
        "tls_use_implicit",
        Who.YOU,
    ),
    "an IMAP server": (
        happened(Stage.GREETING, Fault.OTHER_PROTOCOL, words="* OK [CAPABILITY IMAP4rev1] ready"),
        "wrong_host_or_port",
        Who.YOU,
    ),
    "a POP server": (happened(Stage.GREETING, Fault.OTHER_PROTOCOL, words="+OK ready"), "wrong_host_or_port", Who.YOU),
    "a web server": (
        happened(
            Stage.GREETING,
            Fault.OTHER_PROTOCOL,
            Endpoint("www.example.com", 80, Security.NONE),
            words="HTTP/1.1 400 Bad Request",
        ),
        "wrong_host_or_port",
        Who.YOU,
    ),
    "a web page": (
        happened(Stage.GREETING, Fault.OTHER_PROTOCOL, words="HTTP/1.1 302 Found"),
        "connection_intercepted",
        Who.NETWORK,
    ),
    "something else": (
        happened(Stage.GREETING, Fault.OTHER_PROTOCOL, words="SSH-2.0-OpenSSH_9.6"),
        "wrong_host_or_port",
        Who.YOU,
    ),
    "STARTTLS not offered": (
        happened(Stage.STARTTLS, Fault.NOT_OFFERED, lacking="STARTTLS"),
        "starttls_not_offered",
        Who.YOU,
    ),
    "STARTTLS refused": (
        replied(Stage.STARTTLS, "502 5.5.1 Command not implemented", lacking="STARTTLS"),
        "starttls_not_offered",
        Who.YOU,
    ),
    "STARTTLS not now": (replied(Stage.STARTTLS, "454 4.7.0 TLS not available"), "temporary_try_later", Who.YOU),
    "STARTTLS required": (
        replied(Stage.AUTH, "530 5.7.0 Must issue a STARTTLS command first", endpoint=NONE_587),
        "starttls_required",
        Who.YOU,
    ),
    "sign-in only after STARTTLS": (
        happened(Stage.AUTH, Fault.NOT_OFFERED, NONE_587, lacking="AUTH-BEFORE-TLS", other=STARTTLS_587),
        "starttls_required",
        Who.YOU,
    ),
    "certificate expired": (
        happened(Stage.TLS, Fault.TLS_FAILED, TLS_465, tls=TlsFault.EXPIRED),
        "cert_expired",
        Who.HOST,
    ),
    "certificate of a provider expired": (
        happened(Stage.TLS, Fault.TLS_FAILED, TLS_465, tls=TlsFault.EXPIRED, provider="ionos"),
        "cert_expired",
        Who.PROVIDER,
    ),
    "certificate not yet valid": (
        happened(Stage.TLS, Fault.TLS_FAILED, TLS_465, tls=TlsFault.NOT_YET_VALID),
        "cert_not_yet_valid",
        Who.HOST,
    ),
    "certificate for another name": (
        happened(Stage.STARTTLS, Fault.TLS_FAILED, tls=TlsFault.WRONG_NAME),
        "cert_hostname_mismatch",
        Who.YOU,
    ),
    "certificate with its name in the old place alone": (
        happened(Stage.TLS, Fault.TLS_FAILED, TLS_465, tls=TlsFault.WRONG_NAME, lacking="SAN"),
        "cert_hostname_mismatch",
        Who.HOST,
    ),
    "certificate self-signed": (
        happened(Stage.TLS, Fault.TLS_FAILED, TLS_465, tls=TlsFault.SELF_SIGNED),
        "cert_self_signed",
        Who.HOST,
    ),
    "certificate of an unknown issuer": (
        happened(Stage.TLS, Fault.TLS_FAILED, TLS_465, tls=TlsFault.UNKNOWN_ISSUER),
        "cert_unknown_issuer",
        Who.HOST,
    ),
    "certificate of a virus scanner": (
        happened(
            Stage.TLS,
            Fault.TLS_FAILED,
            TLS_465,
            tls=TlsFault.UNKNOWN_ISSUER,
            facts={"issuer": "CN=avast! Mail Scanner Root"},
        ),
        "connection_intercepted",
        Who.NETWORK,
    ),
    "own authority before a known provider": (
        happened(
            Stage.TLS,
            Fault.TLS_FAILED,
            TLS_465,
            tls=TlsFault.UNKNOWN_ISSUER,
            provider="gmail",
            words="self-signed certificate in certificate chain",
        ),
        "connection_intercepted",
        Who.NETWORK,
    ),
    "no list of issuers": (
        happened(
            Stage.TLS,
            Fault.TLS_FAILED,
            TLS_465,
            tls=TlsFault.UNKNOWN_ISSUER,
            provider="gmail",
            words="unable to get local issuer certificate",
        ),
        "ca_bundle_missing",
        Who.YOU,
    ),
    "intermediate certificate not sent": (
        happened(Stage.STARTTLS, Fault.TLS_FAILED, tls=TlsFault.CHAIN_INCOMPLETE),
        "cert_chain_incomplete",
        Who.HOST,
    ),
    "intermediate certificate of a provider not sent": (
        happened(Stage.STARTTLS, Fault.TLS_FAILED, tls=TlsFault.CHAIN_INCOMPLETE, provider="ionos"),
        "cert_chain_incomplete",
        Who.PROVIDER,
    ),
    "certificate too weak": (
        happened(Stage.TLS, Fault.TLS_FAILED, TLS_465, tls=TlsFault.WEAK_KEY, facts={"weakness": "an RSA key"}),
        "cert_weak",
        Who.HOST,
    ),
    "certificate not accepted otherwise": (
        happened(Stage.TLS, Fault.TLS_FAILED, TLS_465, tls=TlsFault.CERTIFICATE, facts={"reason": "CA key too small"}),
        "tls_failed",
        Who.HOST,
    ),
    "certificate of ours wanted": (
        happened(Stage.GREETING, Fault.TLS_FAILED, TLS_465, tls=TlsFault.CLIENT_CERTIFICATE),
        "client_cert_required",
        Who.HOST,
    ),
    "certificate runs out soon": (
        happened(Stage.TLS, Fault.EXPIRES_SOON, TLS_465, facts={"days": "12", "not_after": "2026-12-06"}),
        "cert_expires_soon",
        Who.HOST,
    ),
    "certificate not yet valid, for a clock that is wrong": (
        happened(
            Stage.TLS, Fault.TLS_FAILED, TLS_465, tls=TlsFault.NOT_YET_VALID, now=datetime(2020, 1, 1, tzinfo=UTC)
        ),
        "cert_clock_wrong",
        Who.YOU,
    ),
    "no TLS version in common": (
        happened(Stage.TLS, Fault.TLS_FAILED, TLS_465, tls=TlsFault.VERSION),
        "tls_version_old",
        Who.HOST,
    ),
    "the own authority's file is gone": (
        happened(
            Stage.TLS,
            Fault.TLS_FAILED,
            TLS_465,
            tls=TlsFault.OTHER,
            words="the file of trusted certificates, /etc/firm.pem, cannot be used (No such file or directory)",
            facts={"reason": "the file of trusted certificates, /etc/firm.pem, cannot be used (No such file)"},
        ),
        "ca_file_unusable",
        Who.YOU,
    ),
    "handshake fails otherwise": (
        happened(Stage.TLS, Fault.TLS_FAILED, TLS_465, tls=TlsFault.OTHER),
        "tls_failed",
        Who.HOST,
    ),
    "hangs up in the handshake": (happened(Stage.TLS, Fault.CLOSED, TLS_465), "tls_failed", Who.HOST),
    "587 is silent when TLS is begun": (
        happened(Stage.TLS, Fault.SILENT, Endpoint("smtp.example.com", 587, Security.TLS)),
        "tls_use_starttls",
        Who.YOU,
    ),
    "AUTH not offered": (
        happened(Stage.AUTH, Fault.NOT_OFFERED, lacking="AUTH"),
        "auth_method_unavailable",
        Who.YOU,
    ),
    "AUTH not offered in clear text": (
        happened(Stage.AUTH, Fault.NOT_OFFERED, NONE_587, lacking="AUTH"),
        "starttls_required",
        Who.YOU,
    ),
    "AUTH not offered by a known provider in clear text": (
        happened(Stage.AUTH, Fault.NOT_OFFERED, NONE_25, lacking="AUTH", provider="ionos"),
        "starttls_required",
        Who.YOU,
    ),
    "no mechanism in common": (
        happened(Stage.AUTH, Fault.NOT_OFFERED, lacking="MECHANISM"),
        "auth_ways_unusable",
        Who.ADMIN,
    ),
    "SMTPUTF8 not offered": (
        happened(Stage.MAIL, Fault.NOT_OFFERED, lacking="SMTPUTF8"),
        "smtputf8_unsupported",
        Who.YOU,
    ),
    "wrong password": (
        replied(Stage.AUTH, "535 5.7.8 Error: authentication failed: authentication failure"),
        "bad_credentials",
        Who.YOU,
    ),
    "Google says so": (
        replied(Stage.AUTH, "534 5.7.9 Application-specific password required.", provider="gmail"),
        "app_password_required",
        Who.YOU,
    ),
    "Google, the account's own password": (
        replied(Stage.AUTH, GMAIL_535, provider="gmail", secret_shape="other"),
        "app_password_required",
        Who.YOU,
    ),
    "Google, an app password": (
        replied(Stage.AUTH, GMAIL_535, provider="gmail", secret_shape="app-password"),
        "bad_credentials",
        Who.YOU,
    ),
    "Google, nobody knows which": (
        replied(Stage.AUTH, GMAIL_535, provider="gmail"),
        "app_password_required",
        Who.YOU,
    ),
    "Yahoo": (
        replied(Stage.AUTH, "535 5.7.0 (#AUTH005) Too many bad auth attempts.", provider="yahoo", secret_shape="other"),
        "app_password_required",
        Who.YOU,
    ),
    "Yahoo, an app password": (
        replied(
            Stage.AUTH, "535 5.7.0 (#AUTH005) Too many bad auth attempts.", provider="aol", secret_shape="app-password"
        ),
        "too_many_logins",
        Who.YOU,
    ),
    "Yahoo, in few words": (
        replied(Stage.AUTH, "535 5.7.0 (#AUTH012) Username or password not accepted", provider="att"),
        "app_password_required",
        Who.YOU,
    ),
    "Apple": (
        replied(Stage.AUTH, "535 5.7.8 Error: authentication failed: ", provider="icloud", secret_shape="other"),
        "app_password_required",
        Who.YOU,
    ),
    "Apple, an app password": (
        replied(Stage.AUTH, "535 5.7.8 Error: authentication failed", provider="icloud", secret_shape="app-password"),
        "bad_credentials",
        Who.YOU,
    ),
    "Outlook.com takes no passwords": (
        replied(
            Stage.AUTH,
            "535 5.7.139 Authentication unsuccessful, basic authentication is disabled. [AS1.prod.outlook.com]",
            provider="outlook-com",
        ),
        "basic_auth_disabled",
        Who.YOU,
    ),
    "Microsoft 365 takes no passwords any more": (
        replied(
            Stage.AUTH,
            "550 5.7.30 Basic authentication is not supported for Client Submission.",
            provider="microsoft365",
        ),
        "basic_auth_disabled",
        Who.YOU,
    ),
    "SMTP AUTH off at the tenant": (
        replied(
            Stage.AUTH,
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.",
            provider="microsoft365",
        ),
        "smtp_auth_disabled",
        Who.ADMIN,
    ),
    "the same at a personal mailbox": (
        replied(
            Stage.AUTH,
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.",
            provider="outlook-com",
        ),
        "smtp_auth_disabled",
        Who.YOU,
    ),
    "a rule of the organisation": (
        replied(
            Stage.AUTH,
            "535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated",
            provider="microsoft365",
        ),
        "security_policy_blocked",
        Who.ADMIN,
    ),
    "too many attempts": (
        replied(Stage.AUTH, "454 4.7.0 Too many login attempts, please try again later.", provider="gmail"),
        "too_many_logins",
        Who.YOU,
    ),
    "sender not allowed": (
        replied(Stage.MAIL, "553 5.7.1 <ana@example.org>: Sender address rejected: not owned by user ana"),
        "sender_not_allowed",
        Who.YOU,
    ),
    "sender not allowed, told at RCPT": (
        replied(Stage.RCPT, "553 5.7.1 <ana@example.org>: Sender address rejected: not owned by user ana"),
        "sender_not_allowed",
        Who.YOU,
    ),
    "recipient refused": (
        replied(Stage.RCPT, "550 5.1.1 <bob@example.org>: Recipient address rejected: User unknown"),
        "recipient_rejected",
        Who.YOU,
    ),
    "recipient's mailbox full": (
        replied(Stage.RCPT, "552 5.2.2 The recipient's mailbox is full"),
        "recipient_rejected",
        Who.RECIPIENT,
    ),
    "quota reached": (
        replied(Stage.DATA, "550 5.4.5 Daily user sending limit exceeded.", provider="gmail"),
        "daily_limit",
        Who.YOU,
    ),
    "quota reached, one hour": (
        replied(Stage.RCPT, "450 Mail send limit exceeded", provider="ionos"),
        "daily_limit",
        Who.YOU,
    ),
    "greylisted": (
        replied(Stage.RCPT, "451 4.7.1 Greylisting in action, please come back in 00:05:00"),
        "temporary_try_later",
        Who.YOU,
    ),
    "message too large": (
        replied(Stage.MAIL, "552 5.3.4 Message size exceeds fixed limit"),
        "message_too_large",
        Who.YOU,
    ),
    "server closes with 421": (
        replied(Stage.MAIL, "421 4.4.2 smtp.example.com Error: timeout exceeded"),
        "server_closed",
        Who.HOST,
    ),
    "server closes without a word": (happened(Stage.MAIL, Fault.CLOSED), "server_closed", Who.HOST),
    "server closes at once": (happened(Stage.GREETING, Fault.CLOSED), "server_closed", Who.HOST),
    "server closes at the sign-in": (happened(Stage.AUTH, Fault.CLOSED), "server_closed", Who.HOST),
    "hangs up at the sign-in, and gives codes for programs": (
        happened(Stage.AUTH, Fault.CLOSED, provider="qq", secret_shape="other"),
        "app_password_required",
        Who.YOU,
    ),
    "server resets later": (happened(Stage.DATA, Fault.RESET), "server_closed", Who.HOST),
    "the recipient's mailbox is full": (
        replied(Stage.RCPT, "452 4.2.2 Mailbox full", facts={"returned": "failed", "side": "receiving"}),
        "mailbox_full",
        Who.RECIPIENT,
    ),
    "a forwarding that leads nowhere": (
        replied(Stage.RCPT, "550 5.1.1 User unknown", facts={"returned": "failed", "side": "forwarder"}),
        "forwarding_broken",
        Who.RECIPIENT,
    ),
    "the time for delivering is over": (
        replied(Stage.RCPT, "550 5.4.7 message too old", facts={"returned": "failed", "side": "receiving"}),
        "delivery_expired",
        Who.YOU,
    ),
    "the recipient's server does not answer a provider's": (
        happened(Stage.CONNECT, Fault.SILENT, facts={"returned": "failed", "sent_by": "provider"}),
        "recipient_server_down",
        Who.RECIPIENT,
    ),
    "the server has a fault of its own": (
        replied(Stage.MAIL, "451 4.3.0 Temporary local problem"),
        "server_fault",
        Who.HOST,
    ),
    "a program gives up before it signs in": (
        replied(Stage.EHLO, "250 AUTH XOAUTH2", facts={"reading": "gave-up"}),
        "program_gave_up",
        Who.YOU,
    ),
    "server falls silent": (happened(Stage.EHLO, Fault.SILENT), "server_silent", Who.HOST),
    "outcome unknown": (happened(Stage.DATA, Fault.OUTCOME_UNKNOWN), "outcome_unknown", Who.YOU),
    "we sent no password in clear text": (
        happened(Stage.AUTH, Fault.UNENCRYPTED, NONE_587),
        "cleartext_refused",
        Who.YOU,
    ),
    "a password that cannot be sent": (happened(Stage.AUTH, Fault.UNUSABLE_SECRET), "unusable_password", Who.YOU),
    "a sign-in in the browser that has ended": (
        happened(Stage.AUTH, Fault.NO_TOKEN, lacking="ended", facts={"why": "It has ended."}),
        "oauth_token_invalid",
        Who.YOU,
    ),
    "a client id that is refused": (
        happened(Stage.AUTH, Fault.NO_TOKEN, lacking="client"),
        "oauth_client_refused",
        Who.YOU,
    ),
    "an application that was not admitted to the mailbox": (
        replied(Stage.AUTH, "535 5.7.3 no", endpoint=None, hints=Hints(auth=Auth.XOAUTH2), facts={"token": "no-user"}),
        "oauth_scope_missing",
        Who.ADMIN,
    ),
    "a client secret that has expired": (no_token("AADSTS7000222"), "oauth_client_secret_expired", Who.ADMIN),
    "a client secret that is wrong": (no_token("AADSTS7000215"), "oauth_client_secret_wrong", Who.YOU),
    "an application that nobody knows": (no_token("AADSTS700016"), "oauth_client_unknown", Who.ADMIN),
    "a tenant that nobody knows": (no_token("AADSTS90002"), "oauth_tenant_unknown", Who.YOU),
    "a sign-in server that is not there": (
        happened(Stage.AUTH, Fault.NO_TOKEN, lacking="unreachable"),
        "oauth_unreachable",
        Who.NETWORK,
    ),
    "too many rounds": (
        happened(Stage.AUTH, Fault.ROUNDS, words="the server asks for 2000000000 rounds"),
        "scram_rounds_refused",
        Who.HOST,
    ),
    "no proof of the server": (happened(Stage.AUTH, Fault.IMPOSTOR), "server_unproven", Who.HOST),
    "no OAuth offered": (happened(Stage.AUTH, Fault.NOT_OFFERED, lacking="OAUTH"), "oauth_not_offered", Who.YOU),
    "only OAuth offered": (
        happened(Stage.AUTH, Fault.NOT_OFFERED, lacking="PASSWORD"),
        "basic_auth_disabled",
        Who.YOU,
    ),
    "a token that has run out": (refused_token("expired"), "oauth_token_expired", Who.YOU),
    "somebody else's token": (refused_token("other-user"), "oauth_wrong_user", Who.YOU),
    "a token that is not for mail": (refused_token("no-scope"), "oauth_scope_missing", Who.YOU),
    "a password refused by CRAM-MD5": (
        replied(Stage.AUTH, "535 5.7.8 Error: authentication failed", facts={"mechanism": "CRAM-MD5"}),
        "cram_md5_only",
        Who.YOU,
    ),
    "injected before TLS": (
        happened(Stage.STARTTLS, Fault.INJECTED, words="250 ok"),
        "injected_before_tls",
        Who.HOST,
    ),
    "speaks unasked": (happened(Stage.EHLO, Fault.UNSOLICITED, words="250 ok"), "unsolicited_reply", Who.HOST),
    "a code that answers another command": (
        happened(Stage.MAIL, Fault.GARBLED, code=235, words="2.7.0 welcome"),
        "garbled_reply",
        Who.HOST,
    ),
    "goodbye in place of a greeting": (
        happened(Stage.GREETING, Fault.REJECTED, code=221, words="bye"),
        "server_closed",
        Who.HOST,
    ),
    "the name in EHLO": (
        happened(Stage.EHLO, Fault.REJECTED, code=504, words="no", lacking="NAME"),
        "helo_rejected",
        Who.YOU,
    ),
    "the name in EHLO, under TLS": (
        happened(Stage.STARTTLS, Fault.REJECTED, code=501, words="no", lacking="NAME"),
        "helo_rejected",
        Who.YOU,
    ),
    "speaks nonsense": (happened(Stage.EHLO, Fault.GARBLED, words="hello"), "garbled_reply", Who.HOST),
    "sign in on the website first": (
        replied(Stage.AUTH, "534 5.7.14 Please log in via your web browser and then try again.", provider="gmail"),
        "web_login_required",
        Who.YOU,
    ),
    "account suspended": (
        replied(Stage.DATA, "552 Your account has been suspended. Please contact us"),
        "account_suspended",
        Who.PROVIDER,
    ),
    "SMTP switched off in the mailbox": (
        replied(
            Stage.AUTH, "535 5.7.8 Error: authentication failed: This user does not have access rights to this service"
        ),
        "smtp_access_off",
        Who.YOU,
    ),
    "the service's own key": (
        replied(Stage.AUTH, "535 Authentication failed: Bad username / password", provider="sendgrid"),
        "service_key_needed",
        Who.YOU,
    ),
    "another region": (
        replied(Stage.AUTH, "535 5.7.8 Your account belongs to a different region", provider="zoho"),
        "wrong_region_server",
        Who.YOU,
    ),
    "a token has expired": (
        replied(Stage.AUTH, "535 5.7.8 Bearer token expired", provider="yahoo"),
        "oauth_token_invalid",
        Who.YOU,
    ),
    "not on the list of addresses": (
        replied(Stage.MAIL, "550 5.7.0 Mail relay denied [192.0.2.1]. Invalid credentials for relay"),
        "ip_not_allowlisted",
        Who.ADMIN,
    ),
    "another server answers": (
        replied(Stage.AUTH, "535 Incorrect authentication data", provider="gmail"),
        "connection_intercepted",
        Who.NETWORK,
    ),
    "too fast": (
        replied(Stage.DATA, "432 4.3.2 Concurrent connections limit exceeded.", provider="microsoft365"),
        "rate_limited",
        Who.YOU,
    ),
    "too many recipients": (replied(Stage.RCPT, "452 4.5.3 Too many recipients"), "too_many_recipients", Who.YOU),
    "taken for a forgery": (
        replied(Stage.DATA, "550 5.7.26 Unauthenticated email from example.org is not accepted: DMARC policy"),
        "spf_dmarc_fail",
        Who.ADMIN,
    ),
    "block list": (
        replied(Stage.RCPT, "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org"),
        "sending_ip_rejected",
        Who.NETWORK,
    ),
    "greeted with a refusal": (replied(Stage.GREETING, "554 Go away"), "sending_ip_rejected", Who.NETWORK),
    "no mail here": (replied(Stage.GREETING, "521 mail.example.com"), "wrong_host_or_port", Who.YOU),
    "name of this computer": (
        replied(Stage.EHLO, "501 5.5.4 Invalid command arguments: Invalid domain name"),
        "helo_rejected",
        Who.YOU,
    ),
    "special letters": (
        replied(Stage.MAIL, "553 5.6.7 SMTPUTF8 address not supported"),
        "smtputf8_unsupported",
        Who.YOU,
    ),
    "not signed in": (replied(Stage.RCPT, "554 5.7.1 <bob@example.org>: Relay access denied"), "auth_missing", Who.YOU),
    "sender to be verified": (
        replied(Stage.DATA, "554 Message rejected: Email address is not verified."),
        "address_not_verified",
        Who.YOU,
    ),
    "malformed address": (
        replied(Stage.MAIL, "501 5.5.4 Syntax error in parameters or arguments"),
        "bad_address_format",
        Who.YOU,
    ),
    "message refused": (
        replied(Stage.DATA, "550 5.7.1 This message scored 9.4 spam points"),
        "content_rejected",
        Who.YOU,
    ),
    "a virus scanner cannot get through": (
        replied(Stage.GREETING, "421 Cannot connect to SMTP server 192.0.2.4, connect error 10060"),
        "port_blocked",
        Who.NETWORK,
    ),
    "old encryption": (
        replied(Stage.STARTTLS, "421 4.7.66 TLS 1.0 and 1.1 are not supported."),
        "tls_version_old",
        Who.APP,
    ),
    "revocation cannot be looked up": (
        happened(Stage.TLS, Fault.TLS_FAILED, tls=TlsFault.REVOCATION),
        "cert_revocation_unknown",
        Who.NETWORK,
    ),
    "the record of a success": (
        replied(Stage.DATA, "250 Ok: queued", facts={"reading": "accepted"}),
        "log_of_success",
        Who.YOU,
    ),
    "a program that hides the reply": (
        Symptom(stage=Stage.DATA, fault=Fault.REJECTED, facts={"reading": shown("hidden")}),
        "reply_hidden",
        Who.YOU,
    ),
    "a text that says nothing": (
        Symptom(stage=Stage.DATA, fault=Fault.REJECTED, facts={"reading": shown("nothing")}),
        "nothing_said",
        Who.YOU,
    ),
    "a greeting taken for an error": (
        Symptom(
            stage=Stage.GREETING,
            fault=Fault.REJECTED,
            words=shown(
                "Server rejected EHLO. Response: 220-We do not authorize the use of this system to transport"
                " unsolicited mail"
            ),
        ),
        "greeting_misread",
        Who.APP,
    ),
    "a yes taken for an error": (
        Symptom(
            stage=Stage.DATA,
            fault=Fault.REJECTED,
            words=shown("error sending message to subscriber 12: 250 Accepted"),
        ),
        "success_misread",
        Who.APP,
    ),
    "commands in another order": (replied(Stage.DATA, "503 5.5.1 Error: No sender"), "order_misread", Who.APP),
    "nobody knows": (replied(Stage.MAIL, "571 computer says no"), "unknown", Who.PROVIDER),
}
REPLIES = """
auth  gmail            534 5.7.9 Please log in with your web browser and then try again.       => web_login_required
auth  gmail            535 5.7.1 Please log in with your web browser and then try again.       => web_login_required
auth  gmail            421 4.7.0 Temporary System Problem. Try again later (WS).               => temporary_try_later
auth  gmail            454 4.7.0 Cannot authenticate due to temporary system problem.          => temporary_try_later
auth  gmail            504 5.7.4 Unrecognized Authentication Type                              => auth_method_unavailable
mail  gmail            530 5.7.0 Authentication Required.                                      => auth_missing
mail  microsoft365     535 5.7.3 Authentication unsuccessful                                   => smtp_auth_disabled
auth  microsoft365     535 5.7.139 A solicitação não atendeu aos critérios                     => security_policy_blocked
auth  netease-163      550 No                                                                  => smtp_access_off
rcpt  -                550 5.1.1 <undefined>: User unknown                                     => bad_address_format
mail  -                550 You are not allowed to use example.org as a sender domain           => sender_not_allowed
rcpt  -                550 DY-001 We do not relay dynamically-assigned IP ranges               => sending_ip_rejected
mail  -                530 Client was not authenticated. Must issue STARTTLS first             => starttls_required
rcpt  gmail            553 5.1.3 The recipient address <bob> is not a valid RFC-5321 address.  => bad_address_format
rcpt  gmail            550 5.1.1 The email account that you tried to reach does not exist.     => recipient_rejected
rcpt  gmail            553 5.1.2 We weren't able to find the recipient domain.                 => recipient_rejected
rcpt  gmail            452 4.2.2 The recipient's inbox is out of storage space.                => recipient_rejected
data  gmail            552 5.3.4 Your message exceeded Google's message size limits.           => message_too_large
data  gmail            552 5.7.0 This message was blocked because its content presents a potential security issue => content_rejected
data  gmail            421 4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP address. => sending_ip_rejected
auth  microsoft365     535 5.7.3 Authentication unsuccessful                                   => bad_credentials
auth  microsoft365     535 5.7.139 Authentication unsuccessful, the user credentials were incorrect. => bad_credentials
auth  microsoft365     535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy. => security_policy_blocked
auth  microsoft365     451 4.7.0 Temporary server error. Please try again later. PRX4          => temporary_try_later
mail  microsoft365     530 5.7.57 Client not authenticated to send mail.                       => auth_missing
mail  microsoft365     550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP. => sending_ip_rejected
data  microsoft365     554 5.2.252 SendAsDenied; ana@example.com not allowed to send as bob@example.com => sender_not_allowed
data  microsoft365     550 5.1.8 Access denied, bad outbound sender                            => account_suspended
data  microsoft365     554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException           => sender_not_allowed
data  microsoft365     550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients => daily_limit
rcpt  microsoft365     452 4.5.3 Too many recipients (AS780090)                                => too_many_recipients
mail  outlook-com      550 5.7.515 Access denied, sending domain example.com doesn't meet the required authentication level => spf_dmarc_fail
data  yahoo            554 5.7.9 Message not accepted for policy reasons.                      => content_rejected
mail  yahoo            553 From: address not verified; see the help page                       => sender_not_allowed
mail  yahoo            421 4.7.0 [TSS04] Messages from 192.0.2.4 temporarily deferred due to user complaints => sending_ip_rejected
mail  icloud           550 5.7.0 From address is not one of your addresses                     => sender_not_allowed
auth  comcast          535 5.7.0 ...authentication rejected (1)                                => bad_credentials
auth  gmx              535 Authentication credentials invalid                                  => bad_credentials
rcpt  gmx              550 Requested action not taken: mailbox unavailable                     => recipient_rejected
mail  gmx              550 Sender address is not allowed.                                      => sender_not_allowed
data  ionos            554 Transaction failed Reject due to policy restrictions.               => content_rejected
auth  mail-ru          535 5.7.0 NEOBHODIM parol prilozheniya / Application password is REQUIRED => app_password_required
auth  qq               535 Login Fail. Please enter your authorization code to login.          => app_password_required
auth  netease-163      535 Error: authentication failed                                        => app_password_required
auth  netease-163      550 User has no permission                                              => smtp_access_off
mail  netease-163      553 Mail from must equal authorized user                                => sender_not_allowed
data  netease-163      554 DT:SPM 163 smtp14                                                   => content_rejected
auth  fastmail         535 5.7.0 Incorrect username, password or access token.                 => app_password_required
data  zoho             553 Relaying disallowed as ana@example.org                              => sender_not_allowed
data  zoho             550 5.4.6 Unusual sending activity detected. Please try after sometime  => account_suspended
auth  amazon-ses       535 Authentication Credentials Invalid                                  => service_key_needed
data  amazon-ses       454 Throttling failure: Maximum sending rate exceeded.                  => rate_limited
data  amazon-ses       454 Throttling failure: Daily message quota exceeded.                   => daily_limit
auth  sendgrid         535 Authentication failed: The provided authorization grant is invalid, expired, or revoked => service_key_needed
auth  sendgrid         451 Authentication failed: Maximum credits exceeded                     => daily_limit
data  sendgrid         550 The from address does not match a verified Sender Identity.         => address_not_verified
mail  sendgrid         550 Unauthenticated senders not allowed                                 => auth_missing
data  postmark         550 5.7.1 The 'From' address you supplied is not a Sender Signature on your account. => address_not_verified
data  mailgun          554 Sandbox subdomains are for test purposes only.                      => address_not_verified
auth  brevo            525 5.7.1 Unauthorized IP address                                       => ip_not_allowlisted
auth  mailjet          435 4.7.8 Error: authentication failed:                                 => service_key_needed
rcpt  godaddy          452 This message contains too many recipients. Reduce the number of recipients and retry. => too_many_recipients
mail  godaddy          550 This IP has sent too many messages this hour. IB504                 => rate_limited
mail  laposte          550 5.5.0 Emetteur invalide. Invalid Sender. LPN104_415                 => sender_not_allowed
auth  yandex           535 5.7.8 Error: authentication failed: Invalid user or password!       => bad_credentials
mail  yandex           530 5.7.7 Email sending without SSL/TLS encryption is not allowed.      => starttls_required
auth  -                535 Incorrect authentication data                                       => bad_credentials
auth  -                535 5.7.8 Authentication failed: wrong user/password                    => bad_credentials
auth  -                535 5.7.1 Authentication failed                                         => bad_credentials
auth  -                550 Login failed                                                        => bad_credentials
auth  -                535 5.7.0 Benutzername oder Passwort falsch                             => bad_credentials
auth  -                503 5.5.1 Error: authentication not enabled                             => auth_method_unavailable
auth  -                503 AUTH command used when not advertised                               => auth_method_unavailable
auth  -                538 5.7.11 Encryption required for requested authentication mechanism   => starttls_required
auth  -                454 4.7.0 Temporary authentication failure: Connection lost to authentication server => server_fault
auth  -                421 Too many failed authentication attempts                             => too_many_logins
auth  -                535 5.7.8 Account disabled                                              => account_suspended
auth  -                525 5.7.13 User Account Disabled                                        => account_suspended
auth  -                432 4.7.12 A password transition is needed                              => web_login_required
auth  -                535 5.7.1 Your password has expired                                     => web_login_required
rcpt  -                450 4.1.1 <bob@example.org>: Recipient address rejected: unverified address => temporary_try_later
rcpt  -                550 5.1.1 <bob@example.org>: Recipient address rejected: unverified address => recipient_rejected
mail  -                550 5.1.7 <ana@example.com>: Sender address rejected: unverified address => sender_not_allowed
rcpt  -                550 Verification failed for <ana@example.com> Sender verify failed      => sender_not_allowed
mail  -                504 5.5.2 <ana>: Sender address rejected: need fully-qualified address  => bad_address_format
data  -                552 message line is too long                                            => content_rejected
data  -                554 Message rejected: Stream is more than 10485760 bytes long.          => message_too_large
greeting -             451 The server has reached its limit for processing requests from your host => rate_limited
data  -                422 try again in 15 seconds                                             => rate_limited
mail  -                503 5.5.2 Send hello first                                              => helo_rejected
data  -                503 5.5.1 RCPT first                                                    => recipient_rejected
rcpt  -                554 5.4.14 Hop count exceeded - possible mail loop                      => recipient_rejected
data  -                550 Requested action not taken: mailbox unavailable Reject due to policy restrictions. => content_rejected
greeting -             451 Request action aborted on the proxy                                 => connection_intercepted
data  amazon-ses       554 Access denied: not authorized to perform ses:SendRawEmail           => service_key_needed
mail  plunk            550 This domain is not associated with your account                     => address_not_verified
auth  sendgrid         535 Basic authentication is not allowed with 2FA enabled                => service_key_needed
auth  -                599 Njet                                                                => bad_credentials
greeting -             421 4.3.2 Too many connections from your host                           => rate_limited
greeting -             421 Service not available, try again later                              => temporary_try_later
greeting -             554 Connection refused. This IP address is listed on the Policy Block List (PBL). => sending_ip_rejected
ehlo  -                501 Syntactically invalid HELO argument(s)                              => helo_rejected
rcpt  -                504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname => helo_rejected
mail  -                450 4.1.8 <ana@example.org>: Sender address rejected: Domain not found  => sender_not_allowed
mail  -                501 5.1.7 Bad sender address syntax                                     => bad_address_format
mail  -                452 4.3.1 Insufficient system storage                                   => temporary_try_later
mail  -                550 Authentication is required for relay                                => auth_missing
mail  -                550 5.7.60 SMTP; Client does not have permissions to send as this sender => sender_not_allowed
rcpt  -                550 relay not permitted                                                 => auth_missing
ehlo  gmail            421 4.7.0 Try again later, closing connection. (EHLO)                   => helo_rejected
starttls -             500 5.5.1 Command unrecognized: "XXXXXXXX"                              => connection_intercepted
greeting -             554 Connection rejected. AUP#1260                                       => rate_limited
rcpt  microsoft365     550 5.7.64 TenantAttribution; Relay Access Denied                       => ip_not_allowlisted
auth  microsoft365     535 AADSTS700082: The refresh token has expired.                        => oauth_token_invalid
rcpt  -                550 5.7.1 <bob@example.org>... Relaying denied. IP name lookup failed [192.0.2.242] => auth_missing
rcpt  -                454 4.7.1 <bob@example.org>: Relay access denied                        => auth_missing
rcpt  -                450 4.2.0 <bob@example.org>: Recipient address rejected: Greylisted     => temporary_try_later
rcpt  -                451 4.3.0 <bob@example.org>: Temporary lookup failure                   => server_fault
rcpt  -                550 5.1.1 <bob@example.org>: Recipient address rejected: User unknown in local recipient table => recipient_rejected
rcpt  -                550 5.1.10 Recipient not found                                          => recipient_rejected
rcpt  -                556 5.1.10 example.org does not accept mail (nullMX)                    => recipient_rejected
rcpt  -                550 Sender verify failed                                                => sender_not_allowed
rcpt  -                552 5.2.2 <bob@example.org>: user is over quota                         => recipient_rejected
rcpt  -                450 4.7.1 You've exceeded your sending limit: 100 messages per day      => daily_limit
rcpt  -                451 4.7.1 Rate limit exceeded                                           => rate_limited
data  -                552 5.3.4 Error: message file too big                                   => message_too_large
data  -                550 Message too big!                                                    => message_too_large
data  -                554 5.6.0 Message contains invalid header                               => content_rejected
data  -                550 5.7.1 Message contains a virus                                      => content_rejected
data  -                554 5.7.1 Rejected by SPF                                               => spf_dmarc_fail
data  -                550 5.7.20 No passing DKIM signature found                              => spf_dmarc_fail
data  -                451 4.3.0 Error: queue file write error                                 => server_fault
mail  -                550 5.1.0 sender rejected                                               => sender_not_allowed
mail  -                550 Sender Address Violates User Name policy                            => sender_not_allowed
mail  -                503 5.7.0 Error: need AUTH command                                      => auth_missing
rcpt  -                553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)   => auth_missing
rcpt  -                550 User not local; will not relay                                      => auth_missing
rcpt  -                452 Too many recipients received this hour                              => rate_limited
data  -                550 Server busy: temporarily rejected                                   => temporary_try_later
auth  qq               535 Error: authentication failed, system busy                           => app_password_required
data  -                554 5.7.1 Message refused                                               => content_rejected
"""  # noqa: E501


def _rows(table: str) -> list[tuple[str, str, str, str]]:
    rows = []
    for line in filter(None, table.splitlines()):
        before, code = line.rsplit("=>", 1)
        stage, provider, said = before.split(maxsplit=2)
        rows.append((stage, provider, said.strip(), code.strip()))
    return rows


CODES = """
auth  -                534 5.7.14                   => web_login_required
auth  gmail            534                          => app_password_required
auth  -                535                          => bad_credentials
auth  -                500 5.7.8                    => auth_method_unavailable
auth  -                550 5.7.8                    => bad_credentials
auth  -                504                          => auth_method_unavailable
auth  -                503 5.5.1                    => auth_method_unavailable
auth  -                538                          => starttls_required
auth  -                523 5.7.10                   => starttls_required
auth  -                525 5.7.13                   => account_suspended
auth  -                454                          => temporary_try_later
auth  postmark         535                          => service_key_needed
auth  outlook-com      535 5.7.139                  => basic_auth_disabled
auth  microsoft365     550 5.7.30                   => basic_auth_disabled
greeting -             550                          => sending_ip_rejected
greeting -             571                          => unknown
ehlo  -                550                          => helo_rejected
mail  -                530                          => auth_missing
mail  -                530 5.7.57                   => auth_missing
mail  -                550 5.7.57                   => auth_missing
mail  -                550 5.7.64                   => ip_not_allowlisted
mail  -                501                          => bad_address_format
mail  -                550 5.1.7                    => bad_address_format
mail  -                550 5.1.8                    => sender_not_allowed
mail  -                553                          => sender_not_allowed
mail  -                552                          => message_too_large
mail  -                552 5.3.4                    => message_too_large
mail  -                550 5.7.25                   => sending_ip_rejected
mail  -                451                          => temporary_try_later
rcpt  -                550                          => recipient_rejected
rcpt  -                550 5.1.1                    => recipient_rejected
rcpt  -                550 5.7.133                  => recipient_rejected
rcpt  -                553 5.1.3                    => bad_address_format
rcpt  -                550 5.5.3                    => too_many_recipients
rcpt  -                550 5.7.1                    => unknown
rcpt  -                503                          => order_misread
rcpt  -                432                          => rate_limited
rcpt  -                556                          => recipient_rejected
data  -                550                          => content_rejected
data  -                550 5.6.0                    => content_rejected
data  -                550 5.6.7                    => smtputf8_unsupported
data  -                550 5.7.23                   => spf_dmarc_fail
data  -                550 5.4.5                    => daily_limit
data  -                550 5.7.501                  => account_suspended
data  -                599                          => unknown
"""
"""Replies whose words say nothing: what the standards say that the code means (RFC 5321, 4954, 3463, IANA)."""
