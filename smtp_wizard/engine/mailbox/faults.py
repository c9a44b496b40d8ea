"""What can go wrong when a mailbox is read: one kind for each way, and the error that carries it."""

from __future__ import annotations

from enum import StrEnum

from smtp_wizard.engine.base.shown import NO_WORDS, Shown


class MailboxFault(StrEnum):
    """Why a mailbox was not read."""

    NO_MAILBOX = "no_mailbox"
    """The account sends through a relay, or practises: there is no mailbox behind it."""
    NOT_FOUND = "mailbox_not_found"
    """No IMAP server is known, and none was found."""
    POP3_ONLY = "mailbox_pop3_only"
    """The provider is known for POP3 alone."""
    UNCONFIRMED = "mailbox_unconfirmed"
    """A server was found, and nothing speaks for it."""
    UNREACHED = "mailbox_unreached"
    NOT_IMAP = "mailbox_not_imap"
    """What answers is no IMAP server."""
    POP3_SERVER = "mailbox_pop3_server"
    """What answers greets as a POP3 server does (RFC 1939 section 4)."""
    NOT_TRUSTED = "mailbox_not_trusted"
    """The certificate is not believed, or there is no TLS in common."""
    NOT_ENCRYPTED = "mailbox_not_encrypted"
    """The server offers no STARTTLS, or says something in clear text that belongs behind it."""
    NO_SIGN_IN = "mailbox_no_sign_in"
    """The server offers no way to sign in that is spoken here."""
    REFUSED = "mailbox_refused"
    """User name and password, or the token, are not taken."""
    APP_PASSWORD = "mailbox_app_password"
    """The provider takes an app password for reading mail, and no other."""
    EXPIRED = "mailbox_password_expired"
    """The password was right once, and has run out (RFC 5530 section 3, EXPIRED)."""
    WEB_SIGN_IN = "mailbox_web_sign_in"
    """The provider wants to see the person in a browser first."""
    NO_PASSWORDS = "mailbox_no_passwords"
    """No password is taken any more, only the sign-in in a browser."""
    ACCOUNT_CLOSED = "mailbox_account_closed"
    """The account is disabled, or its administrator must act (RFC 5530 section 3, CONTACTADMIN)."""
    PRIVACY_REQUIRED = "mailbox_privacy_required"
    """The connection is not private enough for the server (RFC 5530 section 3, PRIVACYREQUIRED)."""
    NOT_ALLOWED = "mailbox_not_allowed"
    """The server refuses what any other does: no permission, or not able to (NOPERM, CANNOT)."""
    BUSY = "mailbox_busy"
    """The server takes nobody for now (RFC 3501 section 7.1.5, RFC 5530 section 3), whatever the password is."""
    SWITCHED_OFF = "mailbox_switched_off"
    """The provider, or the owner of the mailbox, has IMAP switched off."""
    NO_SCOPE = "mailbox_no_scope"
    """The sign-in in the browser is for sending alone."""
    SILENT = "mailbox_silent"
    """No answer in the time allowed."""
    CLOSED = "mailbox_closed"
    """The server ended the connection."""
    TOO_MUCH = "mailbox_too_much"
    """The server sends more than was asked for."""
    NO_ROOM = "mailbox_no_room"
    """This program may have no more threads, files or connections (EAGAIN, EMFILE, ENFILE)."""
    GARBLED = "mailbox_garbled"
    """An answer that cannot be understood, or a refusal of something that any IMAP server does."""


class SoughtMail(StrEnum):
    """What a mailbox is read for."""

    RETURNED = "returned"
    """Mail that came back."""
    COPY = "copy"
    """The copy of a message that was sent."""
    MESSAGE = "message"
    """A message that went there."""


class ImapFailed(Exception):
    """Something about a mailbox did not work."""

    def __init__(self, fault: MailboxFault, words: Shown = NO_WORDS, *, server: Shown = NO_WORDS) -> None:
        """`words`: what is known beyond the kind; `server`: what the server said. Neither has a secret in it."""
        super().__init__(words)
        self.fault = fault
        self.words = words
        self.server = server
