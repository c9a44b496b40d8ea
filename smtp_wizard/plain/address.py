"""Email: which address do you want to send mail from?"""

from __future__ import annotations

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.discovery.autoconfig import load_database
from smtp_wizard.engine.wizard.draft import Draft, with_found
from smtp_wizard.plain.checks import awaited
from smtp_wizard.plain.form import Kit, Question, StepOutcome, ask_in_order
from smtp_wizard.plain.talk import Choice, Conversation, GoBack
from smtp_wizard.text.discovery import LIST_NO, LIST_YES, list_may_help, list_question
from smtp_wizard.text.wizard import ADDRESS_LEAD, ADDRESS_QUESTION, practice_address, typo_words

PRACTISE = ("practise", "practice")
"""What is typed to rehearse without a mailbox."""


def address(talk: Conversation, kit: Kit, draft: Draft) -> StepOutcome:
    """The first question. A misspelt ending is offered back; the provider is looked up before the next step."""
    if draft.address is None:
        talk.say(ADDRESS_LEAD)
        talk.say("No mailbox at hand? Type 'practise' to rehearse everything on this computer.")
    return ask_in_order(talk, kit, draft, [Question(_address)])


def _address(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    talk.say(ADDRESS_QUESTION)
    meant = _spelt_right(talk, kit, draft)
    following = draft.with_address(meant).with_typed("address", None)
    if following.connection.provider is not None:
        return following
    talk.say(f"Looking up {meant.domain} ...")
    return found_for(talk, kit, following)


def found_for(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    """Return the draft with what is found about its address; a public list is asked after a yes. Raises `GoBack`."""
    assert draft.address is not None, "it was just typed"
    found = awaited(kit.desk.discovery.find_settings(draft.address, tell=lambda line: talk.show([f"  {line}"])))
    database = load_database()
    if list_may_help(found) and talk.yes(list_question(draft, database), yes=LIST_YES, no=LIST_NO):
        found = awaited(kit.desk.discovery.find_settings(draft.address, public_list=True))
    return with_found(draft, found, kit.desk.catalog)


def _spelt_right(talk: Conversation, kit: Kit, draft: Draft) -> Address:
    """Ask until the address is meant as it stands there."""
    catalog = kit.desk.catalog

    def parse(text: str) -> Address:
        return Address.parse(practice_address(catalog.providers) if text.casefold() in PRACTISE else text)

    typed = draft.typed.get("address", str(draft.address or ""))
    while True:
        address = talk.ask("E-mail address", parse, default=typed)
        meant = catalog.suggest(address.domain)
        if meant is None or address == draft.address:
            return address
        ways = [
            Choice(Address(address.local, meant), f"Use {meant}", also="use"),
            Choice(address, f"Keep {address.domain}", also="keep"),
        ]
        try:
            return talk.choose(typo_words(address.domain, meant), ways)
        except GoBack:
            continue
