"""Server: host, security, port and user name by hand, and trying them, which sends no password, in lines of text."""

from __future__ import annotations

from collections.abc import Mapping

from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.steps import Next
from smtp_wizard.flows.server import ServerFlow
from smtp_wizard.flows.server_state import ServerField, ServerOffer, ServerState
from smtp_wizard.output.plain_lines import finding_lines
from smtp_wizard.plain.cards import CardLines
from smtp_wizard.plain.conversation import Choice, Conversation, GoBack
from smtp_wizard.plain.step_questions import StepContext, StepOutcome, StepQuestion, ask_in_order
from smtp_wizard.plain.waiting import awaited
from smtp_wizard.text import server as words

_TYPED: Mapping[ServerOffer, str] = {
    ServerOffer.USE: "on",
    ServerOffer.TEST: "test",
    ServerOffer.PORTS: "ports",
    ServerOffer.FIX: "fix",
    ServerOffer.NETWORK: "network",
}
"""What may be typed in place of an offer's number."""


def server(talk: Conversation, context: StepContext, draft: Draft) -> StepOutcome:
    """The settings that an application asks for. The trials prove server and port, and say that they prove no more."""
    talk.say(words.QUESTION)
    asks = _ServerQuestions(talk, context, draft)
    order = (asks.host, asks.security, asks.port, asks.username, asks.sender, asks.settings)
    return ask_in_order(talk, context, draft, [StepQuestion(each) for each in order])


class _ServerQuestions:
    """Asks for what the flow wants, one question after the other."""

    def __init__(self, talk: Conversation, context: StepContext, draft: Draft) -> None:
        services = context.services
        self.flow = ServerFlow(
            draft, catalog=services.catalog, checks=services.checks, scans=services.scans, now=services.now
        )
        self._context = context
        self._talk = talk

    # -- the fields -------------------------------------------------------------------------------------------------

    def host(self, talk: Conversation, context: StepContext, draft: Draft) -> Draft:
        """Its name."""
        text = self.flow.state.host.text
        return self._typed(ServerField.HOST, "Outgoing server, for example smtp.example.com", text)

    def security(self, talk: Conversation, context: StepContext, draft: Draft) -> Draft:
        """How it is encrypted; the port follows."""
        rows = [Choice(each, *titles) for each, titles in words.SECURITY_TITLES.items()]
        self.flow.choose(talk.choose(f"{words.SECURITY}:", rows, self.flow.state.security))
        return self.flow.draft

    def port(self, talk: Conversation, context: StepContext, draft: Draft) -> Draft:
        """Its port."""
        return self._typed(ServerField.PORT, words.PORT, self.flow.state.port.text)

    def username(self, talk: Conversation, context: StepContext, draft: Draft) -> Draft:
        """The user name, which may be none."""
        hint = words.NAMELESS_HELP if self.flow.may_be_nameless else words.NAME_LATER_HELP
        return self._typed(
            ServerField.USERNAME, words.USERNAME, self.flow.state.username.text, optional=True, help=hint
        )

    def sender(self, talk: Conversation, context: StepContext, draft: Draft) -> Draft:
        """The address that mail comes from."""
        entry = self.flow.state.sender
        return self._typed(ServerField.SENDER, words.SENDER, entry.text or entry.placeholder, optional=True)

    def _typed(
        self, field: ServerField, question: str, default: str, *, optional: bool = False, help: str = ""
    ) -> Draft:
        """Ask for the text of a field until it can be used. Raises `GoBack`, `Quit`."""

        def take(text: str) -> None:
            self.flow.type(field, text)
            problem = self.flow.checked(field)
            if problem:
                raise InputError(shown(problem))

        self._talk.ask(question, take, default=default, optional=optional, help=help)
        return self.flow.draft

    # -- what is done with them -------------------------------------------------------------------------------------

    def settings(self, talk: Conversation, context: StepContext, draft: Draft) -> Draft:
        """Go on, or try what was entered, as often as wanted; answer what is asked on the way."""
        while True:
            offer = self._chosen()
            leads = self._done(offer)
            if isinstance(leads, Next):
                return leads.draft
            self._context.keep(self.flow.draft)
            if offer is ServerOffer.NO:
                self._type_anew()

    def _chosen(self) -> ServerOffer:
        state = self.flow.state
        rows = [Choice(each.id, each.verb, word=_TYPED.get(each.id, "")) for each in state.offers]
        try:
            return self._talk.choose(_question(state), rows)
        except GoBack:
            if state.question is None:
                raise GoBack(self.flow.draft) from None
        awaited(self.flow.act(ServerOffer.NO))
        return self._chosen()

    def _done(self, offer: ServerOffer) -> object:
        """Do it, and show what becomes of it. Raises `Interrupted` when a signal comes."""
        lines, before = CardLines(self._talk), self.flow.state.card

        def see(state: ServerState) -> None:
            if state.running:
                lines.take(state.card)

        self.flow.changed = see
        leads = awaited(self.flow.act(offer))
        state = self.flow.state
        if state.question is None and state.card != before:
            self._show(lines, state)
        # Enter, pressed while it ran, must not answer the next question.
        self._talk.drop()
        return leads

    def _show(self, lines: CardLines, state: ServerState) -> None:
        """Show what came of it: what is wrong in full, or the card, and what follows from all ports."""
        if state.finding is not None and not state.finding.warning:
            self._talk.say(f"! {state.finding.title}")
            self._talk.show(finding_lines(state.finding))
        else:
            lines.take(state.card)
        for note in state.notes:
            self._talk.say(note)

    def _type_anew(self) -> None:
        """After a no: type what the flow points to. Raises `GoBack` where that is the server itself."""
        if self.flow.state.cursor is ServerField.HOST:
            raise GoBack(self.flow.draft, to_first=True)
        if self.flow.state.cursor is ServerField.SECURITY:
            for ask in (self.security, self.port):
                self._context.keep(ask(self._talk, self._context, self.flow.draft))


def _question(state: ServerState) -> str:
    """What is asked: the question in the midst, or what is to be done with the server."""
    if state.question is not None and state.card is not None:
        return " ".join([*state.card.lines, state.card.title])
    security = words.SECURITY_TITLES[state.security][0]
    return f"Server: {state.host.text}, port {state.port.text}, {security}."
