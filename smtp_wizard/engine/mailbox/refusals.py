"""Why an IMAP server refuses: by its response code (RFC 5530 section 3), or by its words where it has none."""

from __future__ import annotations

import re

from smtp_wizard.engine.mailbox.faults import MailboxFault

_CODES = (
    (
        re.compile(r"\[(?:UNAVAILABLE|INUSE|LIMIT|SERVERBUG)[\] ]", re.IGNORECASE),
        MailboxFault.BUSY,
    ),  # nothing about the password
    (re.compile(r"\[(?:EXPIRED)[\] ]", re.IGNORECASE), MailboxFault.EXPIRED),
    (re.compile(r"\[(?:CONTACTADMIN)[\] ]", re.IGNORECASE), MailboxFault.ACCOUNT_CLOSED),
    (re.compile(r"\[(?:PRIVACYREQUIRED)[\] ]", re.IGNORECASE), MailboxFault.PRIVACY_REQUIRED),
    (re.compile(r"\[(?:WEBALERT)[\] ]", re.IGNORECASE), MailboxFault.WEB_SIGN_IN),
)
_PERMISSION = re.compile(r"\[(?:NOPERM|CANNOT)[\] ]", re.IGNORECASE)
_WORDS = (
    (
        re.compile(r"\bapp(?:lication)?[- ]?(?:specific)?[- ]passwor[dt]|anwendungsspezifisch", re.IGNORECASE),
        MailboxFault.APP_PASSWORD,
    ),
    (
        re.compile(
            r"basic ?auth\w{0,30} (?:is |has been )?"
            r"(?:disabled|blocked|not (?:enabled|supported|allowed)|turned off|no longer)"
            r"|BasicAuthBlocked|LogonDenied-BasicAuth",
            re.IGNORECASE,
        ),
        MailboxFault.NO_PASSWORDS,
    ),
    (
        re.compile(
            r"(?:log|sign)[- ]?in (?:via|with|in|through|using) (?:your|a|the) (?:web ?)?browser|web log-?in required"
            r"|(?:log|sign)[- ]?in (?:on|at|to) (?:our|the) web ?site",
            re.IGNORECASE,
        ),
        MailboxFault.WEB_SIGN_IN,
    ),
    (
        re.compile(r"passwor[dt] (?:has |is |hat )?(?:expired|abgelaufen)|passwor[dt] ist abgelaufen", re.IGNORECASE),
        MailboxFault.EXPIRED,
    ),
    (
        re.compile(
            r"imap.{0,60}(?:not enabled|disabled|switched off|turned off|not allowed|deactivated|not activated|is off)"
            r"|(?:disabled|not enabled) for imap"
            r"|(?:enable|activate|switch on|turn on).{0,40}imap|imap.{0,40}(?:aktivier|freischalt|einschalten)",
            re.IGNORECASE,
        ),
        MailboxFault.SWITCHED_OFF,
    ),
    (re.compile(r"insufficient_scope|invalid_scope|no-scope", re.IGNORECASE), MailboxFault.NO_SCOPE),
    (
        re.compile(
            r"(?:account|mailbox)\b.{0,30}\b(?:disabled|suspended|deactivated|closed)"
            r"|(?:konto|postfach).{0,30}deaktiviert",
            re.IGNORECASE,
        ),
        MailboxFault.ACCOUNT_CLOSED,
    ),
)
_TOLD = (*_CODES, *_WORDS)


def sign_in_fault(said: str) -> MailboxFault:
    """Return why a sign-in was refused; `REFUSED` where nothing speaks against user name and password."""
    return next((fault for pattern, fault in _TOLD if pattern.search(said)), MailboxFault.REFUSED)


def command_fault(said: str) -> MailboxFault | None:
    """Return why a command was refused that comes after the sign-in; None where the server does not say."""
    if _PERMISSION.search(said):
        return MailboxFault.NOT_ALLOWED
    return next((fault for pattern, fault in _TOLD[: len(_CODES)] if pattern.search(said)), None)
