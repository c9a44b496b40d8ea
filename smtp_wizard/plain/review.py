"""Save: the name, what the account is for, who it speaks for, and where the password is kept."""

from __future__ import annotations

from dataclasses import replace

from smtp_wizard.commands.connection import parse_words
from smtp_wizard.engine.accounts import AccountsError, Displaces, NameTaken, StoreKind, parse_name
from smtp_wizard.engine.model import Auth, InputError, Scope
from smtp_wizard.engine.secrets import Availability, SecretError, SecretStores, parse_variable, variable_for
from smtp_wizard.engine.wizard import Draft
from smtp_wizard.plain.checks import awaited
from smtp_wizard.plain.form import Kit, Outcome, Question, in_order
from smtp_wizard.plain.talk import Choice, GoBack, Talk
from smtp_wizard.words import (
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


def review(talk: Talk, kit: Kit, draft: Draft) -> Outcome:
    """What would displace or replace another account is asked first."""
    talk.say("\n".join(summary_words(draft)))
    questions = [
        Question(_name),
        Question(_sender_name),
        Question(_scope),
        Question(_company),
        Question(_company_name, lambda each: each.update_company),
        Question(_reply_to, lambda each: each.update_company),
        Question(_store, lambda each: each.auth is not Auth.NONE),
        Question(_variable, lambda each: each.store is StoreKind.ENV),
        Question(_saved),
    ]
    return in_order(talk, kit, draft, questions)


def _name(talk: Talk, kit: Kit, draft: Draft) -> Draft:
    default = draft.typed.get("name", draft.name or kit.desk.suggested_name(draft))
    return replace(draft, name=talk.ask("Account name", parse_name, default=default)).with_typed("name", None)


def _sender_name(talk: Talk, kit: Kit, draft: Draft) -> Draft:
    help = "What customers see beside the address, for example: Ana's Cleaning. It may be left out."
    return replace(
        draft, sender_name=talk.ask("Sender's name", parse_words, default=draft.sender_name, optional=True, help=help)
    )


def _scope(talk: Talk, kit: Kit, draft: Draft) -> Draft:
    talk.say(scope_advice(kit.desk.provider(draft.provider)))
    rows = [Choice(each, each.words, SCOPE_NOTES[each]) for each in Scope]
    return replace(draft, scope=Scope(talk.choose("Use it for:", rows, draft.scope)))


def _company(talk: Talk, kit: Kit, draft: Draft) -> Draft:
    rows = [Choice("no", COMPANY_NO), Choice("yes", COMPANY_YES)]
    chosen = talk.choose("In the application:", rows, "yes" if draft.update_company else "no")
    return replace(draft, update_company=chosen == "yes")


def _company_name(talk: Talk, kit: Kit, draft: Draft) -> Draft:
    return replace(draft, company_name=talk.ask("Firm's name", parse_words, default=draft.company_name, optional=True))


def _reply_to(talk: Talk, kit: Kit, draft: Draft) -> Draft:
    default = draft.typed.get("reply_to", str(draft.reply_to or draft.from_address or ""))
    reply_to = talk.ask("Answers go to", parse_reply_to, default=default, optional=True)
    return replace(draft, reply_to=reply_to).with_typed("reply_to", None)


# --- where the password is kept ---


def _store(talk: Talk, kit: Kit, draft: Draft) -> Draft:
    """Try every place out before one is recommended."""
    talk.say("Trying out where the password can be kept ...")
    stores = kit.desk.stores
    found = awaited(_probed(stores))
    works = found[StoreKind.KEYRING].ok if StoreKind.KEYRING in found else False
    rows = [
        Choice(kind, STORE_TITLES[kind], "" if each.ok else STORE_BROKEN, about=each.words)
        for kind, each in found.items()
    ]
    default = draft.store or (StoreKind.KEYRING if works else StoreKind.SESSION)
    return replace(draft, store=StoreKind(talk.choose("Keep the password in:", rows, default)))


async def _probed(stores: SecretStores) -> dict[StoreKind, Availability]:
    return {kind: await stores.get(kind).probe() for kind in stores.offered()}


def _variable(talk: Talk, kit: Kit, draft: Draft) -> Draft:
    default = draft.env_name or variable_for(draft.name)
    return replace(draft, env_name=talk.ask("Variable", parse_variable, default=default))


# --- saving ---


def _saved(talk: Talk, kit: Kit, draft: Draft) -> Draft:
    rows = [Choice("save", "Save", word="save"), Choice("change", "Change an answer", word="change")]
    if talk.choose(f"Save '{draft.name}' now?", rows) == "change":
        raise GoBack(draft, to_first=True)
    # Whoever comes back from the end changes the account that was saved there.
    return _Saving(talk, kit, replace(draft, saved=None, editing=draft.saved or draft.editing)).run()


class _Saving:
    """Saves; asks where another account would be replaced or displaced; tells what could not be done; loses nothing."""

    def __init__(self, talk: Talk, kit: Kit, draft: Draft) -> None:
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
        save = self.kit.desk.save(self.draft, replacing=self.replacing, displacing=self.displacing)
        try:
            account = awaited(save)
        except NameTaken:
            self._ask_to_replace()
        except Displaces as problem:
            self._ask_to_displace(problem.other.name)
        except SecretError as problem:
            self.talk.say(f"{problem} Choose another place for the password.")
            self.draft = _store(self.talk, self.kit, replace(self.draft, store=None))
            if self.draft.store is StoreKind.ENV:
                self.draft = _variable(self.talk, self.kit, self.draft)
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
