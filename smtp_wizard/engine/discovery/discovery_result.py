"""The result of a search, built from what its sources say: the provider, the servers, and what to tell the person."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.discovery.candidate import TRUST, Candidate, FoundBy, source_note
from smtp_wizard.engine.discovery.candidate_scoring import CandidateScoring, any_elsewhere, differing_words
from smtp_wizard.engine.discovery.dns import DnsProblem, MxLookup
from smtp_wizard.engine.discovery.mail_keepers import MailKeepers, mail_keepers
from smtp_wizard.engine.discovery.mailbox_traces import (
    FoundTraces,
    MailFilter,
    Trace,
    filter_of,
    filter_words,
    traces_note,
)
from smtp_wizard.engine.discovery.named_server import NamedServer, failed, offered_ways, serves, unusable_words
from smtp_wizard.engine.discovery.server_identity import belongs_to, owner_domain, owner_of
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.providers.provider import Provider, ProviderKind


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryResult:
    """What is known about the provider of an address, and about its server."""

    provider: Provider | None
    """None: nobody was found, or several are possible and the person is asked."""
    alternatives: tuple[Provider, ...] = ()
    """Where several providers use the same mail hosts, all of them, in listing order; those that traces point to, the
    likeliest first."""
    source: FoundBy
    filtered_by: str = ""
    """The service that receives the domain's mail and hands it on to a mailbox elsewhere; '' where none is known to."""
    mx_hosts: tuple[str, ...] = ()
    """The mail hosts of the domain, most preferred first; fit to show."""
    note: str
    """One sentence for the screen: where this is from, or why nothing was found."""
    problem: DnsProblem | None = None
    candidates: tuple[Candidate, ...] = ()
    """The servers, best first."""
    redirect: str = ""
    """The web address at another domain to which the domain's own settings file leads; it was not followed. It is where
    it is handed in as `DiscoverySources.file`."""
    notes: tuple[str, ...] = ()
    """What else a person should know: sources that differ, that did not answer, or that were not asked."""


class ResultBuilder:
    """Collects what the sources say, and builds the `DiscoveryResult` of it."""

    def __init__(self, address: Address, catalog: Catalog, filters: tuple[MailFilter, ...]) -> None:
        """Of the filters, the one that receives the domain's mail is told of."""
        self.address = address
        self.catalog = catalog
        self.filters = filters
        self.mx = MxLookup(problem=DnsProblem.SILENT)
        self.named: list[NamedServer] = []
        self.traces: tuple[FoundTraces, ...] = ()
        self.notes: list[str] = []
        self.redirects: list[str] = []
        """Where the domain's own settings file leads, at another domain."""
        self.unusable: tuple[str, ...] = ()
        """The servers that answer and let nobody in who has a password or a token, each as one sentence."""
        self.doubts: list[str] = []
        """Worth telling only where nothing is found: every other web host answers with a certificate of its own."""

    def receives(self, mx: MxLookup) -> None:
        """Take up who receives the domain's mail."""
        self.mx = mx

    def points_to(self, traces: Sequence[FoundTraces]) -> None:
        """Take up what points to a provider's mailboxes, the likeliest first."""
        self.traces = tuple(traces)

    @property
    def keepers(self) -> MailKeepers:
        """Who keeps the domain's mail, by its mail hosts."""
        return mail_keepers(self.mx, self.catalog, self.filters)

    @property
    def owners(self) -> tuple[Provider, ...]:
        """The providers whose mail hosts are those that the domain's mail goes to first."""
        return self.keepers.owners

    @property
    def behind(self) -> MailFilter | None:
        """The filter or forwarder that receives the domain's mail."""
        return filter_of(self.mx.hosts, self.filters)

    def result(self, report: Callable[[Endpoint], Report | None], *, named_file: str = "") -> DiscoveryResult:
        """Return what comes of it: `report` returns what trying a server showed, None where it was not tried.

        `named_file` is the settings file that the person named: being led to it is not told as a redirect.
        """
        keepers = self.keepers
        owners = keepers.owners
        scoring = CandidateScoring(address=self.address, mx_hosts=self.mx.hosts, report=report)
        self.unusable = unusable_servers(self.named, report)
        candidates = scoring.merged(self.named)
        if owners:
            self._tell_elsewhere(candidates, owners)
            candidates = scoring.overruled(candidates, owners)
        provider, source = self._provider(owners, candidates)
        maybe = self._maybe(provider, candidates)
        behind = self.behind
        told = [self._filter_words(behind, known=bool(owners))] if behind is not None else []
        told += [self._reserve_words()] if keepers.reserve else []
        told += [regions_words(provider)] if provider and provider.regions(self.address, self.mx.hosts) else []
        return DiscoveryResult(
            provider=provider,
            alternatives=maybe,
            source=source,
            filtered_by=behind.name if behind is not None else "",
            mx_hosts=self.mx.hosts,
            note=self._note(owners, maybe, provider, candidates),
            problem=self.mx.problem if not candidates else None,
            candidates=candidates,
            redirect=next((each for each in self.redirects if each != named_file), ""),
            notes=tuple(
                dict.fromkeys(
                    [
                        *told,
                        *self.unusable,
                        *differing_words(candidates),
                        *self.notes,
                        *([] if candidates else self.doubts),
                    ]
                )
            ),
        )

    def _note(
        self,
        owners: Sequence[Provider],
        maybe: Sequence[Provider],
        provider: Provider | None,
        candidates: Sequence[Candidate],
    ) -> str:
        """Say in one sentence where this is from, or why nothing was found."""
        if len(owners) > 1:
            return self._shared_words(owners)
        if provider is not None and owners:
            return f"from: {self._record}"
        if maybe and self.keepers.possible:
            return self._undecided_words()
        if maybe and not candidates:
            return self._kin_words(maybe)
        if maybe:
            return traces_note(self.address.domain, maybe)
        return source_note(candidates[0]) if candidates else self._nothing_words()

    def _maybe(self, provider: Provider | None, candidates: Sequence[Candidate]) -> tuple[Provider, ...]:
        """Return the providers that it may be, where the person is asked."""
        if len(self.owners) > 1:
            return self.owners
        if provider is not None:
            return ()
        # What the domain itself publishes decides where its mail hosts do not.
        published = bool(candidates) and candidates[0].source not in (FoundBy.GUESS, *_OF_MAILBOXES)
        if self.keepers.possible and not published:
            return self.keepers.possible
        return self._traced(candidates) if candidates else self._kin()

    def _kin(self) -> tuple[Provider, ...]:
        """Return the providers with a server, or addresses, of the domain of the preferred mail host's owner.

        That is all there is to it: the host's own ending is not known to be theirs, so the person is asked.
        """
        theirs = owner_domain(self.mx.hosts[0]) if self.mx.hosts and self.behind is None else None
        if theirs is None or belongs_to(theirs, self.address.ascii_domain):
            return ()
        seen = (each for each in self.catalog.providers if each.kind in _WITH_MAILBOXES)
        return tuple(each for each in seen if any(belongs_to(name, theirs) for name in _names_of(each)))

    def _traced(self, candidates: Sequence[Candidate]) -> tuple[Provider, ...]:
        """Return the providers that traces point to, where nothing better is known: the person is asked.

        Where a filter or a forwarder is known to receive the mail, one trace is enough, and so is an autodiscover that
        leads there, which mail programs follow. Else a web host's record may be all there is to it, and there must be
        two.
        """
        if not candidates or candidates[0].source is not FoundBy.TRACES:
            return ()
        fewest = 1 if self.behind is not None else 2
        enough = (each for each in self.traces if len(each.traces) >= fewest or Trace.AUTODISCOVER in each.traces)
        found = [self.catalog.get(each.provider) for each in enough]
        near = [one for each in found if each for one in (each, *map(self.catalog.get, each.mx_shared)) if one]
        return tuple(dict.fromkeys(near))

    def _tell_elsewhere(self, candidates: Sequence[Candidate], owners: Sequence[Provider]) -> None:
        if any_elsewhere(candidates, owners):
            names = " or ".join(owner.name for owner in owners)
            self.notes.append(f"Other settings were found, but {self._record} shows that the mail is at {names}.")

    def _provider(self, owners: Sequence[Provider], candidates: Sequence[Candidate]) -> tuple[Provider | None, FoundBy]:
        if len(owners) == 1:
            return owners[0], FoundBy.MX
        if owners:
            return None, FoundBy.MX
        if not candidates:
            return None, FoundBy.NONE
        best = candidates[0]
        if best.source in _OF_MAILBOXES:  # a mail host that does not decide says no more than a trace
            return None, FoundBy.TRACES
        return (self._whose(best.endpoint.host) if best.trust >= TRUST[FoundBy.GUESS] else None), best.source

    def _whose(self, host: str) -> Provider | None:
        """Return the only provider of the catalogue whose server this is."""
        found = [each for each in self.catalog.providers if host in {one.endpoint.host for one in each.endpoints}]
        return found[0] if len(found) == 1 else None

    # -- words ------------------------------------------------------------------------------------------------------

    @property
    def _record(self) -> str:
        return f"the MX record of {self._domain} ({self.keepers.first})"

    def _reserve_words(self) -> str:
        """Say who receives mail of the domain only where the preferred hosts do not."""
        keepers = self.keepers
        names = " or ".join(each.name for each in keepers.reserve)
        return f"{keepers.other}, of {names}, is a mail host of {self._domain} too, but {keepers.first} comes first."

    def _undecided_words(self) -> str:
        """Say that the mail hosts do not decide who keeps the mail, and ask."""
        keepers = self.keepers
        names = " or ".join(each.name for each in keepers.possible)
        first = f"{keepers.first} and {keepers.other} both receive the mail of {self._domain}"
        return f"from: the MX records. {first}, and do not belong together: is your mailbox at {names}, or elsewhere?"

    def _kin_words(self, kin: Sequence[Provider]) -> str:
        host, names = self.mx.hosts[0], " or ".join(each.name for each in kin)
        return f"{host} receives the mail of {self._domain}. By its name it may be of {names}: is your mailbox there?"

    def _filter_words(self, behind: MailFilter, *, known: bool = False) -> str:
        host = next((each for each in self.mx.hosts if filter_of((each,), self.filters)), self.mx.hosts[0])
        return filter_words(behind, self.address.domain, host, known=known)

    def _shared_words(self, owners: Sequence[Provider]) -> str:
        names = ", ".join(owner.name for owner in owners)
        return f"from: {self._record}. Several services use it ({names}): please choose yours."

    def _nothing_words(self) -> str:
        domain = self._domain
        if self.behind is not None:
            return self._filter_words(self.behind)
        if self.mx.problem is None:
            if owner_of(self.mx.hosts[0]) == "" or self.mx.hosts[0] == "localhost":
                return f"{domain} names {self.mx.hosts[0]} for its mail, which is no mail host: nothing arrives there."
            if self.unusable:
                return self.unusable[0]
            return f"{self.mx.hosts[0]} receives the mail of {domain}. It is not known to be of anybody in our list."
        return {
            DnsProblem.NO_SUCH_DOMAIN: f"There is no domain {domain}. Is it spelled right?",
            DnsProblem.NO_MX: f"{domain} does not say who receives its mail, so your provider cannot be told from it.",
            DnsProblem.NO_MAIL: f"{domain} says that it takes no mail. Is it spelled right?",
            DnsProblem.SERVER_FAILED: f"The name servers would not tell who receives the mail of {domain}.",
            DnsProblem.SILENT: f"The name servers did not answer in time, so nobody was found for {domain}.",
            DnsProblem.NO_NETWORK: "This computer has no way to look up names. Is it connected to the internet?",
        }[self.mx.problem]

    @property
    def _domain(self) -> str:
        return shown(self.address.domain, 80)


_WITH_MAILBOXES = (ProviderKind.MAILBOX, ProviderKind.ISP, ProviderKind.HOSTING)


def _names_of(provider: Provider) -> Iterator[str]:
    """The names of a provider's servers, addresses and probable mail hosts, without those that stand for others."""
    yield from (each.endpoint.host for each in provider.endpoints if not each.of_domain)
    yield from (each for each in provider.domains if not each.startswith("*."))
    yield from provider.mx_hints


def unusable_servers(named: Sequence[NamedServer], report: Callable[[Endpoint], Report | None]) -> tuple[str, ...]:
    """Say which servers were guessed, answer, and let nobody in: Exchange inside a firm, for example."""
    said: dict[str, str] = {}
    for each in named:
        seen = report(each.endpoint) if each.source is FoundBy.GUESS else None
        if seen is not None and seen.results and not failed(seen) and offered_ways(seen) and not serves(seen, each):
            host = each.endpoint.host
            said.setdefault(host, f"{shown(host, 80)}: {unusable_words(offered_ways(seen))}.")
    return tuple(said.values())


_OF_MAILBOXES = (FoundBy.MX, FoundBy.TRACES)
"""Sources that say who may keep a mailbox, and no more."""


def regions_words(provider: Provider) -> str:
    """Say that each of a provider's servers knows its own accounts only, and that nobody told which is the one."""
    return f"{provider.short_name} has several servers, each for other accounts. Nothing tells which is yours."
