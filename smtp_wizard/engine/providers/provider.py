"""What is known about one mail provider: its servers, its ways in, its limits, each with who says so and when."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Annotated

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.confidence import Confidence
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Endpoint, Port
from smtp_wizard.engine.base.records import INLINE, Whole
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import Shown
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.oauth.server import OAuthServer
from smtp_wizard.engine.providers.limits import AccountKind, SendLimit


class ProviderKind(StrEnum):
    """What a provider is to the person."""

    MAILBOX = "mailbox"
    ISP = "isp"
    """An internet access provider that gives mailboxes to its customers."""
    HOSTING = "hosting"
    RELAY = "relay"
    """Sends only. It cannot be seen from an address or a domain: it is always a choice."""
    NO_SMTP = "no-smtp"
    """Has no way in for another program."""
    CUSTOM = "custom"
    """Not a provider: the person enters the server by hand."""
    SANDBOX = "sandbox"
    """The practice server on this computer."""


class ProviderStatus(StrEnum):
    """How a provider's mail service stands."""

    ACTIVE = "active"
    MIGRATING = "migrating"
    MIGRATED = "migrated"
    """Somebody else runs the mailboxes now: see `successor`."""
    RETIRING = "retiring"
    RETIRED = "retired"
    NO_SMTP = "no-smtp"
    UNKNOWN = "unknown"


class PathStatus(StrEnum):
    """Whether a way in can be used."""

    WORKS = "works"
    """Nothing is known that stands in its way."""
    NEEDS_PREPARATION = "needs-preparation"
    """Works after something has been done at the provider; the guide says what."""
    RETIRED = "retired"
    """The provider has closed it. It is shown because people still look for it, and leads to what replaced it."""
    NEVER = "never"
    """The provider has never had it. It is shown because people look for it, and leads elsewhere."""


class PathAuth(StrEnum):
    """What the person has in hand to sign in with."""

    PASSWORD = "password"
    APP_PASSWORD = "app-password"
    OAUTH2 = "oauth2"
    KEY = "key"
    """A relay's key: typed where a password is typed."""
    NONE = "none"
    """The server asks for no sign-in."""

    @property
    def needs(self) -> Auth:
        """What the SMTP conversation needs for it."""
        return {PathAuth.OAUTH2: Auth.XOAUTH2, PathAuth.NONE: Auth.NONE}.get(self, Auth.PASSWORD)


class UsernameForm(StrEnum):
    """What the provider wants as a user name."""

    FULL_ADDRESS = "full-address"
    LOCAL_PART = "local-part"
    """The part before the @."""
    LITERAL = "literal"
    """One fixed word for everybody: see `Provider.username_literal`."""
    GIVEN = "given"
    """The provider makes one up and shows it; it cannot be guessed from the address."""


class Alphabet(StrEnum):
    """What the characters of a made-up secret are."""

    LETTERS = "letters"
    LETTERS_AND_DIGITS = "letters-and-digits"
    LETTERS_AND_HYPHENS = "letters-and-hyphens"


_ALPHABETS = {
    Alphabet.LETTERS: re.compile(r"[A-Za-z]+"),
    Alphabet.LETTERS_AND_DIGITS: re.compile(r"[A-Za-z0-9]+"),
    Alphabet.LETTERS_AND_HYPHENS: re.compile(r"[A-Za-z-]+"),
}


class SourceKind(StrEnum):
    """Who is speaking in a source."""

    OFFICIAL = "official"
    ISPDB = "ispdb"
    COMMUNITY = "community"
    ARTICLE = "article"
    OWN = "own"


class SourceAccess(StrEnum):
    """How a source was read."""

    DIRECT = "direct"
    """The page itself."""
    COPY = "copy"
    """A copy of the page elsewhere."""
    QUOTED = "quoted"
    """Somebody else's dated reading of it."""
    NAMED_ONLY = "named-only"
    """Another source points to it; its text was not seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a fact comes from."""

    id: str
    title: str
    kind: SourceKind
    date: str
    """The day the text is known for, or 'undated'."""
    seen: SourceAccess
    url: str = ""
    """Empty where there is no address to give."""
    says: tuple[str, ...] = ()
    """The sentences in it that say so, word for word; empty where it is a list."""
    listing: bool = False
    """It is a list, a table of servers or mail hosts: its entries are the facts, and no sentence of it is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretForm:
    """The shape of a secret that a provider makes up, so that a paste can be tidied and a wrong paste noticed."""

    length: Whole
    """How many characters are left once it is tidied."""
    alphabet: Alphabet
    groups: Whole = 0
    """The provider shows it in groups of so many; 0: in one piece."""
    strip_blanks: bool = True
    """The blanks between the groups are no part of it."""

    def tidy(self, text: str) -> str:
        """Return what was pasted without blanks, line ends and invisible characters; unchanged where blanks count."""
        if not self.strip_blanks:
            return text
        return "".join(ch for ch in text if not ch.isspace() and unicodedata.category(ch) not in {"Cf", "Cc"})

    def fits(self, text: str) -> bool:
        """Does what was typed have this shape, once tidied?"""
        tidied = self.tidy(text)
        return len(tidied) == self.length and _ALPHABETS[self.alphabet].fullmatch(tidied) is not None

    def grouped(self, text: str) -> str:
        """Return the tidied text in the provider's groups, as it is read aloud or typed by hand."""
        tidied = self.tidy(text)
        if not self.groups:
            return tidied
        return " ".join(tidied[at : at + self.groups] for at in range(0, len(tidied), self.groups))


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPath:
    """One way of getting a program to send through a provider."""

    id: str
    title: str
    summary: str
    """One or two plain sentences: what it takes."""
    answer: str = ""
    """What a person for whom it is the right way answers to the provider's question; '' where none is asked."""
    answer_note: str = ""
    """One sentence below the answer; '' where the summary says it."""
    status: PathStatus
    auth: PathAuth
    guide: str | None = None
    """The id of the guide that leads through it."""
    note: str = ""
    retired_on: str | None = None
    """The day the provider closed it, or has said it will; 'undated' where only the fact is known."""
    since: str | None = None
    """The day from which it has been possible."""
    instead: tuple[str, ...] = ()
    """Other ways on, best first: the id of another path of this provider, or a plain sentence."""
    secret_label: str = ""
    """What the secret is called on the screen; empty where none is typed."""
    documented: bool = False
    """The old article describes it."""
    disputed: str = ""
    """Where sources contradict each other about it: both sides. Empty where they agree."""
    sources: tuple[str, ...] = ()
    """Ids of the sources."""
    scenarios: tuple[str, ...] = ()
    """Names of the practice server's scenarios that make sense on this path."""
    scenario: str | None = None
    """For the practice server's own paths: the one scenario that this path plays."""
    oauth: OAuthServer | None = None
    """Where a sign-in in the browser takes place; None for every other sign-in, and where it is not known."""
    secret_form: SecretForm | None = None

    @property
    def closed(self) -> bool:
        """Whether nobody gets through, whatever is done: `instead` says where to go on."""
        return self.status in (PathStatus.RETIRED, PathStatus.NEVER)

    def tidied(self, secret: Secret) -> Secret:
        """Return a secret of the provider's own making without blanks, as it is pasted with some.

        A secret of another shape stays as it was typed: blanks may be part of it.
        """
        typed = secret.reveal()
        fits = self.secret_form is not None and self.secret_form.fits(typed)
        return Secret(self.secret_form.tidy(typed)) if self.secret_form is not None and fits else secret

    def shape_of(self, secret: Secret | None) -> str | None:
        """Return whether a secret is of the provider's own making, as `Target.secret_shape`; None where none is."""
        if self.secret_form is None or not secret:
            return None
        return "app-password" if self.secret_form.fits(secret.reveal()) else "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogEndpoint:
    """A server where mail can be handed in, as a fact with its source."""

    endpoint: Annotated[Endpoint, INLINE]
    note: str = ""
    plan: str = ""
    """For which plan or region; empty: for all."""
    domains: tuple[str, ...] = ()
    """Only for addresses of these domains; empty: for all."""
    mx: tuple[str, ...] = ()
    """The endings of the MX hosts that it belongs to, where there is a server for each region; empty: no region."""
    region: str = ""
    """The region whose accounts it knows, where no MX host tells it; empty: it is told, or there are no regions."""
    of_domain: str = ""
    """The first label of the host where it lies below the address's own domain: 'mail' stands for mail.firm.com."""
    guess: bool = False
    """Nobody says so: it follows from the usual names, and ranks as any other guess."""
    offered: bool = True
    """False: it stands here because it is documented, and is never offered. Always False without encryption."""
    source: str = ""
    as_of: str = ""
    confidence: Confidence = Confidence.UNKNOWN

    def below(self, domain: str) -> CatalogEndpoint:
        """Return it as it is for addresses of a domain."""
        if not self.of_domain:
            return self
        there = Endpoint(f"{self.of_domain}.{domain}", self.endpoint.port, self.endpoint.security)
        return replace(self, endpoint=there)


@dataclass(frozen=True, slots=True, kw_only=True)
class IspdbEntry:
    """What Thunderbird's database of providers has, to compare with."""

    domain: str
    """The domain that its file is named after."""
    changed: str
    """The day of the file's last change."""
    endpoints: tuple[Endpoint, ...]
    """In its order."""
    username_form: UsernameForm
    note: str = ""
    """Why the catalogue differs; empty where it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retirement:
    """Something that a provider switched off, moved, or says it will switch off."""

    what: str
    date: str
    state: str
    """How it stands: 'ended', 'announced', 'disputed', 'under way', with what is known about it."""
    replacement: str
    source: str
    as_of: str
    confidence: Confidence
    paths: tuple[str, ...] = ()
    """The ids of the access paths that it concerns. One may be open after the day, to some or in dispute."""
    of_limits: bool = False
    """It changes how much may be sent, and closes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerWords:
    """A reply that this provider is known to give."""

    code: Whole
    enhanced: str
    """Enhanced status code (RFC 3463), or empty."""
    words: str
    """The provider's own words, or the part of them that is always the same."""
    means: str
    source: str
    as_of: str
    confidence: Confidence


LONGEST_LOCKOUT = 1440
"""Minutes of a lockout at most: a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lockout:
    """How many refused sign-ins an account can be put through, and within what time, before the provider locks it."""

    attempts: Whole
    """So many are tried within the time, and no more."""
    minutes: Whole
    source: str = ""
    as_of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Documented:
    """What the old help article says about a provider, word for word, and how much of it still holds."""

    names: tuple[str, ...]
    """What the article calls the provider."""
    smtp_lines: tuple[str, ...] = ()
    host: str = ""
    """The server that the article names; empty where it names none."""
    ports: tuple[Port, ...] = ()
    false_today: tuple[str, ...] = ()
    still_true: tuple[str, ...] = ()
    limits_label: str = ""
    """The article's heading over the limits."""
    limit_lines: tuple[str, ...] = ()
    limits: tuple[SendLimit, ...] = ()
    """The same lines as figures."""
    limits_today: str = ""
    """What is known about these limits today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A mail provider, and every way in that it has or had."""

    id: str
    name: Shown
    kind: ProviderKind
    status: ProviderStatus
    other_names: tuple[str, ...] = ()
    """What else people call it."""
    domains: tuple[str, ...] = ()
    """Domains of its addresses. '*.example.com' stands for every name below example.com."""
    mx: tuple[str, ...] = ()
    """Endings of the MX hosts of own domains that are hosted here."""
    mx_hints: tuple[str, ...] = ()
    """Endings of MX hosts that are probably its own, where it has no server for all: they lead to a question alone."""
    mx_shared: tuple[str, ...] = ()
    """Ids of other providers with the same MX hosts: the person is asked."""
    endpoints: tuple[CatalogEndpoint, ...] = ()
    """Best first."""
    username_form: UsernameForm
    username_literal: str = ""
    """The fixed word, where the form is `LITERAL`."""
    username_note: str = ""
    question: str = ""
    """What is asked to find the right way in, as the owner of a mailbox can answer it; '' where the ways are shown."""
    paths: tuple[AccessPath, ...]
    """Best first; retired ones last."""
    accounts: tuple[AccountKind, ...] = ()
    """The kinds of account that have limits of their own, the ordinary one first; empty: one kind is known."""
    limits: tuple[SendLimit, ...] = ()
    """What holds today."""
    no_mailings: str = ""
    """That it forbids mailings, as a sentence, although its limits would let one through; empty: nothing is known."""
    limits_note: str = ""
    documented: Documented | None = None
    note: str = ""
    """A sentence or two that a person should read before going on."""
    successor: str | None = None
    """The id of the provider that runs its mailboxes now, or will."""
    ispdb: tuple[IspdbEntry, ...] = ()
    errors: tuple[ServerWords, ...] = ()
    lockout: Lockout | None = None
    """None: nothing is published about it."""
    retirements: tuple[Retirement, ...] = ()
    sources: tuple[Source, ...] = ()
    """Every source that anything above refers to."""
    checked: str
    """The day this entry was last compared with its sources. No server was spoken to."""

    def __hash__(self) -> int:
        """By the id: a hash of everything would have to read all that the file says of it."""
        return hash(self.id)

    @property
    def short_name(self) -> str:
        """Its name as it stands in a sentence: without what is in brackets, and the first of several."""
        return self.name.partition(" (")[0].partition(",")[0].strip()

    def best(self, address: Address | None = None, mx_hosts: Sequence[str] = ()) -> Endpoint | None:
        """Return the endpoint to begin with, for this address where it matters.

        None: the server must be entered, or only the person knows which of the `regions` is theirs.
        """
        if self.regions(address, mx_hosts):
            return None
        return next((each.endpoint for each in self.near(address, mx_hosts)), None)

    def offered(self, address: Address | None = None, mx_hosts: Sequence[str] = ()) -> tuple[CatalogEndpoint, ...]:
        """Return the endpoints that may be offered, best first: those for the address's domain where it has its own.

        Those that the domain's MX hosts name come before the others. Without an address those are left out that lie
        below its domain.
        """
        open_ones = tuple(each for each in self.endpoints if each.offered)
        if address is None:
            open_ones = tuple(each for each in open_ones if not each.of_domain)
        else:
            domain = address.ascii_domain
            own = tuple(each for each in open_ones if not each.domains or _is_among(domain, each.domains))
            if _is_among(domain, self.domains):  # what belongs to MX hosts is for other domains than the provider's
                own = tuple(each for each in own if not each.mx) or own
            own = tuple(sorted(own, key=lambda each: not each.domains))  # what is for this ending alone comes first
            open_ones = tuple(each.below(domain) for each in own or open_ones)
        once: dict[Endpoint, CatalogEndpoint] = {}
        for each in sorted(open_ones, key=lambda each: not self.is_near(each, mx_hosts)):
            once.setdefault(each.endpoint, each)  # one may stand there twice: first for some domains, later for all
        return tuple(once.values())

    def near(self, address: Address | None = None, mx_hosts: Sequence[str] = ()) -> tuple[CatalogEndpoint, ...]:
        """Return the endpoints that may be offered, without those of another region than the MX hosts tell."""
        return tuple(each for each in self.offered(address, mx_hosts) if self.is_near(each, mx_hosts))

    def regions(self, address: Address | None = None, mx_hosts: Sequence[str] = ()) -> tuple[CatalogEndpoint, ...]:
        """Return a server of each region, where neither the address nor the MX hosts tell the account's.

        Empty where there is nothing to choose. An account is known in one region only, so that no server of these is
        taken unasked.
        """
        left = self.near(address, mx_hosts) or self.offered(address, mx_hosts)
        once = {each.endpoint.host: each for each in reversed(left)}
        apart = any(each.region or each.mx or _is_for_others(each, address) for each in left)
        return tuple(each for each in left if once[each.endpoint.host] is each) if apart and len(once) > 1 else ()

    def is_near(self, offer: CatalogEndpoint, mx_hosts: Sequence[str]) -> bool:
        """Return whether a server is the one for a domain with these MX hosts, as far as can be known.

        It is not where the MX hosts name another one, and where it belongs to another region than theirs: an account is
        known in its own region only.
        """
        told = self._told_by(mx_hosts)
        if not told or told.intersection(offer.mx):
            return True
        named = any(told.intersection(each.mx) for each in self.endpoints if each.offered)
        return not named and not offer.mx

    def _told_by(self, mx_hosts: Sequence[str]) -> frozenset[str]:
        """Return the longest ending of ours that each of the MX hosts has; empty: none of them is ours."""
        names = [host.strip().rstrip(".").lower() for host in mx_hosts]
        ours = [[each for each in self.mx if name == each or name.endswith(f".{each}")] for name in names]
        return frozenset(max(found, key=len) for found in ours if found)

    @property
    def firm(self) -> str:
        """The name of who runs it; '' where that is nobody: a server entered by hand, the practice server."""
        return "" if self.kind in (ProviderKind.CUSTOM, ProviderKind.SANDBOX) else self.name

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names of all its servers, in their order."""
        return tuple(each.endpoint.host for each in self.endpoints)

    def apart_from(self, entry: IspdbEntry) -> tuple[str, ...]:
        """Return how the servers for the entry's domain differ from ISPDB's, each as one sentence; empty: they agree.

        Servers count that stand here as documented only. That ISPDB has another order is no difference, as long as
        the first choice here is one of its own.
        """
        ours = [each.endpoint for each in self.endpoints if not each.domains or entry.domain in each.domains]
        ours = ours or [each.endpoint for each in self.endpoints]
        found = [f"{_whole(each)} stands in ISPDB and not here." for each in entry.endpoints if each not in ours]
        found += [f"{_whole(each)} stands here and not in ISPDB." for each in ours if each not in entry.endpoints]
        if ours and ours[0] not in entry.endpoints:
            found.append(f"The first choice here, {_whole(ours[0])}, is none of ISPDB's.")
        if self.username_form is not entry.username_form:
            found.append(f"The user name is {self.username_form} here and {entry.username_form} in ISPDB.")
        return tuple(found)

    def barred(self, limit: SendLimit) -> tuple[str, ...]:
        """Return why no mailing can leave from any account that a limit is for; nothing where one can."""
        meant = [each for each in self.accounts if each.id in limit.accounts]
        return tuple(each.barred for each in meant) if all(each.barred for each in meant) else ()

    def path(self, path_id: str) -> AccessPath | None:
        """Return the access path with this id, or None."""
        return next((path for path in self.paths if path.id == path_id), None)

    def ways_on(self, path: AccessPath) -> tuple[AccessPath | str, ...]:
        """Return where a path leads that cannot be walked: other paths of this provider, or plain sentences."""
        return tuple(self.path(way) or way for way in path.instead)

    def username_for(self, address: Address) -> str:
        """Return the user name to fill in for an address; empty where only the person can know it."""
        match self.username_form:
            case UsernameForm.FULL_ADDRESS:
                return address.wire
            case UsernameForm.LOCAL_PART:
                return address.local
            case UsernameForm.LITERAL:
                return self.username_literal
            case UsernameForm.GIVEN:
                return ""

    def retirement_of(self, path_id: str | None) -> Retirement | None:
        """Return what closes, or will close, an access path: the latest that is known; None where nothing is."""
        closing = [each for each in self.retirements if path_id is not None and path_id in each.paths]
        return max(closing, key=lambda each: each.date if each.date[:1].isdigit() else "", default=None)

    def source(self, source_id: str) -> Source | None:
        """Return the source that a fact of this provider refers to, or None."""
        return next((source for source in self.sources if source.id == source_id), None)


def _whole(endpoint: Endpoint) -> str:
    return f"{endpoint} ({endpoint.security.words})"


def _is_among(domain: str, endings: Sequence[str]) -> bool:
    """Whether a domain is one of these; '*.example.com' stands for every name below example.com."""
    return any(domain == each or (each[:2] == "*." and domain.endswith(each[1:])) for each in endings)


def _is_for_others(offer: CatalogEndpoint, address: Address | None) -> bool:
    """Whether a server is for addresses of other domains than this one: nothing says that it knows the account."""
    return address is not None and bool(offer.domains) and not _is_among(address.ascii_domain, offer.domains)
