"""Home: the saved accounts, problems first; the chosen one's truth beside or below them, and what mends it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from textual import events, on, work
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from smtp_wizard.engine.checks.events import Event
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.flows.accounts.account_list import (
    FIRST_OFFERS,
    AccountListAction,
    AccountListDestination,
    AccountListState,
    AccountsFlow,
)
from smtp_wizard.flows.accounts.action import LEFT, Action, ActionResult
from smtp_wizard.flows.check_view import CheckRecord
from smtp_wizard.flows.flow import Card, Entry, Mood, Offer, Section
from smtp_wizard.flows.question import Question
from smtp_wizard.screens.accounts.home_parts import (
    ACCOUNT,
    LAST,
    NARROW,
    SENDS,
    AccountDetail,
    AccountRows,
    ActionLine,
    head_words,
    keys_in_short,
    told_rows,
    written_key,
)
from smtp_wizard.screens.details import CheckDetails
from smtp_wizard.screens.page import READ, Page
from smtp_wizard.screens.panel import QuestionPanel
from smtp_wizard.screens.question import FlowPanel
from smtp_wizard.screens.screen_context import ScreenContext
from smtp_wizard.text.accounts import (
    AccountAction,
    short_words,
)
from smtp_wizard.text.last_test import seconds_words, spark
from smtp_wizard.text.wizard import (
    HOME_PURPOSE,
    STILL_AT_WORK,
    UNDER_WAY,
)
from smtp_wizard.widgets.chips import Chip, key_named
from smtp_wizard.widgets.fault_containment import work_once
from smtp_wizard.widgets.frame import Frame, TextFrame
from smtp_wizard.widgets.lines import STRONG
from smtp_wizard.widgets.list_head import ListHead
from smtp_wizard.widgets.offers import OfferList
from smtp_wizard.widgets.plain_text import PlainText
from smtp_wizard.widgets.rows import RowList

NONE_LIKE_THAT, READING = "None is like that.", "Reading your accounts …"
HELP = (
    f"{HOME_PURPOSE} Those that need you are on top. T signs in to the chosen one and sends nothing; Enter shows all "
    "that can be done with it."
)


@dataclass
class WizardRequested(Message):
    """The person goes to the wizard: again, or with the answers of a saved account."""

    draft: Draft | None = None


@dataclass
class AreaRequested(Message):
    """The person goes to another area: as the item of the menu that is called so."""

    item: str


class HomeScreen(Page[None]):
    """The list fills the height; letters act on the row with the mark."""

    HEADING = "Your accounts"
    HELP = HELP
    AUTO_FOCUS: ClassVar[str] = "#accounts, #first"

    def __init__(self, context: ScreenContext) -> None:
        super().__init__(context)
        self.add_class("-lists")
        services = context.services
        self.flow = AccountsFlow(
            saved_accounts=services.saved_accounts,
            accounts=services.accounts,
            entries=services.entries,
            checks=services.checks,
            stores=services.stores,
            catalog=services.catalog,
            causes=services.diagnosis,
            arrivals=services.arrivals,
            now=services.now,
        )
        self.counted = ListHead()
        self.find = TextFrame(Entry(label="Find", placeholder="a name, an address or a server", hint="Esc shows all"))
        self.find.display = False
        self.list = RowList((ACCOUNT, SENDS, LAST), empty=NONE_LIKE_THAT, id="accounts")
        self.first = OfferList(FIRST_OFFERS, id="first")
        self.told = ActionLine()
        self.detail = AccountDetail()
        self._drawn: AccountListState | None = None
        self.record = CheckRecord()
        """What was seen and said in the last check here."""
        self._under_way = self._stops = False
        """Whether an action is gone through, and whether it may be stopped."""
        self._read_well = True
        """Whether the accounts could be read, for all that is known."""
        self._stood = False
        """Whether the screen has been shown: what is read for the first time is read before."""

    # -- drawing ----------------------------------------------------------------------------------------------------

    def top(self) -> Widget:
        """As `Page.top`: the program; what this is stands in the column, with how many need somebody."""
        return PlainText(Content.styled("smtp-wizard", STRONG), id="top")

    def column(self) -> Iterator[Widget]:
        """As `Page.column`. A few accounts are read before there is anything to see, many while it stands there."""
        if self.context.services.saved_accounts.are_quickly_read():
            self.flow.load()
        self._fit_columns(self.app.size.width)
        self._draw(self.flow.state)
        self.flow.changed = self._changed
        yield self.counted
        yield self.find
        yield self.list
        yield self.first
        yield self.told
        yield self.detail

    def on_mount(self) -> None:
        """Say what was wrong with a draft that was left; read the accounts where that takes a while."""
        self.banner.say(self.context.left)
        if not self.flow.state.read:
            self._read()

    @work(group=READ, exclusive=True)
    async def _read(self, name: str = "") -> None:
        """Read the accounts, beside the event loop. `name`: the one to choose, and to test."""
        first, self._read_well = not self.flow.state.read, False
        await self.flow.reload(name)
        self._read_well = True
        if first and self.first.display:
            self.first.focus()
        chosen = self.flow.state.chosen
        if name and chosen is not None and chosen.name == name:
            self.act(AccountAction.TEST)

    def _changed(self, state: AccountListState) -> None:
        if self.is_mounted:
            self._draw(state)
            self.redraw()

    def _draw(self, state: AccountListState) -> None:
        before, self._drawn = self._drawn, state
        self.counted.tell(*head_words(state))
        known = before is not None and (before.rows, before.testing) == (state.rows, state.testing)
        if not known or self.list.at != state.at:
            self._fill(state)
        filled = not state.empty and not state.problem
        self.list.display = filled
        self.list.empty = NONE_LIKE_THAT if state.read else READING
        self.detail.set_class(not filled, "-none")
        self.first.display = state.empty or bool(state.problem)
        self.told.show(told_rows(state))
        self.detail.tell(state.detail, keys_in_short(state))

    def _fill(self, state: AccountListState) -> None:
        rows = AccountRows(state.rows, state.testing, self.context.services.now(), short=len(self.list.columns) == 2)
        self.list.fill(rows, at=state.at)

    def _fit_columns(self, width: int) -> None:
        self.list.columns = (ACCOUNT, LAST) if width < NARROW else (ACCOUNT, SENDS, LAST)

    def on_resize(self, event: events.Resize) -> None:
        """Leave a column out where it has no room."""
        super().on_resize(event)
        before = self.list.columns
        self._fit_columns(event.size.width)
        if self.list.columns != before:
            self._fill(self.flow.state)

    def rail(self) -> Sequence[Section]:
        """As `Page.rail`: the chosen account, what can be done with it, and how long its sign-ins took."""
        state = self.flow.state
        detail = state.detail
        if detail is None:
            return [Section("What an account is", (WHAT_IT_IS,))] if state.empty else []
        account = state.chosen.account if state.chosen is not None else None
        keys = tuple(f"{written_key(each):<6} {each.verb}" for each in state.offers if each.key)
        sections = [
            Section(detail.name, tuple(each for each in (detail.address, detail.server) if each)),
            *(Section("", (line,)) for line in detail.lines),
            *([Section("", keys)] if account is not None else []),
        ]
        if detail.seconds:
            title = f"Seconds to sign in, last {len(detail.seconds)} tests" if len(detail.seconds) > 1 else "Last test"
            sections.append(Section(title, (spark(detail.seconds), seconds_words(detail.seconds))))
        return sections

    # -- keys -------------------------------------------------------------------------------------------------------

    def back_words(self) -> str:
        """As `Page.back_words`: Esc stops a test, and ends the filter."""
        if self._stops:
            return "Stop"
        if self.find.display:
            return "Show all"
        return "Back" if self._came_from_elsewhere else ""

    @property
    def _came_from_elsewhere(self) -> bool:
        """Whether another area stood here before, to which Esc leads back."""
        return "home" in getattr(self.app, "before", {})

    def escape_help(self) -> str:
        """As `Page.escape_help`."""
        return (
            "stop the test; nothing is sent" if self._stops else "show all accounts again, then back to where you were"
        )

    def chips(self) -> Sequence[Chip]:
        """As `Page.chips`: the cure of the chosen account, then the others."""
        state = self.flow.state
        new = Chip("n", "New account", lambda: self.act(AccountListAction.NEW), help="set up another account")
        if state.empty or state.problem:
            return [self.first.chip(), new]
        if self.find.display and self.find.field.has_focus:
            return [Chip("enter", "To the list", self._to_list, help="choose among those that were found")]
        own, actions = self._of_the_chosen(state)
        return [*own, *self._of_all(), new, *actions, *self._moves()]

    def _of_the_chosen(self, state: AccountListState) -> tuple[list[Chip], list[Chip]]:
        """Return the letters of the chosen account, its cure first; and Enter, which stands at the end."""
        row = state.chosen
        if row is None or row.account is None:
            return [], []
        account = row.account
        letters = [
            Chip(key_named(each.key), short_words(each.id, account), self._acting(each.id), help=_help(each))
            for each in state.offers
            if each.key
        ]
        # The cure, and the test; F1 names the others.
        shown = [replace(each, shown=not at or each.key == "t") for at, each in enumerate(letters)]
        actions = Chip("enter", "All actions", self._all_actions, help="all that can be done with it")
        return shown, [actions]

    def _of_all(self) -> list[Chip]:
        return [
            Chip("a", "Test all", lambda: self.act(AccountListAction.TEST_ALL), help="test all, one after the other"),
            Chip("slash", "Find", self._find, help="find an account", shown=False),
            Chip("f4", "Details", self._details, help="details of the last test here", shown=False),
        ]

    def _moves(self) -> list[Chip]:
        return [
            Chip("", "Choose", help="choose an account", shown=False),
            Chip("pagedown", "Further down", lambda: self.list.action_page(1), shown=False),
            Chip("pageup", "Further up", lambda: self.list.action_page(-1), shown=False),
        ]

    def _acting(self, action: AccountAction) -> Any:
        return lambda: self.act(action)

    def escape(self) -> None:
        """Stop what runs; else show all accounts again."""
        if self._stops:
            self.workers.cancel_group(self, "act")
        elif self.find.display:
            self._show_all()
        elif self._came_from_elsewhere:
            self.run_action_now("app.leave_area")

    @on(RowList.Highlighted)
    def _choose(self, message: RowList.Highlighted) -> None:
        message.stop()
        if message.row is not None and self.list.at != self.flow.state.at:
            self.flow.choose(self.list.at)

    @on(RowList.Chosen)
    def _all_actions(self) -> None:
        """Show all that can be done with the chosen account."""
        state = self.flow.state
        if not state.offers or state.detail is None:
            self.act(AccountAction.TEST)  # says why nothing can be done with it
            return
        lines = tuple(each for each in (state.detail.address, *state.detail.lines) if each)
        offers = [Offer(each.id, each.verb, each.note) for each in state.offers]

        def taken(action: AccountAction | None) -> None:
            if action is not None:
                self.act(action)

        self.app.push_screen(QuestionPanel(Card(mood=Mood.TOLD, title=state.detail.name, lines=lines), offers), taken)

    @on(OfferList.Chosen)
    def _take_first(self, message: OfferList.Chosen) -> None:
        message.stop()
        self.act(message.offer.id)

    # -- finding ----------------------------------------------------------------------------------------------------

    def _find(self) -> None:
        self.find.display = True
        self.find.field.focus()
        self.redraw()

    def _to_list(self) -> None:
        self.list.focus()
        self.redraw()

    def _show_all(self) -> None:
        self.find.display = False
        self.flow.find("")
        self.find.show(Entry(label="Find", placeholder=self.find.entry.placeholder, hint=self.find.entry.hint))
        self._to_list()

    @on(Frame.Changed)
    def _typed(self, message: Frame.Changed) -> None:
        message.stop()
        self.flow.find(message.text)

    def on_descendant_focus(self) -> None:
        """Say what the keys do where the cursor is now."""
        if self.is_mounted:
            self.redraw()

    # -- doing ------------------------------------------------------------------------------------------------------

    @work_once("act")
    async def act(self, offer: AccountAction | AccountListAction) -> None:
        """Do what was chosen, asking over the page for what is lacking."""
        leads = await self.flow.act(offer)
        if isinstance(leads, Action):
            await self._through(leads)
        elif leads is not None:
            self._go(leads)

    async def _through(self, action: Action) -> None:
        """Go through an action, and show what came of it."""
        self.record = CheckRecord()
        action.changed, action.events = self._action_changed, self._take
        self._under_way = True
        try:
            done = await self._done(action)
        except asyncio.CancelledError:
            self.flow.stopped()
            raise
        finally:
            self._under_way = self._stops = False
            self.told.run("")
        await self.flow.take(done)
        if done.draft is not None:
            await self.uncovered()
            self.post_message(WizardRequested(done.draft))

    async def _done(self, action: Action) -> ActionResult:
        done = await action.begin()
        if done is None:
            self.told.run("")
            done = await self.ask(FlowPanel(action))
        return done if done is not None else LEFT

    def _action_changed(self, question: Question) -> None:
        """Show a check while it runs."""
        stage = question.card.lines[0] if question.card is not None and question.card.lines else ""
        self.told.run(f"{question.running} {stage}".strip() if question.running else "")
        self._stops = question.stops
        self.redraw()

    def _take(self, event: Event) -> None:
        self.record.take(event)

    def _go(self, leads: AccountListDestination) -> None:
        match leads:
            case AccountListDestination.NEW:
                self.post_message(WizardRequested())
            case _:
                self.post_message(AreaRequested(leads.value))

    def test_account(self, name: str) -> None:
        """Choose the account of that name, and sign in to it again."""
        self._read(name)

    def _details(self) -> None:
        """Show what was said in the last check here, and what went wrong."""
        check = self.record.view
        if not check.results and not self.record.lines:
            self.banner.say("Nothing was tested here yet. Press T.")
            return
        finding = check.finding
        helps = finding is not None and finding.guide in self.context.guides.ids()
        guide = self.show_guide if helps else None
        self.app.push_screen(
            CheckDetails(check, finding, self.record.lines, today=self.context.today, open_guide=guide)
        )

    @property
    def finishing(self) -> bool:
        """As `FaultContained.finishing`: a test that was stopped, a question that was answered."""
        done = [each for each in self.app.workers if each.node is self and each.group == "act" and not each.is_finished]
        return self.reading or any(each.is_cancelled for each in done) or (bool(done) and not self._stops)

    def still_at_work(self) -> None:
        """As `FaultContained.still_at_work`."""
        self.banner.say(UNDER_WAY if self.flow.state.testing else STILL_AT_WORK)

    # -- coming back ------------------------------------------------------------------------------------------------

    def on_screen_resume(self) -> None:
        """Read the accounts again: they may have changed while another screen stood here."""
        super().on_screen_resume()
        if self._stood and not self._under_way and not self.reading:
            self._read()
        self._stood = True
        self.work_ended()

    def work_failed(self) -> None:
        """As `FaultContained.work_failed`."""
        self._under_way = self._stops = False
        self.told.run("")
        if self._read_well:  # else this has failed, and would for ever
            self._read()

    def work_ended(self) -> None:
        """Say what could not be kept."""
        for trouble in self.context.services.problems.new():
            if trouble not in {row.unread for row in self.flow.state.rows if row.account is None}:
                self.banner.add(trouble)


WHAT_IT_IS = (
    "A mailbox that your application sends through, with its server and where its password is kept. The password "
    "itself is never shown."
)


def _help(offer: Offer[AccountAction]) -> str:
    return f"{offer.verb[:1].lower()}{offer.verb[1:]}"
