"""What all faces say about the ways to sign in at a provider. Plain text; no toolkit is known here.

Keys and answers are not named in it: each face has its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from smtp_wizard.engine.guides.dates import date_words
from smtp_wizard.engine.providers.applications import KnownApplication
from smtp_wizard.engine.providers.provider import AccessPath, PathAuth, PathStatus, Provider, ProviderKind
from smtp_wizard.engine.wizard.draft import is_usable, signs_in_elsewhere
from smtp_wizard.text.provider import passworded

BROWSER_GO_ON = "Go on in the browser: my application can do that"
BROWSER_USELESS = "It takes a user name and a password, so a sign-in in the browser proves nothing for it."
LOOK_AGAIN = "Back to the other ways"
WHAT_REPLACED_IT = "What will you do instead?"


def signin_question(provider: Provider, ways: Sequence[AccessPath]) -> str:
    """Ask for the way in: with the provider's own question where each way has an answer to it."""
    if provider.question and ways and all(each.answer for each in ways):
        return provider.question
    if provider.kind is ProviderKind.SANDBOX:
        return "What do you want to practise?"
    return f"How shall your application sign in at {provider.short_name}?"


def way_title(path: AccessPath, *, asked: bool) -> str:
    """Name a way in; as the answer to the provider's question, where that is `asked`."""
    return path.answer if asked and path.answer else path.title


def way_note(path: AccessPath, applications: Sequence[KnownApplication], *, asked: bool, useful: bool) -> str:
    """Say in a sentence what a way in takes, or what stands against it. `useful`: to the application that will send."""
    if path.status is PathStatus.RETIRED:
        return f"Closed{since(path.retired_on)}: see what replaced it."
    if path.status is PathStatus.NEVER:
        return "Not possible: see what is."
    if path.auth is PathAuth.OAUTH2 and not useful:
        return _browser_note(path, applications)
    return (path.answer_note if asked else "") or path.summary


def since(day: str | None) -> str:
    """Return ' on 30 May 2022' for a day, ' since May 2022' for a month or a year, '' for what is undated."""
    words = date_words(day)
    return f" {'on' if len(words.split()) == 3 else 'since'} {words}" if words else ""


def _browser_note(path: AccessPath, applications: Sequence[KnownApplication]) -> str:
    if not signs_in_elsewhere(path):
        return "Not open to you: see why, and what is."
    names = passworded(applications)
    return f"Only if your application offers it.{f' {names} does not.' if names else ''}"


def way_words(path: AccessPath) -> tuple[str, ...]:
    """Say all that is known of a way in: what it takes, what is to be heeded, where sources contradict each other."""
    return tuple(part for part in (path.summary, path.note, path.disputed) if part)


def path_sources(provider: Provider, path: AccessPath) -> str:
    """Return whose words a way in is described with; empty where nobody is named."""
    known = [source for source in (provider.source(each) for each in path.sources) if source is not None]
    return "; ".join(f"{source.title} ({source.date})" for source in known[:2])


def closed_title(path: AccessPath) -> str:
    """Say that a way in cannot be walked."""
    if path.status is PathStatus.NEVER:
        return f"{path.title}: not possible"
    return f"{path.title}: {'closed' if path.closed else 'not open to you'}"


def closed_words(path: AccessPath) -> tuple[str, ...]:
    """Say why a way in cannot be walked."""
    day = date_words(path.retired_on) if path.status is PathStatus.RETIRED else ""
    closed = f"Closed{since(path.retired_on)}." if day and day not in path.summary else ""
    why = ""
    if path.auth is PathAuth.OAUTH2 and not is_usable(path):
        why = path.oauth.closed if path.oauth is not None else "Where one signs in in the browser is not known."
    return tuple(part for part in (path.summary, path.note, why, closed) if part)


def browser_title(applications: Sequence[KnownApplication]) -> str:
    """Say which application cannot go this way."""
    names = passworded(applications) or "An application that takes a password"
    return f"{names} cannot sign in in a browser"
