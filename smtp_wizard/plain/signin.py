"""Sign-in: which way in, ranked by what the application that will send can do."""

from __future__ import annotations

from dataclasses import replace

from smtp_wizard.engine.guides.guides import UnknownGuide, as_text
from smtp_wizard.engine.providers.provider import AccessPath, Provider, ProviderKind
from smtp_wizard.engine.wizard.draft import Application, Draft, is_usable
from smtp_wizard.engine.wizard.steps import ranked
from smtp_wizard.output.lines import WIDTH
from smtp_wizard.plain.form import Kit, Question, StepOutcome, ask_in_order
from smtp_wizard.plain.talk import Choice, Conversation, GoBack
from smtp_wizard.text.wizard import (
    ALL_THE_SAME,
    APPLICATIONS,
    INSTEAD,
    LOOK_AGAIN,
    closed_title,
    closed_words,
    doubtful,
    path_mark,
    path_sources,
    path_words,
    signin_question,
)

AGAIN = Choice(None, LOOK_AGAIN, word="list")


def signin(talk: Conversation, kit: Kit, draft: Draft) -> StepOutcome:
    """The application first, then the ways in. One that cannot be walked explains itself and names others."""
    provider = _of(kit, draft)
    practice = provider.kind is ProviderKind.SANDBOX
    return ask_in_order(talk, kit, draft, [Question(_application, lambda _: not practice), Question(_path)])


def _of(kit: Kit, draft: Draft) -> Provider:
    provider = kit.desk.catalog.get(draft.connection.provider)
    assert provider is not None, "the step applies only where a provider is known"
    return provider


def _application(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    choices = [Choice(each, title) for each, title in APPLICATIONS.items()]
    default = draft.application or Application.PASSWORD
    return replace(draft, application=talk.choose("The application that will send:", choices, default))


def _path(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    provider = _of(kit, draft)
    paths = ranked(provider, draft.application or Application.PASSWORD)
    rows = [
        Choice(path, f"{path.title} {path_mark(path)}".strip(), about=path_words(path), also=path.id) for path in paths
    ]
    chosen = provider.path(draft.connection.path) if draft.connection.path else None
    application = draft.application or Application.PASSWORD
    while True:
        path = talk.choose(signin_question(provider), rows, chosen)
        insisted = False
        while not is_usable(path) or (doubtful(path, application) and not insisted):
            led = _led(talk, kit, provider, path)
            if led is None:
                break
            insisted, path = led is path, led
        else:
            sources = path_sources(provider, path)
            if sources:
                talk.say(f"Source: {sources}")
            return draft.with_path(path)


def _led(talk: Conversation, kit: Kit, provider: Provider, path: AccessPath) -> AccessPath | None:
    """Say why a way cannot be walked and where it leads; return the way that was chosen, None for the list again."""
    talk.say(closed_title(path))
    talk.say(closed_words(path))
    if not is_usable(path):
        _show_guide(talk, kit, path)
    ways = provider.ways_on(path)
    talk.say(INSTEAD)
    for sentence in (way for way in ways if isinstance(way, str)):
        talk.say(f"  - {sentence}")
    rows: list[Choice[AccessPath | None]] = [
        Choice(way, way.title, also=way.id) for way in ways if isinstance(way, AccessPath)
    ]
    rows += [Choice(path, ALL_THE_SAME, also=path.id)] if is_usable(path) else []
    try:
        return talk.choose("", [*rows, AGAIN])
    except GoBack:
        return None


def _show_guide(talk: Conversation, kit: Kit, path: AccessPath) -> None:
    """Print the guide of a way that is closed: it says what has become of it."""
    if path.guide is None:
        return
    try:
        guide = kit.shelf.get(path.guide)
    except UnknownGuide:
        return
    talk.show(["", *as_text(guide, WIDTH).splitlines(), ""])
