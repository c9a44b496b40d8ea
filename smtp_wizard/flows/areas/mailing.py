"""How long does my mailing take? One provider, a few numbers; the days as bars, and the same mailing elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.shown import cut, phrase, shown
from smtp_wizard.engine.limits.catalogue_limits import LimitRow, advice, elsewhere, sender_of
from smtp_wizard.engine.limits.limits_in_force import (
    account_meant,
    can_be_chosen,
    is_rate,
    limits_in_force,
    others,
    scopes,
)
from smtp_wizard.engine.limits.mailing_plan import (
    MOST_EACH,
    MOST_RECIPIENTS,
    Mailing,
    Plan,
    Reserve,
    parse_count,
    parse_size,
    parse_start,
    plan,
    runs,
)
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.providers.provider import Provider
from smtp_wizard.flows.flow import Card, Entry, Flow, Mood, Offer, Section
from smtp_wizard.text.limit_rows import article_words, short_name, today_words
from smtp_wizard.text.limits import (
    advice_words,
    days_words,
    limit_source_words,
    plan_words,
    refusal_words,
    short_day,
    trouble_words,
    wait_words,
)

MOST_MAILBOXES = 20
MOST_BARS = 7
"""Lines of a plan that are drawn; the rest is one line."""
QUESTION = "How long does my mailing take?"
ELSEWHERE = "The same mailing elsewhere"


class MailingField(StrEnum):
    """What is asked of a mailing; the first three at once."""

    RECIPIENTS = "recipients"
    SENT = "sent"
    RESERVE = "reserve"
    EACH = "each"
    SIZE = "size"
    START = "start"
    MAILBOXES = "mailboxes"
    KIND = "kind"


FIRST = (MailingField.RECIPIENTS, MailingField.SENT, MailingField.RESERVE)
"""What everybody is asked; the rest stands behind 'More settings'."""


class MailingOffer(StrEnum):
    """What may be done with a mailing."""

    COUNT = "count"
    MORE = "more"


@dataclass(frozen=True, slots=True)
class Bar:
    """A line with a bar: a day, equal days in a row, or a provider."""

    name: str
    share: float
    """How long the bar is, from 0 to 1."""
    words: str
    """What stands behind it."""
    mood: Mood = Mood.TOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class MailingState:
    """What a face shows of a mailing."""

    provider: str
    """Its name."""
    entries: Mapping[MailingField, Entry]
    more: bool = False
    """Whether the fields behind the first three are shown."""
    wrong: MailingField | None = None
    """Where the cursor belongs: the first field that cannot be used."""
    card: Card | None = None
    """How many days, or why nobody can say."""
    bars: tuple[Bar, ...] = ()
    elsewhere: tuple[Bar, ...] = ()
    ways: tuple[str, ...] = ()
    """What can be done where it does not fit."""
    sections: tuple[Section, ...] = ()
    offers: tuple[Offer[MailingOffer], ...] = ()

    @property
    def fields(self) -> tuple[MailingField, ...]:
        """The fields that are shown, in order."""
        return tuple(each for each in self.entries if self.more or each in FIRST)


def parse_recipients(text: str) -> int:
    """Take a number of people. Raises `InputError`."""
    return parse_count(text, "Recipients", MOST_RECIPIENTS, 1)


def parse_each(text: str) -> int:
    """Take a number of messages for each of them. Raises `InputError`."""
    return parse_count(text, "Messages each", MOST_EACH, 1)


def parse_sent(text: str) -> int:
    """Take a number of messages that went out already. Raises `InputError`."""
    return parse_count(text or "0", "Sent today", MOST_RECIPIENTS)


def _mailboxes(text: str) -> int:
    return parse_count(text or "1", "Such mailboxes", MOST_MAILBOXES, 1)


def kinds_of(provider: Provider) -> tuple[str, ...]:
    """Return whom the figures are for that are not the ordinary account's."""
    limits, accounts = provider.limits, provider.accounts
    held = limits_in_force(limits, accounts=accounts)
    ordinary = account_meant(accounts)
    different = [each for each in others(limits, held, accounts) if is_rate(each) and not each.accounts]
    return scopes(different, [each for each in accounts if each is not ordinary and not each.barred])


class MailingFlow(Flow[MailingState, MailingOffer, None]):
    """One mailing with one provider. What was typed may be carried to the next provider."""

    def __init__(
        self, catalog: Catalog, provider: Provider, today: date, typed: Mapping[MailingField, str] | None = None
    ) -> None:
        """`typed`: what the fields say at first, where that is not the usual."""
        self._catalog = catalog
        self._provider = provider
        self._today = today
        self.made: Plan | None = None
        """The plan that the state shows."""
        entries = {
            field: replace(entry, text=(typed or {}).get(field, entry.text)) for field, entry in self._entries().items()
        }
        name = cut(provider.name, 60)
        super().__init__(MailingState(provider=name, entries=entries, sections=self._about()))
        self._put(self.state)

    def _entries(self) -> dict[MailingField, Entry]:
        kinds = kinds_of(self._provider)
        asked = {
            MailingField.RECIPIENTS: Entry(label="To how many people", placeholder="for example 500"),
            MailingField.SENT: Entry(label="Sent today already", text="0"),
            MailingField.RESERVE: Entry(label="Kept for invoices", text="10%", placeholder="50 or 10%"),
            MailingField.EACH: Entry(label="Messages each", text="1"),
            MailingField.SIZE: Entry(label="Size in MB", placeholder="with its files"),
            MailingField.START: Entry(label="First day", text=self._today.isoformat()),
            MailingField.MAILBOXES: Entry(label="Such mailboxes", text="1"),
        }
        kind = Entry(label="Kind of account", placeholder=shown(kinds[0], 50)) if kinds else None
        return asked | ({MailingField.KIND: kind} if kind is not None else {})

    @property
    def typed(self) -> Mapping[MailingField, str]:
        """What the fields say, to be carried to the next provider; a kind of account is this provider's own."""
        return {field: entry.text for field, entry in self.state.entries.items() if field is not MailingField.KIND}

    def put(self, field: MailingField, text: str) -> None:
        """Type into a field; what was wrong with it is not said any more."""
        entry = self.state.entries[field]
        if text != entry.text:
            entries = {**self.state.entries, field: replace(entry, text=text, error="")}
            card = None if self.state.wrong is not None else self.state.card
            self._show(replace(self.state, entries=entries, wrong=None, card=card))

    async def act(self, offer: MailingOffer) -> None:
        """Count the days, or show more fields."""
        match offer:
            case MailingOffer.COUNT:
                self._count()
            case MailingOffer.MORE:
                self._put(replace(self.state, more=not self.state.more))

    def _put(self, state: MailingState) -> None:
        """Show a state, with what may be done there."""
        self._show(replace(state, offers=self._offers(more=state.more)))

    def accepted(self, field: MailingField, text: str) -> str:
        """Type into a field what can be used; return it. Raises `InputError`."""
        self._parse(field)(text.strip())
        self.put(field, text)
        return text

    # -- counting ---------------------------------------------------------------------------------------------------

    def _count(self) -> None:
        values, errors = self._parsed()
        if errors:
            self._refuse(errors)
            return
        made = self._plan(values)
        self.made = made
        self._put(
            replace(
                self.state,
                wrong=None,
                card=plan_card(made, self._provider),
                bars=plan_bars(made),
                elsewhere=elsewhere_bars(made, self._catalog),
                ways=tuple(advice_words(each) for each in advice(made, self._catalog)),
                sections=(*self._about(), *self._at_the_limit(made)),
            )
        )

    def _refuse(self, errors: Mapping[MailingField, str]) -> None:
        """Say what is wrong in the fields, which are shown then. Nothing is left of an earlier plan."""
        self.made = None
        entries = {field: replace(entry, error=errors.get(field, "")) for field, entry in self.state.entries.items()}
        wrong = next(iter(errors))
        self._put(
            replace(
                self.state,
                entries=entries,
                wrong=wrong,
                more=self.state.more or wrong not in FIRST,
                card=Card(mood=Mood.FAILED, title=entries[wrong].label, lines=(errors[wrong],)),
                bars=(),
                elsewhere=(),
                ways=(),
                sections=self._about(),
            )
        )

    def _parsed(self) -> tuple[dict[MailingField, Any], dict[MailingField, str]]:
        """Return what the fields mean, and what is wrong with those that mean nothing."""
        values: dict[MailingField, Any] = {}
        errors: dict[MailingField, str] = {}
        for field, entry in self.state.entries.items():
            try:
                values[field] = self._parse(field)(entry.text.strip())
            except InputError as problem:
                errors[field] = str(problem)
        return values, errors

    def _parse(self, field: MailingField) -> Callable[[str], Any]:
        return {
            MailingField.RECIPIENTS: parse_recipients,
            MailingField.SENT: parse_sent,
            MailingField.RESERVE: Reserve.parse,
            MailingField.EACH: parse_each,
            MailingField.SIZE: parse_size,
            MailingField.START: lambda text: parse_start(text, self._today),
            MailingField.MAILBOXES: _mailboxes,
            MailingField.KIND: self._kind,
        }[field]

    def _kind(self, text: str) -> str:
        if text and not can_be_chosen(text, self._provider.limits, self._provider.accounts):
            raise InputError(phrase("Words out of one of these: {}", shown("; ".join(kinds_of(self._provider)))))
        return text

    def _plan(self, values: Mapping[MailingField, Any]) -> Plan:
        mailing = Mailing(
            recipients=values[MailingField.RECIPIENTS],
            each=values[MailingField.EACH],
            size=values[MailingField.SIZE],
            reserve=values[MailingField.RESERVE],
            start=values[MailingField.START],
        )
        chosen = values.get(MailingField.KIND, "")
        first = sender_of(self._provider, values[MailingField.SENT], chosen)
        more = [sender_of(self._provider, 0, chosen)] * (values[MailingField.MAILBOXES] - 1)
        return plan(mailing, [first, *more])

    # -- what is shown ----------------------------------------------------------------------------------------------

    def details(self) -> tuple[Section, ...]:
        """Return the whole plan in words: what binds, how fast, what a reached limit looks like."""
        if self.made is None:
            return ()
        made, catalog = self.made, self._catalog
        ways = tuple(f"{at}. {words}" for at, words in enumerate(self.state.ways, 1))
        return (
            Section("The plan", tuple(plan_words(made, catalog))),
            *([Section("What you can do", ways)] if ways else []),
            Section("When the limit is reached", tuple(refusal_words(made, catalog))),
        )

    def _offers(self, *, more: bool) -> tuple[Offer[MailingOffer], ...]:
        count = "Count the days" if self.made is None else "Count again"
        settings = "Fewer settings" if more else "More settings"
        return (Offer(MailingOffer.COUNT, count), Offer(MailingOffer.MORE, settings, key="F9"))

    def _about(self) -> tuple[Section, ...]:
        old = article_words(self._provider)
        lines = (today_words(self._provider), f"The old article: {old}" if old else "")
        return (Section(cut(self._provider.name, 60), tuple(filter(None, lines))),)

    def _at_the_limit(self, made: Plan) -> Iterator[Section]:
        narrowest = made.narrowest
        if narrowest is not None and narrowest.binding is not None:
            binding = LimitRow(self._provider, narrowest.binding)
            yield Section("The limit that counts", (narrowest.binding.figure, limit_source_words(binding)))
        yield Section("What happens at the limit", (wait_words(made),))


def plan_card(made: Plan, provider: Provider) -> Card:
    """Say how long a mailing takes with a provider, or why nobody can say."""
    name = short_name(provider)
    if made.days is None:
        why = trouble_words(made.shares[0], made, provider) or "It would take more than ten years."
        return Card(mood=Mood.FAILED, title=f"It cannot be planned with {name}", lines=(why,))
    title = f"{days_words(made.days)} with {name}"
    if not made.fits:
        return Card(mood=Mood.WARNED, title=f"Too long: {title}", lines=("Nobody waits that long for the last one.",))
    account = made.shares[0].sender.account
    lines = (f"Kind of account: {account.name}",) if account is not None else ()
    if provider.no_mailings:  # what the limits let through is forbidden all the same
        return Card(mood=Mood.WARNED, title=f"Not for a mailing: {title}", lines=(provider.no_mailings, *lines))
    return Card(mood=Mood.PASSED, title=title, lines=lines, foot=_kept_free(made))


def _kept_free(made: Plan) -> str:
    reserve = made.mailing.reserve
    return f"{reserve}{'' if reserve.percent else ' a day'} kept free for invoices" if reserve.amount else ""


def plan_bars(made: Plan) -> tuple[Bar, ...]:
    """Return the days of a plan as bars, equal days in a row as one; of a long one, the beginning and the end."""
    found = runs(made)
    most = max((run.number for run in found), default=0) or 1
    bars = [
        Bar(
            short_day(run.first, made.mailing.start) if run.days == 1 else f"{run.days:,} days of",
            run.number / most,
            f"{run.number:,}",
        )
        for run in found
    ]
    if len(bars) <= MOST_BARS:
        return tuple(bars)
    rest = sum(run.days for run in found[MOST_BARS - 2 : -1])
    return (*bars[: MOST_BARS - 2], Bar(f"{rest:,} days more", 0.0, ""), bars[-1])


def elsewhere_bars(made: Plan, catalog: Catalog) -> tuple[Bar, ...]:
    """Return the same mailing with others as bars; none where one day is enough here."""
    if made.days == 1:
        return ()
    fits = elsewhere(made, catalog)
    most = max((fit.days for fit in fits), default=1)

    def mood(days: int) -> Mood:
        return Mood.PASSED if made.days is None or days < made.days else Mood.WARNED

    return tuple(Bar(short_name(f.provider), f.days / most, days_words(f.days), mood(f.days)) for f in fits)


def bar_lines(bars: Sequence[Bar], *, width: int, mark: str = "#") -> Iterator[str]:
    """Yield bars as lines of text: the name, what stands behind it, the bar."""
    name = max((len(bar.name) for bar in bars), default=0)
    words = max((len(bar.words) for bar in bars), default=0)
    for bar in bars:
        yield f"{bar.name:<{name}}  {bar.words:>{words}}  {mark * bar_length(bar, width)}".rstrip()


def bar_length(bar: Bar, width: int) -> int:
    """Return how many characters of `width` a bar has; one at least, where it is not nothing."""
    return max(1, round(bar.share * width)) if bar.share > 0 else 0
