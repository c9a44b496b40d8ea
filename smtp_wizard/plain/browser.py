"""Browser: the client id, the page or the code, and the wait for the person, in lines of text."""

from __future__ import annotations

import os

from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.oauth.errors import OAuthError
from smtp_wizard.engine.oauth.server import OAuthFlow
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.steps import Next
from smtp_wizard.flows.browser import BrowserField, BrowserFlow, BrowserOffer, BrowserStage
from smtp_wizard.plain.cards import CardLines
from smtp_wizard.plain.connect import show_guide
from smtp_wizard.plain.conversation import Choice, Conversation, GoBack
from smtp_wizard.plain.step_questions import StepContext, StepOutcome, StepQuestion, ask_in_order
from smtp_wizard.plain.waiting import awaited
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.runtime.sign_in_thread import SignInThread
from smtp_wizard.text import browser as words
from smtp_wizard.text.wizard import guide_id_for
from smtp_wizard.widgets.qr import qr_code

CAME_BACK_SECONDS = 30.0
AT_ONCE = 0.5
_WAYS = {BrowserOffer.CODE: OAuthFlow.DEVICE, BrowserOffer.BROWSER: OAuthFlow.BROWSER}


def browser(talk: Conversation, context: StepContext, draft: Draft) -> StepOutcome:
    """Whom it is for, the client, then the sign-in; go on when that has worked."""
    asks = _BrowserQuestions(talk, context, draft)
    questions = [
        StepQuestion(asks.preface, lambda _: asks.flow.state.stage is BrowserStage.PREFACE),
        StepQuestion(asks.client_id),
        StepQuestion(asks.client_secret, lambda _: asks.flow.wants_secret),
        StepQuestion(asks.signed_in),
    ]
    return ask_in_order(talk, context, draft, questions)


class _BrowserQuestions:
    """Asks for what the flow wants, one question after the other."""

    def __init__(self, talk: Conversation, context: StepContext, draft: Draft) -> None:
        services = context.services
        self.flow = BrowserFlow(
            draft, catalog=services.catalog, tokens=services.tokens, now=services.now, environ=os.environ
        )
        self._talk = talk
        self._context = context
        self._told = context.backwards
        """Whether the guide was shown."""

    def preface(self, talk: Conversation, context: StepContext, draft: Draft) -> Draft:
        """It is for whoever looks after the computers. Raises `GoBack` where that is somebody else."""
        CardLines(talk).take(self.flow.state.card)
        rows = [Choice(each.id, each.verb) for each in self.flow.state.offers]
        if awaited(self.flow.act(talk.choose("", rows))) is not None:
            raise GoBack
        return self.flow.draft

    def client_id(self, talk: Conversation, context: StepContext, draft: Draft) -> Draft:
        """The client id, after the guide that says where it comes from."""
        if not self._told:
            self._told = True
            show_guide(talk, context, draft, guide_id_for(context.services.catalog.path(draft.connection)))
            for line in self.flow.overrides:
                talk.say(line)
            talk.say(words.client_words(self.flow.server))
        entry = self.flow.state.client_id
        talk.ask(entry.label, lambda text: self._take(BrowserField.CLIENT_ID, text), default=entry.text)
        return self.flow.draft

    def _take(self, field: BrowserField, text: str) -> None:
        self.flow.type(field, text)
        lacking = self.flow.checked(field)
        if lacking:
            raise InputError(shown(lacking))

    def client_secret(self, talk: Conversation, context: StepContext, draft: Draft) -> Draft:
        """The client secret, which is not shown; Enter alone keeps the one from before."""
        kept = self.flow.draft.client_secret is not None
        keeps = " (Enter: the one from before)" if kept else ""
        lacking = str(words.CLIENT_SECRET_LACKING)
        optional = kept or not self.flow.lacks_secret
        text = talk.secret(f"{words.CLIENT_SECRET}, not shown{keeps}", optional=optional, lacking=lacking)
        if text:
            self.flow.type(BrowserField.CLIENT_SECRET, text)
        return self.flow.draft

    # -- signing in -------------------------------------------------------------------------------------------------

    def signed_in(self, talk: Conversation, context: StepContext, draft: Draft) -> Draft:
        """Sign in, as often as it takes, until the person goes on."""
        fresh = self.flow.state.stage is not BrowserStage.DONE
        while True:
            if fresh and self.flow.state.stage is BrowserStage.DONE:
                talk.say(words.DONE_WORDS)
                return self.flow.draft
            offer = self._chosen()
            if offer in _WAYS:
                self._wait(_WAYS[offer])
            elif isinstance(awaited(self.flow.act(offer)), Next):
                return self.flow.draft
            else:
                fresh = True

    def _chosen(self) -> BrowserOffer:
        """Return what is to be done."""
        state = self.flow.state
        if state.card is not None:
            CardLines(self._talk).take(state.card)
        if state.only_way is not None:
            return state.only_way
        rows = [Choice(each.id, each.verb, about=each.note) for each in state.offers]
        return self._talk.choose("" if state.stage is BrowserStage.DONE else words.HOW, rows)

    def _wait(self, way: OAuthFlow) -> None:
        """Sign in that way, in a thread beside the questions. Raises `GoBack`, `Quit`."""
        self.flow.choose(way)
        try:
            with SignInThread(self.flow.new_attempt) as beside:
                self.flow.waits(beside.attempt)
                self._show(beside)
                while self.flow.state.stage is BrowserStage.WAITING:
                    self._ask(beside)
        except EXPECTED_ERRORS as problem:
            self.flow.failed(problem)
        except GoBack:
            self.flow.stopped()
            raise

    def _show(self, beside: SignInThread) -> None:
        self._talk.show(words.page_lines(beside.attempt, os.environ))
        if self.flow.state.picture:
            self._talk.show(qr_code(self.flow.state.picture).splitlines())

    def _ask(self, beside: SignInThread) -> None:
        """Ask whether the person has come back; see whether they have. Raises `OAuthError` where it has failed."""
        code = beside.attempt.code
        text = self._talk.ask(_BY_CODE if code is not None else _BY_BROWSER, str, optional=True, help=words.PASTE_HINT)
        if text.casefold() == "other":
            self.flow.stopped()
            return
        if text and code is not None:
            self._talk.say("Nothing is typed here: the code is typed on the page.")
            return
        try:
            if text:
                beside.paste(text)
        except OAuthError as problem:
            self._talk.say(str(problem))
            return
        # The server is asked every few seconds whether the code was typed: that much is waited for.
        at_once = code.interval + 3.0 if code is not None else AT_ONCE
        found = beside.result(CAME_BACK_SECONDS if text else at_once)
        if found is not None:
            self.flow.signed_in(found)
        else:
            self._talk.say(words.left_words(beside.attempt.ends, self._context.services.now()))


_BY_CODE = "Enter when you have typed the code there; 'other' for another way"
_BY_BROWSER = "Enter when the browser says that you are signed in, or paste its address; 'other' for another way"
