"""The sending limits of a provider, in lines of text."""

from __future__ import annotations

from smtp_wizard.engine.limits.catalogue_limits import rows_of
from smtp_wizard.plain.form import Kit
from smtp_wizard.plain.talk import NOTHING_KNOWN, Conversation, wrap
from smtp_wizard.text.limits import access_words, limit_source_words, limit_words

MOST = 5
"""Providers whose limits are read out; more words find fewer."""
PLAN = "How a mailing fits them: 'smtp-wizard limits plan --provider ID --recipients N'."


def limits(talk: Conversation, kit: Kit) -> None:
    """Ask for providers and say their limits, with who says so, until the person goes back. Raises `GoBack`, `Quit`."""
    catalog = kit.desk.catalog
    while True:
        query = talk.ask("Whose sending limits? A name or a domain ('back' leaves)", lambda text: text)
        if not query:
            continue
        found = [each for each in catalog.search(query, len(catalog.providers)) if rows_of(each)]
        if not found:
            talk.say(NOTHING_KNOWN)
        for provider in found[:MOST]:
            talk.show(["", f"{provider.name} ({provider.id}), checked {provider.checked}"])
            if closed := access_words(provider):
                talk.say(closed)
            for row in rows_of(provider):
                article = " (so the old help article)" if row.limit.documented else ""
                talk.show(wrap(f"{limit_words(row.limit)}{article}: {limit_source_words(row)}", "  - "))
        if len(found) > MOST:
            talk.say(f"The first {MOST} of {len(found)}; more letters find fewer.")
        if found:
            talk.say(PLAN)
