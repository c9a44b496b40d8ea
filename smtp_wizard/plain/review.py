"""Save: the name, what the account is for, who it speaks for, and where the password is kept."""

from __future__ import annotations

from dataclasses import replace

from smtp_wizard.engine.accounts.account import AccountsError, parse_name
from smtp_wizard.engine.accounts.account_book import Displaces, NameTaken
from smtp_wizard.engine.base.characters import parse_words
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.secrets.base import Availability, SecretError
from smtp_wizard.engine.secrets.kinds import StoreKind
from smtp_wizard.engine.secrets.references import variable_for
from smtp_wizard.engine.secrets.stores import SecretStores
from smtp_wizard.engine.wizard.account_draft import suggested_name
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.plain.checks import awaited
from smtp_wizard.plain.form import Kit, Question, StepOutcome, ask_in_order
from smtp_wizard.plain.passphrase import unlock
from smtp_wizard.plain.talk import Choice, Conversation, GoBack
from smtp_wizard.text.stores import WAY_HINTS, WAY_LABELS, WAY_PARSERS
from smtp_wizard.text.wizard import (
    ANOTHER_NAME,
    COMPANY_NO,
    COMPANY_YES,
    DISPLACE_NO,
    REPLACE_NO,
    REPLACE_YES,
    SCOPE_NOTES,
    STORE_BROKEN,
    STORE_TITLES,
    displace_question,
    displace_yes,
    parse_reply_to,
    replace_question,
    scope_advice,
    summary_words,
)


def review(talk: Conversation, kit: Kit, draft: Draft) -> StepOutcome:
    """What would displace or replace another account is asked first."""
    talk.say("\n".join(summary_words(draft)))
    questions = [
        Question(_name),
        Question(_sender_name),
        Question(_scope),
        Question(_company),
        Question(_company_name, lambda each: each.identity.update_company),
        Question(_reply_to, lambda each: each.identity.update_company),
        Question(_store, lambda each: each.connection.auth is not Auth.NONE),
        Question(_way, lambda each: each.store is not None and each.store.is_reference),
        Question(_saved),
    ]
    return ask_in_order(talk, kit, draft, questions)


def _name(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    default = draft.typed.get("name", draft.name or suggested_name(draft, kit.desk.catalog, kit.desk.book))
    return replace(draft, name=talk.ask("Account name", parse_name, default=default)).with_typed("name", None)


def _sender_name(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    help = "What customers see beside the address, for example: Ana's Cleaning. It may be left out."
    name = talk.ask("Sender's name", parse_words, default=draft.identity.sender_name, optional=True, help=help)
    return replace(draft, identity=replace(draft.identity, sender_name=name))


def _scope(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    talk.say(scope_advice(kit.desk.catalog.get(draft.connection.provider)))
    rows = [Choice(each, each.words, SCOPE_NOTES[each]) for each in Scope]
    return replace(draft, scope=talk.choose("Use it for:", rows, draft.scope))


def _company(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    rows = [Choice(False, COMPANY_NO, also="no"), Choice(True, COMPANY_YES, also="yes")]
    told = talk.choose("In the application:", rows, draft.identity.update_company)
    return replace(draft, identity=replace(draft.identity, update_company=told))


def _company_name(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    name = talk.ask("Firm's name", parse_words, default=draft.identity.company_name, optional=True)
    return replace(draft, identity=replace(draft.identity, company_name=name))


def _reply_to(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    default = draft.typed.get("reply_to", str(draft.identity.reply_to or draft.from_address or ""))
    reply_to = talk.ask("Answers go to", parse_reply_to, default=default, optional=True)
    return replace(draft, identity=replace(draft.identity, reply_to=reply_to)).with_typed("reply_to", None)


# --- where the password is kept ---


def _store(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    """Try every place out before one is recommended."""
    return replace(draft, store=ask_store(talk, kit, draft.store, "Keep the password in:"))


def ask_store(talk: Conversation, kit: Kit, now: StoreKind | None, question: str) -> StoreKind:
    """Try every place out and ask for one. Raises `GoBack`."""
    talk.say("Trying out where the password can be kept ...")
    found = awaited(_probed(kit.desk.stores))
    rows = [
        Choice(kind, STORE_TITLES[kind], "" if each.ok else STORE_BROKEN, about=each.words)
        for kind, each in found.items()
    ]
    default = now or (StoreKind.KEYRING if found[StoreKind.KEYRING].ok else StoreKind.SESSION)
    return talk.choose(question, rows, default)


async def _probed(stores: SecretStores) -> dict[StoreKind, Availability]:
    return {kind: await stores.get(kind).probe() for kind in stores.offered()}


def _way(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    """Ask for the variable, the command or the file."""
    assert draft.store is not None
    return draft.with_store(draft.store, ask_way(talk, draft.store, draft.where, draft.name))


def ask_way(talk: Conversation, kind: StoreKind, known: str, name: str) -> str:
    """Ask for the way to a password that is kept elsewhere; return it as it is saved. Raises `GoBack`."""
    default = known or (variable_for(name) if kind is StoreKind.ENV else "")
    help = f"For example: {WAY_HINTS[kind]}."
    return talk.ask(WAY_LABELS[kind], WAY_PARSERS[kind], default=default, help=help)


# --- saving ---


def _saved(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    rows = [Choice(True, "Save", word="save"), Choice(False, "Change an answer", word="change")]
    if not talk.choose(f"Save '{draft.name}' now?", rows):
        raise GoBack(draft, to_first=True)
    # Whoever comes back from the end changes the account that was saved there.
    return _Saving(talk, kit, replace(draft, saved=None, editing=draft.saved or draft.editing)).run()


class _Saving:
    """Saves; asks where another account would be replaced or displaced; tells what could not be done; loses nothing."""

    def __init__(self, talk: Conversation, kit: Kit, draft: Draft) -> None:
        self.talk = talk
        self.kit = kit
        self.draft = draft
        self.replacing = False
        self.displacing = False

    def run(self) -> Draft:
        """Return the draft with the name it was saved under. Raises `GoBack` with the draft as it is then, `Quit`."""
        try:
            while self.draft.saved is None:
                self._attempt()
        except GoBack:
            raise GoBack(self.draft) from None
        return self.draft

    def _attempt(self) -> None:
        try:
            unlock(self.talk, self.kit, self.draft.store, creating=True)
            save = self.kit.desk.accounts.save(self.draft, replacing=self.replacing, displacing=self.displacing)
            account = awaited(save)
        except NameTaken:
            self._ask_to_replace()
        except Displaces as problem:
            self._ask_to_displace(problem.other.name)
        except SecretError as problem:
            self.talk.say(f"{problem} Choose another place for the password.")
            self.draft = _store(self.talk, self.kit, replace(self.draft, store=None))
            if self.draft.store is not None and self.draft.store.is_reference:
                self.draft = _way(self.talk, self.kit, self.draft)
        except (AccountsError, InputError) as problem:
            self.talk.say(f"{problem} Nothing was saved.")
            self.talk.choose("What now? ('back' leads to the answers before.)", [Choice("again", "Try to save again")])
        else:
            self.draft = replace(self.draft, saved=account.name)

    def _ask_to_replace(self) -> None:
        if self.talk.yes(replace_question(self.draft.name), yes=REPLACE_YES, no=REPLACE_NO):
            self.replacing = True
        else:
            self.talk.say(ANOTHER_NAME)
            self.draft = _name(self.talk, self.kit, self.draft)

    def _ask_to_displace(self, other: str) -> None:
        if self.talk.yes(displace_question(other), yes=displace_yes(other), no=DISPLACE_NO):
            self.displacing = True
        else:
            self.draft = replace(self.draft, scope=Scope.GENERAL)
