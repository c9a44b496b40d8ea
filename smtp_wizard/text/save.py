"""What all faces say when an account is saved: its name, what it is for, where its password is, what was proved."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.limits.limits_in_force import limits_in_force
from smtp_wizard.engine.providers.limits import Counted, Per, SendLimit
from smtp_wizard.engine.providers.provider import Provider, ProviderKind
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.wizard.draft import Draft, ReportedArrival
from smtp_wizard.text.last_test import when_words

QUESTION = "Save it like this?"
NAME = "Name of the account"
SENDER_NAME = "Sender's name"
SENDER_NAME_PLACEHOLDER = "Ana's Cleaning"
SENDER_NAME_HINT = "customers see it in their mailbox"
SAVE = "Save"
SAVING = "Saving …"
ELSEWHERE, CHANGE_PLACE = "Another place", "Change place"
PLACE_HELP = "change where the password is kept"
WHICH_PLACE = "Where should the password be kept?"
WAY_QUESTIONS: Mapping[StoreKind, str] = {
    StoreKind.COMMAND: "Which command prints the password?",
    StoreKind.FILE: "Which file has the password in it?",
    StoreKind.ENV: "Which variable has the password in it?",
}
KEEP_THERE = "Keep it there"
TRY_AGAIN = "Try again"
NOT_SAVED = "It was not saved"
NOT_KEPT = "The password could not be kept there"
ANOTHER_PLACE_HELPS = "You: choose another place for it."

RENAME = "Give this one another name"
REPLACE = "Replace the other one"
REPLACE_NOTE = "Its settings and its password are gone then."
ANOTHER_NAME = "There is an account of this name. Type another name."
KEEP_GENERAL_NOTE = "Invoices, confirmations, answers."

COMPANY_NO = "No"
SCOPE_NOTES: Mapping[Scope, str] = {Scope.GENERAL: "invoices, confirmations, answers", Scope.ALL: "mailings too"}

PLACE_LINES: Mapping[StoreKind, str] = {
    StoreKind.KEYRING: "in this computer's keyring. Timed jobs mostly cannot read it.",
    StoreKind.VAULT: "in the vault, a locked file. Timed jobs need its passphrase.",
    StoreKind.COMMAND: "in your password manager. Timed jobs read it if it does not ask.",
    StoreKind.FILE: "in your file, readable for timed jobs and whoever gets the disk.",
    StoreKind.ENV: "in a variable that you set. Timed jobs can read it.",
    StoreKind.SESSION: "kept nowhere: you type it each time. Timed jobs cannot send.",
}
PLACE_NOTES: Mapping[StoreKind, str] = {
    StoreKind.KEYRING: "Encrypted by this computer. Timed jobs mostly cannot read it.",
    StoreKind.VAULT: "Encrypted under a passphrase of yours. Timed jobs need it as well.",
    StoreKind.COMMAND: "Only the command is saved. Timed jobs can read it if it does not ask.",
    StoreKind.FILE: "The password lies in your file, readable: for anybody who gets this disk.",
    StoreKind.ENV: "Only its name is saved. Timed jobs can read it.",
    StoreKind.SESSION: "Nobody can find it here. Timed jobs cannot send.",
}
"""The same below each place to choose from."""
TRYING = "… trying out where it can be kept"
TRYING_OUT = "Trying out where the password can be kept ..."
NO_PASSWORD = "none: the server asks for no sign-in"


def account_line(draft: Draft) -> str:
    """Say who sends, and through which server."""
    endpoint = draft.connection.endpoint
    where = f"{endpoint.host}, port {endpoint.port}, {endpoint.security.words}" if endpoint is not None else ""
    practice = " (practice)" if draft.connection.sandbox else ""
    return f"{draft.from_address} through {where}{practice}"


def scope_label(application: str) -> str:
    """Ask what the account is for."""
    return f"What should {application} send with it?"


def limit_words(provider: Provider | None) -> str:
    """Say at how many messages a mailing stops; '' where we know no figure."""
    limit = _limit(provider)
    if provider is None or limit is None or limit.value is None:
        return ""
    when = "a day" if limit.per is Per.DAY else limit.per.words
    unit = "" if limit.what is Counted.MESSAGES else " people"
    return f"{short_name(provider)} stops at {limit.value:,}{unit} {when}"


def _limit(provider: Provider | None) -> SendLimit | None:
    """Return the limit that a mailing comes to first: the lowest of a day, else the first that there is."""
    held = limits_in_force(provider.limits, accounts=provider.accounts) if provider is not None else ()
    known = [each for each in held if each.what in (Counted.MESSAGES, Counted.RECIPIENTS)]
    daily = [each for each in known if each.per is Per.DAY]
    if daily:
        return min(daily, key=lambda each: each.value or 0)
    return next((each for each in known if each.per not in (Per.MESSAGE, Per.CONNECTION)), None)


def short_name(provider: Provider) -> str:
    """Return a provider's name without what stands in brackets."""
    return provider.name.partition(" (")[0]


def scope_note(scope: Scope, provider: Provider | None) -> str:
    """Say what is sent with it; where mailings are, also when they stop."""
    if scope is Scope.GENERAL:
        return SCOPE_NOTES[scope]
    custom = provider is None or provider.kind in (ProviderKind.CUSTOM, ProviderKind.SANDBOX)
    return f"{SCOPE_NOTES[scope]}; {limit_words(provider) or ('' if custom else 'we know no limit')}".rstrip("; ")


def company_yes(sender: Address | None) -> str:
    """Say what the box of the application does."""
    return f"Yes: customers then see and answer {sender}"


WHY_GENERAL = ("Take General. A mailing can use up the day, and then no invoice goes out.",)


def taken_title(name: str) -> str:
    """Say that another account has the name."""
    return f"There is already an account named '{name}'."


def displaces_title(other: str) -> str:
    """Say that another account is the one for everything."""
    return f"'{other}' is the account for all mail."


def displaces_words(other: str) -> str:
    """Say what follows from that."""
    return f"There can be only one. If this one takes its place, '{other}' keeps to {Scope.GENERAL.words}."


DISPLACE = "Use this one for all mail"
KEEP_GENERAL = f"Use this one for {Scope.GENERAL.words}"


def proved_lines(draft: Draft, now: datetime) -> tuple[str, ...]:
    """Say what was proved of an account that is about to be saved, one thing a line, and what was not."""
    proof = draft.proof
    if proof is None or not draft.signed_in:
        return ("✗ the server refuses the sign-in" if draft.refused else "! not tested",)
    return (f"✓ signed in {when_words(proof.at, now)}", ARRIVAL_LINES[draft.arrival])


ARRIVAL_LINES: Mapping[ReportedArrival, str] = {
    ReportedArrival.ARRIVED: "✓ the test message arrived",
    ReportedArrival.JUNK: "! the test message arrived, as junk",
    ReportedArrival.NOT_YET: "! not proved: nobody saw the test message",
    ReportedArrival.SKIPPED: "! not proved: no test message was sent",
    ReportedArrival.UNASKED: "! not proved: no test message was sent",
}
