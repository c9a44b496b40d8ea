"""Your domain: what it publishes about its mail, what is wrong, and the record that mends it, ready to copy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.base.threads import in_thread
from smtp_wizard.engine.domain.domain_report import DomainReport
from smtp_wizard.engine.domain.findings import DomainFinding
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.providers.provider import Provider
from smtp_wizard.engine.services.domains import Domains
from smtp_wizard.flows.flow import Card, CopyText, Entry, Flow, Mood, Offer, Section
from smtp_wizard.output.plain_lines import who_words
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.text.areas.on_screens import on_screens, steps_on_screens
from smtp_wizard.text.domain import domain_rows, record_lines, record_words

QUESTION = "Is your domain ready to send mail?"
LOOKING = "Asking the DNS"
WHY = Section(
    "What is looked at",
    (
        "SPF says which servers may send in your domain's name.",
        "DKIM signs each message, so that nobody can change it.",
        "DMARC tells receivers what to do with mail that proves nothing.",
        "Only the DNS is asked, and only for names.",
    ),
)


class DomainOffer(StrEnum):
    """What may be done beside what is found."""

    LOOK = "look"


@dataclass(frozen=True, slots=True)
class ReadSections:
    """Read this."""

    title: str
    sections: tuple[Section, ...]


DomainLeads = CopyText | ReadSections


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainState:
    """What a face shows."""

    entry: Entry
    card: Card | None = None
    rows: tuple[str, ...] = ()
    """One line for each kind of record, once it is known."""
    offers: tuple[Offer[str], ...] = (Offer(DomainOffer.LOOK, "Look", chip="Look"),)
    found: dict[str, DomainFinding] = field(default_factory=dict)
    """What is wrong, by the ids of the offers that lead there."""


class DomainFlow(Flow[DomainState, str, DomainLeads]):
    """One domain after the other; a later look takes over from an earlier one."""

    def __init__(self, domains: Domains, catalog: Catalog, accounts: Callable[[], Sequence[Account]]) -> None:
        """`accounts` reads the saved ones, once `read_accounts` is awaited."""
        self._domains = domains
        self._catalog = catalog
        self._read = accounts
        self._known = ""
        self._provider: Provider | None = None
        super().__init__(DomainState(entry=Entry(label="Your domain, or your address", placeholder="example.com")))
        self._looks = 0
        self.report: DomainReport | None = None
        """What the state shows, in full."""

    async def read_accounts(self) -> None:
        """Propose the domain of the first saved account, seen from its provider, where nothing was typed meanwhile."""
        account = await in_thread(lambda: _first(self._read))
        if account is not None:
            self._known = account.from_address.domain
            self._provider = self._catalog.get(account.connection.provider)
            if not self.state.entry.text:
                self.put(self._known)

    def put(self, text: str) -> None:
        """Type into the field; what was found of another domain goes."""
        if text != self.state.entry.text:
            self._looks += 1  # what a look under way finds is of another domain
            self.report = None
            entry = replace(self.state.entry, text=text, error="")
            self._show(DomainState(entry=entry))

    async def act(self, offer: str) -> DomainLeads | None:
        """Look, or copy the record that mends what is chosen; where there is none, read what to do."""
        if offer == DomainOffer.LOOK:
            await self._look()
            return None
        finding = self.state.found.get(offer)
        if finding is None:
            return None
        if finding.publish is not None:
            return CopyText(finding.publish.value)
        return ReadSections(finding.title, (_section(finding),))

    def details(self) -> tuple[Section, ...]:
        """Return every record and every finding, in full."""
        if self.report is None:
            return (WHY,)
        records = Section("The records", tuple(domain_rows(self.report)))
        return (records, *map(_section, self.report.findings))

    def explained(self, offer: str | None) -> tuple[Section, ...]:
        """Return what stands beside the list: the finding that is marked."""
        finding = self.state.found.get(offer or "")
        return (WHY,) if finding is None else (_section(finding),)

    async def _look(self) -> None:
        self._looks += 1
        self.report = None
        mine, entry = self._looks, replace(self.state.entry, error="")
        self._show(DomainState(entry=entry, card=Card(mood=Mood.RUNNING, title=LOOKING)))
        report, came_out = None, DomainState(entry=entry)  # where it is stopped
        try:
            same = entry.text.strip().rpartition("@")[2].lower() == self._known.lower() != ""
            report = await self._domains.examine(entry.text, provider=self._provider if same else None)
            came_out = _shown(entry, report)
        except InputError as problem:
            came_out = DomainState(entry=replace(entry, error=str(problem)))
        except EXPECTED_ERRORS as problem:
            card = Card(mood=Mood.FAILED, title="The domain could not be looked at", lines=(str(problem),))
            came_out = DomainState(entry=entry, card=card)
        finally:
            if mine == self._looks:
                self.report = report
                self._show(came_out)


def _first(accounts: Callable[[], Sequence[Account]]) -> Account | None:
    try:
        found = accounts()
    except EXPECTED_ERRORS:
        return None  # the list of accounts says what is wrong with it
    return found[0] if found else None


def _shown(entry: Entry, report: DomainReport) -> DomainState:
    found = {f"{each.code}-{number}": each for number, each in enumerate(report.findings)}
    offers = tuple(_offer(key, each) for key, each in found.items())
    again: Offer[str] = Offer(DomainOffer.LOOK, "Look again", chip="Look again")
    return DomainState(
        entry=entry, card=_card(report), rows=tuple(domain_rows(report)), offers=(*offers, again), found=found
    )


def _card(report: DomainReport) -> Card:
    wrong = sum(each.verdict in (Verdict.FAIL, Verdict.WARN) for each in report.findings)
    match report.verdict:
        case Verdict.FAIL:
            title = "1 thing is wrong" if wrong == 1 else f"{wrong} things are wrong"
            return Card(mood=Mood.FAILED, title=title, lines=("Mail in its name may be refused, or land in junk.",))
        case Verdict.WARN:
            title = "1 thing could be better" if wrong == 1 else f"{wrong} things could be better"
            return Card(mood=Mood.WARNED, title=title)
        case Verdict.UNKNOWN:
            return Card(mood=Mood.WARNED, title="The DNS did not answer", lines=("Look again in some minutes.",))
        case _:
            return Card(mood=Mood.PASSED, title="All is well", lines=("Nothing that it publishes is wrong.",))


_SIGNS = {Verdict.FAIL: "✗", Verdict.WARN: "!", Verdict.SKIPPED: "·"}


def _offer(key: str, finding: DomainFinding) -> Offer[str]:
    note = f"What mends it: a {record_words(finding.publish)}." if finding.publish is not None else ""
    chip = "Copy the record" if finding.publish is not None else "Read on"
    return Offer(key, f"{_SIGNS.get(finding.verdict, '·')} {finding.title}", note, chip=chip)


def _section(finding: DomainFinding) -> Section:
    return Section(finding.title, tuple(_lines(finding)))


def _lines(finding: DomainFinding) -> Iterator[str]:
    steps = steps_on_screens(finding.steps)
    yield on_screens(finding.explanation)
    if steps:
        yield f"Who must act: {who_words(finding.who)}"
    for number, step in enumerate(steps, 1):
        yield f"{number}  {step}"
    if finding.publish is not None:
        yield from record_lines(finding.publish)
