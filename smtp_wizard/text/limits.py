"""Sending limits and plans in words, as CSV and as JSON: what the limits screen and the `limits` command both say."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from smtp_wizard.engine.base.records import write_record
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.limits.catalogue_limits import (
    ARTICLE,
    LimitAdvice,
    LimitRow,
    MailingRemedy,
    PasswordAccess,
    access_to,
    advice,
    can_send,
    refusals,
    ways_in,
)
from smtp_wizard.engine.limits.limits_in_force import is_rate, is_size, limits_in_force, others
from smtp_wizard.engine.limits.mailing_plan import COMFORTABLE, LONGEST, Exclusion, Plan, Share, calendar, runs
from smtp_wizard.engine.providers.limits import MEGABYTE, NOT_FOUND, NOT_KNOWN, Counted, Per, SendLimit, SizeOf

if TYPE_CHECKING:
    from smtp_wizard.engine.providers.catalog import Catalog
    from smtp_wizard.engine.providers.provider import Provider, Retirement

if TYPE_CHECKING:
    from smtp_wizard.output.documents.limits import LimitRowJson, LimitsPlan, ShareJson

GUIDE = "limits"
"""The guide that tells the ways on at length."""
BAR = 30
"""The longest bar, in characters."""
LINE = 100
"""Characters of the old article's own words that are shown."""
DAYS_SHOWN = 31
"""Days of a plan that a person is shown one by one."""

WAITS = {
    Per.SECOND: "a few seconds",
    Per.MINUTE: "a minute",
    Per.FIVE_MINUTES: "five minutes",
    Per.TEN_MINUTES: "ten minutes",
    Per.HALF_HOUR: "half an hour",
    Per.HOUR: "an hour",
    Per.TWO_HOURS: "up to two hours",
    Per.TWELVE_HOURS: "up to 12 hours",
    Per.DAY: "up to 24 hours",
    Per.WEEK: "up to a week",
    Per.MONTH: "up to a month",
}
NO_PROGRAM = "{} lets no other program send at all."
USUAL_REFUSALS = (
    "A reached limit looks like this: 'you have reached your daily sending quota', or the codes 550 5.4.5, 421, 450 "
    "and 452. Trying again at once can make it longer."
)


# --- rows ---


def rows_csv(rows: Iterable[LimitRow]) -> str:
    """Return the rows as CSV, with a head; an unknown figure is an empty cell."""
    from smtp_wizard.output.documents.limits import LimitRowJson

    facts = [write_record(LimitRowJson.of(row)) for row in rows]
    return _csv([list(facts[0]) if facts else [], *(each.values() for each in facts)])


def _csv(lines: Iterable[Iterable[Any]]) -> str:
    import csv

    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([_cell(each) for each in line] for line in lines)
    return text.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else value


def limit_words(row: LimitRow) -> str:
    """Return a limit for a person: its own words where the old article gives no figure, and why it is of no use."""
    limit = row.limit
    if limit.documented and limit.value is None:
        return f"'{shown(limit.applies_to, LINE)}'"
    return " - ".join((limit.words(), *row.provider.barred(limit)))


def limit_source_words(row: LimitRow) -> str:
    """Say where a figure is from: title and day, and how far to trust it."""
    limit, source = row.limit, row.provider.source(row.limit.source)
    if not limit.source:
        return "no source: nobody has looked yet"
    title = "the old help article" if limit.source == ARTICLE else source.title if source else limit.source
    trust = "" if limit.documented or limit.confidence.value == "official" else f", {limit.confidence.value}"
    return f"{title}, {limit.as_of}{trust}"


# --- a plan in words ---


def plan_words(made: Plan, catalog: Catalog) -> list[str]:
    """Say a plan in paragraphs: when it is done, what binds, how fast; or why it cannot be planned."""
    mailing = made.mailing
    said = [f"{_headline(made)}{_together(made, catalog)}", *_forbidden(made, catalog)]
    said += _accounts_planned_with(made, catalog)
    narrowest = made.narrowest
    if narrowest is not None and narrowest.binding is not None:
        row = LimitRow(_provider(narrowest, catalog), narrowest.binding)
        said.append(
            f"The limit that binds: {row.provider.name}, {row.limit.words()}. Source: {limit_source_words(row)}."
        )
    if made.interval is not None:
        said.append(f"A safe pace: one message every {_paces(made, catalog)}.")
    if made.working and mailing.reserve.amount:
        said.append(
            f"Kept free for invoices: {mailing.reserve} of the limit{'' if mailing.reserve.percent else ' a day'}."
        )
    said += [words for share in made.shares if (words := trouble_words(share, made, _provider(share, catalog)))]
    return list(dict.fromkeys([*said, *notes(made, catalog)]))


def _paces(made: Plan, catalog: Catalog) -> str:
    """The pace of each account, named where there are several."""
    paces = [(_provider(share, catalog).name, _each_pace(share.interval or 0)) for share in made.working]
    return paces[0][1] if len(paces) == 1 else "; ".join(f"{pace} from {name}" for name, pace in paces)


def _each_pace(seconds: float) -> str:
    """'second', '72 seconds', '3 minutes', as it stands behind 'every'."""
    return pace_words(seconds).removeprefix("1 ") if pace_words(seconds) in _ONES else pace_words(seconds)


_ONES = ("1 second", "1 hour")


def days_words(days: int) -> str:
    """'1 day', '3 days'."""
    return "1 day" if days == 1 else f"{days:,} days"


def _headline(made: Plan) -> str:
    mailing = made.mailing
    each = f" ({mailing.recipients:,} recipients, {mailing.each:,} messages each)" if mailing.each > 1 else ""
    what = f"{mailing.messages:,} {'message' if mailing.messages == 1 else 'messages'}{each}"
    if made.days is not None and made.ends is not None:
        first, last = day_name(mailing.start), day_name(made.ends)
        when = f"on {first}" if made.days == 1 else f"from {first} to {last}"
        late = "" if made.fits else f" That is more than {COMFORTABLE} days: it does not fit."
        return f"{what}: {days_words(made.days)}, {when}.{late}"
    if any(share.exclusion is None for share in made.shares):
        return f"{what}: more than {LONGEST // 366} years. It does not fit."
    unknown = any(share.exclusion is Exclusion.NOT_KNOWN for share in made.shares)
    return f"{what}: {'it cannot be planned' if unknown else 'it does not fit'}."


def _forbidden(made: Plan, catalog: Catalog) -> Iterator[str]:
    """Yield who forbids mailings, whatever the limits let through."""
    for share in made.shares:
        provider = _provider(share, catalog)
        if provider.no_mailings:
            yield f"{provider.name}: {provider.no_mailings}"


def _accounts_planned_with(made: Plan, catalog: Catalog) -> Iterator[str]:
    """Yield what kind of account was taken, where a provider has several."""
    for share in made.shares:
        if share.sender.account is not None:
            done = "Planned with" if share.exclusion is None else "Looked at"
            yield f"{done} this kind of account at {_provider(share, catalog).name}: {share.sender.account.name}."


def _together(made: Plan, catalog: Catalog) -> str:
    if len(made.working) < 2:
        return ""
    parts = [f"{_provider(share, catalog).name} {share.total:,}" for share in made.working]
    return f" Together: {', '.join(parts)}."


def trouble_words(share: Share, made: Plan, provider: Provider) -> str:
    """Say why an account of a provider takes no part in a plan; '' where it does."""
    match share.exclusion:
        case Exclusion.TOO_MANY if share.binding is not None:
            most = f"{share.binding.value or 0:,}"
            return f"{provider.name} sends no mailing to more than {most} people, not even in parts."
        case Exclusion.TOO_LARGE if share.binding is not None and share.binding.size_of is SizeOf.FILES:
            return f"The files are too large for {provider.name}: {share.binding.figure}, before they are encoded."
        case Exclusion.TOO_LARGE:
            size = f"{made.mailing.encoded / MEGABYTE:,.1f} MB"
            return f"The message is too large for {provider.name}: on its way it has {size}, as files grow by a third."
        case Exclusion.NOTHING_LEFT:
            return f"What you keep free is all that {provider.name} lets you send."
        case Exclusion.BARRED if share.sender.account is not None:
            return f"{provider.name}: {share.sender.account.barred}"
        case Exclusion.NOT_KNOWN if not can_send(provider):
            return NO_PROGRAM.format(provider.name)
        case Exclusion.NOT_KNOWN:
            silence = silence_words(_whose_silence(share))
            return (
                f"{provider.name}: the limit {silence}, and we do not guess. Ask them how many messages a day your "
                "account may send. Until then send in small parts, and stop at the first refusal."
            )
    return ""


def silence_words(figure: str) -> str:
    """'is not published', 'was not found in our search', 'is not known to us': who left a figure open, with a verb."""
    return f"{'was' if figure == NOT_FOUND else 'is'} {figure}"


def _whose_silence(share: Share) -> str:
    """Say of a limit without a figure who left it open: the provider, our search, or nobody has looked."""
    account = share.sender.account
    own = (each for each in share.sender.limits if not each.accounts or (account and account.id in each.accounts))
    open_ones = [each.figure for each in own if each.value is None and not each.documented and _is_stretch(each)]
    return next(iter(open_ones), NOT_KNOWN)


def _is_stretch(limit: SendLimit) -> bool:
    return limit.per in WAITS


def notes(made: Plan, catalog: Catalog) -> list[str]:
    """Say what else is known and was not planned with: other figures, connections, the provider's own remark."""
    said: list[str] = []
    for share in made.shares:
        provider, held = _provider(share, catalog), share.sender.held
        other = others(share.sender.limits, held, share.sender.accounts)
        different = [each.words() for each in other if is_rate(each)]
        if can_send(provider) and (closed := access_words(provider)):
            said.append(closed)
        if provider.no_mailings:
            said.append(f"{provider.name}: {provider.no_mailings}")
        said += [f"{provider.name}: {each.barred}" for each in provider.accounts if each.barred]
        if different:
            said.append(f"{provider.name} has other figures for other accounts: {'; '.join(different)}.")
        said += [
            f"{provider.name}: {each.words()}. Then begin a new connection."
            for each in held
            if each.per in (Per.CONNECTION, Per.SESSION)
        ]
        if made.mailing.size and share.exclusion is None:
            said += _size_unknown(provider, held)
        if provider.limits_note:
            said.append(f"{provider.name}: {provider.limits_note}")
        if share.exclusion is Exclusion.NOT_KNOWN:
            said += _of_the_successor(provider, catalog)
    return list(dict.fromkeys(said))


def _of_the_successor(provider: Provider, catalog: Catalog) -> Iterator[str]:
    """Yield what whoever runs the mailboxes now lets its own send, where nothing is known of these."""
    successor = catalog.get(provider.successor) if provider.successor else None
    held = limits_in_force(successor.limits, accounts=successor.accounts) if successor else ()
    if successor is not None and (rates := [each.words() for each in held if is_rate(each)]):
        yield f"{provider.name}: {successor.name} runs these mailboxes, and allows its own {'; '.join(rates)}."
        yield f"{provider.name}: whether the same holds there is {NOT_KNOWN}."


def _size_unknown(provider: Provider, held: Sequence[SendLimit]) -> Iterator[str]:
    """Yield that we do not know whether a message of the size is taken."""
    sizes = [each for each in held if is_size(each)]
    if not sizes:
        yield f"{provider.name}: how large a message may be is {NOT_KNOWN}."
    for each in sizes:
        if each.ceiling:
            yield f"{provider.name}: no account takes more than {each.words()}. What yours takes is {NOT_KNOWN}."


def access_words(provider: Provider) -> str:
    """Say what stands in the way of an application that takes a password; '' where nothing does."""
    name, ways = provider.name, ways_in(provider)
    match access_to(provider):
        case PasswordAccess.OPEN:
            return ""
        case PasswordAccess.UNCONFIRMED:
            return f"{name}: we could not find out whether it still lets programs send."
        case PasswordAccess.DISPUTED:
            return f"{name}: whether it still lets programs in with a password is disputed. {ways[0].disputed}".strip()
        case PasswordAccess.MOVED:
            return f"{name}: somebody else runs these mailboxes now, or will soon."
        case PasswordAccess.CLOSING:
            ends = dict.fromkeys(filter(None, (provider.retirement_of(path.id) for path in ways)))
            return " ".join(_ending(name, each) for each in ends) or f"{name}: it is to be closed."
        case PasswordAccess.CLOSED if can_send(provider):
            return f"{name} lets no program in with a password; one that signs in in the browser (OAuth) may send."
        case PasswordAccess.CLOSED:
            return NO_PROGRAM.format(name)


def _ending(name: str, retirement: Retirement) -> str:
    """Say what ends, when, and how that stands, as the provider has it."""
    day = retirement.date if retirement.date[:1].isdigit() else "no day is named"
    return f"{name}: {retirement.what}, {day}: {retirement.state}."


def wait_words(made: Plan) -> str:
    """Say how long to wait when the limit is reached."""
    narrowest = made.narrowest
    binding = narrowest.binding if narrowest is not None else None
    per = binding.per if binding is not None and is_rate(binding) else Per.DAY
    return f"Stop, and wait {WAITS[per]}. Invoices wait too."


def refusal_words(made: Plan, catalog: Catalog) -> list[str]:
    """Say what a reached limit looks like at these providers, and how long to wait."""
    providers = dict.fromkeys(_provider(share, catalog) for share in made.shares)
    said = [
        f"{provider.name}: {f'{reply.code} {reply.enhanced}'.strip()} '{reply.words}'. {reply.means}"
        for provider in providers
        for reply in refusals(provider)
    ]
    return [*said, USUAL_REFUSALS, wait_words(made)]


def advice_words(each: LimitAdvice) -> str:
    """Say one way on, with the providers that would fit."""
    names = "; ".join(f"{fit.provider.name}, {days_words(fit.days)}" for fit in each.fits)
    match each.way:
        case MailingRemedy.SMALLER:
            return "Put the file on a web page, and send the link."
        case MailingRemedy.KEEP_LESS:
            return "Keep less free for invoices, or send those from another account."
        case MailingRemedy.ASK:
            higher = "; ".join(limit.words() for limit in each.figures)
            stated = f" It states for others: {higher}." if higher else ""
            return f"Ask your provider whether it has a business account with a higher limit.{stated}"
        case MailingRemedy.PROVIDER:
            fit = f"It would fit at: {names}." if names else "None that we know would fit."
            return f"Move to a provider with a higher limit. {fit}"
        case MailingRemedy.SERVER:
            return "Run a mail server of your own. Somebody must look after it every day."
        case MailingRemedy.SERVICE:
            fit = f" Of the relays it would fit at: {names}." if names else ""
            return f"Send the mailing through a service made for mailings, and keep your mailbox for invoices.{fit}"


def pace_words(seconds: float) -> str:
    """'0.2 seconds', '72 seconds', '3 minutes', always rounded up."""
    if seconds < 10:
        return f"{-(-seconds * 10 // 1) / 10:g} {'second' if seconds == 1 else 'seconds'}"
    whole = int(-(-seconds // 1))
    if whole <= 120:
        return f"{whole} seconds"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} minutes" + (f" {rest} seconds" if rest else "")
    hours, minutes = divmod(minutes + bool(rest), 60)
    return f"{hours} {'hour' if hours == 1 else 'hours'}" + (f" {minutes} minutes" if minutes else "")


def day_name(day: date) -> str:
    """'Mon 2026-11-23'."""
    return f"{('Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun')[day.weekday()]} {day.isoformat()}"


def short_day(day: date, today: date) -> str:
    """'Mon 23 Nov'; with its year where that is another one."""
    weekday = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[day.weekday()]
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    year = f" {day.year}" if day.year != today.year else ""
    return f"{weekday} {day.day} {months[day.month - 1]}{year}"


_MESSAGES = "Messages"


def bars(made: Plan, *, longest: int = BAR) -> Iterator[str]:
    """Yield a heading, and a line for each day, or for equal days in a row: name, number, a bar.

    A long plan is cut, and says so.
    """
    listed = runs(made)
    most = max((run.number for run in listed), default=0)
    width = max(len(f"{most:,}"), len(_MESSAGES))
    names = [day_name(run.first) if run.days == 1 else f"{run.days:,} days of" for run in listed]
    cut = len(listed) > DAYS_SHOWN
    label = max((len(name) for name in ("Day", *(names[: DAYS_SHOWN - 1] if cut else names))), default=0)

    def line(at: int) -> str:
        number = listed[at].number
        return f"{names[at]:<{label}}  {number:>{width},}  {'#' * -(-number * longest // most)}".rstrip()

    yield f"{'Day':<{label}}  {_MESSAGES:>{width}}"
    yield from map(line, range(DAYS_SHOWN - 1 if cut else len(listed)))
    if cut:
        rest = sum(run.days for run in listed[DAYS_SHOWN - 1 : -1])
        yield f"... and so on, {days_words(rest)} more"
        yield line(len(listed) - 1)


# --- a plan for programs ---


def plan_document(made: Plan, catalog: Catalog) -> LimitsPlan:
    """Return a plan as JSON has it."""
    from smtp_wizard.output.documents.limits import AdviceJson, LimitsPlan

    return LimitsPlan(
        messages=made.mailing.messages,
        days=made.days,
        per_day=made.per_day,
        interval_seconds=made.interval,
        starts_at=made.mailing.start,
        ends_at=made.ends,
        binding=_binding(made.narrowest, catalog),
        fits=made.fits,
        advice=tuple(
            AdviceJson(each.way, advice_words(each), tuple(fit.provider.id for fit in each.fits))
            for each in advice(made, catalog)
        ),
        accounts=tuple(_share_json(share, catalog) for share in made.shares),
        notes=(
            *(each for share in made.shares if (each := trouble_words(share, made, _provider(share, catalog)))),
            *notes(made, catalog),
        ),
        when_reached=tuple(refusal_words(made, catalog)),
    )


def _share_json(share: Share, catalog: Catalog) -> ShareJson:
    from smtp_wizard.output.documents.limits import ShareJson

    return ShareJson(
        provider=share.sender.name,
        per_day=share.per_day,
        interval_seconds=share.interval,
        binding=_binding(share, catalog),
        account=share.sender.account.name if share.sender.account is not None else "",
        trouble=share.exclusion,
        access=access_to(_provider(share, catalog)),
    )


def _binding(share: Share | None, catalog: Catalog) -> LimitRowJson | None:
    from smtp_wizard.output.documents.limits import LimitRowJson

    if share is None or share.binding is None:
        return None
    return LimitRowJson.of(LimitRow(_provider(share, catalog), share.binding))


def plan_csv(made: Plan) -> str:
    """Return the days of a plan as CSV: the date, each account's number, all of them."""
    shares: Sequence[Share] = made.working
    days = zip(calendar(made), *(share.per_day for share in shares), strict=True)
    lines = ([day.isoformat(), *numbers, number] for (day, number), *numbers in days)
    return _csv([["date", *(share.sender.name for share in shares), "messages"], *lines])


def _provider(share: Share, catalog: Catalog) -> Provider:
    """The provider of a share. Raises `LookupError` where the plan was made with another catalogue."""
    found = catalog.get(share.sender.name)
    if found is None:
        raise LookupError(share.sender.name)
    return found


# --- a provider in one line ---


def table_cells(limits: Sequence[SendLimit]) -> tuple[str, str, str, str]:
    """Return figures as four short cells: within an hour, a day, recipients of one message, its size.

    Where several accounts have several figures: from the lowest to the highest. 'r' counts recipients.
    """
    known = [limit for limit in limits if limit.value is not None and not limit.historical]
    fast = next((cell for per in _FAST if (cell := _rate_cell(known, per))), "")
    day = _rate_cell(known, Per.DAY)
    if not any(is_rate(limit) for limit in known):
        once = _range(known, Counted.MESSAGES, Per.CONNECTION)
        day = f"{once}/connection" if once else "" if any(limit.documented for limit in limits) else NOT_KNOWN
    return fast, day, _range(known, Counted.RECIPIENTS, Per.MESSAGE), _range(known, Counted.BYTES, Per.MESSAGE)


_FAST = {
    Per.HOUR: "",
    Per.TWO_HOURS: "/2h",
    Per.TWELVE_HOURS: "/12h",
    Per.HALF_HOUR: "/30m",
    Per.TEN_MINUTES: "/10m",
    Per.FIVE_MINUTES: "/5m",
    Per.MINUTE: "/min",
    Per.SECOND: "/s",
}


def _rate_cell(limits: Sequence[SendLimit], per: Per) -> str:
    """The narrower of messages and recipients."""
    rates = [limit for limit in limits if limit.per is per and limit.what in (Counted.MESSAGES, Counted.RECIPIENTS)]
    highest = {
        what: max(each.value or 0 for each in rates if each.what is what) for what in {each.what for each in rates}
    }
    if not highest:
        return ""
    what = min(highest, key=lambda each: (highest[each], each))
    return f"{_range(rates, what, per)}{_FAST.get(per, '')}{' r' if what is Counted.RECIPIENTS else ''}"


def _range(limits: Sequence[SendLimit], what: Counted, per: Per) -> str:
    values = sorted({limit.value or 0 for limit in limits if (limit.what, limit.per) == (what, per)})
    if not values:
        return ""
    unit, step = (" MB", MEGABYTE) if what is Counted.BYTES else ("", 1)
    ends = [f"{value / step:,.6f}".rstrip("0").rstrip(".") for value in dict.fromkeys((values[0], values[-1]))]
    return "-".join(ends) + unit
