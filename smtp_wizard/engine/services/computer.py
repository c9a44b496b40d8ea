"""What of this computer, and of what is installed on it, matters to mail: names, TLS, the clock, the data, versions.

Each part is looked at by itself and told in a sentence. The network is asked only by `lookup`.
"""

from __future__ import annotations

import platform
import re
import ssl
import sys
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

from smtp_wizard import __version__
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.providers.provider import CatalogEndpoint, Provider
from smtp_wizard.engine.providers.retirements import last_day
from smtp_wizard.engine.services.part_health import Health, PartHealth
from smtp_wizard.engine.smtp.timeouts import listening_timeout
from smtp_wizard.engine.smtp.tls import Trust, verifying_context
from smtp_wizard.engine.smtp.transport import Wire
from smtp_wizard.engine.smtp.wire_error import WireError

OLD = timedelta(days=365)
"""After so long without a look at their sources, facts about providers are doubted."""
FAR_AHEAD = timedelta(days=3650)
"""A clock that is so far ahead of the newest fact is doubted instead of the fact."""
LOOKUP_LIMIT = 5.0
"""Seconds that looking up a name may take."""
DISTRIBUTION = "smtp-wizard"

# -- names -------------------------------------------------------------------------------------------------------------


def resolver() -> PartHealth:
    """Say where names are looked up, without asking anybody."""
    import dns.exception
    import dns.resolver

    try:
        servers = dns.resolver.Resolver().nameservers
    except dns.resolver.NoResolverConfiguration:
        words = "This computer names no name server, so no mail server can be found by its name."
        return PartHealth("dns", "resolver", Health.WARN, words)
    except (ValueError, dns.exception.DNSException):
        words = "What this computer says of its name servers (/etc/resolv.conf) cannot be understood."
        return PartHealth("dns", "resolver", Health.WARN, words)
    asked = ", ".join(shown(str(server), 60) for server in servers[:4])
    return PartHealth("dns", "resolver", Health.OK, f"Names are looked up at {asked}.")


async def lookup(wire: Wire, catalog: Catalog) -> PartHealth:
    """Look up the name of a well-known mail server: this asks the network."""
    host = next(each.endpoint.host for provider in catalog.providers for each in _reachable(provider))
    try:
        async with listening_timeout(LOOKUP_LIMIT):
            peers = await wire.resolve(host, 465, None)
    except TimeoutError:
        words = f"Looking up {host} had no answer within {LOOKUP_LIMIT:g} seconds."
        return PartHealth("dns", "lookup", Health.FAIL, words)
    except WireError as problem:
        words = f"Looking up {host} failed ({problem.words or problem.fault.value}). Is there a connection?"
        return PartHealth("dns", "lookup", Health.FAIL, words)
    return PartHealth("dns", "lookup", Health.OK, f"{host} was looked up and found ({peers[0].address}).")


def _reachable(provider: Provider) -> Iterator[CatalogEndpoint]:
    yield from (each for each in provider.offered() if not _is_number(each.endpoint.host))


# -- TLS ---------------------------------------------------------------------------------------------------------------


def tls(environ: Mapping[str, str]) -> list[PartHealth]:
    """Say which TLS there is, and whose certificates are believed."""
    newest = "TLS 1.3" if ssl.HAS_TLSv1_3 else "TLS 1.2"
    state = Health.OK if ssl.HAS_TLSv1_3 else Health.WARN
    return [PartHealth("tls", "tls-library", state, f"{ssl.OPENSSL_VERSION}, up to {newest}."), _trust(environ)]


def _trust(environ: Mapping[str, str]) -> PartHealth:
    if sys.platform in ("darwin", "win32"):
        return PartHealth("tls", "trust", Health.OK, "The operating system's own list of authorities is believed.")
    named = environ.get("SSL_CERT_FILE", "")
    try:
        count = len(verifying_context(Trust()).get_ca_certs())
    except WireError as problem:
        return PartHealth("tls", "trust", Health.FAIL, f"No certificate can be believed: {problem.words}.")
    if named and not is_file(named):
        words = f"SSL_CERT_FILE leads to {shown(named, 200)}, which is not there: no certificate can be believed."
        return PartHealth("tls", "trust", Health.FAIL, words)
    if count:
        where = f" from {shown(named, 200)} (SSL_CERT_FILE)" if named else ""
        return PartHealth("tls", "trust", Health.OK, f"{count} authorities are believed{where}.")
    folder = ssl.get_default_verify_paths().capath
    if folder and _holds_any(Path(folder)):
        return PartHealth("tls", "trust", Health.OK, f"The authorities in {shown(folder, 200)} are believed.")
    words = "No authority is known, so no certificate can be believed. Install your system's 'ca-certificates'."
    return PartHealth("tls", "trust", Health.FAIL, words)


def is_file(path: str) -> bool:
    """Whether there is a file that this user can find: `Path.is_file` raises where a name is too long."""
    try:
        return Path(path).is_file()
    except OSError:
        return False


def _holds_any(folder: Path) -> bool:
    try:
        return any(folder.iterdir())
    except OSError:
        return False


# -- the clock and the data --------------------------------------------------------------------------------------------


def clock(now: datetime, catalog: Catalog) -> PartHealth:
    """Compare the clock with the newest fact of the data, which was true before this program was installed."""
    today, (_, newest) = now.date(), _span(catalog)
    if today < newest - timedelta(days=1):
        words = (
            f"This computer's clock says {today}, and what this program knows is from {newest}: the clock is slow. "
            "Certificates look as if they were not valid yet until it is set."
        )
        return PartHealth("clock", "clock", Health.FAIL, words)
    if today > newest + FAR_AHEAD:
        words = f"This computer's clock says {today}. If it is fast, good certificates look expired."
        return PartHealth("clock", "clock", Health.WARN, words)
    return PartHealth("clock", "clock", Health.OK, f"This computer's clock says {now:%Y-%m-%d %H:%M} UTC.")


def data_age(now: datetime, catalog: Catalog) -> PartHealth:
    """Say when the facts about providers were last compared with their sources."""
    oldest, newest = _span(catalog)
    words = f"{len(catalog.providers)} providers, checked between {oldest} and {newest}."
    if now.date() - newest > OLD:
        return PartHealth("data", "data-age", Health.WARN, f"{words} That is long ago: look for a newer smtp-wizard.")
    return PartHealth("data", "data-age", Health.OK, words)


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


def installed(found: Mapping[str, str]) -> PartHealth:
    """Say whether all that `versions` looked for is there."""
    lacking = [name for name, version in found.items() if not version]
    if lacking:
        words = f"Missing: {', '.join(lacking)}. Install smtp-wizard again."
        return PartHealth("versions", "packages", Health.FAIL, words)
    words = f"smtp-wizard {found['smtp-wizard']}, Python {found['python']}, {platform.system()} {platform.machine()}."
    return PartHealth("versions", "packages", Health.OK, words)


def _is_number(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()
