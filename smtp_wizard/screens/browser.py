"""Browser: whom this is for, the client id, then the code and its square for a phone, and the wait for the person."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual import events, on
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget

from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.steps import StepId
from smtp_wizard.flows.browser import BrowserField, BrowserFlow, BrowserOffer, BrowserStage, BrowserState
from smtp_wizard.flows.flow import Offer, Section
from smtp_wizard.screens.page import StepPage
from smtp_wizard.screens.panel import GuidePanel
from smtp_wizard.screens.screen_context import ScreenContext
from smtp_wizard.text import browser as words
from smtp_wizard.text.explain import COPIED
from smtp_wizard.text.wizard import PURPOSE, filled_guide, guide_id_for
from smtp_wizard.widgets.chips import Chip, key_named
from smtp_wizard.widgets.frame import Edged, Frame, SecretFrame, TextFrame
from smtp_wizard.widgets.lines import MUTED, STRONG, Lines
from smtp_wizard.widgets.offers import OfferList
from smtp_wizard.widgets.outcome_card import OutcomeCard
from smtp_wizard.widgets.plain_text import PlainText, folded
from smtp_wizard.widgets.qr import qr_code

LEFT, COLUMN, MARGINS = 38, 76, 4
"""Columns for the code and what to do, of the whole column, and beside that."""
ABOVE_AND_BELOW = 5
"""Rows that the line of steps, the question and the keys take."""
_MEANWHILE = frozenset({BrowserOffer.PASTE, BrowserOffer.STOP})
"""What is taken while somebody is waited for."""


class CodeBox(Edged, Lines):
    """The code, with empty rows around it; how long it is good stands in its lower edge."""

    def put(self, code: str, left: str) -> None:
        """Show a code and how long it is good."""
        self.label("Your code", left)
        rows = folded(code, LEFT - 4)  # they are mostly of eight letters, and of forty at most
        self.show([Content(""), *(Content.styled(row.center(LEFT - 4), STRONG) for row in rows)])


class BrowserScreen(StepPage[BrowserState, BrowserOffer]):
    """One stage at a time: whom this is for, the client, the wait for the person, and that it is done."""

    STEP = StepId.BROWSER
    AUTO_FOCUS = "#client-id Input, #client-secret Input, #last-address Input, #offers"
    HELP: ClassVar[str] = PURPOSE[StepId.BROWSER]

    flow: BrowserFlow

    def __init__(self, context: ScreenContext, draft: Draft) -> None:
        services = context.services
        flow = BrowserFlow(
            draft, catalog=services.catalog, tokens=services.tokens, now=services.now, environ=os.environ
        )
        super().__init__(context, draft, flow)
        state = flow.state
        self.asked = PlainText(classes="asked")
        self.client_id = TextFrame(state.client_id, id="client-id")
        self.client_secret = SecretFrame(state.client_secret or state.client_id, id="client-secret")
        self._put_secret(draft)
        self.code = CodeBox(id="code")
        self.steps = Lines(id="sign-in-steps")
        self.pasted = TextFrame(state.client_id, id="last-address")
        self.waiting = OutcomeCard(id="waiting")
        self.square = Lines(id="square")
        self.sign_in = Horizontal(Vertical(self.code, self.steps, self.pasted, self.waiting), self.square, id="sign-in")
        self.card = OutcomeCard(state.card)
        self.offers = OfferList(state.offers)
        self._stage = state.stage

    def _put_secret(self, draft: Draft) -> None:
        if draft.client_secret is not None:
            self.client_secret.field.value = draft.client_secret.reveal()

    # -- what is shown ----------------------------------------------------------------------------------------------

    def column(self) -> Iterator[Widget]:
        """As `Page.column`."""
        self._arrange(self.flow.state)
        yield from (self.asked, self.client_id, self.client_secret, self.sign_in, self.card, self.offers)

    def _arrange(self, state: BrowserState) -> None:
        """Show the parts of the stage, and what stands in them; what does not show cannot have the cursor."""
        types, waits = state.stage is BrowserStage.CLIENT, state.stage is BrowserStage.WAITING
        self.asked.update(Content.styled(state.question, STRONG))
        _let_show(self.client_id, types)
        _let_show(self.client_secret, types and state.client_secret is not None)
        _let_show(self.sign_in, waits)
        self.client_id.show(state.client_id)
        if state.client_secret is not None:
            self.client_secret.show(state.client_secret)
        if waits:
            self._wait(state)
        self.card.show_card(None if waits else state.card)
        self.offers.offer(() if waits else state.offers)

    def _wait(self, state: BrowserState) -> None:
        """Show the code or where the address is pasted, what to do, and the square where it fits whole."""
        self.code.display = bool(state.code)
        _let_show(self.pasted, state.pasted is not None)
        if state.code:
            self.code.put(state.code, self.flow.left())
        if state.pasted is not None:
            self.pasted.show(state.pasted)
        square = self._square(state.picture, self.app.size.width, self.app.size.height)
        self.square.show(square)
        self.sign_in.set_class(bool(square), "-beside")
        self.steps.show(self._steps(state, beside=bool(square)))
        self.waiting.show_card(state.card)

    def _steps(self, state: BrowserState, *, beside: bool) -> list[Content]:
        """Return what the person does now, numbered; `beside`: the square stands there."""
        room = LEFT if beside else COLUMN - 1
        rows = [Content("")] if state.code else []
        for number, line in enumerate(state.steps, 1):
            rows += [Content(row) for row in folded(f"{number}  {line}", room)]
            rows += [Content("   or hold your phone to the square.")] if beside and number == 1 else []
        if state.tunnel:
            rows += [Content(""), *self._muted(words.TUNNEL_FIRST, room)]
            rows += [*(Content(row) for row in folded(state.tunnel, room)), *self._muted(words.TUNNEL_ELSE, room)]
        return [*rows, Content("")]

    @staticmethod
    def _muted(text: str, room: int) -> list[Content]:
        return [Content.styled(row, MUTED) for row in folded(text, room)]

    @staticmethod
    def _square(url: str, width: int, height: int) -> list[Content]:
        """Return a web address as a QR code, nothing where not all of it fits beside the code."""
        lines = qr_code(url).splitlines() if url else []
        room = min(COLUMN, width - MARGINS) - LEFT - 1
        fits = bool(lines) and len(lines[0]) <= room and len(lines) <= height - ABOVE_AND_BELOW
        # Its own two colours: a phone reads it in the light look, too.
        return [Content.styled(line, "#ffffff on #000000") for line in lines] if fits else []

    def draw(self, state: BrowserState) -> None:
        """As `StepPage.draw`; with another stage the cursor goes to where that goes on."""
        self._arrange(state)
        if state.stage is self._stage:
            return
        self._stage = state.stage
        if state.stage is BrowserStage.WAITING and not state.code and self.context.local:
            self.app.open_url(state.page)
        self._aim(state)

    def _aim(self, state: BrowserState) -> None:
        """Put the cursor where the stage goes on."""
        frames = {
            BrowserField.CLIENT_ID: self.client_id,
            BrowserField.CLIENT_SECRET: self.client_secret,
            BrowserField.PASTED: self.pasted,
        }
        frame = frames[state.cursor]
        if state.stage in (BrowserStage.CLIENT, BrowserStage.WAITING) and not frame.disabled:
            frame.field.focus()
        elif self.offers.display:
            self.offers.focus()
        else:
            self.set_focus(None)

    def on_mount(self) -> None:
        """Tell once a second how long the code is good, while there is one and nothing stands over it."""
        self.set_interval(1.0, self._tick)

    def _tick(self) -> None:
        if self.is_active and self.flow.state.code:
            self.code.label("Your code", self.flow.left())

    def on_resize(self, event: events.Resize) -> None:
        """Show the square where it fits now."""
        super().on_resize(event)
        if self.flow.state.stage is BrowserStage.WAITING:
            self._wait(self.flow.state)

    def rail(self) -> Sequence[Section]:
        """As `Page.rail`."""
        return self.flow.state.sections

    # -- keys -------------------------------------------------------------------------------------------------------

    def chips(self) -> Sequence[Chip]:
        """As `Page.chips`."""
        state = self.flow.state
        guide = Chip("f6", "Guide", self.guide, help="guide: where the client id comes from, step by step")
        show = Chip("f2", "Show", self.client_secret.reveal, help="show or hide the client secret")
        secret = [show] if state.stage is BrowserStage.CLIENT and state.client_secret is not None else []
        if state.stage is not BrowserStage.WAITING:
            return [self.offers.chip(), *secret, guide]
        first, *others = [each for each in state.offers if each.id is not BrowserOffer.STOP]
        keys = [each for each in (first, *others) if each.key]
        enter = Chip("enter", first.verb, lambda: self.take(first))
        return [enter, *(self._chip(each, shown=each is not first) for each in keys), guide]

    def _chip(self, offer: Offer[BrowserOffer], *, shown: bool) -> Chip:
        return Chip(key_named(offer.key), offer.verb, lambda: self.take(offer), shown=shown)

    def take(self, offer: Offer[BrowserOffer]) -> None:
        """Do what is offered: the page and the clipboard are this face's, the rest is the flow's."""
        if offer.id is BrowserOffer.OPEN_PAGE:
            self._open()
        elif offer.id is BrowserOffer.COPY_CODE:
            self.app.copy_to_clipboard(self.flow.state.code)
            self.banner.say(COPIED)
        elif offer.id in _MEANWHILE:
            self.call_next(self.flow.act, offer.id)
        else:
            self.banner.say("")
            self.act(offer.id)

    def _open(self) -> None:
        page = self.flow.state.page
        if self.context.local:
            self.app.open_url(page)
        else:
            self.open_link(page)

    def guide(self) -> None:
        """Open the guide that says where the client id comes from."""
        draft, catalog = self.flow.draft, self.context.services.catalog
        provider = catalog.get(draft.connection.provider) if draft.connection.provider else None
        guide = filled_guide(self.context.guides, guide_id_for(catalog.path(draft.connection)), provider, draft)
        self.app.push_screen(GuidePanel(guide, self.open_link))

    # -- what is typed and chosen -----------------------------------------------------------------------------------

    @on(Frame.Changed)
    def _typed(self, message: Frame.Changed) -> None:
        fields = {
            self.client_id: BrowserField.CLIENT_ID,
            self.client_secret: BrowserField.CLIENT_SECRET,
            self.pasted: BrowserField.PASTED,
        }
        self.flow.type(fields[message.frame], message.text)

    @on(OfferList.Chosen)
    def _taken(self, message: OfferList.Chosen) -> None:
        self.take(message.offer)

    def collect(self) -> Draft:
        """As `StepPage.collect`."""
        return self.flow.draft

    def work_ended(self) -> None:
        """As `StepPage.work_ended`; the cursor goes where something is lacking."""
        super().work_ended()
        faulty = next((each for each in (self.client_id, self.client_secret) if each.entry.error), None)
        if faulty is not None and self.is_active:
            faulty.select_all()


def _let_show(part: Widget, shows: bool) -> None:
    """Show a part, or not; what does not show cannot have the cursor."""
    part.display, part.disabled = shows, not shows
