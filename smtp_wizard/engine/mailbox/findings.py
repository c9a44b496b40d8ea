"""What a person reads where a mailbox could not be read: what is wrong, who must act, what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from smtp_wizard.engine.base.errors import ShownError
from smtp_wizard.engine.base.shown import NO_WORDS, Shown, phrase, shown
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.mailbox.faults import ImapFailed, MailboxFault, SoughtMail


class MailboxError(ShownError):
    """A mailbox could not be read. The text is the finding's title and explanation."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(phrase("{}. {}", finding.title, finding.explanation))
        self.finding = finding


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxDescription:
    """Which mailbox it is about; all fit to show."""

    server: Shown = NO_WORDS
    """'imap.example.com:993'; '' where none was found."""
    address: Shown
    provider: Shown = NO_WORDS
    """The name of the provider, '' where it is not known."""
    switch: Shown = NO_WORDS
    """Where IMAP is switched on, in words that follow 'switch IMAP on'."""
    sought: SoughtMail = SoughtMail.RETURNED

    @property
    def whose(self) -> Shown:
        """Who gives the mailbox."""
        return self.provider or phrase("your e-mail provider")


@dataclass(frozen=True, slots=True)
class _Words:
    title: str
    explanation: str
    who: Who
    steps: tuple[str, ...]
    guide: str | None = None


_NAME_IT = "Look up the IMAP server on the help page of {whose}, and name it: --imap HOST[:PORT]."
_WEBMAIL = "Until then look for returned mail in the webmail, in Inbox and in Junk."
_WEBMAIL_ALONE = "Look for returned mail in the webmail, in Inbox and in Junk."
_PASTE = "Paste what you find there into 'smtp-wizard explain'."
_SHORTER = "Ask for a shorter time: --since 3d."
_OTHERWISE: Mapping[SoughtMail, Mapping[str, str]] = {
    SoughtMail.RETURNED: {},
    SoughtMail.COPY: {
        _WEBMAIL: "Until then look in the webmail whether a copy lies in Sent.",
        _WEBMAIL_ALONE: "Look in the webmail whether a copy lies in Sent.",
        _PASTE: "",
        _SHORTER: "",
    },
    SoughtMail.MESSAGE: {
        _WEBMAIL: "Until then look for the message in the webmail, in Inbox and in Junk.",
        _WEBMAIL_ALONE: "Look for the message in the webmail, in Inbox and in Junk.",
        _PASTE: "",
        _SHORTER: "",
    },
}
"""The steps that are about mail that came back, as they are where something else is looked for; '' leaves one out."""
_WORDS: Mapping[MailboxFault, _Words] = {
    MailboxFault.NO_MAILBOX: _Words(
        "There is no mailbox behind this account",
        "It sends through a service, or practises. Mail that could not be delivered comes back to the service, or to "
        "the mailbox of {address}.",
        Who.YOU,
        (
            "Look on the website of {whose} for mail that bounced.",
            "Or save the mailbox of {address} as an account of its own, and ask that one.",
        ),
        "bounces",
    ),
    MailboxFault.NOT_FOUND: _Words(
        "No IMAP server was found for {address}",
        "Reading mail goes through a server of its own. Nobody names one for this address, and none answers under the "
        "usual names.",
        Who.PROVIDER,
        (_NAME_IT, _WEBMAIL, _PASTE),
        "mailbox-imap",
    ),
    MailboxFault.POP3_ONLY: _Words(
        "{whose} is known for POP3 alone",
        "POP3 is not enough: it knows no folders and no search, so Junk and Sent cannot be looked at, and each letter "
        "would have to be fetched whole. IMAP is needed.",
        Who.PROVIDER,
        ("Ask {whose} whether there is IMAP by now. If so, name it: --imap HOST[:PORT].", _WEBMAIL, _PASTE),
        "mailbox-imap",
    ),
    MailboxFault.UNCONFIRMED: _Words(
        "{server} has to be confirmed first, before a password goes there",
        "This server was found for {address}, but it belongs neither to the address's domain nor to the owner of the "
        "server that the account sends through.",
        Who.YOU,
        (
            "Ask {whose} whether it is the right one.",
            "If it is, name it yourself: --imap {server}.",
        ),
        "found-server",
    ),
    MailboxFault.UNREACHED: _Words(
        "The IMAP server {server} cannot be reached",
        "No connection comes about: the server is down, a firewall is in between, or the name is wrong.",
        Who.NETWORK,
        ("Try again in a few minutes.", "Is it the right server? " + _NAME_IT, _WEBMAIL),
        "mailbox-imap",
    ),
    MailboxFault.NOT_IMAP: _Words(
        "What answers at {server} is no IMAP server",
        "It does not greet as one does, or is not encrypted from the first byte.",
        Who.PROVIDER,
        (_NAME_IT,),
        "mailbox-imap",
    ),
    MailboxFault.POP3_SERVER: _Words(
        "What answers at {server} is a POP3 server",
        "POP3 is not enough: it knows no folders and no search. IMAP is needed, which is mostly on port 993.",
        Who.YOU,
        (_NAME_IT,),
        "mailbox-imap",
    ),
    MailboxFault.NOT_TRUSTED: _Words(
        "The certificate of {server} is not believed",
        "So nothing proves that this is the server it claims to be, and no password was sent.",
        Who.PROVIDER,
        (
            "Ask {whose} to put the certificate right, or for the name that it is made for.",
            "If the server is your company's own, trust its authority: --ca-file FILE.",
        ),
    ),
    MailboxFault.NOT_ENCRYPTED: _Words(
        "{server} does not encrypt",
        "A mailbox is read over an encrypted connection only: everybody on the way could read the password and the "
        "mail. No password was sent.",
        Who.PROVIDER,
        ("Ask {whose} for the encrypted server, mostly on port 993, and name it: --imap HOST:993.",),
        "mailbox-imap",
    ),
    MailboxFault.NO_SIGN_IN: _Words(
        "{server} offers no way to sign in that can be used here",
        "It takes neither this kind of password nor this kind of sign-in for reading mail.",
        Who.PROVIDER,
        ("Ask {whose} how programs sign in to IMAP.", _WEBMAIL),
        "mailbox-imap",
    ),
    MailboxFault.REFUSED: _Words(
        "{server} does not take user name and password",
        "Sending and reading may be allowed apart from each other: a password can be right for sending and refused "
        "here, above all an app password that was made for sending alone.",
        Who.YOU,
        (
            "Test whether sending still works: smtp-wizard test.",
            "If it does, look in the settings of {whose} whether IMAP is switched on, and whether the password is "
            "good for it.",
            _WEBMAIL,
        ),
        "mailbox-imap",
    ),
    MailboxFault.APP_PASSWORD: _Words(
        "{server} asks for an app password",
        "The password of the account itself is not taken for reading mail.",
        Who.YOU,
        (
            "Make an app password in the settings of {whose}, one that may read mail too.",
            "Save it: smtp-wizard accounts password ACCOUNT.",
        ),
        "app-password",
    ),
    MailboxFault.EXPIRED: _Words(
        "The password for {server} has expired",
        "The server knows it, and wants a new one. Sending with it is likely to be refused too.",
        Who.YOU,
        ("Choose a new password in the webmail of {whose}.", "Save it: smtp-wizard accounts password ACCOUNT."),
    ),
    MailboxFault.WEB_SIGN_IN: _Words(
        "{whose} wants you to sign in with a browser first",
        "It finds this sign-in unusual, and waits until you have confirmed that it was you. The password may be right.",
        Who.YOU,
        ("Sign in on the website of {whose}, and confirm what it asks.", "Try again within ten minutes.", _WEBMAIL),
    ),
    MailboxFault.NO_PASSWORDS: _Words(
        "{server} takes no password for reading mail any more",
        "Only the sign-in in a browser is taken. An app password does not help either.",
        Who.YOU,
        (
            "Set the account up again, with the sign-in in the browser: 'smtp-wizard setup {address}'.",
            "Is it a company's mailbox? Ask its administrator whether IMAP is allowed.",
            _WEBMAIL,
        ),
        "mailbox-imap",
    ),
    MailboxFault.ACCOUNT_CLOSED: _Words(
        "The account {address} is disabled",
        "The server says that nobody may sign in with it. The password is not the reason.",
        Who.PROVIDER,
        ("Ask whoever gave you the mailbox ({whose}, or your administrator) to open it again.",),
    ),
    MailboxFault.PRIVACY_REQUIRED: _Words(
        "{server} asks for a connection that is better encrypted",
        "It does not take a password over this one.",
        Who.PROVIDER,
        ("Ask {whose} for the encrypted server, mostly on port 993, and name it: --imap HOST:993.",),
        "mailbox-imap",
    ),
    MailboxFault.NOT_ALLOWED: _Words(
        "{server} does not allow this mailbox to be read",
        "The sign-in was taken, but opening or searching a folder was refused. Nothing was changed in the mailbox.",
        Who.PROVIDER,
        ("Ask {whose} whether a program may read this mailbox.", _WEBMAIL, _PASTE),
        "mailbox-imap",
    ),
    MailboxFault.BUSY: _Words(
        "{server} takes no more sign-ins for now",
        "It is busy, being repaired, or counts too many connections. That says nothing about the password. Nothing was "
        "changed in the mailbox.",
        Who.PROVIDER,
        ("Close other mail programs, and try again in a few minutes.", _WEBMAIL),
    ),
    MailboxFault.SWITCHED_OFF: _Words(
        "IMAP is switched off for {address}",
        "The server is the right one, but it lets no program read this mailbox until IMAP is switched on.",
        Who.YOU,
        ("In your mailbox, switch IMAP on{switch}.", "Wait a few minutes, and try again.", _WEBMAIL),
        "mailbox-imap",
    ),
    MailboxFault.NO_SCOPE: _Words(
        "The sign-in in the browser is for sending alone",
        "It lets programs send, but not read the mailbox.",
        Who.YOU,
        (_WEBMAIL_ALONE, _PASTE),
        "bounces",
    ),
    MailboxFault.SILENT: _Words(
        "{server} does not answer in time",
        "The connection stands, but the server is too slow. Nothing was changed in the mailbox.",
        Who.PROVIDER,
        ("Try again in a few minutes.", _SHORTER),
    ),
    MailboxFault.CLOSED: _Words(
        "{server} ended the connection",
        "Some servers do that where too many programs read one mailbox at once. Nothing was changed in it.",
        Who.PROVIDER,
        ("Close other mail programs, and try again in a few minutes.",),
    ),
    MailboxFault.TOO_MUCH: _Words(
        "{server} sends far more than was asked for",
        "So reading was stopped. Nothing was changed in the mailbox.",
        Who.PROVIDER,
        (_SHORTER, _WEBMAIL),
    ),
    MailboxFault.NO_ROOM: _Words(
        "This computer has no room for another connection",
        "The system lets this program have no more threads or open files, so the mailbox of {address} was not read. "
        "Nothing was changed in it.",
        Who.YOU,
        ("Close other programs, and try again in a few minutes.",),
    ),
    MailboxFault.GARBLED: _Words(
        "{server} answers what makes no sense",
        "Something that every IMAP server does was refused, or the answer follows no standard. Nothing was changed in "
        "the mailbox.",
        Who.PROVIDER,
        ("Try again in a few minutes.", _WEBMAIL),
    ),
}


def finding_of(problem: ImapFailed, place: MailboxDescription) -> Finding:
    """Return what a person reads about a fault."""
    words = _WORDS[problem.fault]
    explanation = _filled(words.explanation, place)
    if problem.words:
        explanation = phrase("{} What is known: {}.", explanation, problem.words)
    return Finding(
        code=problem.fault.value,
        title=_filled(words.title, place),
        explanation=explanation,
        who=words.who,
        steps=tuple(_filled(each, place) for each in _steps(words, place.sought)),
        guide=words.guide,
        server_said=problem.server,
    )


def _steps(words: _Words, sought: SoughtMail) -> Iterator[str]:
    yield from filter(None, (_OTHERWISE[sought].get(each, each) for each in words.steps))


def _filled(words: str, place: MailboxDescription) -> Shown:
    """Put the place into words of ours."""
    switch = f" {place.switch}" if place.switch else ""
    blanks = {"server": place.server, "address": place.address, "whose": place.whose, "switch": switch}
    filled = words.format(**blanks)
    # The name of a server or a provider stands as it is written, at the beginning of a sentence too.
    ours = words.startswith("{whose}") and not place.provider
    return shown(filled[:1].upper() + filled[1:] if ours else filled, 1_000)
