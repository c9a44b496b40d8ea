"""What does my application say? A pasted error, log or returned message, what it means, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.base.data_files import DataError
from smtp_wizard.engine.base.shown import cut, shown
from smtp_wizard.engine.base.threads import in_thread
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.diagnosis.rule_file import UNKNOWN
from smtp_wizard.engine.explain.explain import Explainer, Explanation
from smtp_wizard.engine.guides.guides import Guide, Guides, UnknownGuide, fill
from smtp_wizard.engine.guides.named_guides import with_titles
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.flows.flow import Card, CopyText, Entry, Flow, Mood, Offer, ReadGuide, Section
from smtp_wizard.output.plain_lines import endpoint_words, who_words
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.text.areas.on_screens import on_screens, steps_on_screens
from smtp_wizard.text.explain import (
    BOUNCES_GUIDE,
    EXPLAIN_LABEL,
    EXPLAIN_QUESTION,
    EXPLAINING,
    NOTHING_PASTED,
    alternative_words,
    came_back,
    confidence_words,
    guide_note,
    guide_verb,
    matched_words,
    provider_unknown,
    sure_words,
)

QUOTED = 2
"""Lines of the pasted text that stand above the answer."""
QUOTED_WIDTH = 140
MAIL_CAME_BACK = "What to do with mail that came back"
DIAGNOSTIC = 5
"""Enhanced codes and replies begin with one of the figures up to this one (RFC 3463, RFC 5321 4.2.1)."""


class ExplainOffer(StrEnum):
    """What may be done with a pasted text, and with what it means."""

    EXPLAIN = "explain"
    GUIDE = "guide"
    BOUNCES = "bounces"
    TEST = "test"
    COPY = "copy"
    ANEW = "anew"


@dataclass(frozen=True, slots=True)
class CheckAccount:
    """Sign in to this account again."""

    name: str


ExplainLeads = ReadGuide | CheckAccount | CopyText


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainState:
    """What a face shows. The pasted text itself is the face's and the flow's, never the state's."""

    question: str = EXPLAIN_QUESTION
    entry: Entry = field(default_factory=lambda: Entry(label=EXPLAIN_LABEL))
    quoted: tuple[str, ...] = ()
    """The first lines of what was pasted, once it is explained."""
    said_by: str = ""
    """Whose words these are, where that is known."""
    card: Card | None = None
    sections: tuple[Section, ...] = ()
    offers: tuple[Offer[ExplainOffer], ...] = (Offer(ExplainOffer.EXPLAIN, "Explain it"),)
    answered: bool = False


class ExplainFlow(Flow[ExplainState, ExplainOffer, ExplainLeads]):
    """One text after the other. Nothing of a text is kept once the next is pasted, or the flow is gone."""

    def __init__(
        self,
        catalog: Catalog,
        guides: Guides,
        accounts: Callable[[], Sequence[Account]],
        load: Callable[[], Explainer],
    ) -> None:
        """`accounts`: reads the saved ones. `load`: reads the rules, when they are first needed."""
        super().__init__(ExplainState())
        self._catalog = catalog
        self._guides = guides
        self._accounts = accounts
        self._load = load
        self._explainer: Explainer | None = None
        self._text = ""
        self._provider = ""
        self._account: Account | None = None
        self.explanation: Explanation | None = None
        """What the state shows, in full."""

    def paste(self, text: str, *, provider: str = "", cut: str = "") -> None:
        """Take a text in the place of the one before. `provider`: whose server it was, where that is known.

        `cut` says that the face left something of it out.
        """
        self._text, self._provider = text, provider.strip()
        if self.state.entry.error or self.state.entry.hint != cut:
            self._show(replace(self.state, entry=replace(self.state.entry, error="", hint=cut)))

    async def act(self, offer: ExplainOffer) -> ExplainLeads | None:
        """Explain the text, or go where the answer leads."""
        finding = self.explanation.finding if self.explanation is not None else None
        match offer:
            case ExplainOffer.EXPLAIN:
                await self._explain()
            case ExplainOffer.GUIDE if finding is not None and finding.guide:
                return ReadGuide(finding.guide)
            case ExplainOffer.BOUNCES:
                return ReadGuide(BOUNCES_GUIDE)
            case ExplainOffer.TEST if self._account is not None:
                return CheckAccount(self._account.name)
            case ExplainOffer.COPY if finding is not None and finding.forward:
                return CopyText(finding.forward)
            case ExplainOffer.ANEW:
                self.explanation, self._account = None, None
                self._text = self._provider = ""
                self._show(ExplainState())
            case _:
                pass
        return None

    # -- explaining -------------------------------------------------------------------------------------------------

    async def _explain(self) -> None:
        before, text, provider = self.state, self._text, self._provider
        if not text.strip():
            self._show(replace(before, entry=replace(before.entry, error=NOTHING_PASTED)))
            return
        self._show(replace(before, card=Card(mood=Mood.RUNNING, title=EXPLAINING)))
        answered = False
        try:
            explanation, known = await in_thread(lambda: self._explained(text, provider))
            account = await in_thread(lambda: self._its_account(explanation))
            answered = True
        except EXPECTED_ERRORS as problem:
            self._show(
                replace(before, card=Card(mood=Mood.FAILED, title="Nothing can be explained", lines=(str(problem),)))
            )
            return
        finally:
            if not answered and self.state.card is not None and self.state.card.mood is Mood.RUNNING:
                self._show(before)  # another text takes over, or the person went on
        self.explanation = explanation
        self._account = account
        cut = f"The text was {before.entry.hint}." if before.entry.hint else ""
        note = provider_unknown(shown(provider, 60)) if provider and not known else cut
        self._show(self._answer(explanation, text, note))

    def _explained(self, text: str, provider: str) -> tuple[Explanation, bool]:
        """Return what a text means, and whether the provider is known. Runs beside the event loop."""
        explainer = self._explainer = self._explainer or self._load()
        explanation = explainer.explain_text(text, provider=provider or None)
        return explanation, explainer.provider_called(provider) is not None

    def _its_account(self, explanation: Explanation) -> Account | None:
        """Return the saved account that the text is about: the only one of that provider, or the only one of all."""
        try:
            accounts = self._accounts()
        except EXPECTED_ERRORS:
            return None  # the list of accounts says what is wrong with it
        same = [each for each in accounts if each.connection.provider == explanation.provider]
        able = same if explanation.provider is not None else list(accounts)
        return able[0] if len(able) == 1 else None

    # -- what is shown ----------------------------------------------------------------------------------------------

    def _answer(self, explanation: Explanation, text: str, note: str) -> ExplainState:
        provider = self._catalog.get(explanation.provider)
        return ExplainState(
            entry=replace(self.state.entry, error=""),
            quoted=tuple(first_lines(text)),
            said_by=f"{cut(provider.name, 40)} said this" if provider is not None else "",
            card=_card(explanation, note),
            sections=tuple(_sections(explanation)),
            offers=tuple(self._offers(explanation)),
            answered=True,
        )

    def _offers(self, explanation: Explanation) -> Iterator[Offer[ExplainOffer]]:
        finding = explanation.finding
        if finding.guide != BOUNCES_GUIDE and (guide := self.guide_of(finding.guide)) is not None:
            yield Offer(ExplainOffer.GUIDE, guide_verb(guide), guide_note(guide), chip="Open the guide")
        if finding.forward:
            yield Offer(
                ExplainOffer.COPY,
                f"Copy a message for {_them(finding.who)}",
                "Ready to be sent as it is.",
                chip="Copy it",
            )
        if came_back(explanation) and (guide := self.guide_of(BOUNCES_GUIDE)) is not None:
            yield Offer(ExplainOffer.BOUNCES, MAIL_CAME_BACK, guide_note(guide), chip="Open the guide")
        if self._account is not None and not came_back(explanation):
            name = cut(self._account.name, 40)
            yield Offer(
                ExplainOffer.TEST, f"Test my account '{name}'", "Does the saved password still work?", chip="Test it"
            )
        yield Offer(ExplainOffer.ANEW, "Explain something else", chip="Begin anew")

    def guide_of(self, guide_id: str | None) -> Guide | None:
        """Return a guide as it is shown here, None where there is none of that name."""
        try:
            return with_titles(fill(self._guides.get(guide_id)), self._guides) if guide_id else None
        except (DataError, UnknownGuide):  # the answer holds without it
            return None

    def details(self) -> tuple[Section, ...]:
        """Return every word of the answer."""
        return tuple(explanation_details(self.explanation)) if self.explanation is not None else ()


def first_lines(text: str) -> Iterator[str]:
    """Yield the lines of a pasted text by which a person knows it again: from the first that has a reply in it."""
    lines = [line for line in text[:20_000].splitlines() if line.strip()]
    begin = next((at for at, line in enumerate(lines) if _has_reply(line)), 0)
    for line in lines[begin : begin + QUOTED]:
        yield shown(line.strip(), QUOTED_WIDTH)


def _has_reply(line: str) -> bool:
    words = line.replace("-", " ").split()
    return any(word.isdigit() and len(word) == 3 and 4 <= int(word[0]) <= DIAGNOSTIC for word in words[:40])


def _card(explanation: Explanation, note: str) -> Card:
    finding = explanation.finding
    mood = Mood.TOLD if explanation.cause == UNKNOWN else Mood.WARNED if finding.warning else Mood.FAILED
    lines = (on_screens(finding.explanation), _who_acts(finding), note)
    return Card(mood=mood, title=finding.title, lines=tuple(filter(None, lines)), foot=sure_words(explanation))


def _who_acts(finding: Finding) -> str:
    """Say who acts, and what comes first for the person who reads this."""
    first = next(iter(steps_on_screens(finding.steps)), "")
    if finding.who is Who.YOU:
        return f"You: {first}" if first else ""
    return f"{who_words(finding.who)} must act. {first}".strip()


def _them(who: Who) -> str:
    return "them" if who is Who.YOU else f"{who_words(who)[0].lower()}{who_words(who)[1:]}"


def _sections(explanation: Explanation) -> Iterator[Section]:
    finding = explanation.finding
    steps = steps_on_screens(finding.steps)
    if len(steps) > 1:
        yield Section("What to do", tuple(f"{at}. {step}" for at, step in enumerate(steps, 1)))
    others = (alternative_words(other) for other in explanation.alternatives)
    yield Section("How sure is that?", (confidence_words(explanation), *others))


def explanation_details(explanation: Explanation) -> Iterator[Section]:
    """Yield every word of an answer, part by part."""
    finding = explanation.finding
    steps = steps_on_screens(finding.steps)
    yield Section(finding.title, (on_screens(finding.explanation),))
    if steps:
        yield Section(who_words(finding.who), tuple(f"{at}. {step}" for at, step in enumerate(steps, 1)))
    if finding.fix is not None:
        yield Section("Try instead", (endpoint_words(finding.fix),))
    if finding.server_said:
        yield Section("The server's own words", (finding.server_said,))
    if finding.forward:
        yield Section("A message that you can send as it is", (finding.forward,))
    seen = matched_words(explanation.matched)
    others = (alternative_words(other) for other in explanation.alternatives)
    words = (confidence_words(explanation), *others, f"Seen: {seen}" if seen else "")
    yield Section("How sure is that?", tuple(filter(None, words)))
