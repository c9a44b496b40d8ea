"""Connect: the password, one card for what came of it, and the guide beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import ClassVar

from rich.cells import cell_len
from textual import events, on
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.steps import StepId
from smtp_wizard.flows.connect import ConnectFlow
from smtp_wizard.flows.connect_state import ConnectOffer, ConnectState, CursorPlace
from smtp_wizard.flows.flow import Entry, Offer, Section
from smtp_wizard.screens.details import CheckDetails
from smtp_wizard.screens.guide import StepsPanel
from smtp_wizard.screens.page import RAIL, StepPage, note, question
from smtp_wizard.screens.screen_context import ScreenContext
from smtp_wizard.text.wizard import PURPOSE
from smtp_wizard.widgets.chips import Chip
from smtp_wizard.widgets.frame import Frame, SecretFrame, TextFrame
from smtp_wizard.widgets.guide_steps import due_line, guide_rows, heading
from smtp_wizard.widgets.lines import ACCENT, MUTED, STRONG
from smtp_wizard.widgets.offers import OfferList
from smtp_wizard.widgets.outcome_card import OutcomeCard

PASSPHRASE = Entry(label="Passphrase", secret=True)
ROOM = 74
"""Columns of the step that is due; beside a scrollbar, too, its rows are not broken again."""
AROUND = 9
"""Rows of a rail, and of the page around it, that are not the guide's steps."""


class ConnectScreen(StepPage[ConnectState, ConnectOffer]):
    """Enter does what the card leads to: sign in, take the cure, go on. A refused password is selected."""

    STEP = StepId.CONNECT
    HELP: ClassVar[str] = PURPOSE[StepId.CONNECT]
    AUTO_FOCUS = "#column .-aimed"
    flow: ConnectFlow

    def __init__(self, context: ScreenContext, draft: Draft) -> None:
        services = context.services
        flow = ConnectFlow(
            draft,
            catalog=services.catalog,
            checks=services.checks,
            scans=services.scans,
            tokens=services.tokens,
            vault=services.stores.vault,
            guides=context.guides,
            watch=context.watch,
        )
        super().__init__(context, draft, flow)
        # What the check of the server has found so far stands there from the first painting on.
        self.flow.begin()
        state = self.flow.state
        self.username = TextFrame(state.username, id="username-frame") if state.username is not None else None
        self.secret = SecretFrame(state.secret, id="secret-frame") if state.secret is not None else None
        self.passphrase = SecretFrame(PASSPHRASE, id="passphrase-frame") if self.secret is None else None
        self.card = OutcomeCard(state.card, reserve=True)
        self.answers: OfferList[ConnectOffer] = OfferList(self._rows(state))
        self.due = note(self._due(state), narrow=True, id="due")
        self.where = note(self._where(state), id="where")
        self.due.styles.margin, self.where.styles.margin = (1, 1, 0, 2), (0, 1, 0, 2)
        self._aimed = (state.at, "")
        self._name_fields(state)

    def _name_fields(self, state: ConnectState) -> None:
        """Name the fields, and mark the one in which the cursor is at first: aiming later would paint twice."""
        if self.username is not None:
            self.username.field.id = "username"
            self.username.field.set_class(state.aim is CursorPlace.USERNAME, "-aimed")
        if self.secret is not None:
            self.secret.field.id = "secret"
            self.secret.field.value = self.flow.secret_text
            self.secret.field.set_class(state.aim is CursorPlace.SECRET, "-aimed")
        if self.passphrase is not None:
            self.passphrase.field.id = "passphrase"
            self.passphrase.display = False

    # -- what stands there ------------------------------------------------------------------------------------------

    def column(self) -> Iterator[Widget]:
        yield question(self.flow.state.question)
        for line in self.flow.state.notes:
            yield note(Content.styled(line, "$warning"))
        yield from (each for each in (self.username, self.secret, self.passphrase) if each is not None)
        yield self.card
        yield self.answers
        yield self.due
        yield self.where

    def rail(self) -> Sequence[Section]:
        return ()

    def rail_content(self) -> list[Content]:
        """As `Page.rail_content`: the guide, whole, with the step that is due in sight."""
        view = self.flow.state.guide
        if view is None:
            return []
        title = [Content.styled(row, f"{STRONG} $foreground") for row in heading(view, RAIL)]
        steps = guide_rows(view, RAIL, max(3, self.app.size.height - AROUND - len(title)))
        more = Content.assemble(("F6", ACCENT), "  all of it: tick steps, QR code")
        return [*title, Content(""), *steps, Content(""), more]

    def chips(self) -> Sequence[Chip]:
        state = self.flow.state
        own = [Chip("f4", "Details", self._details, help="details: every check, and the server's own words")]
        if state.guide is not None:
            own.append(Chip("f6", "Guide", self._steps, help="guide: all the steps, with a QR code for your phone"))
        if state.busy:
            return own
        if self.secret is not None and not state.asks:
            own.insert(0, Chip("f2", "Show", self.secret.reveal, help="show or hide the password"))
        if self.passphrase is not None and state.passphrase is not None:
            own.insert(0, Chip("f2", "Show", self.passphrase.reveal, help="show or hide the passphrase"))
        if any(each.id is ConnectOffer.CHANGE for each in state.offers):
            change = "change settings: server, port or user name"
            own.append(Chip("f9", "Change settings", lambda: self.act(ConnectOffer.CHANGE), help=change, shown=False))
        return [self._enter(), *own]

    def _enter(self) -> Chip:
        if self.answers.display:
            return self.answers.chip()
        first = self.flow.state.offers[0]
        return Chip("enter", first.chip or first.verb, lambda: self._take(first.id))

    def keys(self) -> Sequence[Chip]:
        """As `Page.keys`; while something runs Esc stands first, and Enter does nothing."""
        keys = list(super().keys())
        if self.flow.state.busy:
            keys.sort(key=lambda chip: chip.key != "escape")
        return keys

    def back_words(self) -> str:
        """As `Page.back_words`."""
        return "Stop" if self.flow.state.busy else "Back"

    def on_resize(self, event: events.Resize) -> None:
        """As `Page.on_resize`; the guide and the settings have another room then."""
        super().on_resize(event)
        self.due.put(self._due(self.flow.state))
        self.where.put(self._where(self.flow.state))
        self.redraw()

    # -- drawing ----------------------------------------------------------------------------------------------------

    def draw(self, state: ConnectState) -> None:
        shown = ((self.username, state.username), (self.secret, state.secret), (self.passphrase, state.passphrase))
        for frame, entry in shown:
            if frame is not None and entry is not None:
                frame.show(entry)
        if self.passphrase is not None:
            self._let_show(self.passphrase, state.passphrase is not None)
        if state.busy:
            self.banner.say("")
        self.card.show_card(state.card)
        self.answers.offer(self._rows(state))
        self.due.put(self._due(state))
        self.where.put(self._where(state))
        errors = "".join(entry.error for _, entry in shown if entry is not None)
        if (state.at, errors) != self._aimed and not state.busy:
            self._aim(state)
        self._aimed = (state.at, errors)

    @staticmethod
    def _let_show(passphrase: SecretFrame, asked: bool) -> None:
        """Show the field of the passphrase while that is asked for; it keeps nothing once it is not."""
        passphrase.display = asked
        if not asked and passphrase.field.value:
            with passphrase.field.prevent(Input.Changed):
                passphrase.field.value = ""
        if not asked and passphrase.revealed:
            passphrase.reveal()

    @staticmethod
    def _rows(state: ConnectState) -> list[Offer[ConnectOffer]]:
        """What is offered as a list: the answers to a question; of a failure what else may be done beside its cure."""
        rows = [each for each in state.offers if state.asks or not each.key]
        several = state.asks or len(rows) > 1
        return [replace(each, chip=each.chip or each.verb) for each in rows] if several and not state.busy else []

    def _aim(self, state: ConnectState) -> None:
        """Put the cursor where the next thing is typed or chosen; what was refused is there to be typed over."""
        match state.aim:
            case CursorPlace.USERNAME if self.username is not None:
                self.username.field.focus()
            case CursorPlace.SECRET if self.secret is not None:
                if state.refused:
                    self.secret.select_all()
                elif not self.secret.field.has_focus:
                    self.secret.field.focus()
            case CursorPlace.PASSPHRASE if self.passphrase is not None:
                self.passphrase.select_all()
            case _:
                self.answers.focus()

    def _due(self, state: ConnectState) -> Content:
        if state.guide is None:
            return Content("")
        return due_line(state.guide, min(ROOM, self.app.size.width - 6), state.question)

    def _where(self, state: ConnectState) -> Content:
        """Return the settings and the key that changes them, which stays with its word."""
        fits = cell_len(f"{state.settings}  F9 change") <= min(ROOM, self.app.size.width - 4)
        return Content.assemble((state.settings, MUTED), "  " if fits else "\n", ("F9", ACCENT), (" change", MUTED))

    # -- what is done -----------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Show what the check of the server has found since this was made."""
        self.draw(self.flow.state)

    def on_unmount(self) -> None:
        """Listen to it no longer."""
        self.flow.end()

    def collect(self) -> Draft:
        return self.flow.draft

    def escape(self) -> None:
        """Stop what runs; leave a question; else go back."""
        if not self.flow.stop():
            self.act(next(each.id for each in self.flow.state.offers if each.key == "Esc"))

    @on(Frame.Changed)
    def _typed(self, message: Frame.Changed) -> None:
        while self.answers.move(-1):
            pass  # Enter means the first one again: the others are about what stood there before
        if message.frame is self.username:
            self.flow.type_username(message.text)
        elif message.frame is self.secret:
            self.flow.type_secret(message.text)
        else:
            self.flow.type_passphrase(message.text)

    @on(OfferList.Chosen)
    def _chosen(self, message: OfferList.Chosen) -> None:
        self._take(message.offer.id)

    def _take(self, offer: ConnectOffer) -> None:
        """Do what was chosen, with what stands in the field of the passphrase: a refused one is told the flow again."""
        if self.passphrase is not None and self.flow.state.passphrase is not None:
            self.flow.type_passphrase(self.passphrase.text)
        self.act(offer)

    def _details(self) -> None:
        state = self.flow.state
        self.app.push_screen(CheckDetails(state.check, state.finding, self.flow.transcript, today=self.context.today))

    def _steps(self) -> None:
        view = self.flow.state.guide
        if view is not None:
            self.app.push_screen(StepsPanel(view, self.flow.mark, self.open_link))
