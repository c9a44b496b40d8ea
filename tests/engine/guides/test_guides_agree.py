"""No sentence of a guide contradicts the catalogue, no guide is named in vain, and every guide can be found.

Every server, port, kind of encryption, limit, date and length in a guide's words is looked for and compared with what
the catalogue says of the providers that the guide is about. What the old article says may stand only where a sentence
speaks of the article, or in a remark on what the article called it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from smtp_wizard.engine.base.endpoint import Security
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.diagnosis.diagnosis import load_diagnosis
from smtp_wizard.engine.guides.guides import Guide, load_guides
from smtp_wizard.engine.mailbox.faults import ImapFailed, MailboxFault
from smtp_wizard.engine.mailbox.findings import MailboxDescription, finding_of
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.providers.limits import MEGABYTE, Counted, Per, SendLimit
from smtp_wizard.engine.providers.provider import AccessPath, Provider, UsernameForm
from smtp_wizard.text.wizard import FOUND_SERVER_GUIDE
from tests.engine.guides.test_guides import named_guides
from tests.support.rows import each_row

CATALOG = load_catalog()
GUIDES = load_guides()
ALL = each_row("guide", GUIDES.values(), ids=lambda guide: guide.id)

ALSO_ABOUT = {
    "gmx-webde": ("gmx", "web-de"),
    "microsoft365-admin": ("microsoft365",),
    "netease": ("netease-163", "netease-126", "netease-yeah"),
    "spectrum": ("charter", "roadrunner"),
}
"""Guides whose providers neither a path nor the guide's own name tells."""

OTHERS_OF_THE_ARTICLE = {
    "bounces": "what comes back",
    "limits": "what to do when a list is too large",
    "own-mailbox": "why one's own mailbox",
    "scope": "General Emails Only or For All Emails",
    "servicemonster-fields": "the screen of the application, opened when all is done",
    "unsubscribe": "the law, and the link in a template",
}
"""What the article explains besides ways in. The list of guides is their place; the program opens some by itself."""

NOT_A_LIMIT = {
    ("limits", "50 people"): "an example of how messages and recipients are counted",
    ("limits", "50 recipients"): "an example of how messages and recipients are counted",
    ("unsubscribe", "5,000 messages a day"): "from how many on Gmail calls a sender a bulk sender; it limits nobody",
}
NOT_A_SECRET = {
    ("gmail-no-phone", "6 digits"): "the code of an authenticator app",
    ("gmail-app-password", "16-digit"): "the title of a page of Google's, which counts letters as digits",
}
NOT_A_RETIREMENT = {
    ("aol-app-password", "2026-06-28"): "the day since when one source reports it; the catalogue has the planned day",
}
"""What looks like a fact about a provider and is none, each with the reason."""

GENERAL = {(465, Security.TLS), (587, Security.STARTTLS)}
"""The two ports of RFC 8314 and RFC 6409, which a guide to no particular server speaks of."""

IN_THE_ARTICLE = {465, 587}
"""The article's rule for everybody: enter "587" or "465"."""


@dataclass(frozen=True)
class Clause:
    """A piece of a guide that says one thing."""

    text: str
    documented: bool
    """It says what the article says."""


def clauses(guide: Guide) -> Iterator[Clause]:
    """Yield the pieces between full stops, colons and semicolons, without web addresses."""
    said = [guide.title, *guide.intro, *(step.text for step in guide.steps), *guide.outro]
    remarks = [step.then for step in guide.steps]
    for text, remark in [*((text, False) for text in said), *((text, True) for text in remarks)]:
        for sentence in re.split(r"(?<=[.?!])[\"”)]*\s+", re.sub(r"https://\S+", "", text)):
            documented = remark or re.search(r"\barticle\b", sentence) is not None
            yield from (Clause(piece, documented) for piece in re.split(r"[:;]\s", sentence))


def about(guide: Guide) -> tuple[Provider, ...]:
    """Return the providers that a guide is about: those that point to it, and those that it names."""
    ids = {provider.id for provider in CATALOG.providers for path in provider.paths if path.guide == guide.id}
    ids |= {path.partition("/")[0] for path in guide.paths} | {guide.id, *ALSO_ABOUT.get(guide.id, ())}
    return tuple(provider for provider in CATALOG.providers if provider.id in ids)


def paths_of(guide: Guide) -> tuple[AccessPath, ...]:
    """Return the ways in that a guide explains."""
    return tuple(
        path
        for provider in CATALOG.providers
        for path in provider.paths
        if path.guide == guide.id or f"{provider.id}/{path.id}" in guide.paths
    )


# --- servers ----------------------------------------------------------------------------------------------------------

HOST = re.compile(r"(?<![@\w.-])(?:[a-z0-9-]+\.)+[a-z]{2,}(?![\w-])")


def hosts(text: str) -> list[str]:
    """Return the names of hosts in a text, those apart that are kept for examples (RFC 2606)."""
    return [name for name in HOST.findall(text) if not re.search(r"(^|\.)example\.com$", name)]


def servers(provider: Provider) -> set[str]:
    return {each.endpoint.host for each in provider.endpoints}


@ALL
def test_every_server_in_a_guide_is_in_the_catalogue(guide: Guide) -> None:
    mine = {host for provider in about(guide) for host in servers(provider)}
    documented = {provider.documented.host for provider in about(guide) if provider.documented}
    for clause in clauses(guide):
        for host in hosts(clause.text):
            known = host in mine or (clause.documented and host in documented)
            assert known or CATALOG.by_domain(host) is not None, f"{host} in: {clause.text}"


@dataclass(frozen=True)
class Doors:
    """The ports that a clause may name, and how each is encrypted."""

    offered: frozenset[tuple[int, Security]]
    documented: frozenset[int]

    @classmethod
    def of(cls, guide: Guide, text: str) -> Doors:
        """Take those of the servers in the text; without one, those of the guide's providers; else the general ones."""
        named = set(hosts(text))
        mine = [each for provider in about(guide) for each in provider.endpoints]
        chosen = [each for each in mine if each.endpoint.host in named] or mine
        offered = {(each.endpoint.port, each.endpoint.security) for each in chosen if each.offered}
        told = {port for provider in about(guide) if provider.documented for port in provider.documented.ports}
        return cls(frozenset(offered or GENERAL), frozenset(told | IN_THE_ARTICLE))

    @property
    def ports(self) -> set[int]:
        return {port for port, _ in self.offered}


PORT = re.compile(r"(?<![\d.,-])(25|26|80|465|587|1025|2465|2525|2587|3535)(?![\d,]\d|\d|\.\d|-)")
NO_SUCH_PORT = re.compile(r"\bno port\b|\bis not offered\b|^Do not use\b|\bfor servers among themselves\b")
ENCRYPTED = re.compile(r"\b(\d+)(?: here)? (?:with|and) (SSL/TLS|STARTTLS)\b")
ENCRYPTED_TOO = re.compile(r"\b(SSL/TLS|STARTTLS) on the same port (\d+)\b")


@ALL
def test_every_port_in_a_guide_is_one_of_its_servers(guide: Guide) -> None:
    for clause in clauses(guide):
        doors = Doors.of(guide, clause.text)
        for port in map(int, PORT.findall(FIGURE.sub("", clause.text))):
            if NO_SUCH_PORT.search(clause.text):
                assert port not in doors.ports, clause.text
            else:
                assert port in doors.ports or (clause.documented and port in doors.documented), clause.text


@ALL
def test_no_other_number_is_called_a_port(guide: Guide) -> None:
    for clause in clauses(guide):
        for port in re.findall(r"\b[Pp]orts? (\d+)", clause.text):
            assert PORT.fullmatch(port), clause.text


@ALL
def test_every_port_is_encrypted_as_a_guide_says(guide: Guide) -> None:
    for clause in clauses(guide):
        pairs = ENCRYPTED.findall(clause.text)
        pairs += [(port, words) for words, port in ENCRYPTED_TOO.findall(clause.text)]
        for port, words in pairs:
            offered = {(each, security.words) for each, security in Doors.of(guide, clause.text).offered}
            assert (int(port), words) in offered, clause.text


# --- limits -----------------------------------------------------------------------------------------------------------

NUMBER = r"(?<![\d.-])(\d{1,3}(?:,\d{3})+|\d+)"
FIGURE = re.compile(
    NUMBER + r" (messages?|e-?mails?|mails|recipients?|people|addresses|MB|megabytes|connections)\b"
    r"(?: (?:a|an|per|each|every|in one) (second|minute|hour|day|week|month|message))?"
)
COUNTED = {"me": Counted.MESSAGES, "em": Counted.MESSAGES, "e-": Counted.MESSAGES, "ma": Counted.MESSAGES}
COUNTED |= {"re": Counted.RECIPIENTS, "pe": Counted.RECIPIENTS, "ad": Counted.RECIPIENTS, "co": Counted.CONNECTIONS}


def counted(word: str) -> Counted:
    return Counted.BYTES if word in {"MB", "megabytes"} else COUNTED[word[:2]]


def matches(limit: SendLimit, number: int, word: str, per: str) -> bool:
    what = counted(word)
    value = number * MEGABYTE if what is Counted.BYTES else number
    return (limit.what, limit.value) == (what, value) and (not per or limit.per is Per(per))


def notes(provider: Provider) -> str:
    """Return what the catalogue says about a provider's limits in words."""
    today = provider.documented.limits_today if provider.documented else ""
    return f"{provider.limits_note} {today}"


@ALL
def test_every_limit_in_a_guide_is_in_the_catalogue(guide: Guide) -> None:
    for clause in clauses(guide):
        for found in FIGURE.finditer(clause.text):
            if (guide.id, found[0]) in NOT_A_LIMIT:
                continue
            number, word, per = int(found[1].replace(",", "")), found[2], found[3] or ""
            limits = [limit for provider in about(guide) for limit in provider.limits]
            if clause.documented:
                limits += [
                    each for provider in about(guide) if provider.documented for each in provider.documented.limits
                ]
            in_words = any(re.search(rf"\b{found[1]}\b", notes(provider)) for provider in about(guide))
            assert in_words or any(matches(limit, number, word, per) for limit in limits), clause.text


# --- secrets, user names, dates ---------------------------------------------------------------------------------------

LENGTH = re.compile(r"\b(\d+)[- ](?:letters?|characters?|digits?|signs?)\b")


@ALL
def test_every_length_of_a_password_in_a_guide_is_the_catalogue_s(guide: Guide) -> None:
    lengths = {path.secret_form.length for path in paths_of(guide) if path.secret_form}
    for clause in clauses(guide):
        for found in LENGTH.finditer(clause.text):
            if (guide.id, found[0]) not in NOT_A_SECRET:
                assert int(found[1]) in lengths, clause.text


def test_a_user_name_that_is_one_word_for_everybody_stands_in_the_guide() -> None:
    for guide in GUIDES.values():
        for provider in about(guide):
            if provider.username_form is UsernameForm.LITERAL and provider.id == guide.id:
                steps = [step.text for step in guide.steps if provider.username_literal in step.text.split()]
                assert steps, f"{guide.id} says nothing of '{provider.username_literal}'"


def days(provider: Provider) -> set[str]:
    """Return every day on which something began or ended at a provider."""
    found = {each.date for each in provider.retirements}
    return found | {day for path in provider.paths for day in (path.since, path.retired_on) if day}


@ALL
def test_every_day_since_when_something_holds_is_the_catalogue_s(guide: Guide) -> None:
    for clause in clauses(guide):
        for day in re.findall(r"\b[Ss]ince (\d{4}-\d{2}-\d{2})\b", clause.text):
            if about(guide) and (guide.id, day) not in NOT_A_RETIREMENT:
                assert day in {each for provider in about(guide) for each in days(provider)}, clause.text


# --- exceptions that are none any more --------------------------------------------------------------------------------


@each_row(("guide_id", "words"), [*NOT_A_LIMIT, *NOT_A_SECRET, *NOT_A_RETIREMENT])
def test_an_exception_still_stands_in_its_guide(guide_id: str, words: str) -> None:
    guide = GUIDES[guide_id]
    assert any(words in clause.text for clause in clauses(guide)), "take the exception out of the list"


# --- what leads to a guide --------------------------------------------------------------------------------------------


def test_every_guide_that_is_pointed_to_exists() -> None:
    for provider in CATALOG.providers:
        for path in provider.paths:
            assert path.guide is None or path.guide in GUIDES, f"{provider.id}/{path.id}"
    assert load_diagnosis().guides <= GUIDES.keys()
    for guide in GUIDES.values():
        assert guide.leads_to is None or guide.leads_to in GUIDES
    assert OTHERS_OF_THE_ARTICLE.keys() <= GUIDES.keys()
    assert ALSO_ABOUT.keys() <= GUIDES.keys()


def test_a_way_in_has_the_guide_that_says_so() -> None:
    for guide in GUIDES.values():
        for place in guide.paths:
            provider_id, _, path_id = place.partition("/")
            provider = CATALOG.get(provider_id)
            path = provider.path(path_id) if provider else None
            assert path is not None, f"{guide.id}: there is no way in '{place}'"
            assert path.guide == guide.id, f"{place} points to {path.guide}"


def led_to(guide: Guide) -> set[str]:
    """Return the guides that a guide sends its reader to."""
    texts = [*guide.intro, *(step.text for step in guide.steps), *guide.outro]
    return {name for text in texts for name in named_guides(text)} | ({guide.leads_to} if guide.leads_to else set())


def test_every_guide_is_reached_from_somewhere() -> None:
    reached = {path.guide for provider in CATALOG.providers for path in provider.paths if path.guide}
    reached |= load_diagnosis().guides | OTHERS_OF_THE_ARTICLE.keys() | {FOUND_SERVER_GUIDE}
    mailbox = MailboxDescription(address=shown("ana@example.com"))
    reached |= {guide for fault in MailboxFault if (guide := finding_of(ImapFailed(fault), mailbox).guide)}
    while more := {name for guide_id in reached for name in led_to(GUIDES[guide_id])} - reached:
        reached |= more
    assert GUIDES.keys() - reached == set()


# --- the looking itself -----------------------------------------------------------------------------------------------


def test_hosts_are_told_from_addresses_numbers_and_examples() -> None:
    assert hosts("Keep smtp.gmail.com, not ana@web.de or mail.example.com. It is 5.7.139.") == ["smtp.gmail.com"]


def test_ports_are_told_from_codes_and_other_numbers() -> None:
    found = PORT.findall('Ports 465 and "587", 2,525 or 25,000, 5.465 in 80 days, 535 5.7.8, 2026-11-25, 25.')
    assert found == ["465", "587", "80", "25"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("up to 10,000 recipients a day", ("10,000", "recipients", "day")),
        ("500 emails per hour", ("500", "emails", "hour")),
        ("100 recipients in one message", ("100", "recipients", "message")),
        ("10 MB", ("10", "MB", None)),
    ],
)
def test_figures_are_found(words: str, found: tuple[str, str, str | None]) -> None:
    figure = FIGURE.search(words)
    assert figure is not None
    assert figure.groups() == found


def test_a_clause_knows_whether_the_article_speaks() -> None:
    [guide] = [each for each in GUIDES.values() if each.id == "bluehost"]
    told = {clause.text: clause.documented for clause in clauses(guide)}
    assert told["Other sources name 500 messages an hour for each domain."] is False
    assert any(documented and "Contact Bluehost" in text for text, documented in told.items())


def spoilt(guide: Guide, old: str, new: str) -> Guide:
    """Return a guide with a slip in it."""
    assert any(old in clause.text for clause in clauses(guide))
    return replace(
        guide,
        intro=tuple(text.replace(old, new) for text in guide.intro),
        steps=tuple(replace(step, text=step.text.replace(old, new)) for step in guide.steps),
        outro=tuple(text.replace(old, new) for text in guide.outro),
    )


@pytest.mark.parametrize(
    ("check", "guide_id", "old", "new"),
    [
        (test_every_server_in_a_guide_is_in_the_catalogue, "rackspace", "emailsrvr.com", "emailserver.com"),
        (test_every_server_in_a_guide_is_in_the_catalogue, "cox", "smtp.mail.yahoo.com", "smtp.gmail.com"),
        (test_every_port_in_a_guide_is_one_of_its_servers, "microsoft365-admin", "port 587", "port 465"),
        (test_every_port_in_a_guide_is_one_of_its_servers, "microsoft365", "no port 465", "no port 587"),
        (test_every_port_in_a_guide_is_one_of_its_servers, "godaddy", "port 465", "port 80"),
        (test_no_other_number_is_called_a_port, "rackspace", "port 465", "port 993"),
        (test_every_port_is_encrypted_as_a_guide_says, "custom", "465 with SSL/TLS", "465 with STARTTLS"),
        (test_every_limit_in_a_guide_is_in_the_catalogue, "ionos", "50 messages", "60 messages"),
        (
            test_every_limit_in_a_guide_is_in_the_catalogue,
            "fastmail-app-password",
            "8,000 messages a day",
            "8,000 messages a week",
        ),
        (test_every_limit_in_a_guide_is_in_the_catalogue, "spectrum", "The article gives", "Spectrum gives"),
        (test_every_length_of_a_password_in_a_guide_is_the_catalogue_s, "google-workspace", "16 letters", "19 letters"),
        (test_every_day_since_when_something_holds_is_the_catalogue_s, "outlook-com", "2024-09-16", "2024-09-17"),
    ],
)
def test_a_slip_in_a_guide_is_noticed(check: Callable[..., None], guide_id: str, old: str, new: str) -> None:
    of_one = inspect.unwrap(check)
    of_one(GUIDES[guide_id])
    with pytest.raises(AssertionError):
        of_one(spoilt(GUIDES[guide_id], old, new))
