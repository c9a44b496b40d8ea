"""`provider new`: an entry for a provider that is in no list: asked for, tried, and written with its check."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from smtp_wizard.commands.command_with_examples import CommandWithExamples
from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.options.answers import server_options
from smtp_wizard.commands.options.connection import (
    ConnectionOptions,
    connection_from,
    connection_options,
    missing_answers,
)
from smtp_wizard.engine.base.characters import parse_words, visible
from smtp_wizard.engine.base.data_files import DataError
from smtp_wizard.engine.base.endpoint import Endpoint, PastedServer, Security, parse_server
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.file_ownership import UnsafeFile
from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.discovery.named_server import offered_ways, signs_in, unusable_words
from smtp_wizard.engine.providers.catalog import OWN_FILE, load_catalog
from smtp_wizard.engine.providers.entry_clash import entry_clash
from smtp_wizard.engine.providers.file_addition import change_own_file, change_shipped_file, own_text, shipped_text
from smtp_wizard.engine.providers.new_entry import (
    CheckedServer,
    EntrySource,
    NewEntry,
    entry_text,
    identifier,
    is_identifier,
    sources_text,
    with_addition,
)
from smtp_wizard.engine.providers.own_providers import read_own_file
from smtp_wizard.engine.providers.provider import ProviderKind, UsernameForm
from smtp_wizard.engine.providers.provider_file import read_provider_file
from smtp_wizard.engine.scan.results import PortResult, ScanResult
from smtp_wizard.engine.services.domains import domain_name
from smtp_wizard.engine.smtp.sasl import choose_mechanism
from smtp_wizard.engine.smtp.symptom import Fault
from smtp_wizard.runtime.exit_codes import CommandError, Exit
from smtp_wizard.runtime.output import Form
from smtp_wizard.runtime.questions import ask, can_ask
from smtp_wizard.runtime.running import Stopwatch, run_bounded

T = TypeVar("T")

_KINDS = [each.value for each in ProviderKind if each in (ProviderKind.MAILBOX, ProviderKind.ISP, ProviderKind.HOSTING)]
_FORMS = [each.value for each in UsernameForm if each in (UsernameForm.FULL_ADDRESS, UsernameForm.LOCAL_PART)]


@dataclass(frozen=True, slots=True)
class _Said:
    """What was said of the provider, on the command line or when asked."""

    name: str
    host: str
    port: int | None
    security: Security | None
    domains: tuple[str, ...]
    mx: tuple[str, ...]


@click.command("new", cls=CommandWithExamples)
@click.option("--name", metavar="TEXT", help="The provider's name.")
@click.option("--id", "identity", metavar="ID", help="The provider's id.  [default: made from the name]")
@click.option(
    "--kind", type=click.Choice([*_KINDS, "relay"]), default="hosting", show_default=True, help="The kind of provider."
)
@click.option("--domain", "domains", multiple=True, metavar="DOMAIN", help="A domain of its addresses (repeatable).")
@click.option("--mx", multiple=True, metavar="ENDING", help="The ending of its MX hosts (repeatable).")
@click.option("--username-form", type=click.Choice(_FORMS), help=f"What the user name is.  [default: {_FORMS[0]}]")
@click.option("--replace", is_flag=True, help="Let it take the id, domains or MX hosts of a provider that is shipped.")
@click.option(
    "--into",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write to this file: data/providers.yaml of a checkout.",
)
@click.option("--source", metavar="URL", help="With --into: the page that documents it.")
@click.option(
    "--source-kind",
    type=click.Choice(["official", "community"]),
    default="official",
    show_default=True,
    help="With --into: who publishes that page.",
)
@click.option("--says", multiple=True, metavar="TEXT", help="With --into: a sentence quoted from that page.")
@server_options
@connection_options
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(invocation: Invocation, /, **given: Any) -> int:
    """Add a provider that is in no list.

    Its server is tried on every usual port, without a password. What answers is written, with today's date, to your own
    providers.yaml, or with --into and --source to that of a checkout. In a terminal, missing answers are asked for.
    """
    given.pop("_json")
    connection = connection_from(given)
    return _New(invocation, connection, given).run()


class _New:
    """One run of the command."""

    def __init__(self, invocation: Invocation, connection: ConnectionOptions, given: dict[str, Any]) -> None:
        self.invocation = invocation
        self.out = invocation.out
        self.connection = connection
        self.given = given
        self.watch = Stopwatch(connection.timeout)
        self.today = date.today().isoformat()

    def run(self) -> int:
        self._refuse_useless()
        source = self._source()
        said = self._said()
        entry = self._untried(said, source)
        self._refuse_taken(entry)
        file = self.given["into"] or self.invocation.folder / OWN_FILE
        self._refuse_unwritable(file, entry, said)
        entry = replace(entry, servers=self._tried(said))
        self._write(file, entry)
        self._tell(file, entry)
        return Exit.OK

    # -- what is said -----------------------------------------------------------------------------------------------

    def _refuse_useless(self) -> None:
        """Raise `click.UsageError` for what says nothing about an entry."""
        given = self.given
        for option, value in (("--username", given["username"]), ("--auth", given["auth"])):
            if value:
                raise click.UsageError(f"{option} is for an account: an entry has --username-form, and no password.")
        if given["allow_cleartext"]:
            raise click.UsageError("--allow-cleartext-login is for an account: only encrypted servers are written.")
        if given["into"] is None and (given["source"] or given["says"]):
            raise click.UsageError("--source and --says go with --into: your own file needs no page.")

    def _source(self) -> EntrySource | None:
        """The page that the shipped file wants of every fact; None for a person's own file. Raises `CommandError`."""
        given, into = self.given, self.given["into"]
        if into is None:
            return None
        if not given["source"] and not can_ask():
            raise missing_answers(["--source"], phrase("The shipped file has nothing without a page that says so."))
        try:
            url = _page(given["source"]) if given["source"] else ask(self.out, "The page that documents it", _page)
            says = tuple(map(_sentence, given["says"]))
        except InputError as problem:
            raise CommandError("input", problem.words) from None
        if not says and can_ask():
            says = ask(self.out, "A sentence of it that names the server and its port (nothing: none)", _sentences)
        return EntrySource("", given["source_kind"], "", url, says)

    def _said(self) -> _Said:
        given = self.given
        called = _line(given["name"]) if given["name"] else ""
        lacking = [f"--{key}" for key, value in (("name", called), ("host", given["host"])) if not value]
        if lacking and not can_ask():
            raise missing_answers(lacking)
        asks = bool(lacking)
        name = called or ask(self.out, "What is it called?", _line)
        server = PastedServer(given["host"], given["port"], given["security"] and Security(given["security"]))
        if not given["host"]:
            server = ask(self.out, "Outgoing server, for example smtp.example.com", parse_server)
        domains, mx = tuple(map(_domain, given["domains"])), tuple(map(_domain, given["mx"]))
        if asks and not domains:
            domains = ask(self.out, "What do its addresses end in? (with commas; nothing: customers' own)", _domains)
        if asks and not mx:
            mx = ask(self.out, "What do its mail hosts (MX) end in? (with commas; nothing: not known)", _domains)
        if given["into"] is not None and given["username_form"] is None and can_ask():
            wanted = f"What is the user name? ({' or '.join(_FORMS)}; nothing: not known)"
            given["username_form"] = ask(self.out, wanted, _form)
        return _Said(name, server.host, server.port, server.security, domains, mx)

    def _untried(self, said: _Said, source: EntrySource | None) -> NewEntry:
        """The entry without its servers. Raises `InputError` for an id that is none."""
        form, identity = self.given["username_form"], self.given["identity"] or identifier(said.name)
        if not is_identifier(identity):
            wanted = phrase("--id is small letters and digits, with single hyphens between them, such as our-firm.")
            raise CommandError("input", wanted)
        if source is not None:
            source = replace(source, id=f"{identity}-settings", title=f"Settings ({said.name})")
        return NewEntry(
            id=identity,
            name=said.name,
            kind=ProviderKind(self.given["kind"]),
            servers=(),
            domains=said.domains,
            mx=said.mx,
            username_form=UsernameForm(form) if form else None,
            day=self.today,
            source=source,
        )

    def _refuse_taken(self, entry: NewEntry) -> None:
        """Refuse what belongs to a provider that is known, before anything is tried. Raises `CommandError`."""
        own = self.invocation.catalog
        shipped = load_catalog()
        if entry.source is None and shipped.get(entry.id) is None and own.get(entry.id) is not None:
            words = phrase("'{}' is in your own providers.yaml already.", shown(entry.id))
            raise CommandError("taken", words, phrase("Take another --id, or change it in that file."))
        clash = entry_clash(entry.id, entry.domains, entry.mx, shipped)
        if clash is None or (self.given["replace"] and entry.source is None):
            return
        way = phrase("Take another --id, --domain or --mx")
        if entry.source is None:
            way = phrase("{}, or --replace: passwords go to the new server then", way)
        raise CommandError("taken", clash, phrase("{}.", way))

    # -- what is tried ----------------------------------------------------------------------------------------------

    def _tried(self, said: _Said) -> tuple[CheckedServer, ...]:
        """Try the server; return the ports that serve, encrypted and with a sign-in. Raises `CommandError` for none."""
        self.out.narrate(f"Trying {said.host}, without a password ...")
        options = self.connection
        work = self.invocation.services.scans.probe(
            said.host, lambda event: None, port=said.port, security=said.security, options=options
        )
        scan = run_bounded(work, self.watch, lambda: "Nothing was written.")
        good = [each for each in scan.serving if _may_stand(each, said.port)]
        if not good:
            raise CommandError("no-server", self._none_words(said, scan), self._way_on(scan), Exit.FAILED)
        return tuple(CheckedServer(each.report.endpoint, _answer(each)) for each in good)

    def _way_on(self, scan: ScanResult) -> Shown:
        nothing = phrase("Nothing was written.")
        unproven = any(each.fault is Fault.TLS_FAILED for port in scan.ports for each in port.attempts)
        if unproven and not self.connection.ca_file:
            return phrase("{} If your firm signs its certificates itself, give --ca-file.", nothing)
        return nothing

    def _none_words(self, said: _Said, scan: ScanResult) -> Shown:
        where = phrase("{}, port {}", shown(said.host), said.port) if said.port else shown(said.host)
        tried = sorted(scan.ports, key=lambda each: not each.leading_attempt.connected)  # who answered tells most
        heard = [shown(each.title) for port in tried for each in port.report.findings[:1]]
        why = heard[0] if heard else phrase("nobody answers there")
        closed = [offered_ways(each.report) for each in scan.serving if each.signs_in and not signs_in(each.report)]
        if closed:
            return phrase("{}: {}", where, shown(unusable_words(closed[0])))
        if not any(each.leading_attempt.connected for each in tried):
            return phrase("{} was not reached: {}.", where, why)
        return phrase("{} takes no sign-in over an encrypted connection: {}.", where, why)

    # -- what is written --------------------------------------------------------------------------------------------

    def _refuse_unwritable(self, file: Path, entry: NewEntry, said: _Said) -> None:
        """Refuse a file that nothing can be added to, before anything is tried. Raises `CommandError`."""
        server = CheckedServer(Endpoint(said.host, said.port or 465, Security.TLS), "")

        def seen() -> None:
            before = shipped_text(file) if entry.source is not None else own_text(file)
            self._with_entry(replace(entry, servers=(server,)), before)

        self._changing(file, seen)

    def _write(self, file: Path, entry: NewEntry) -> None:
        """Put the entry into the file, once the file with it has been read as a whole. Raises `CommandError`."""
        change = change_shipped_file if entry.source is not None else change_own_file
        self._changing(file, lambda: change(file, partial(self._with_entry, entry)))

    def _changing(self, file: Path, act: Callable[[], None]) -> None:
        """Do something with the file. Raises `CommandError` where it cannot be changed."""
        name = shown(str(file), 300)
        try:
            act()
        except (DataError, UnsafeFile, InputError) as problem:
            words = phrase("{} was not changed: {}", name, shown(str(problem), 300))
            raise CommandError("not-written", words) from None
        except OSError as problem:
            why = shown(problem.strerror or "unknown reason")
            raise CommandError("not-written", phrase("{} cannot be written: {}.", name, why)) from None

    def _with_entry(self, entry: NewEntry, before: str) -> str:
        """Return the file's text with the entry in it, once that can be read. Raises `DataError`, `InputError`."""
        shipped = entry.source is not None
        after = with_addition(before, "providers", entry_text(entry))
        if entry.source is not None:
            after = with_addition(after, "sources", sources_text(entry))
        try:
            _refuse_wrong(after, shipped=shipped)
        except DataError:
            if before.strip():
                _refuse_wrong(before, shipped=shipped)  # what is wrong already is told by its own line
            if _is_flow(before):
                words = phrase(
                    "what stands there is in braces: write each key on a line of its own, then it can be added to."
                )
                raise InputError(words) from None
            raise
        return after

    def _tell(self, file: Path, entry: NewEntry) -> None:
        tests = _tests(entry)
        if self.out.form is Form.JSON:
            from smtp_wizard.output.documents.providers import ProviderAdded

            servers = tuple(each.endpoint for each in entry.servers)
            self.out.document(ProviderAdded(entry.id, str(file), servers, entry_text(entry), tests))
            return
        self.out.narrate(f"Written to {shown(str(file), 300)}:")
        self.out.data(entry_text(entry).rstrip("\n"))
        self.out.narrate("Test it:")
        for line in tests:
            self.out.narrate(f"  {line}")


def _is_flow(text: str) -> bool:
    """Whether a file's whole text is one mapping in braces, which nothing can be added behind."""
    bare = (line.strip() for line in text.splitlines())
    return next((line for line in bare if line and not line.startswith(("#", "---", "%"))), "").startswith("{")


SHORTEST_SENTENCE, LONGEST_SENTENCE = 8, 600
"""Characters of what is quoted from a page: enough to be found there again, and no whole page."""


def _page(text: str) -> str:
    if not text.startswith("https://"):
        raise InputError(phrase("The page that documents it (--source) begins with https://."))
    return parse_words(text)


def _sentence(text: str) -> str:
    """Return a sentence of a page. Raises `InputError` for what is none."""
    said = " ".join(parse_words(text).split())
    if not SHORTEST_SENTENCE <= len(said) <= LONGEST_SENTENCE:
        raise InputError(
            phrase(
                "Quote a sentence of the page (--says), {} to {} characters of it on one line, as it stands there.",
                SHORTEST_SENTENCE,
                LONGEST_SENTENCE,
            )
        )
    return said


def _sentences(text: str) -> tuple[str, ...]:
    return (_sentence(text),) if text else ()


def _form(text: str) -> str | None:
    if text and text not in _FORMS:
        raise InputError(phrase("Type {}, or nothing.", shown(" or ".join(_FORMS))))
    return text or None


def _line(text: str) -> str:
    name = parse_words(visible(text))
    if not name:
        raise InputError(phrase("Type its name."))
    return name


def _domain(text: str) -> str:
    return domain_name(visible(text).lstrip("."))


def _domains(text: str) -> tuple[str, ...]:
    return tuple(_domain(each) for each in text.replace(",", " ").split())


def _may_stand(port: PortResult, wanted: int | None) -> bool:
    """Whether a port may be offered to people: encrypted, by a password, and not for servers among themselves."""
    endpoint = port.report.endpoint
    takes_password = choose_mechanism(offered_ways(port.report)) is not None
    good = takes_password and endpoint.security is not Security.NONE and endpoint.port != 25
    return good and wanted in (None, endpoint.port)


def _answer(port: PortResult) -> str:
    """Say how a server answered: how it encrypts, and how one signs in."""
    report = port.report
    facts = report.tls
    version = str(facts.version).replace("TLSv", "TLS ") if facts else "no TLS"
    ways = str(report.capabilities.get("AUTH", "")) or "nothing"
    assert report.result(Stage.EHLO) is not None, "it serves"
    return f"answered with {version}, a certificate that fits, AUTH {ways}"


def _tests(entry: NewEntry) -> tuple[str, ...]:
    """Return the calls that prove the entry; for the shipped file the row of its test, too."""
    calls = [f"smtp-wizard providers verify {entry.id}"]
    calls += [f"smtp-wizard discover you@{entry.domains[0]}"] if entry.domains else []
    if entry.source is not None:
        calls = [*_shipped_tests(entry), *calls]
    return tuple(calls)


def _shipped_tests(entry: NewEntry) -> Sequence[str]:
    best = entry.servers[0].endpoint.host
    rows = [
        f'("ana@{domain}", "{best}"),  # test_an_address_gets_the_server_of_its_domain' for domain in entry.domains[:1]
    ]
    rows += [f'(["mx.{ending}"], ["{entry.id}"]),  # test_mail_hosts_lead_to_their_provider' for ending in entry.mx[:1]]
    return [*(f"tests/test_data.py: {row}" for row in rows), "make check-data"]


def _refuse_wrong(text: str, *, shipped: bool) -> None:
    """Read the file as it would be. Raises `DataError`."""
    with tempfile.TemporaryDirectory() as folder:
        there = Path(folder) / OWN_FILE
        there.write_text(text, "utf-8")
        there.chmod(0o600)
        read: Callable[[], object] = (
            (lambda: read_provider_file(there)) if shipped else (lambda: read_own_file(there, read_provider_file()))
        )
        read()
