"""Reads `data/mailboxes.yaml`: where the mailboxes of the providers are read."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from smtp_wizard.engine.base.confidence import Confidence
from smtp_wizard.engine.base.data_files import data_path
from smtp_wizard.engine.base.endpoint import Endpoint, HostError, Security, parse_host
from smtp_wizard.engine.base.strict_yaml import Node, YamlDocument
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.providers.provider import Source
from smtp_wizard.engine.providers.provider_file import Citations, read_sources


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedImapServer:
    """An IMAP server of a provider, as a fact with its source."""

    provider: str
    """Id in the catalogue."""
    endpoint: Endpoint
    beside: tuple[str, ...] = ()
    """Only for accounts that send through one of these hosts; empty: for all."""
    source: str
    as_of: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class BounceWords:
    """What a returned message is looked for by, on the server. In ASCII, which every server can search for."""

    senders: tuple[str, ...]
    subjects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FolderNames:
    """What folders are called where a server does not mark what they are for; as `comparable` returns them."""

    junk: frozenset[str]
    sent: frozenset[str]
    others: frozenset[str]
    """Folders for anything else that a mailbox has of itself."""

    @property
    def known(self) -> frozenset[str]:
        """All of them."""
        return self.junk | self.sent | self.others

    def of(self, flag: str) -> frozenset[str]:
        r"""Return the names for a special use: '\Junk' or '\Sent'."""
        return self.junk if flag == "\\Junk" else self.sent


def comparable(name: str) -> str:
    """Return the name of a folder so that it can be compared: capitals, hyphens and composed letters do not count."""
    composed = unicodedata.normalize("NFC", name).casefold()
    return " ".join(composed.replace("-", " ").replace("_", " ").split())


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxList:
    """What is known of reading the mailboxes of providers."""

    servers: tuple[ListedImapServer, ...]
    """Best first, where a provider has several."""
    pop3_only: frozenset[str]
    """Ids of the providers of which only a POP3 server is known."""
    switched_on: Mapping[str, str]
    """Where IMAP is switched on, in words that follow "switch IMAP on"; by the provider's id."""
    sources: Mapping[str, Source]
    returned: BounceWords
    folders: FolderNames

    def of(self, provider: str | None, smtp_host: str) -> tuple[Endpoint, ...]:
        """Return the IMAP servers of a provider for an account that sends through a host, best first."""
        found = (each for each in self.servers if each.provider == provider)
        return tuple(each.endpoint for each in found if not each.beside or smtp_host in each.beside)


def load_mailboxes(path: Path | None = None) -> MailboxList:
    """Read the list, the product's own unless another is given. Raises `DataError`."""
    return YamlDocument(path or data_path("mailboxes.yaml")).root.read(_read)


def _read(root: Node) -> MailboxList:
    if root.whole("version") != 1:
        raise root.error("version", "only version 1 of this file is known")
    sources = root.child("sources").read(read_sources)
    cited = Citations(sources)
    servers = tuple(each.read(partial(_server, cited=cited)) for each in root.children("servers"))
    pop3 = tuple(each.read(partial(_provider, cited=cited)) for each in root.children("pop3_only"))
    switched = tuple(each.read(partial(_switch, cited=cited)) for each in root.children("switched_on"))
    both = {each.provider for each in servers} & set(pop3)
    if both:
        raise root.error("pop3_only", f"'{min(both)}' has an IMAP server above")
    return MailboxList(
        servers=servers,
        pop3_only=frozenset(pop3),
        switched_on=dict(switched),
        sources=sources,
        returned=root.child("returned").read(_returned),
        folders=root.child("folders").read(_folders),
    )


def _folders(node: Node) -> FolderNames:
    names = {key: frozenset(map(comparable, node.texts(key))) for key in ("junk", "sent", "others")}
    if names["junk"] & names["sent"] or (names["junk"] | names["sent"]) & names["others"]:
        raise node.error(None, "a name stands in two lists")
    return FolderNames(names["junk"], names["sent"], names["others"])


def _returned(node: Node) -> BounceWords:
    words = BounceWords(node.texts("senders"), node.texts("subjects"))
    for key, listed in (("senders", words.senders), ("subjects", words.subjects)):
        if not listed or not all(each.isascii() and each == each.lower() for each in listed):
            raise node.error(key, "must be words in small letters, in ASCII")
    return words


def _server(node: Node, cited: Citations) -> ListedImapServer:
    security = node.choice("security", Security)
    if security is Security.NONE:
        raise node.error("security", "a mailbox is never read without encryption")
    source, as_of, confidence = cited.fact(node)
    return ListedImapServer(
        provider=node.text("provider"),
        endpoint=Endpoint(_host(node), node.whole("port"), security),
        beside=node.texts("beside"),
        source=source,
        as_of=as_of,
        confidence=confidence,
    )


def _host(node: Node) -> str:
    text = node.text("host")
    try:
        host = parse_host(text)
    except HostError as problem:
        raise node.error("host", str(problem)) from None
    if host != text:
        raise node.error("host", f"must be written as '{host}'")
    return host


def _provider(node: Node, cited: Citations) -> str:
    cited.fact(node)
    return node.text("provider")


def _switch(node: Node, cited: Citations) -> tuple[str, str]:
    return _provider(node, cited), node.text("where")
