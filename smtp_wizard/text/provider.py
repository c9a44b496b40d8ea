"""What all faces say about the provider of an address. Plain text; no toolkit is known here.

Keys and answers are not named in it: each face has its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from smtp_wizard.engine.base.confidence import Confidence
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.guides.dates import date_words
from smtp_wizard.engine.providers.applications import Application, KnownApplication
from smtp_wizard.engine.providers.provider import (
    AccessPath,
    CatalogEndpoint,
    PathAuth,
    PathStatus,
    Provider,
    ProviderKind,
)
from smtp_wizard.engine.wizard.draft import Draft, Origin
from smtp_wizard.text.browser import PREFACE


def month_words(text: str | None) -> str:
    """As `date_words`, without the day."""
    return date_words(text[:7] if text is not None else None)


# --- which application will send ---

APPLICATION_QUESTION = "Which application will send?"
OTHER_WITH_PASSWORD = "another, with a password"
OTHER_IN_BROWSER = "another, browser sign-in"


def passworded(applications: Sequence[KnownApplication]) -> str:
    """Name the known applications that take a user name and a password and nothing else; '' where none is known."""
    return " and ".join(each.name for each in applications if each.can is Application.PASSWORD)


# --- which provider ---

GO_ON = "Yes, go on"
OTHER_PROVIDER = "Another provider"
BY_HAND = "Enter the server by hand"
OTHER_WAYS = "Other ways"
NOTHING_LISTED = "Nothing like it is listed."
WHO_RUNS_IT = "Who runs your mailbox?"
WHO_KEEPS_IT = "Your mail is only passed on there. Who keeps your mailbox?"
WHO_OF_THESE = "It may be at one of several providers. Which one is yours?"
WHICH_SERVICE = "Which sending service will you use?"
FILTER = "Find your provider"
FILTER_SERVICES = "Find a sending service"
EACH_REGION = "one for each region"
FILTER_REGIONS = "Find your region"
FILTER_HINT_REGIONS = "type a region or a part of the server's name"
FILTER_HINT = "type a name, a domain or a server"
BEFORE_A_PASSWORD = "Before a password goes there:"
TO_THE_ADDRESS = "Esc corrects the address"
CORRECT_IT = "Correct address"
NOT_LISTED = "Not in the list?"
NOT_LISTED_WORDS = (
    "Then enter the server by hand. Your provider's help page calls it 'outgoing server' or 'SMTP'. It is a name like "
    "mail.yourfirm.com, not a web address."
)


def provider_question(draft: Draft, provider: Provider) -> str:
    """Say where the mailbox is, or who sends, as far as it is known."""
    name = provider.short_name
    match provider.kind:
        case ProviderKind.SANDBOX:
            return "This is the practice mailbox on this computer."
        case ProviderKind.RELAY:
            return f"You send through {name}."
    return f"You chose {name}." if draft.origin is Origin.CHOSEN else f"Your mail is with {name}."


def region_question(provider: Provider) -> str:
    """Ask which server is that of the account: in which region it is, or of which of several kinds."""
    regional = any(each.region or each.mx for each in provider.endpoints)
    return f"{provider.short_name} has {'a server for each region' if regional else 'several servers'}. Which is yours?"


def need_title(provider: Provider, path: AccessPath | None) -> str:
    """Say in a few words what a sign-in takes; `path` is the best one that is open to a password."""
    if path is None or provider.kind is ProviderKind.SANDBOX:
        return "Practise as often as you like"
    label = path.secret_label
    if path.auth in (PathAuth.APP_PASSWORD, PathAuth.KEY):
        return f"{provider.short_name} wants {with_article(label)}"
    if path.auth is PathAuth.NONE:
        return f"{provider.short_name} asks for no password"
    ready = path.status is PathStatus.WORKS
    return "You need the password of your mailbox" if ready else "It takes one step before your password works"


def with_article(label: str) -> str:
    """Return what a secret is called, as it stands in a sentence: 'an app password', 'an SMTP token'."""
    words = label if label[1:2].isupper() else f"{label[:1].lower()}{label[1:]}"
    spoken = words[:1].lower() in "aeiou" or words[:2] in ("SM", "SS")
    return f"{'an' if spoken else 'a'} {words}"


def settings_line(draft: Draft, provider: Provider) -> str:
    """Say in one line which server it is, and when that was checked."""
    endpoint = draft.connection.endpoint
    if endpoint is None:
        return "The server of this provider is yours to enter: it has none that is the same for all."
    return f"{endpoint.host}, port {endpoint.port}, {endpoint.security.words} · checked {date_words(provider.checked)}"


def settings_rows(draft: Draft, provider: Provider | None) -> tuple[str, ...]:
    """Say server, port, security and user name, a line each."""
    connection = draft.connection
    if connection.endpoint is None:
        return ()
    name = connection.username or (provider.username_note if provider is not None else "")
    return (
        f"Server    {connection.endpoint.host}",
        f"Port      {connection.endpoint.port}",
        f"Security  {connection.endpoint.security.words}",
        *([f"User      {name}"] if name and connection.auth is not Auth.NONE else []),
    )


def known_from(draft: Draft) -> str:
    """Say from where the provider is known; '' where nobody says."""
    note = draft.origin_note.removeprefix("from: ")
    if draft.origin is Origin.CHOSEN or not note:
        return ""
    return f"Known from {note}." if draft.origin_note.startswith("from: ") else note


def change_lines(provider: Provider) -> tuple[str, ...]:
    """Say what the provider has closed or moved, with the day, a line each."""
    gone = [(date_words(each.date), each) for each in provider.retirements]
    return tuple(f"· {f'{day}: ' if day else ''}{each.what} – {each.state}" for day, each in gone)


# --- an application with a password cannot send ---

ANOTHER_MAILBOX = "Send from another mailbox"
SENDING_SERVICE = "Use a sending service"
IN_BROWSER = "My application can sign in in a browser"


def barred_title(draft: Draft, provider: Provider) -> str:
    """Say that an application with a password cannot send, through what, and since when."""
    known = draft.address is not None and draft.origin is Origin.ADDRESS
    through = draft.address.domain if known and draft.address is not None else provider.short_name
    closed = max((each.retired_on or "" for each in provider.paths if each.status is PathStatus.RETIRED), default="")
    since = month_words(closed)
    return f"Your application cannot send through {through}{f' since {since}' if since else ''}."


def barred_lines(provider: Provider, applications: Sequence[KnownApplication]) -> tuple[str, ...]:
    """Say why, and that another way is to be chosen."""
    if provider.kind is ProviderKind.NO_SMTP:
        return (provider.note, "Choose another way:")
    names = passworded(applications) or "An application that takes a user name and a password"
    return (provider.note, f"{names} cannot sign in in a browser, so choose another way:")


def mailbox_note(names: Sequence[str]) -> str:
    """Say which mailboxes do: some by name, and one's own domain."""
    return f"From {', '.join(names)} or your own domain." if names else "From one of your own domain."


def service_note(names: Sequence[str]) -> str:
    """Say what sending services are: some by name."""
    some = f"{', '.join(names)} and others. " if names else ""
    return f"{some}Best with an address of your own domain."


def browser_note(applications: Sequence[KnownApplication]) -> str:
    """Say for whom the sign-in in the browser is."""
    names = passworded(applications)
    return f"{f'Not {names}. ' if names else ''}{PREFACE}."


# --- what changed ---

ALL_SOURCES = "F4  all of it, with the sources"


def what_changed(provider: Provider) -> list[tuple[str, tuple[str, ...]]]:
    """Say what the old article documents about a provider, what holds today, and who says so: parts with a heading."""
    parts = [
        ("What the old help article says", tuple(_documented_lines(provider))),
        ("What holds today", tuple(_todays_lines(provider))),
        ("Sources", tuple(f"{each.title} ({each.date})  {each.url}".strip() for each in provider.sources)),
    ]
    return [(title, lines) for title, lines in parts if lines]


def _documented_lines(provider: Provider) -> list[str]:
    said = provider.documented
    if said is None:
        return ["The article does not name this provider."]
    lines = [f"“{line}”" for line in said.smtp_lines]
    lines += [f"No longer true: {line}" for line in said.false_today]
    return lines + [f"Still true: {line}" for line in said.still_true]


def _todays_lines(provider: Provider) -> list[str]:
    lines = [f"{_served(each.endpoint)} – {_said_by(each)}" for each in provider.endpoints]
    for change, gone in zip(change_lines(provider), provider.retirements, strict=True):
        lines += [change.removeprefix("· "), f"Instead: {gone.replacement}"]
    return lines


def _served(endpoint: Endpoint) -> str:
    bare = ", never offered: it is not encrypted" if endpoint.security is Security.NONE else ""
    return f"{endpoint.host}, port {endpoint.port}, {endpoint.security.words}{bare}"


_SAYS_SO = {
    Confidence.OFFICIAL: "the provider says so",
    Confidence.ISPDB: "Mozilla's list of providers says so",
    Confidence.COMMUNITY: "others say so",
    Confidence.ARTICLE: "only the old article says so",
    Confidence.OWN: "from this program",
    Confidence.UNKNOWN: "nobody says so",
}


def _said_by(served: CatalogEndpoint) -> str:
    day = date_words(served.as_of)
    return f"{_SAYS_SO[served.confidence]}{f', {day}' if day else ''}"
