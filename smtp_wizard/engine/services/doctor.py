"""What this installation can and cannot do: stores, the config folder, name look-ups, TLS, the clock, the data.

Each part is looked at by itself and told in a sentence. Nothing is changed, and the network is asked only by `lookup`.
"""

from __future__ import annotations

import os
import platform
import re
import ssl
import stat
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from smtp_wizard import __version__
from smtp_wizard.engine.accounts import account_book
from smtp_wizard.engine.accounts.account_book import AccountBook, StoreTrouble
from smtp_wizard.engine.accounts.secret_entries import Entries, Leftover, Leftovers
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.providers.provider import CatalogEndpoint, Provider
from smtp_wizard.engine.providers.retirements import last_day
from smtp_wizard.engine.secrets.base import Availability, SecretError
from smtp_wizard.engine.secrets.command import found_program
from smtp_wizard.engine.secrets.kinds import StoreKind, StoreRef
from smtp_wizard.engine.secrets.stores import SecretStores
from smtp_wizard.engine.secrets.vault import VaultState
from smtp_wizard.engine.smtp.silence import listening
from smtp_wizard.engine.smtp.transport import Trust, Wire, WireError, verifying_context
from smtp_wizard.engine.state import forms
from smtp_wizard.engine.wizard import draft_file

OLD = timedelta(days=365)
"""After so long without a look at their sources, facts about providers are doubted."""
FAR_AHEAD = timedelta(days=3650)
"""A clock that is so far ahead of the newest fact is doubted instead of the fact."""
LOOKUP_LIMIT = 5.0
"""Seconds that looking up a name may take."""
DISTRIBUTION = "smtp-wizard"
MANY = 20
"""So many things of one kind are told one by one."""


class Health(StrEnum):
    """How a part was found."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Examined:
    """One part that was looked at."""

    area: str
    """What it belongs to: 'stores', 'tls'."""
    code: str
    """Stable, for scripts."""
    state: Health
    sentence: str
    """For a person: what was found and, where something is wrong, what to do."""


# -- stores ------------------------------------------------------------------------------------------------------------


async def stores(known: SecretStores) -> list[Examined]:
    """Try every store out. One that does not work is no failure as long as another one does."""
    found = [(kind, await known.get(kind).probe()) for kind in known.offered()]
    none_works = not any(availability.ok for _, availability in found)
    bad = Health.FAIL if none_works else Health.WARN
    return [
        Examined(
            "stores", f"store-{kind.value}", Health.OK if availability.ok else bad, _told(known, kind, availability)
        )
        for kind, availability in found
    ]


def _told(known: SecretStores, kind: StoreKind, found: Availability) -> str:
    """Say what a store is good for, and of the vault whether there is one."""
    if kind is not StoreKind.VAULT or not found.ok:
        return found.words
    state = "There is none yet." if known.vault.state is VaultState.MISSING else "There is one, and it is whole."
    return f"{found.words} {state}"


async def places(known: SecretStores, book: AccountBook, environ: Mapping[str, str]) -> list[Examined]:
    """Look whether what saved accounts refer to is there: the vault, programs, files. No command is run."""
    try:
        saved = book.list()
    except StoreTrouble:
        return []  # said where the accounts are looked at
    found = []
    for account in saved:
        trouble = await _place_trouble(known, account.store, environ) if account.store is not None else ""
        if account.store is not None and trouble:
            words = f"The password of '{account.name}' cannot be read: {trouble}"
            found.append(Examined("stores", f"store-{account.store.kind.value}-used", Health.FAIL, words))
    return found


async def _place_trouble(known: SecretStores, store: StoreRef, environ: Mapping[str, str]) -> str:
    match store.kind:
        case StoreKind.VAULT if known.vault.state is VaultState.MISSING:
            return "there is no vault any more."
        case StoreKind.COMMAND if found_program(store.where, environ) is None:
            return f"the program of '{shown(store.where, 100)}' is not installed here."
        case StoreKind.FILE:
            try:
                await known.fetch(store)
            except SecretError as problem:
                return str(problem)
    return ""


async def leftovers(entries: Entries) -> Leftovers:
    """Return what changes that were stopped have left in the stores; nothing where that cannot be told now."""
    try:
        return await entries.left()
    except StoreTrouble:
        return Leftovers((), ())  # said where the accounts are looked at


def left_words(left: Leftover) -> str:
    """Say what was left, and where."""
    place = "in the vault" if left.ref.kind is StoreKind.VAULT else "in the keyring of this computer"
    return (
        f"A password for '{shown(left.account, 60)}' that no account uses {'is' if left.there else 'may be'} {place}: "
        f"a change was stopped in the middle ({left.since:%Y-%m-%d %H:%M} UTC)."
    )


def left_behind(found: Leftovers) -> list[Examined]:
    """Say what changes that were stopped have left, and what to do."""
    cleaning = "'smtp-wizard doctor --clean' deletes it."
    told = [
        Examined("stores", "store-left", Health.WARN, f"{left_words(left)} {cleaning}") for left in found.entries[:MANY]
    ]
    if len(found.entries) > MANY:
        words = f"So are {len(found.entries) - MANY} more. {cleaning.replace('it.', 'them.')}"
        told.append(Examined("stores", "store-left", Health.WARN, words))
    for file in found.odd[:MANY]:
        words = f"{_shown(file)}, which says what a stopped change was about, cannot be read. {cleaning}"
        told.append(Examined("config", "note", Health.WARN, words))
    return told


# -- the config folder -------------------------------------------------------------------------------------------------


def config(folder: Path, book: AccountBook) -> list[Examined]:
    """Look at the config folder, the accounts in it, and a setup that was not finished."""
    if not folder.exists():
        return [_folder_to_be(folder)]
    if not folder.is_dir():
        return [_config("folder", Health.FAIL, f"{_shown(folder)} is no folder: move it away.")]
    return [_folder(folder), *_accounts(folder, book), *_results(folder, book), *_draft(folder)]


def _config(code: str, state: Health, sentence: str) -> Examined:
    return Examined("config", code, state, sentence)


def _folder_to_be(folder: Path) -> Examined:
    above = next(each for each in folder.parents if each.exists())
    if not os.access(above, os.W_OK | os.X_OK):
        return _config(
            "folder", Health.FAIL, f"{_shown(folder)} cannot be made: {_shown(above)} is not yours to write."
        )
    return _config("folder", Health.OK, f"Nothing is saved yet. {_shown(folder)} is made when something is.")


def _folder(folder: Path) -> Examined:
    if not os.access(folder, os.W_OK | os.X_OK):
        words = f"{_shown(folder)} cannot be written: accounts can be tested, and nothing can be saved."
        return _config("folder", Health.WARN, words)
    if _others_may(folder):
        words = f"Others on this computer can look into {_shown(folder)}: 'chmod 700' on it ends that."
        return _config("folder", Health.WARN, words)
    return _config("folder", Health.OK, f"Accounts are kept in {_shown(folder)}, where only you can look.")


def _accounts(folder: Path, book: AccountBook) -> Iterator[Examined]:
    try:
        saved = book.list()
    except StoreTrouble as problem:
        yield _config("accounts", Health.FAIL, str(problem))
        return
    file = folder / account_book.FILE_NAME
    if file.exists() and _others_may(file):
        words = f"Others on this computer can read {_shown(file)}: 'chmod 600' on it ends that."
        yield _config("accounts", Health.WARN, words)
    else:
        count = {0: "No account is", 1: "One account is"}.get(len(saved), f"{len(saved)} accounts are")
        yield _config("accounts", Health.OK, f"{count} saved.")
    for words in book.troubles():
        yield _config("accounts", Health.FAIL, words)
    for account in saved:
        ca_file = account.connection.ca_file
        if ca_file and not Path(ca_file).is_file():
            words = f"'{account.name}' trusts {shown(ca_file, 200)}, and that file is not there any more."
            yield _config("ca-file", Health.FAIL, words)


def _results(folder: Path, book: AccountBook) -> Iterator[Examined]:
    file = folder / forms.FILE_NAME
    if not file.exists():
        return
    readable = book.state.readable
    troubles = book.state.troubles()
    for trouble in troubles:
        yield _config("results", Health.WARN, f"{trouble} Accounts can be tested all the same.")
    if readable and not troubles:
        yield _config("results", Health.OK, f"What tests have shown is kept in {_shown(file)}.")


def _draft(folder: Path) -> Iterator[Examined]:
    if (folder / draft_file.FILE_NAME).exists():
        words = "A setup was left before it was saved: the next start offers to go on with it."
        yield _config("draft", Health.OK, words)


def _others_may(path: Path) -> bool:
    return os.name == "posix" and bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


# -- names -------------------------------------------------------------------------------------------------------------


def resolver() -> Examined:
    """Say where names are looked up, without asking anybody."""
    import dns.resolver

    try:
        servers = dns.resolver.Resolver().nameservers
    except dns.resolver.NoResolverConfiguration:
        words = "This computer names no name server, so no mail server can be found by its name."
        return Examined("dns", "resolver", Health.WARN, words)
    asked = ", ".join(shown(str(server), 60) for server in servers[:4])
    return Examined("dns", "resolver", Health.OK, f"Names are looked up at {asked}.")


async def lookup(wire: Wire, catalog: Catalog) -> Examined:
    """Look up the name of a well-known mail server: this asks the network."""
    host = next(each.endpoint.host for provider in catalog.providers for each in _reachable(provider))
    try:
        async with listening(LOOKUP_LIMIT):
            peers = await wire.resolve(host, 465, None)
    except TimeoutError:
        words = f"Looking up {host} had no answer within {LOOKUP_LIMIT:g} seconds."
        return Examined("dns", "lookup", Health.FAIL, words)
    except WireError as problem:
        words = f"Looking up {host} failed ({problem.words or problem.fault.value}). Is there a connection?"
        return Examined("dns", "lookup", Health.FAIL, words)
    return Examined("dns", "lookup", Health.OK, f"{host} was looked up and found ({peers[0].address}).")


def _reachable(provider: Provider) -> Iterator[CatalogEndpoint]:
    yield from (each for each in provider.offered() if not _is_number(each.endpoint.host))


# -- TLS ---------------------------------------------------------------------------------------------------------------


def tls(environ: Mapping[str, str]) -> list[Examined]:
    """Say which TLS there is, and whose certificates are believed."""
    newest = "TLS 1.3" if ssl.HAS_TLSv1_3 else "TLS 1.2"
    state = Health.OK if ssl.HAS_TLSv1_3 else Health.WARN
    return [Examined("tls", "tls-library", state, f"{ssl.OPENSSL_VERSION}, up to {newest}."), _trust(environ)]


def _trust(environ: Mapping[str, str]) -> Examined:
    if sys.platform in ("darwin", "win32"):
        return Examined("tls", "trust", Health.OK, "The operating system's own list of authorities is believed.")
    named = environ.get("SSL_CERT_FILE", "")
    try:
        count = len(verifying_context(Trust()).get_ca_certs())
    except WireError as problem:
        return Examined("tls", "trust", Health.FAIL, f"No certificate can be believed: {problem.words}.")
    if named and not Path(named).is_file():
        words = f"SSL_CERT_FILE leads to {shown(named, 200)}, which is not there: no certificate can be believed."
        return Examined("tls", "trust", Health.FAIL, words)
    if count:
        where = f" from {shown(named, 200)} (SSL_CERT_FILE)" if named else ""
        return Examined("tls", "trust", Health.OK, f"{count} authorities are believed{where}.")
    folder = ssl.get_default_verify_paths().capath
    if folder and any(Path(folder).iterdir()):
        return Examined("tls", "trust", Health.OK, f"The authorities in {shown(folder, 200)} are believed.")
    words = "No authority is known, so no certificate can be believed. Install your system's 'ca-certificates'."
    return Examined("tls", "trust", Health.FAIL, words)


# -- the clock and the data --------------------------------------------------------------------------------------------


def clock(now: datetime, catalog: Catalog) -> Examined:
    """Compare the clock with the newest fact of the data, which was true before this program was installed."""
    today, (_, newest) = now.date(), _span(catalog)
    if today < newest - timedelta(days=1):
        words = (
            f"This computer's clock says {today}, and what this program knows is from {newest}: the clock is slow. "
            "Certificates look as if they were not valid yet until it is set."
        )
        return Examined("clock", "clock", Health.FAIL, words)
    if today > newest + FAR_AHEAD:
        words = f"This computer's clock says {today}. If it is fast, good certificates look expired."
        return Examined("clock", "clock", Health.WARN, words)
    return Examined("clock", "clock", Health.OK, f"This computer's clock says {now:%Y-%m-%d %H:%M} UTC.")


def data_age(now: datetime, catalog: Catalog) -> Examined:
    """Say when the facts about providers were last compared with their sources."""
    oldest, newest = _span(catalog)
    words = f"{len(catalog.providers)} providers, checked between {oldest} and {newest}."
    if now.date() - newest > OLD:
        return Examined("data", "data-age", Health.WARN, f"{words} That is long ago: look for a newer smtp-wizard.")
    return Examined("data", "data-age", Health.OK, words)


def _span(catalog: Catalog) -> tuple[date, date]:
    """Return the oldest and the newest day on which an entry was checked; those of a person's own have none."""
    days = [day for day in (last_day(provider.checked) for provider in catalog.providers) if day is not None]
    return min(days), max(days)


# -- versions ----------------------------------------------------------------------------------------------------------


def versions() -> dict[str, str]:
    """Return what runs here: this program, Python, then the packages it needs; '' for one that is missing."""
    return {"smtp-wizard": __version__, "python": platform.python_version(), **_packages()}


def _packages() -> dict[str, str]:
    from importlib import metadata

    try:
        needed = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return {}  # run from its source: nobody has written down what is installed for it
    found = {}
    for line in needed:
        requirement, _, condition = line.partition(";")
        match = re.match(r"[A-Za-z0-9._-]+", requirement)
        assert match is not None
        try:
            found[match[0]] = metadata.version(match[0])
        except metadata.PackageNotFoundError:
            if not condition:  # else it is for another system, or somebody's choice
                found[match[0]] = ""
    return dict(sorted(found.items()))


def installed(found: Mapping[str, str]) -> Examined:
    """Say whether all that `versions` looked for is there."""
    lacking = [name for name, version in found.items() if not version]
    if lacking:
        words = f"Missing: {', '.join(lacking)}. Install smtp-wizard again."
        return Examined("versions", "packages", Health.FAIL, words)
    words = f"smtp-wizard {found['smtp-wizard']}, Python {found['python']}, {platform.system()} {platform.machine()}."
    return Examined("versions", "packages", Health.OK, words)


def _is_number(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()


def _shown(path: Path) -> str:
    return shown(str(path), 200)
