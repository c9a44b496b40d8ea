"""Save: the name, what the account is for, and where the password is kept."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from smtp_wizard.engine.accounts.account import parse_name
from smtp_wizard.engine.base.characters import parse_words
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.sending_application import load_sending_application
from smtp_wizard.flows.flow import Leads
from smtp_wizard.flows.last_steps.save import Option, SaveField, SaveFlow, SaveOffer, SavePhase
from smtp_wizard.plain.cards import row_lines, row_of, say_card
from smtp_wizard.plain.conversation import Choice, Conversation, GoBack
from smtp_wizard.plain.question_flow import answered
from smtp_wizard.plain.step_questions import StepContext, StepOutcome, StepQuestion, ask_in_order
from smtp_wizard.plain.waiting import awaited
from smtp_wizard.text import save as words

V = TypeVar("V")


def save(talk: Conversation, context: StepContext, draft: Draft) -> StepOutcome:
    """What would displace or replace another account is asked before it is done."""
    asks = _SaveQuestions(talk, context, draft)
    talk.say(words.account_line(draft))
    talk.show(line for row in words.proved_lines(draft, context.services.now()) for line in row_lines(row))
    order = (asks.name, asks.scope, asks.company, asks.sender_name, asks.saved)
    return ask_in_order(talk, context, draft, [StepQuestion(each) for each in order])


class _SaveQuestions:
    """Asks for what the flow wants, one question after the other."""

    def __init__(self, talk: Conversation, context: StepContext, draft: Draft) -> None:
        services = context.services
        self.talk = talk
        self._context = context
        self.flow = SaveFlow(
            draft,
            accounts=services.accounts,
            stores=services.stores,
            saved_accounts=services.saved_accounts,
            catalog=services.catalog,
            screen=load_sending_application(),
            now=services.now,
        )

    # -- the fields -------------------------------------------------------------------------------------------------

    def name(self, talk: Conversation, context: StepContext, draft: Draft) -> Draft:
        """The account's name, until it can be used."""
        entry = self.flow.state.name
        self.flow.type(SaveField.NAME, talk.ask(entry.label, parse_name, default=entry.text))
        return self.flow.draft

    def scope(self, talk: Conversation, context: StepContext, draft: Draft) -> Draft:
        """What it is for."""
        state = self.flow.state
        self.flow.choose_scope(talk.choose(state.scope_label, _rows(state.scopes), state.scope))
        return self.flow.draft

    def company(self, talk: Conversation, context: StepContext, draft: Draft) -> Draft:
        """Whether the firm's address becomes this one."""
        state = self.flow.state
        talk.say(load_sending_application().company_note)
        self.flow.choose_company(talk.choose(f"{state.company_label}:", _rows(state.companies), state.company))
        return self.flow.draft

    def sender_name(self, talk: Conversation, context: StepContext, draft: Draft) -> Draft:
        """What customers see beside the address."""
        entry = self.flow.state.sender_name
        help = f"{entry.hint}, for example {entry.placeholder}. It may be left out."
        self.flow.type(
            SaveField.SENDER_NAME, talk.ask(entry.label, parse_words, default=entry.text, optional=True, help=help)
        )
        return self.flow.draft

    # -- saving -----------------------------------------------------------------------------------------------------

    def saved(self, talk: Conversation, context: StepContext, draft: Draft) -> Draft:
        """Where the password is kept, and the yes to all of it; what stands in the way is asked here."""
        if self.flow.keeps_password:
            talk.say(words.TRYING_OUT)
            awaited(self.flow.begin())
        while True:
            try:
                offer = self._offer()
            except GoBack as wanted:
                raise GoBack(self.flow.draft, to_first=wanted.to_first) from None
            leads = self._led(offer)
            if leads is not None:
                return leads.draft

    def _offer(self) -> StrEnum:
        """Ask what the state wants. Raises `GoBack`."""
        state = self.flow.state
        if state.card is not None:
            say_card(self.talk, state.card)
        match state.phase:
            case SavePhase.ASKING if state.name.error:
                self.talk.say(state.name.error)
                self.name(self.talk, self._context, self.flow.draft)
                return SaveOffer.SAVE
            case SavePhase.ASKING:
                return self._to_save()
            case SavePhase.PLACES:
                return self._place()
            case SavePhase.WAY:
                return self._way()
        try:
            return self.talk.choose(state.question, [row_of(each) for each in state.offers])
        except GoBack:
            return SaveOffer.BACK

    def _to_save(self) -> StrEnum:
        """Ask whether it is saved like this."""
        if self.flow.keeps_password:
            self.talk.show(["", f"Password: {self.flow.state.place_line}"])
        rows: list[Choice[StrEnum | None]] = [
            Choice(each.id, each.verb, word=each.id.value) for each in self.flow.state.offers
        ]
        answer = self.talk.choose(words.QUESTION, [*rows, Choice(None, "Change an answer", word="change")])
        if answer is None:
            raise GoBack(self.flow.draft, to_first=True)
        return answer

    def _place(self) -> StrEnum:
        """Ask for another place."""
        state = self.flow.state
        rows = [Choice(each.id, each.verb, about=each.off or each.note) for each in state.offers]
        try:
            kind = self.talk.choose(state.question, rows, state.place)
            while off := next(each.off for each in state.offers if each.id == kind):
                self.talk.say(off)
                kind = self.talk.choose(state.question, rows, state.place)
        except GoBack:
            return SaveOffer.BACK
        return kind

    def _way(self) -> StrEnum:
        """Ask for the way to the password."""
        entry = self.flow.state.way
        assert entry is not None
        self.talk.say(entry.error or self.flow.state.question)
        try:
            text = self.talk.ask(entry.label, str, default=entry.text, help=f"{entry.hint}.")
        except GoBack:
            return SaveOffer.BACK
        self.flow.type(SaveField.WAY, text)
        return SaveOffer.KEEP_THERE

    def _led(self, offer: StrEnum) -> Leads | None:
        leads = awaited(self.flow.act(offer))
        while self.flow.vault is not None:
            leads = awaited(self.flow.opened(answered(self.talk, self.flow.vault)))
        return leads


def _rows(options: tuple[Option[V], ...]) -> list[Choice[V]]:
    return [Choice(each.value, each.words, each.note, also=_also(each.value)) for each in options]


def _also(value: object) -> str:
    """Return what may be typed for a yes or a no, beside the number."""
    return ("yes" if value else "no") if isinstance(value, bool) else ""
