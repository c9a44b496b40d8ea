"""Provider: is this right? What was found, from where, how old; another one; or the server by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum

from smtp_wizard.engine.discovery.candidate import Candidate
from smtp_wizard.engine.providers.provider import Provider, ProviderKind
from smtp_wizard.engine.wizard.draft import Draft, Origin, with_candidate, with_choice
from smtp_wizard.plain.form import Kit, Question, StepOutcome, ask_in_order, once_confirmed
from smtp_wizard.plain.talk import Choice, Conversation, GoBack, wrap
from smtp_wizard.text.discovery import believed_words, found_question, offered, server_words
from smtp_wizard.text.wizard import (
    BY_HAND,
    CHANGE_THESE,
    NOTHING_LISTED,
    OTHER_PROVIDER,
    USE_THESE,
    ProviderAnswer,
    found_words,
    settings_words,
    then_and_now,
    unknown_words,
)


class _Instead(StrEnum):
    """What is wanted instead of one of the providers that are shown."""

    SEARCH = "search"
    HAND = "by-hand"


MOST = 15
"""Rows of a search that are read out at most."""
MORE = Choice(ProviderAnswer.MORE, "What the old help article says, and what holds today", word="more")
HAND = Choice(_Instead.HAND, BY_HAND, word="hand")


def provider(talk: Conversation, kit: Kit, draft: Draft) -> StepOutcome:
    """Enter confirms what was found; everything else is one answer away."""
    return ask_in_order(talk, kit, draft, [Question(_provider)])


def _provider(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    found = kit.desk.catalog.get(draft.connection.provider)
    if (
        draft.origin is Origin.FOUND
        and draft.connection.endpoint is not None
        and found is not None
        and _unlisted(found)
    ):
        return _found(talk, kit, draft)
    talk.show(line for note in draft.found_notes for line in wrap(note))
    if found is None or found.kind is ProviderKind.CUSTOM:
        return _unknown(talk, kit, draft)
    talk.say("\n".join(found_words(draft, found)))
    talk.show(f"  {line}" for line in settings_words(draft, found, kit.desk.catalog))
    if found.note:
        talk.say(found.note)
    while True:
        match talk.choose("", _answers(draft), ProviderAnswer.CHANGE if draft.by_hand else ProviderAnswer.USE):
            case ProviderAnswer.USE:
                chosen = _agreed(talk, kit, replace(draft, by_hand=draft.connection.endpoint is None))
                if chosen is not None:
                    return chosen
            case ProviderAnswer.CHANGE:
                return replace(draft, by_hand=True)
            case ProviderAnswer.MORE:
                talk.show(line for _, text in then_and_now(found) for line in wrap(text))
            case ProviderAnswer.OTHER:
                chosen = _another(talk, kit, draft)
                if chosen is not None:
                    return chosen


def _unlisted(found: Provider) -> bool:
    return found.kind is ProviderKind.CUSTOM


def _found(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    """Offer the servers that were found. Raises `GoBack`, `Quit`."""
    talk.say(found_question(draft))
    talk.show(line for note in draft.found_notes for line in wrap(note))
    rows: list[Choice[Candidate | ProviderAnswer]] = [
        Choice(each, server_words(each), about=believed_words(each)) for each in offered(draft.candidates)
    ]
    rows = rows or [Choice(ProviderAnswer.USE, f"{USE_THESE}: {draft.connection.endpoint}")]
    rows += [Choice(ProviderAnswer.CHANGE, CHANGE_THESE), Choice(ProviderAnswer.OTHER, OTHER_PROVIDER)]
    chosen: Draft | None = None
    while chosen is None:
        match talk.choose("", rows):
            case ProviderAnswer.USE:
                chosen = _agreed(talk, kit, replace(draft, by_hand=False))
            case ProviderAnswer.CHANGE:
                return replace(draft, by_hand=True)
            case ProviderAnswer.OTHER:
                chosen = _another(talk, kit, draft)
            case Candidate() as server:
                chosen = _agreed(talk, kit, with_candidate(draft, kit.desk.catalog, server))
    return chosen


def _agreed(talk: Conversation, kit: Kit, draft: Draft) -> Draft | None:
    """Return the draft once its server is confirmed; None where the person said no, or went back."""
    try:
        return once_confirmed(talk, kit, draft)
    except GoBack:
        return None


def _answers(draft: Draft) -> list[Choice[ProviderAnswer]]:
    return [
        Choice(ProviderAnswer.USE, USE_THESE),
        Choice(ProviderAnswer.CHANGE, CHANGE_THESE),
        Choice(ProviderAnswer.OTHER, OTHER_PROVIDER),
        MORE,
    ]


def _another(talk: Conversation, kit: Kit, draft: Draft) -> Draft | None:
    """Let the person choose another provider; None where they went back."""
    try:
        return _picked(talk, kit, draft, ())
    except GoBack:
        return None


def _unknown(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    if draft.origin_note:
        talk.say(draft.origin_note)
    talk.say(unknown_words(draft))
    likely = [each for each in (kit.desk.catalog.get(each) for each in draft.maybe) if each is not None]
    return _picked(talk, kit, draft, likely)


def _picked(talk: Conversation, kit: Kit, draft: Draft, first: Sequence[Provider]) -> Draft:
    """Search until a provider is chosen, or the server by hand. `first`: the likely ones. Raises `GoBack`."""
    shown = list(first)
    while True:
        picked = _pick(talk, shown) if shown else _Instead.SEARCH
        if picked is _Instead.SEARCH:
            shown = _search(talk, kit)
            picked = _Instead.SEARCH if shown else _Instead.HAND
        if picked is not _Instead.SEARCH:
            return with_choice(draft, kit.desk.catalog, picked if isinstance(picked, Provider) else None)


def _pick(talk: Conversation, shown: Sequence[Provider]) -> Provider | _Instead:
    """Return a provider, or what is wanted instead of one of these."""
    rows: list[Choice[Provider | _Instead]] = [
        Choice(each, each.name, str(each.best() or ""), also=each.id) for each in shown[:MOST]
    ]
    if len(shown) > MOST:
        talk.say(f"The first {MOST} of {len(shown)}; more letters find fewer.")
    return talk.choose("", [*rows, Choice(_Instead.SEARCH, "Search with other words", word="search"), HAND])


def _search(talk: Conversation, kit: Kit) -> list[Provider]:
    """Ask for words until something is found; nothing where the server is to be entered by hand."""
    help = "'hand' leads to the server by hand."
    while True:
        query = talk.ask("A name, a domain or a server of your provider (or: hand)", lambda text: text, help=help)
        if query.casefold() == HAND.word:
            return []
        found = [each for each in kit.desk.catalog.search(query, 10_000) if each.paths and _listed(each)]
        if found:
            return found
        talk.say(f"{NOTHING_LISTED} Try other words, or type 'hand' to enter the server by hand.")


def _listed(each: Provider) -> bool:
    return each.kind is not ProviderKind.CUSTOM
