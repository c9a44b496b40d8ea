"""Ready for mailings? What receivers ask of who sends to many, looked at for one account, with the plan beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import TypeVar

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.base.threads import in_thread
from smtp_wizard.engine.domain.domain_report import DomainReport
from smtp_wizard.engine.domain.readiness import RequirementResult, judge, load_requirements
from smtp_wizard.engine.limits.catalogue_limits import sender_of
from smtp_wizard.engine.limits.mailing_plan import Mailing, Plan, Reserve, plan
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.providers.provider import Provider, ProviderKind
from smtp_wizard.engine.services.domains import Domains
from smtp_wizard.flows.areas.domain import ReadSections
from smtp_wizard.flows.areas.mailing import MailingField, parse_recipients, parse_sent
from smtp_wizard.flows.flow import Card, Entry, Flow, Mood, Offer, Section
from smtp_wizard.output.plain_lines import who_words
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.text.areas import readiness as words
from smtp_wizard.text.areas.on_screens import on_screens
from smtp_wizard.text.limits import plan_words

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What is known of an account and one mailing."""

    account: Account
    domain: str
    requirements: tuple[RequirementResult, ...]
    plan: Plan
    forbidden: str = ""
    """The sentence by which the provider forbids mailings, whatever its limits let through."""

    @property
    def missing(self) -> tuple[RequirementResult, ...]:
        """What receivers ask for, and is not met."""
        return tuple(each for each in self.requirements if each.verdict is Verdict.FAIL)

    @property
    def undecided(self) -> tuple[RequirementResult, ...]:
        """What must be known before anybody can be called ready."""
        return tuple(each for each in self.requirements if each.undecided)

    @property
    def unseen(self) -> int:
        """Of how much more nobody can say from here whether it is met."""
        unknown = sum(each.verdict is Verdict.UNKNOWN for each in self.requirements)
        return unknown - len(self.undecided)

    @property
    def verdict(self) -> Verdict:
        """'pass': nothing that can be seen is missing, and it fits the limits; 'unknown' where that cannot be told."""
        if self.missing or self.forbidden or not (self.plan.fits or self.plan.is_unknown):
            return Verdict.FAIL
        return Verdict.UNKNOWN if self.undecided or self.plan.is_unknown else Verdict.PASS

    @property
    def ready(self) -> bool:
        """Whether it is known that the account is ready."""
        return self.verdict is Verdict.PASS

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is not ready, or not known to be, in sentences; how long it takes, and how much was not seen."""
        days = self.plan.days or 0
        told = (
            (bool(self.forbidden), self.forbidden),
            (self.plan.is_unknown, words.FIT_NOT_KNOWN),
            (not self.plan.fits and not self.plan.is_unknown, words.DOES_NOT_FIT),
            (bool(self.undecided) and not self.missing, words.undecided_words(len(self.undecided))),
            (any(each.silent for each in self.requirements), words.NO_ANSWER),
            (self.plan.fits and days > 1, words.takes_words(days)),
            (self.unseen > 0, words.unseen_words(self.unseen)),
        )
        return tuple(sentence for holds, sentence in told if holds)


def provider_of(account: Account, catalog: Catalog) -> Provider:
    """Return the provider whose limits hold for an account. Raises `InputError`."""
    provider = catalog.get(account.connection.provider)
    if provider is None:
        raise InputError(phrase("The provider of '{}' is not known any more.", shown(account.name)))
    return provider


async def examined(account: Account, domains: Domains, catalog: Catalog) -> DomainReport:
    """Look at the domain of an account's sender, seen from its provider. Raises as `Domains.examine`, `InputError`."""
    provider = provider_of(account, catalog)
    if provider.kind is ProviderKind.CUSTOM:  # who sends is known by the server alone
        return await domains.examine(str(account.from_address), sends_through=account.connection.endpoint.host)
    return await domains.examine(str(account.from_address), provider=provider)


def concluded(account: Account, mailing: Mailing, report: DomainReport, catalog: Catalog, sent: int = 0) -> Readiness:
    """Return whether an account is ready for a mailing. `sent`: how many messages went out today already.

    Raises `DataError`, `InputError`.
    """
    provider = provider_of(account, catalog)
    return Readiness(
        account=account,
        domain=report.domain,
        requirements=judge(load_requirements(), report, account.connection.endpoint, mailing.recipients),
        plan=plan(mailing, [sender_of(provider, sent, "")]),
        forbidden=provider.no_mailings,
    )


WHY = Section("What is looked at", words.WHAT_IS_LOOKED_AT)


class ReadinessOffer(StrEnum):
    """What may be done beside what is asked for."""

    LOOK = "look"
    OTHER = "other"
    """Take the next account."""


LOOK: Offer[str] = Offer(ReadinessOffer.LOOK, "Am I ready?", chip="Look")
OTHER: Offer[str] = Offer(ReadinessOffer.OTHER, "Another account", chip="Change account", key="F9")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadinessState:
    """What a face shows."""

    entry: Entry
    """How many people get the mailing."""
    account: str = ""
    """Which account sends; '' where none is saved."""
    card: Card | None = None
    plan: tuple[str, ...] = ()
    """How long it takes, in paragraphs, once that is known."""
    offers: tuple[Offer[str], ...] = (LOOK,)
    found: dict[str, RequirementResult] = field(default_factory=dict)
    """What receivers ask for, by the ids of the offers that lead there."""


class ReadinessFlow(Flow[ReadinessState, str, ReadSections]):
    """One account after the other; a later look takes over from an earlier one."""

    def __init__(
        self,
        accounts: Callable[[], Sequence[Account]],
        domains: Domains,
        catalog: Catalog,
        today: date,
        *,
        provider: str = "",
        typed: Mapping[MailingField, str] | None = None,
    ) -> None:
        """`accounts` reads the saved ones, once `read_accounts` is awaited; those of `provider` come first.

        `typed`: what was typed for a plan; what of it cannot be used is left out, as it is not to be mended here.
        """
        self._domains = domains
        self._catalog = catalog
        self._today = today
        self._typed = typed or {}
        self._looks = 0
        self._number = 0
        self.readiness: Readiness | None = None
        """What the state shows, in full."""
        self._read = accounts
        self._first = provider
        self._accounts: tuple[Account, ...] = ()
        entry = Entry(
            label=words.RECIPIENTS, text=self._typed.get(MailingField.RECIPIENTS, ""), placeholder="for example 500"
        )
        super().__init__(ReadinessState(entry=entry))
        self._ask(entry)

    async def read_accounts(self) -> None:
        """Read the saved accounts, beside the event loop, and show which of them sends; or that none can."""
        self._accounts, trouble = await in_thread(lambda: _accounts(self._read, self._first))
        self._ask(
            self.state.entry, trouble or (None if self._accounts else Card(mood=Mood.TOLD, title=words.NO_ACCOUNT))
        )

    def put(self, text: str) -> None:
        """Type into the field; what was found for another number goes."""
        if text != self.state.entry.text:
            self._looks += 1
            self._ask(replace(self.state.entry, text=text, error=""))

    def details(self) -> tuple[Section, ...]:
        """Return everything in full: what is asked for, by whom, whether it is met; and the plan."""
        if self.readiness is None:
            return (WHY,)
        return (*map(requirement_section, self.readiness.requirements), self._plan_section())

    def explained(self, offer: str | None) -> tuple[Section, ...]:
        """Return what stands beside the list: what is marked, and the plan."""
        asked = self.state.found.get(offer or "")
        plan_section = (self._plan_section(),) if self.readiness is not None else ()
        return (*((requirement_section(asked),) if asked is not None else ()), *(plan_section or (WHY,)))

    async def act(self, offer: str) -> ReadSections | None:
        """Look; take the next account; or read what is chosen."""
        if offer == ReadinessOffer.LOOK:
            await self._look()
        elif offer == ReadinessOffer.OTHER and len(self._accounts) > 1:
            self._looks += 1
            self._number = (self._number + 1) % len(self._accounts)
            self._ask(replace(self.state.entry, error=""))
        elif (asked := self.state.found.get(offer)) is not None:
            return ReadSections(str(asked.requirement.title), (requirement_section(asked),))
        return None

    # -- looking ----------------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        if not self._accounts:
            return
        self._looks += 1
        mine, entry = self._looks, replace(self.state.entry, error="")
        try:
            mailing, sent = self._mailing(entry.text.strip())
        except InputError as problem:
            self._ask(replace(entry, error=str(problem)))
            return
        account = self._accounts[self._number]
        self._ask(entry, Card(mood=Mood.RUNNING, title=words.LOOKING, foot="Esc stops"))
        try:
            report = await examined(account, self._domains, self._catalog)
            found = await in_thread(lambda: concluded(account, mailing, report, self._catalog, sent))
        except EXPECTED_ERRORS as problem:
            if mine == self._looks:
                self._ask(entry, Card(mood=Mood.FAILED, title=words.NOT_LOOKED, lines=(str(problem),)))
        else:
            if mine == self._looks:
                self._tell(entry, found)
        finally:
            running = self.state.card is not None and self.state.card.mood is Mood.RUNNING
            if mine == self._looks and running:
                self._ask(entry)

    def _mailing(self, recipients: str) -> tuple[Mailing, int]:
        """Return the mailing, and how much went out today already: as it was planned. Raises `InputError`."""
        reserve = self._planned(MailingField.RESERVE, Reserve.parse)
        mailing = Mailing(recipients=parse_recipients(recipients), reserve=reserve, start=self._today)
        return mailing, self._planned(MailingField.SENT, parse_sent)

    def _planned(self, field: MailingField, parse: Callable[[str], T]) -> T:
        try:
            return parse(self._typed.get(field, "").strip())
        except InputError:
            return parse("")

    # -- what is shown ----------------------------------------------------------------------------------------------

    def _ask(self, entry: Entry, card: Card | None = None) -> None:
        self.readiness = None
        self._show(ReadinessState(entry=entry, account=self._name, card=card, offers=self._offers(LOOK)))

    def _tell(self, entry: Entry, found: Readiness) -> None:
        self.readiness = found
        results = {each.requirement.id: each for each in sorted(found.requirements, key=_urgency)}
        offers = (_offer(id, each) for id, each in results.items())
        self._show(
            ReadinessState(
                entry=entry,
                account=self._name,
                card=readiness_card(found),
                plan=tuple(plan_words(found.plan, self._catalog)),
                offers=(*offers, *self._offers(replace(LOOK, verb="Look again", chip="Look again"))),
                found=results,
            )
        )

    def _offers(self, look: Offer[str]) -> tuple[Offer[str], ...]:
        return (look, *((OTHER,) if len(self._accounts) > 1 else ()))

    @property
    def _name(self) -> str:
        return self._accounts[self._number].name if self._accounts else ""

    def _plan_section(self) -> Section:
        return Section(words.PLAN, self.state.plan)


def _accounts(accounts: Callable[[], Sequence[Account]], provider: str) -> tuple[tuple[Account, ...], Card | None]:
    try:
        found = accounts()
    except EXPECTED_ERRORS as problem:
        return (), Card(mood=Mood.FAILED, title=str(problem))
    # Practice sends to nobody: there is nothing to be ready for.
    real = (each for each in found if each.connection.sandbox is None)
    return tuple(sorted(real, key=lambda each: each.connection.provider != provider)), None


_URGENCY = {Verdict.FAIL: 0, Verdict.WARN: 1, Verdict.UNKNOWN: 2}


def _urgency(result: RequirementResult) -> int:
    return _URGENCY.get(result.verdict, 3)


_SIGNS = {Verdict.FAIL: "✗", Verdict.WARN: "!", Verdict.UNKNOWN: "?", Verdict.PASS: "✓"}


def _offer(id: str, result: RequirementResult) -> Offer[str]:
    sign = _SIGNS.get(result.verdict, "·")
    return Offer(id, f"{sign} {result.requirement.title}", str(result.detail), chip="Read on")


def readiness_card(found: Readiness) -> Card:
    """Say whether an account is ready, or how much is missing."""
    mood, title = _head(found)
    return Card(mood=mood, title=title, lines=found.reasons)


def _head(found: Readiness) -> tuple[Mood, str]:
    if found.verdict is Verdict.PASS:
        return Mood.PASSED, words.ready_title(found.account.name)
    if found.verdict is Verdict.UNKNOWN:
        return Mood.WARNED, words.not_known_title(found.account.name)
    return Mood.FAILED, words.missing_title(found.account.name, len(found.missing))


def requirement_section(result: RequirementResult) -> Section:
    """Return all that is known of what is asked for: by whom, whether it is met, who does what about it."""
    return Section(str(result.requirement.title), tuple(_lines(result)))


def _lines(result: RequirementResult) -> Iterator[str]:
    asked = result.requirement
    yield str(asked.asked)
    yield str(result.detail)
    if result.verdict is not Verdict.PASS:
        if not result.silent:
            yield f"Who must act: {who_words(asked.who)}"
        yield on_screens(result.step)
    yield words.asked_words(asked)
