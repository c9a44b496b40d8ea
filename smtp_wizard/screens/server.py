"""Server: which server sends the mail, by hand, with what its ports answer; no password is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual import on
from textual.content import Content
from textual.widget import Widget

from smtp_wizard.engine.base.endpoint import Security
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.steps import StepId
from smtp_wizard.flows.flow import Section
from smtp_wizard.flows.server import ServerFlow
from smtp_wizard.flows.server_state import ServerField, ServerOffer, ServerState
from smtp_wizard.screens.details import DetailsPanel
from smtp_wizard.screens.page import StepPage, question
from smtp_wizard.screens.panel import GuidePanel, QuestionPanel
from smtp_wizard.screens.screen_context import ScreenContext
from smtp_wizard.text import server as words
from smtp_wizard.text.wizard import PURPOSE, filled_guide, guide_id_for
from smtp_wizard.widgets.chips import Chip
from smtp_wizard.widgets.frame import Frame, FrameRow, RadioFrame, RadioOption, TextFrame
from smtp_wizard.widgets.offers import OfferList
from smtp_wizard.widgets.outcome_card import OutcomeCard


class ServerScreen(StepPage[ServerState, ServerOffer]):
    """All that an application asks for, and what its ports answered, in one view."""

    STEP = StepId.SERVER
    AUTO_FOCUS = "#host Input"
    HELP: ClassVar[str] = f"{PURPOSE[StepId.SERVER]} The ports are tried without a password."

    flow: ServerFlow

    def __init__(self, context: ScreenContext, draft: Draft) -> None:
        services = context.services
        flow = ServerFlow(
            draft, catalog=services.catalog, checks=services.checks, scans=services.scans, now=services.now
        )
        super().__init__(context, draft, flow)
        state = flow.state
        self.frames: dict[ServerField, Frame] = {
            ServerField.HOST: TextFrame(state.host, id="host"),
            ServerField.PORT: TextFrame(state.port, id="port", classes="-narrow"),
            ServerField.USERNAME: TextFrame(state.username, id="username"),
            ServerField.SENDER: TextFrame(state.sender, id="sender"),
        }
        options = [RadioOption(each, title) for each, (title, _) in words.SECURITY_TITLES.items()]
        self.security = RadioFrame(words.SECURITY, options, state.security, id="security")
        self.card = OutcomeCard(state.card, reserve=True)
        self.card.add_class("-close")
        self.offers = OfferList(state.offers)
        self.offers.add_class("-last")
        self._waits = False
        """Whether the question waits until nothing lies over this page."""
        self._asks = False
        """Whether a question stands over the page, or is to stand there once nothing else does."""

    # -- what is shown ----------------------------------------------------------------------------------------------

    def column(self) -> Iterator[Widget]:
        """As `Page.column`."""
        frames = self.frames
        yield question(words.QUESTION)
        yield frames[ServerField.HOST]
        with FrameRow():
            yield self.security
            yield frames[ServerField.PORT]
        with FrameRow():
            yield frames[ServerField.USERNAME]
            yield frames[ServerField.SENDER]
        yield self.card
        yield self.offers

    def rail(self) -> Sequence[Section]:
        """As `Page.rail`."""
        return self.flow.state.sections

    def chips(self) -> Sequence[Chip]:
        """As `Page.chips`."""
        details = [Chip("f4", "Details", self.details, help="details: every port, and the server's own words")]
        return [
            self.offers.chip(),
            *(details if self.flow.state.details else []),
            Chip("f6", "Guide", self.guide, help="guide: where to find what is asked here"),
        ]

    def keys(self) -> Sequence[Chip]:
        """As `Page.keys`. Enter stops nothing: pressed once too often, it would end what it has just begun."""
        keys = super().keys()
        return keys[1:] if self.flow.state.running and not self.offers.items else keys

    def draw(self, state: ServerState) -> None:
        """As `StepPage.draw`."""
        entries = {
            ServerField.HOST: state.host,
            ServerField.PORT: state.port,
            ServerField.USERNAME: state.username,
            ServerField.SENDER: state.sender,
        }
        for field, entry in entries.items():
            self.frames[field].show(entry)
        self.security.show(state.security)
        if state.question is not None:
            self._ask(state)
            return
        self.card.show_card(state.card)
        self.offers.offer([each for each in state.offers if each.id is not ServerOffer.STOP])

    def _ask(self, state: ServerState) -> None:
        """Put the question over the page, or have it put once nothing else lies there; Esc is the careful answer."""
        if self._asks or state.card is None:
            return
        self._asks = True
        self._waits = not self.is_active
        if not self._waits:
            self.app.push_screen(QuestionPanel(state.card, state.offers), self._answered)

    def _answered(self, offer: ServerOffer | None) -> None:
        self._asks = False
        self.act(offer or ServerOffer.NO)

    def on_screen_resume(self) -> None:
        """Put the question that came while another screen lay over this one."""
        if self._waits and self.is_active:
            self._asks = self._waits = False
            self.draw(self.flow.state)

    # -- what is typed and chosen -----------------------------------------------------------------------------------

    @on(Frame.Changed)
    def _typed(self, message: Frame.Changed) -> None:
        field = next(field for field, frame in self.frames.items() if frame is message.frame)
        self.flow.type(field, message.text)

    @on(RadioFrame.Changed)
    def _secured(self, message: RadioFrame.Changed) -> None:
        self.flow.choose(Security(message.frame.selected))

    @on(OfferList.Chosen)
    def _taken(self, message: OfferList.Chosen) -> None:
        offer = ServerOffer(message.offer.id)
        if offer is ServerOffer.TAKE:  # while the ports are tried
            self.call_next(self.flow.act, offer)
        else:
            self.act(offer)

    def collect(self) -> Draft:
        """As `StepPage.collect`."""
        return self.flow.draft

    def work_ended(self) -> None:
        """As `StepPage.work_ended`; the cursor goes where there is something to be typed."""
        super().work_ended()
        if self.is_active and self._faulty is not None:
            self._faulty.select_all()
        elif self.is_active and self.flow.state.cursor is ServerField.SECURITY:
            self.security.focus()

    @property
    def _faulty(self) -> Frame | None:
        return next((frame for frame in self.frames.values() if frame.entry.error), None)

    # -- keys -------------------------------------------------------------------------------------------------------

    def details(self) -> None:
        """Show what every port said, and the server's own words."""
        details = self.flow.state.details
        text = "\n".join(details)
        self.app.push_screen(DetailsPanel([*map(Content, details)], text, saved=f"{text}\n", today=self.context.today))

    def guide(self) -> None:
        """Open the guide that says where to find what is asked here."""
        draft, catalog = self.flow.draft, self.context.services.catalog
        provider = catalog.get(draft.connection.provider) if draft.connection.provider else None
        guide = filled_guide(self.context.guides, guide_id_for(catalog.path(draft.connection)), provider, draft)
        self.app.push_screen(GuidePanel(guide, self.open_link))
