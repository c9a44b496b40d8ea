"""Home: the saved accounts, problems first, testing them again, and whatever else can be done with them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.flows.accounts.account_list import AccountListAction, AccountListState, AccountsFlow
from smtp_wizard.flows.accounts.action import Action
from smtp_wizard.flows.accounts.health import AccountHealth, AccountRow
from smtp_wizard.plain.account import change_account, do
from smtp_wizard.plain.areas import calendar, explain, limits
from smtp_wizard.plain.conversation import Choice, Conversation, GoBack, wrap
from smtp_wizard.plain.delivery import bounces, domain
from smtp_wizard.plain.question_flow import done
from smtp_wizard.plain.step_questions import StepContext
from smtp_wizard.plain.waiting import awaited
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.text.accounts import AccountAction, problem_first
from smtp_wizard.text.wizard import HOME_PURPOSE

CHANGES = "settings, password, name, copy, which mails, delete"
MOST = 30
"""Accounts that are read out; of more, those that need nobody are only counted."""
MARKS = {
    AccountHealth.PROBLEM: "FAIL",
    AccountHealth.WARNING: "note",
    AccountHealth.UNTESTED: "-",
    AccountHealth.WORKS: "ok",
}
"""What stands before an account, as before a stage of a check."""


class _Action(StrEnum):
    """What can be done with the accounts."""

    CURE = "cure"
    TEST = "test"
    ALL = "all"
    CHANGE = "change"
    NEW = "new"
    LIMITS = "limits"
    EXPLAIN = "explain"
    CALENDAR = "calendar"
    BOUNCES = "bounces"
    DOMAIN = "domain"
    LEAVE = "leave"


def home(talk: Conversation, context: StepContext) -> Draft | None:
    """See to the accounts as long as wanted; return the draft to go on with in the wizard, None to leave.

    Raises `Quit`.
    """
    services = context.services
    flow = AccountsFlow(
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
    return _Home(talk, context, flow).run()


class _Home:
    """One stay at the accounts."""

    def __init__(self, talk: Conversation, context: StepContext, flow: AccountsFlow) -> None:
        self.talk = talk
        self.context = context
        self.flow = flow

    def run(self) -> Draft | None:
        while True:
            self._read_out()
            try:
                match self._asked():
                    case _Action.NEW:
                        return Draft()
                    case _Action.LEAVE:
                        return None
                    case action:
                        draft = self._done(action)
            except GoBack:
                continue
            except EXPECTED_ERRORS as problem:  # what was chosen cannot be read here
                self.talk.say(str(problem))
                continue
            if draft is not None:
                return draft

    def _asked(self) -> _Action:
        rows = self._rows()
        known = _Action.LEAVE if self.flow.state.first_cure is None else _Action.CURE
        default = known if self._readable() else _Action.NEW
        return self.talk.choose("What next?", rows, default)

    def _done(self, action: _Action) -> Draft | None:
        """Do what was chosen; return a draft where the wizard is to go on. Raises `GoBack`, `Quit`."""
        match action:
            case _Action.CURE:
                self.flow.choose(self.flow.state.first_cure or 0)
                return do(self.talk, self.flow, AccountAction.PASSWORD)
            case _Action.TEST:
                self._choose()
                return do(self.talk, self.flow, AccountAction.TEST)
            case _Action.CHANGE:
                self._choose()
                return change_account(self.talk, self.flow)
            case _Action.ALL:
                self._test_all()
            case _Action.EXPLAIN:
                self._explain()
            case _Action.CALENDAR:
                calendar(self.talk, self.context)
            case _Action.BOUNCES:
                if bounces(self.talk, self.context):
                    self._explain()
            case _Action.DOMAIN:
                domain(self.talk, self.context)
            case _:
                limits(self.talk, self.context)
        return None

    # -- reading out ------------------------------------------------------------------------------------------------

    def _read_out(self) -> None:
        """Read the accounts and read them out."""
        awaited(self.flow.reload())
        state = self.flow.state
        self.talk.begin(f"Your accounts{f': {state.counted}' if state.counted else ''}", HOME_PURPOSE)
        if state.problem:
            self.talk.say(state.problem)
        if state.empty:
            self.talk.say("No account yet.")
        # What is said of an account that cannot be read stands in its row.
        told = {row.unread for row in state.rows}
        for trouble in self.context.services.problems.new():
            if trouble not in told:
                self.talk.say(trouble)
        self._list(state)

    def _list(self, state: AccountListState) -> None:
        now = self.context.services.now()
        shown_rows = state.rows if len(state.rows) <= MOST else state.rows[:MOST]
        for row in shown_rows:
            self.talk.show(wrap(_words(row, now), f"  {MARKS[row.mark]:<5} "))
        if len(state.rows) > len(shown_rows):
            self.talk.say(f"  And {len(state.rows) - len(shown_rows)} more; type a name to choose one of them.")
        self._about(state)

    def _about(self, state: AccountListState) -> None:
        """Say more of those that need somebody, as far as it is not in their rows."""
        for at, row in enumerate(state.rows[:MOST]):
            if row.account is not None and row.mark in (AccountHealth.PROBLEM, AccountHealth.WARNING):
                self.flow.choose(at)
                detail = self.flow.state.detail
                for line in detail.lines if detail is not None else ():
                    self.talk.show(wrap(f"{row.name}: {line}", "    "))
        if state.rows:
            self.flow.choose(0)

    # -- choosing ---------------------------------------------------------------------------------------------------

    def _readable(self) -> list[int]:
        return [at for at, row in enumerate(self.flow.state.rows) if row.account is not None]

    def _rows(self) -> list[Choice[_Action]]:
        at = self._readable()
        rows = self.flow.state.rows
        only = f"'{rows[at[0]].name}'" if len(at) == 1 else "one"
        cure = self.flow.state.first_cure
        account = rows[cure].account if cure is not None else None
        return [
            *([Choice(_Action.CURE, problem_first(account), word="cure")] if account is not None else []),
            *([Choice(_Action.TEST, f"Test {only} again", word="test")] if at else []),
            *([Choice(_Action.ALL, "Test all again", word="all")] if len(at) > 1 else []),
            *([Choice(_Action.CHANGE, f"Change {only}", CHANGES, word="change")] if at else []),
            Choice(_Action.NEW, "Set up another account" if at else "Set up my mailbox", word="new"),
            Choice(_Action.LIMITS, "Look up sending limits", word="limits"),
            Choice(_Action.EXPLAIN, "Explain an error", word="explain"),
            Choice(_Action.BOUNCES, "See which mail came back, and why", word="bounces"),
            Choice(_Action.DOMAIN, "Look at your domain: SPF, DKIM, DMARC", word="domain"),
            Choice(_Action.CALENDAR, "See what will end", word="calendar"),
            Choice(_Action.LEAVE, "Leave"),
        ]

    def _choose(self) -> None:
        """Have one of the accounts chosen. Raises `GoBack`, `Quit`."""
        at = self._readable()
        rows = self.flow.state.rows
        if len(at) == 1:
            self.flow.choose(at[0])
        elif len(at) <= MOST:
            choices = [Choice(each, rows[each].name, _server(rows[each]), also=rows[each].name) for each in at]
            self.flow.choose(self.talk.choose("Which one?", choices))
        else:
            self.flow.choose(self.talk.ask("Which one? Type its name", self._named))

    def _named(self, text: str) -> int:
        """Return where the account of a name stands. Raises `InputError`, with those that the text could mean."""
        wanted = text.casefold().strip()
        found = [at for at in self._readable() if wanted in self.flow.state.rows[at].name.casefold()]
        exact = [at for at in found if self.flow.state.rows[at].name.casefold() == wanted]
        if len(exact or found) == 1:
            return (exact or found)[0]
        if not found or not wanted:
            raise InputError(phrase("No account is called that. Type some letters of its name."))
        names = ", ".join(self.flow.state.rows[at].name for at in found[:10])
        raise InputError(phrase("{} accounts fit: {}. Type more of the name.", len(found), shown(names)))

    def _explain(self) -> None:
        """Explain an error, and test the account that it is about, where that is wanted. Raises `GoBack`, `Quit`."""
        name = explain(self.talk, self.context)
        at = next((at for at in self._readable() if self.flow.state.rows[at].name == name), None)
        if at is not None:
            self.flow.choose(at)
            do(self.talk, self.flow, AccountAction.TEST)

    def _test_all(self) -> None:
        leads = awaited(self.flow.act(AccountListAction.TEST_ALL))
        if isinstance(leads, Action):
            awaited(self.flow.take(done(self.talk, leads)))


def _words(row: AccountRow, now: datetime) -> str:
    if row.account is None:
        return f"{row.name or 'An account without a name'}: {row.unread}"
    return f"{row.name}: {row.words(now)}. {_server(row)}, {row.sends}"


def _server(row: AccountRow) -> str:
    return str(row.account.connection.endpoint) if row.account is not None else ""
