"""Unsubscribe link: what a mailing needs so that people can leave it, and a template looked through."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.characters import has_control
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.private_files import absolute, read_bounded, write_private
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.base.threads import in_thread, run_to_completion
from smtp_wizard.engine.unsubscribe import LARGEST, SUBJECT, Unsubscribe, check_template, rules, unsubscribe
from smtp_wizard.flows.flow import Card, CopyText, Entry, Flow, Mood, Offer, Section
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS

QUESTION = "Where do people write who want no more mail?"
FILE_NAME = "unsubscribe.txt"
NO_FILE = "Type the name of a file."
ONE_CLICK = "One-click, which large mailings need, also wants a web address."
LOOKING = "Looking through it"
_ANYBODY = Address("anybody", "example.com")


class LinkField(StrEnum):
    """What is asked."""

    ADDRESS = "address"
    SUBJECT = "subject"
    URL = "url"
    TEMPLATE = "template"


class LinkOffer(StrEnum):
    """What may be done with the link."""

    LINK = "link"
    HTML = "html"
    HEADERS = "headers"
    SAVE = "save"
    CHECK = "check"


CHECK = Offer(LinkOffer.CHECK, "Look through my template", chip="Look through it")
_MOST_NOTE = 70
"""Characters of the description of an offer, one row at 80 columns: a row more or less would move the whole list at a
key. All of it is in the details."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkState:
    """What a face shows."""

    entries: Mapping[LinkField, Entry]
    made: tuple[Section, ...] = ()
    """What stands for the fields, to be read in full; empty while one of them cannot be used."""
    card: Card | None = None
    """What a template has and lacks; what was written, or why it was not."""
    wrong: LinkField | None = None
    """The field to correct."""
    offers: tuple[Offer[LinkOffer], ...] = ()
    sections: tuple[Section, ...] = ()
    """The rules for mailings."""


class LinkFlow(Flow[LinkState, LinkOffer, CopyText]):
    """The link changes as one types."""

    def __init__(self, accounts: Callable[[], Sequence[Account]], folder: Path | None = None) -> None:
        """`accounts` reads the saved ones, once `read_accounts` is awaited. `folder`: where the file is written."""
        self._folder = folder
        self._read = accounts
        entries = {
            LinkField.ADDRESS: Entry(label="They write to", placeholder="list@shop.com"),
            LinkField.SUBJECT: Entry(label="Subject", text=SUBJECT),
            LinkField.URL: Entry(label="Web address for one-click", placeholder="https://...", hint="may be empty"),
            LinkField.TEMPLATE: Entry(label="Your template, a file", placeholder="letter.html", hint="may be empty"),
        }
        super().__init__(LinkState(entries=entries, sections=_rules()))
        self._made: Unsubscribe | None = None
        self._looks = 0
        """How many templates were looked through: a later one takes over from an earlier one."""
        self._make(quiet=True)

    async def read_accounts(self) -> None:
        """Propose the address of the first saved account, where none was typed meanwhile."""
        known = await in_thread(lambda: _known(self._read))
        if known and not self.state.entries[LinkField.ADDRESS].text:
            self.put(LinkField.ADDRESS, known)

    def put(self, name: LinkField, text: str) -> None:
        """Type into a field."""
        entry = self.state.entries[name]
        if text != entry.text:
            entries = {**self.state.entries, name: replace(entry, text=text, error="")}
            if name is LinkField.TEMPLATE:
                self._looks += 1  # what is looked through is another file
            card = self.state.card if self._running and name is not LinkField.TEMPLATE else None
            self._show(replace(self.state, entries=entries, wrong=None, card=card))
            self._make(quiet=True)

    async def act(self, offer: LinkOffer) -> CopyText | None:
        """Copy, write, or look through a template. What is wrong with a field is said there."""
        if offer is LinkOffer.CHECK:
            await self._look_through()
            return None
        self._make(quiet=False)
        made = self._made
        if made is None:
            return None
        match offer:
            case LinkOffer.LINK:
                return CopyText(made.mailto)
            case LinkOffer.HTML:
                return CopyText(made.html)
            case LinkOffer.HEADERS:
                return CopyText("\n".join(_headers(made)))
            case _:
                await self._save(made)
        return None

    def details(self) -> tuple[Section, ...]:
        """Return everything that was made, in full, then the rules."""
        return (*self.state.made, *self.state.sections)

    # -- the link ---------------------------------------------------------------------------------------------------

    def _make(self, *, quiet: bool) -> None:
        """Make what stands for the fields; say what is wrong unless somebody is still typing."""
        texts = {name: entry.text.strip() for name, entry in self.state.entries.items()}
        self._made, wrong, why = _made(texts)
        entries = dict(self.state.entries)
        if wrong is not None and not quiet:
            entries[wrong] = replace(entries[wrong], error=why)
        self._show(
            replace(
                self.state,
                entries=entries,
                made=_sections(self._made),
                offers=(*_offers(self._made), CHECK),
                wrong=None if quiet else wrong,
            )
        )

    async def _save(self, made: Unsubscribe) -> None:
        """Write everything to a text file that was not there."""
        lines = [made.mailto, made.html, made.text, *_headers(made)]
        data = ("\n".join(lines) + "\n").encode()
        try:
            card = await run_to_completion(lambda: _written(self._folder, data))
        except OSError as problem:
            why = shown(problem.strerror or "the system refused", 100)
            card = Card(mood=Mood.FAILED, title="It could not be written", lines=(f"{FILE_NAME}: {why}.",))
        self._show(replace(self.state, card=card))

    # -- the template -----------------------------------------------------------------------------------------------

    @property
    def _running(self) -> bool:
        return self.state.card is not None and self.state.card.mood is Mood.RUNNING

    async def _look_through(self) -> None:
        self._looks += 1
        mine, name = self._looks, self.state.entries[LinkField.TEMPLATE].text.strip()
        if not name:
            self._refuse(NO_FILE)
            return
        self._show(replace(self.state, card=Card(mood=Mood.RUNNING, title=LOOKING), wrong=None))
        try:
            seen = await _seen(name)
        except BaseException:
            if mine == self._looks:
                self._show(replace(self.state, card=None))
            raise
        if mine != self._looks:
            return
        if isinstance(seen, Card):
            self._show(replace(self.state, card=seen))
        else:
            self._refuse(seen)

    def _refuse(self, why: str) -> None:
        """Say what is wrong with the name of the template."""
        entry = replace(self.state.entries[LinkField.TEMPLATE], error=why)
        entries = {**self.state.entries, LinkField.TEMPLATE: entry}
        self._show(replace(self.state, entries=entries, wrong=LinkField.TEMPLATE, card=None))


async def _seen(name: str) -> Card | str:
    """Return what a template has and lacks; else why that cannot be said, in a sentence."""
    try:
        return await _looked(name)
    except InputError as problem:
        return str(problem)
    except OSError as problem:
        return f"It cannot be read: {shown(problem.strerror or 'the system refused', 100)}."


async def _looked(name: str) -> Card:
    """Look for link, header and postal address in a template. Raises `InputError`, `OSError`."""
    if has_control(name):
        raise InputError(phrase("There is no file of that name: it has a character in it that no name has."))
    data = await in_thread(lambda: read_bounded(absolute(Path(name)), LARGEST, cut=True))
    report = await in_thread(lambda: check_template(data))
    bad = sum(not each.good for each in report.seen)
    lines = tuple(f"{'✓' if each.good else '✗'}  {each.words}" for each in report.seen)
    title = "1 thing is missing" if bad == 1 else f"{bad} things are missing" if bad else "Nothing is missing"
    return Card(mood=Mood.FAILED if bad else Mood.PASSED, title=title, lines=lines)


def _written(folder: Path | None, data: bytes) -> Card:
    """Write the file; what is there already is left. Raises `OSError`."""
    path = ((folder or Path.cwd()) / FILE_NAME).absolute()
    name = shown(str(path), 300)
    if path.exists():
        return Card(mood=Mood.WARNED, title="There is such a file already", lines=(f"{name} was left as it is.",))
    write_private(path, data)
    return Card(mood=Mood.PASSED, title="Written", lines=(name,))


def _known(accounts: Callable[[], Sequence[Account]]) -> str:
    """Return the sender of the first account, '' where there is none."""
    try:
        found = accounts()
    except EXPECTED_ERRORS:
        return ""  # the list of accounts says what is wrong with it
    return str(found[0].from_address) if found else ""


def _rules() -> tuple[Section, ...]:
    try:
        return tuple(Section(each.name, (each.words,)) for each in rules())
    except EXPECTED_ERRORS:
        return ()  # they only explain: the link can be made without them


def _made(texts: Mapping[LinkField, str]) -> tuple[Unsubscribe | None, LinkField | None, str]:
    """Return what stands for the fields; else the first field that is wrong, and why."""
    tries: Mapping[LinkField, Callable[[str], object]] = {
        LinkField.ADDRESS: Address.parse,
        LinkField.SUBJECT: lambda text: unsubscribe(_ANYBODY, subject=text),
        LinkField.URL: lambda text: unsubscribe(_ANYBODY, url=text),
    }
    for name, parse in tries.items():
        try:
            parse(texts[name])
        except InputError as problem:
            return None, name, str(problem)
    address = Address.parse(texts[LinkField.ADDRESS])
    return unsubscribe(address, subject=texts[LinkField.SUBJECT], url=texts[LinkField.URL]), None, ""


def _headers(made: Unsubscribe) -> Iterator[str]:
    for name, value in made.headers:
        yield f"{name}: {value}"


def _sections(made: Unsubscribe | None) -> tuple[Section, ...]:
    if made is None:
        return ()
    headers = (*_headers(made), *(() if made.one_click else (ONE_CLICK,)))
    return (
        Section("Link", (made.mailto,)),
        Section("HTML", (made.html,)),
        Section("Text", (made.text,)),
        Section("Headers", headers),
    )


def _offers(made: Unsubscribe | None) -> Iterator[Offer[LinkOffer]]:
    """Yield what may be done with the link; what will be copied stands below each, as soon as there is something."""
    link, html, headers = "It opens a message to you.", "The same, to click on.", "For whoever builds the message."
    if made is not None:
        link, html, headers = made.mailto, made.html, next(_headers(made))
    yield Offer(LinkOffer.LINK, "Copy the link", _short(link), chip="Copy the link")
    yield Offer(LinkOffer.HTML, "Copy the HTML for a template", _short(html), chip="Copy the HTML")
    yield Offer(LinkOffer.HEADERS, "Copy the headers", _short(headers), chip="Copy the headers")
    yield Offer(LinkOffer.SAVE, "Write all of it to a file", chip="Write it")


def _short(text: str) -> str:
    return text if len(text) <= _MOST_NOTE else text[: _MOST_NOTE - 1] + "…"
