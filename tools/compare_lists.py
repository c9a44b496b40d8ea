"""Compares the providers' servers with other people's lists, and says which difference nobody has explained.

    tools/compare_lists.py --ispdb DIR --fairemail FILE --chatmail DIR --nodemailer FILE --mailspring FILE

Each list is a file, or a folder of files, of a checkout of its repository: Thunderbird's `ispdb`, FairEmail's
`providers.xml`, the `_providers` of Delta Chat, nodemailer's `services.json`, Mailspring's
`mailspring-provider-settings.json`. What is explained stands in `docs/list-differences.md`. Exits 1 where a difference
is not explained there, or where one that is explained is none any more; a list that is not given is not looked at.
"""

from __future__ import annotations

import argparse
import json
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from smtp_wizard.engine.providers.catalog import Catalog, load_catalog

TABLE = Path(__file__).parent.parent / "docs" / "list-differences.md"


@dataclass(frozen=True, order=True)
class Listed:
    """What a list says of the addresses that end in a domain."""

    domain: str
    server: str
    """As the catalogue writes it: 'smtp.example.com:465 tls'."""


@dataclass(frozen=True, order=True)
class Difference:
    """A server that a list names for a provider's addresses, and the catalogue does not."""

    provider: str
    list: str
    server: str


def _listed(domain: str, host: str, port: str | int, security: str) -> Listed:
    return Listed(domain.strip().lower(), f"{host.strip().lower()}:{port} {security}")


def read_ispdb(folder: Path) -> Iterator[Listed]:
    """Read Thunderbird's files, one a provider."""
    security = {"SSL": "tls", "STARTTLS": "starttls", "plain": "none"}
    for file in sorted(folder.glob("*")):
        tree = ET.parse(file)  # a list that was fetched by hand
        domains = [each.text or "" for each in tree.iter("domain")]
        for server in tree.iter("outgoingServer"):
            told = server.findtext("hostname"), server.findtext("port"), server.findtext("socketType")
            host, port, socket = told
            if host and port and socket in security:
                yield from (_listed(domain, host, port, security[socket]) for domain in domains)


def read_fairemail(file: Path) -> Iterator[Listed]:
    """Read FairEmail's one file. A domain may be a pattern there; only plain ones are looked at."""
    for provider in ET.parse(file).iter("provider"):
        smtp = provider.find("smtp")
        if smtp is not None:
            security = "starttls" if smtp.get("starttls") == "true" else "tls"
            for domain in (provider.get("domain") or "").replace("\\", "").replace(".*.", "*.").split(","):
                yield _listed(domain, smtp.get("host") or "", smtp.get("port") or "", security)


def read_chatmail(folder: Path) -> Iterator[Listed]:
    """Read Delta Chat's files: YAML between two lines of dashes."""
    security = {"SSL": "tls", "STARTTLS": "starttls", "PLAIN": "none"}
    for file in sorted(folder.glob("*.md")):
        entry = yaml.safe_load(file.read_text("utf-8").split("---")[1])
        for server in entry.get("server") or []:
            if server["type"].upper() == "SMTP":
                kind = security[server["socket"].upper()]
                for domain in entry.get("domains") or []:
                    yield _listed(domain, server["hostname"], server["port"], kind)


def read_nodemailer(file: Path) -> Iterator[Listed]:
    """Read nodemailer's services. Port 465 means TLS there where nothing else is said."""
    for service in json.loads(file.read_text("utf-8")).values():
        if "host" in service:
            port = service.get("port", 587)
            security = "tls" if service.get("secure", port == 465) else "starttls"
            for domain in service.get("domains", []):
                yield _listed(domain, service["host"], port, security)


def read_mailspring(file: Path) -> Iterator[Listed]:
    """Read Mailspring's settings, each under its domain."""
    security = {"SSL / TLS": "tls", "STARTTLS": "starttls"}
    for domain, entry in json.loads(file.read_text("utf-8")).items():
        if entry.get("smtp_host"):
            kind = security.get(entry.get("smtp_security"), "none")
            yield _listed(domain, entry["smtp_host"], entry.get("smtp_port", 0), kind)


READERS: Mapping[str, Callable[[Path], Iterator[Listed]]] = {
    "ispdb": read_ispdb,
    "fairemail": read_fairemail,
    "chatmail": read_chatmail,
    "nodemailer": read_nodemailer,
    "mailspring": read_mailspring,
}


def differences(name: str, listed: Iterable[Listed], catalog: Catalog) -> set[Difference]:
    """Return what a list says otherwise than the catalogue."""
    found = set()
    for each in listed:
        provider = catalog.by_domain(each.domain)
        if provider is None:
            continue
        # A list may leave the domain open where every address has a server of its own.
        server = each.server.replace("%emaildomain%", each.domain)
        ours = {
            f"{known.endpoint.host}:{known.endpoint.port} {known.endpoint.security.value}"
            for known in provider.endpoints
            if not known.domains or any(_covers(domain, each.domain) for domain in known.domains)
        }
        if server not in ours:
            found.add(Difference(provider.id, name, server))
    return found


def _covers(known: str, domain: str) -> bool:
    return domain == known or (known.startswith("*.") and domain.endswith(known[1:]))


def explained(text: str) -> dict[Difference, str]:
    """Return the rows of the table: what differs, and why."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| `")
    ]
    return {Difference(row[0].strip("`"), row[1], row[2].strip("`")): row[3] for row in rows}


def compare(paths: Mapping[str, Path], catalog: Catalog, table: Mapping[Difference, str]) -> list[str]:
    """Return what is wrong: differences without a reason, and reasons without a difference."""
    found = {each for name, path in paths.items() for each in differences(name, READERS[name](path), catalog)}
    known = {each for each in table if each.list in paths}
    return [
        *(f"{each.provider}: {each.list} has {each.server}, which is not explained" for each in sorted(found - known)),
        *(f"{each.provider}: {each.list} has {each.server} no more" for each in sorted(known - found)),
    ]


def main(arguments: list[str]) -> int:
    """Run it. Returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name in READERS:
        parser.add_argument(f"--{name}", type=Path)
    given = {name: path for name, path in vars(parser.parse_args(arguments)).items() if path is not None}
    wrong = compare(given, load_catalog(), explained(TABLE.read_text("utf-8")))
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
