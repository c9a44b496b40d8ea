"""Connect: user name and password, one sign-in at a time, and what mends one that failed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any

from smtp_wizard.engine.accounts.guarded_sign_in import paused
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.stages import Depth, Stage
from smtp_wizard.engine.checks.events import Event, Line, RunFinished, StageFinished
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.guides.guides import Guides
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.providers.provider import SecretForm
from smtp_wizard.engine.secrets.secret_store import SecretError, SecretFault
from smtp_wizard.engine.secrets.vault import VaultStore
from smtp_wizard.engine.services.check_options import CheckOptions
from smtp_wizard.engine.services.checks import Checks
from smtp_wizard.engine.services.scans import Scans
from smtp_wizard.engine.services.tokens import Tokens
from smtp_wizard.engine.wizard.draft import Draft, with_tidy_secret
from smtp_wizard.engine.wizard.steps import Back, Next
from smtp_wizard.engine.wizard.trusted_servers import UnconfirmedServer, doubt_about
from smtp_wizard.flows.check_view import CheckView
from smtp_wizard.flows.connect_cards import connect_card, connect_offers
from smtp_wizard.flows.connect_state import (
    ASKS,
    BUSY,
    ConnectFacts,
    ConnectOffer,
    ConnectPhase,
    ConnectState,
    CursorPlace,
)
from smtp_wizard.flows.flow import Entry, Flow, Leads
from smtp_wizard.flows.guide_ticks import GuideView
from smtp_wizard.flows.question import Answer
from smtp_wizard.flows.server_questions import NetworkQuestion
from smtp_wizard.flows.stoppable import StoppableWork, Stopped
from smtp_wizard.flows.vault import UnlockVault, needs_opening
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.runtime.server_watch import ServerWatch
from smtp_wizard.text import connect as words
from smtp_wizard.text.network import unreached_after
from smtp_wizard.text.wizard import SECRET_LACKING, USERNAME_LACKING, filled_guide, guide_id_for, override_words


class ConnectFlow(Flow[ConnectState, ConnectOffer, Leads]):
    """One sign-in at a time. What stands there and was refused is never sent again by Enter alone."""

    def __init__(
        self,
        draft: Draft,
        *,
        catalog: Catalog,
        checks: Checks,
        scans: Scans,
        tokens: Tokens,
        vault: VaultStore,
        guides: Guides,
        watch: ServerWatch | None = None,
        lingers: bool = True,
    ) -> None:
        """`watch`: the check of the server while the person reads; None where there is none.

        `lingers`: what has worked stays until the person goes on; not where it was said and can be read all the same.
        """
        self._lingers = lingers
        self._catalog = catalog
        self._checks = checks
        self._scans = scans
        self._tokens = tokens
        self._store = vault
        self._guides = guides
        self._watch = watch
        provider = catalog.get(draft.connection.provider)
        at = ConnectPhase.PASSED if draft.signed_in else ConnectPhase.TYPING
        self._now = ConnectFacts(
            draft=draft,
            at=at,
            back_to=at,
            provider=provider,
            path=catalog.path(draft.connection),
            network=NetworkQuestion(scans),
            asks_name=_name_is_asked(draft, provider.username_for(draft.address) if provider and draft.address else ""),
        )
        self._typed = draft.secret.reveal() if draft.secret is not None and self._now.needs_secret else ""
        self._errors: dict[CursorPlace, str] = {}
        self._vault: UnlockVault | None = None
        self._lines: list[Line] = []
        self._anyway = False
        self._work = StoppableWork()
        self._end_listening: Callable[[], None] = lambda: None
        self._notes = override_words(draft, catalog)
        self._practice = self._practice_password()
        self._own_guide = self._guide = self._view_of(guide_id_for(self._now.path))
        super().__init__(self._built())

    def _view_of(self, guide_id: str) -> GuideView | None:
        """Return a guide with what is known put in; None where it cannot be read, which is no reason to end."""
        draft = self._now.draft
        try:
            guide = filled_guide(self._guides, guide_id, self._now.provider, draft)
        except EXPECTED_ERRORS as problem:
            self._notes = tuple(dict.fromkeys((*self._notes, str(problem))))
            return None
        return GuideView(guide, draft.ticks)

    def _practice_password(self) -> str:
        """Return what the practice server takes, which is told where it is typed; '' if nobody knows."""
        try:
            return words.practice_password_of(self._now.draft.connection)
        except EXPECTED_ERRORS as problem:
            self._notes = tuple(dict.fromkeys((*self._notes, str(problem))))
            return ""

    # -- what a face hands over -------------------------------------------------------------------------------------

    @property
    def draft(self) -> Draft:
        """The draft with all that was typed so far."""
        return self._now.draft

    @property
    def secret_text(self) -> str:
        """What stands in the field of the password, for that field alone."""
        return self._typed

    @property
    def transcript(self) -> tuple[Line, ...]:
        """What was said to the server, and its answers; secrets are masked."""
        return tuple(self._lines)

    def begin(self) -> None:
        """Begin to listen to the check of the server that runs while the person reads."""
        if self._watch is not None and self._now.at is ConnectPhase.TYPING:
            self._end_listening = self._watch.listen(self._take)

    def end(self) -> None:
        """Listen no longer: nobody looks at this step any more."""
        self._end_listening()

    def type_username(self, text: str) -> None:
        """Take what stands in the field of the user name."""
        if text.strip() != self.draft.connection.username:
            self._enter(text.strip(), self.draft.secret)
            self._forget(CursorPlace.USERNAME)

    def type_secret(self, text: str) -> None:
        """Take what stands in the field of the password. What a provider makes up is taken without its blanks."""
        if text != self._typed:
            self._typed = text
            self._enter(self.draft.connection.username, Secret(text) if text else None)
            self._forget(CursorPlace.SECRET)

    def type_passphrase(self, text: str) -> None:
        """Take what stands in the field of the vault's passphrase."""
        if self._vault is not None:
            self._vault.type(0, text)
            self._refresh()

    def mark(self, number: int, done: bool) -> None:
        """Tick a step of the guide that is shown, or take its tick away."""
        step = self._guide.step(number) if self._guide is not None else None
        if self._guide is not None and step is not None:
            self._keep_ticks(self._guide.marked(step, done))
            self._refresh()

    def _enter(self, username: str, secret: Secret | None) -> None:
        draft = with_tidy_secret(self.draft.with_sign_in(username, secret), self._catalog)
        no_longer = self._now.at is ConnectPhase.PASSED and not draft.signed_in
        self._now = replace(self._now, draft=draft, at=ConnectPhase.TYPING if no_longer else self._now.at)

    def _forget(self, place: CursorPlace) -> None:
        """A fault that was said of a field is settled when something else is typed."""
        self._errors.pop(place, None)
        self._refresh()

    def _keep_ticks(self, view: GuideView) -> None:
        self._guide = view
        self._put_draft(replace(self.draft, ticks=view.ticks))

    def _put_draft(self, draft: Draft) -> None:
        self._now = replace(self._now, draft=draft)

    # -- what is done -----------------------------------------------------------------------------------------------

    async def act(self, offer: ConnectOffer) -> Leads | None:
        """Do what is offered; what is not offered now does nothing. Raises nothing for a person to read."""
        if not any(each.id is offer and not each.off for each in self.state.offers):
            return None
        match offer:
            case ConnectOffer.BACK:
                return Back(self.draft)
            case ConnectOffer.CHANGE:
                return Back(replace(self.draft, by_hand=True))
            case ConnectOffer.NEXT:
                return Next(self.draft)
        before = self._now.at
        await self._deeds()[offer]()
        worked = self._now.at is ConnectPhase.PASSED and before is not ConnectPhase.PASSED
        return Next(self.draft) if worked and not self._lingers else None

    def _deeds(self) -> dict[ConnectOffer, Callable[[], Awaitable[None]]]:
        return {
            ConnectOffer.SIGN_IN: self._attempt,
            ConnectOffer.SAME: lambda: self._attempt(same=True),
            ConnectOffer.FIX: self._take_fix,
            ConnectOffer.ANYWAY: lambda: self._ask(ConnectPhase.ANYWAY),
            ConnectOffer.ANYWAY_NOW: lambda: self._attempt(same=True, anyway=True),
            ConnectOffer.CONFIRM: self._confirm,
            ConnectOffer.UNLOCK: self._unlock,
            ConnectOffer.NETWORK: lambda: self._ask(ConnectPhase.NETWORK),
            ConnectOffer.ASK_NEUTRAL: self._ask_neutral,
            ConnectOffer.LEAVE: self._leave,
            ConnectOffer.STOP: self._stop,
        }

    async def _ask(self, question: ConnectPhase) -> None:
        self._go(question)

    async def _leave(self) -> None:
        if self._now.at is ConnectPhase.LOCKED and self._vault is not None:
            left = await self._vault.act(Answer.LEAVE)
            self._vault = None
            self._go(ConnectPhase.PROBLEM, problem=left.why_not if left is not None else "", unlockable=True)
        else:
            self._go(self._now.back_to)

    async def _stop(self) -> None:
        self.stop()

    def stop(self) -> bool:
        """Stop what is being done; return whether anything was."""
        running = self._work.running
        self._work.stop()
        return running

    async def _attempt(self, *, same: bool = False, anyway: bool = False) -> None:
        """Sign in, once, if nothing is lacking and nobody has to be asked first. `same`: also what was refused."""
        self._errors = self._lacking()
        if not self._errors and self._now.refused and not same:
            self._errors = {
                CursorPlace.SECRET if self._now.needs_secret else CursorPlace.OFFERS: words.REFUSED_UNCHANGED
            }
        if self._errors:
            self._go(self._now.back_to)
            return
        self._anyway = anyway
        if self._doubt is not None:
            await self._ask(ConnectPhase.CONFIRM)
        else:
            await self._run(ConnectPhase.RUNNING, self._checked())

    def _lacking(self) -> dict[CursorPlace, str]:
        if not self._now.nameless and not self.draft.connection.username:
            return {CursorPlace.USERNAME: USERNAME_LACKING}
        if self._now.needs_secret and not self.draft.secret:
            return {CursorPlace.SECRET: SECRET_LACKING}
        return {}

    @property
    def _doubt(self) -> UnconfirmedServer | None:
        """What is to be confirmed before a secret goes to the server."""
        return None if self._now.nameless else doubt_about(self.draft, self._catalog)

    async def _confirm(self) -> None:
        self._put_draft(self.draft.confirmed())
        await self._attempt(same=True, anyway=self._anyway)

    async def _take_fix(self) -> None:
        fix = self._now.check.finding.fix if self._now.check.finding is not None else None
        assert fix is not None, "it is offered only where there is one"
        self._put_draft(self.draft.with_endpoint(fix))
        self._forget_check()
        if self._watch is not None:
            self._watch.watch(self.draft)
        self._go(ConnectPhase.TYPING)
        if self._lacking():
            self.begin()
        else:
            await self._attempt()

    def _forget_check(self) -> None:
        self._lines = []
        self._now = replace(self._now, check=CheckView(), tries="", took=0.0)
        self._now.network.wonder(None)
        self._show_guide(None)

    # -- while something is under way -------------------------------------------------------------------------------

    async def _run(self, at: ConnectPhase, work: Coroutine[Any, Any, None]) -> None:
        """Do something that takes a while, and can be stopped; a cancelled one leaves the step as it was."""
        before = self._now.back_to
        self._go(at, problem="", unlockable=False)
        try:
            await self._work.run(work)
        except Stopped:
            sent = any(line.stage is Stage.AUTH for line in self._lines)
            self._go(ConnectPhase.STOPPED if at is ConnectPhase.RUNNING else before, sent=sent)
        except EXPECTED_ERRORS as problem:
            self._say(problem)
        except BaseException:
            self._go(before)
            raise

    def _say(self, problem: Exception) -> None:
        """Show what a service says; what is locked can be unlocked, and tried again."""
        locked = isinstance(problem, SecretError) and problem.fault in (SecretFault.LOCKED, SecretFault.CLOSED)
        self._go(ConnectPhase.PROBLEM, problem=str(problem), unlockable=locked)

    async def _checked(self) -> None:
        """Check the sign-in, and take in what that proves."""
        if await needs_opening(self._store, await self._tokens.store_of(self.draft)):
            self._vault = UnlockVault(self._store)
            self._go(ConnectPhase.LOCKED)
            return
        self._end_listening()
        self._forget_check()
        self._refresh()
        draft, pair = self.draft, self._now.pair
        options = CheckOptions(ignore_lockout=self._anyway)
        report = await self._checks.check_draft(draft, Depth.LOGIN, self._take, options=options)
        proof = self._checks.prove(draft, report, Depth.LOGIN)
        if proof.refused:
            self._now = replace(self._now, refusals=self._now.refusals | {pair})
        if self._now.pair == pair:  # else something else was typed meanwhile
            self._put_draft(replace(self.draft, proof=proof))
        await self._end_check(report)

    async def _end_check(self, report: Report) -> None:
        if self._now.check.failed is None:
            self._go(ConnectPhase.PASSED if self.draft.signed_in else ConnectPhase.TYPING, took=report.took)
            return
        tries = None
        if report.result(Stage.AUTH) is not None and paused(report) is None:
            tries = await self._checks.tries_left(self.draft)
        self._go(ConnectPhase.FAILED, tries=words.tries_words(tries.left, tries.minutes) if tries is not None else "")

    async def _unlock(self) -> None:
        if self._vault is not None:
            await self._run(ConnectPhase.RUNNING, self._opened(self._vault))

    async def _opened(self, vault: UnlockVault) -> None:
        """Open the vault and go on; a wrong passphrase is said at its field."""
        opened = await vault.act(Answer.DO)
        if opened is None:
            self._go(ConnectPhase.LOCKED)
        elif opened.well:
            self._vault = None
            await self._checked()
        else:
            self._vault = None
            self._go(ConnectPhase.PROBLEM, problem=opened.why_not)

    def _take(self, event: Event) -> None:
        """Take in what happens in a check; what fails in the background is shown before a password is typed."""
        if isinstance(event, Line):
            self._lines.append(event)
            return
        self._now = replace(self._now, check=self._now.check.after(event))
        if isinstance(event, StageFinished) and self._guide is not None:
            self._keep_ticks(self._guide.after(event.result))
        elif isinstance(event, RunFinished) and self._now.check.failed is not None:
            self._failed(event.report)
        self._refresh()

    def _failed(self, report: Report) -> None:
        """Look for what helps: a guide, and whether there is something to find out about the network."""
        if self.draft.connection.sandbox is None:
            with suppress(*EXPECTED_ERRORS):  # what would only be offered besides
                self._now.network.wonder(unreached_after(self._scans, report))
        self._show_guide(self._now.check.finding)
        if self._now.at is ConnectPhase.TYPING:
            self._go(ConnectPhase.FAILED)

    def _show_guide(self, finding: Finding | None) -> None:
        """Put the guide in place that helps with what is wrong, else the one of this way in."""
        helps = finding is not None and finding.guide in self._guides.ids()
        wanted = self._view_of(str(finding.guide)) if finding is not None and helps else self._own_guide
        self._guide = replace(wanted, ticks=self.draft.ticks) if wanted is not None else None

    async def _ask_neutral(self) -> None:
        await self._run(ConnectPhase.ASKING, self._asked())

    async def _asked(self) -> None:
        self._go(ConnectPhase.ANSWERED, answers=await self._now.network.answers())

    # -- the state --------------------------------------------------------------------------------------------------

    def _go(self, at: ConnectPhase, **changes: Any) -> None:
        """Stand elsewhere. Where a question leads back to is where the step last stood by itself."""
        lasting = at not in ASKS | BUSY | {ConnectPhase.LOCKED, ConnectPhase.ANSWERED}
        self._now = replace(self._now, at=at, back_to=at if lasting else self._now.back_to, **changes)
        self._refresh()

    def _refresh(self) -> None:
        self._show(self._built())

    def _built(self) -> ConnectState:
        now = self._now
        return ConnectState(
            at=now.at,
            question=words.connect_question(now.draft, now.provider, now.path, self._practice),
            settings=words.settings_words(now.draft),
            notes=self._notes,
            username=self._username_entry() if now.asks_name else None,
            secret=self._secret_entry() if now.needs_secret else None,
            doubt=words.doubt_words(self._form, self._typed) if now.needs_secret else "",
            passphrase=self._vault.state.entries[0]
            if self._vault is not None and now.at is ConnectPhase.LOCKED
            else None,
            card=connect_card(now, self._doubt if now.at is ConnectPhase.CONFIRM else None),
            finding=now.check.finding,
            tries=now.tries if now.at is ConnectPhase.FAILED else "",
            check=now.check,
            guide=self._guide,
            offers=connect_offers(now),
            aim=self._aim(),
            refused=now.refused,
        )

    @property
    def _form(self) -> SecretForm | None:
        return self._now.path.secret_form if self._now.path is not None else None

    def _username_entry(self) -> Entry:
        error = self._errors.get(CursorPlace.USERNAME, "")
        return Entry(label="User name", text=self.draft.connection.username, hint=words.NAME_HINT, error=error)

    def _secret_entry(self) -> Entry:
        error = self._errors.get(CursorPlace.SECRET, "")
        return Entry(label=words.label_for(self._now.path), hint=self._secret_hint(), error=error, secret=True)

    def _secret_hint(self) -> str:
        if self._form is None or self.draft.signed_in:
            return words.KEPT_IN_MEMORY
        return words.count_words(self._form, self._typed) if self._typed else words.shape_words(self._form)

    def _aim(self) -> CursorPlace:
        """Where the next thing is typed, or chosen."""
        now = self._now
        if now.at in ASKS | BUSY | {ConnectPhase.ANSWERED}:
            return CursorPlace.OFFERS
        if now.at is ConnectPhase.LOCKED:
            return CursorPlace.PASSPHRASE
        if now.asks_name and (not now.draft.connection.username or CursorPlace.USERNAME in self._errors):
            return CursorPlace.USERNAME
        if now.needs_secret:
            return CursorPlace.SECRET
        return CursorPlace.USERNAME if now.asks_name else CursorPlace.OFFERS


def _name_is_asked(draft: Draft, usual: str) -> bool:
    """Whether the user name is the person's to type: none is known, or another one than the provider's usual one."""
    connection = draft.connection
    return connection.auth is not Auth.NONE and (not connection.username or connection.username != usual)
