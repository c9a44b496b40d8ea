"""`providers`: what the catalogue knows, with who says so and when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

import click

from smtp_wizard.commands.groups import GroupWithDefault, LazyCommand
from smtp_wizard.commands.options.shell_completion import provider_ids
from smtp_wizard.engine.base.shown import NO_WORDS, Shown, phrase, shown
from smtp_wizard.engine.providers.retirements import has_come, look_again
from smtp_wizard.runtime.exit_codes import CommandError, Exit
from smtp_wizard.runtime.output import Form
from smtp_wizard.runtime.tables import facts, folded, table

if TYPE_CHECKING:
    from smtp_wizard.commands.invocation import Invocation
    from smtp_wizard.engine.providers.limits import SendLimit
    from smtp_wizard.engine.providers.provider import AccessPath, CatalogEndpoint, Documented, IspdbEntry, Provider

CLOSE = 0.75
"""How much alike an id must be for somebody to have meant it: most endings of names are alike ('-hosting')."""
_LONGEST_SHOWN = 60
_LATER = {"verify": LazyCommand("smtp_wizard.commands.providers_verify", "Compare the servers with the catalogue.")}


@click.group("providers", cls=GroupWithDefault, later=_LATER)
def command() -> None:
    """List the mail providers in the catalogue, or those that match QUERY (a name, a domain or a server)."""


@command.command("list", hidden=True)
@click.argument("query", required=False)
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def listed(invocation: Invocation, query: str | None, _json: bool) -> int:
    """List the providers."""
    out, catalog = invocation.out, invocation.catalog
    found = catalog.search(query or "", limit=len(catalog.providers))
    if query is not None and not (found and query.strip()):
        raise nobody_matches(invocation, query)
    if out.form is Form.JSON:
        from smtp_wizard.output.documents.providers import BriefJson, Providers

        out.document(Providers(tuple(map(BriefJson.of, found))))
    else:
        rows = [("Id", "Name", "Kind", "Status", "Checked")]
        rows += [(each.id, each.name, each.kind.value, each.status.value, each.checked) for each in found]
        out.page("\n".join(table(rows, out.width)))
    return Exit.OK


@command.command("show")
@click.argument("provider_id", metavar="ID", shell_complete=provider_ids)
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def show(invocation: Invocation, provider_id: str, _json: bool) -> int:
    """Show everything that is known about one provider."""
    provider = provider_called(invocation, provider_id)
    overrides = invocation.catalog.overrides_of(provider.id)
    if invocation.out.form is Form.JSON:
        from smtp_wizard.output.documents.providers import ProviderShown

        invocation.out.document(ProviderShown.of(provider, overrides))
    else:
        lines = [
            *_text(provider, invocation.out.width),
            *_block("Overridden", [f"  {each.words}" for each in overrides]),
        ]
        invocation.out.page(folded("\n".join(lines), invocation.out.width))
    return Exit.OK


def provider_called(invocation: Invocation, provider_id: str) -> Provider:
    """Return the provider with this id. Raises `CommandError`."""
    catalog = invocation.catalog
    found = catalog.get(provider_id) or catalog.get(provider_id.lower())
    if found is not None:
        return found
    raise CommandError(
        "no-such-provider",
        phrase("There is no provider with the id '{}'.", shown(provider_id, _LONGEST_SHOWN)),
        meant(invocation, provider_id) or phrase("'smtp-wizard providers' lists them."),
        Exit.NOT_FOUND,
    )


def nobody_matches(invocation: Invocation, query: str) -> CommandError:
    """Return what is raised where no provider of the catalogue matches what was asked for."""
    return CommandError(
        "no-such-provider",
        phrase("No provider is known for '{}'.", shown(query, _LONGEST_SHOWN)),
        meant(invocation, query) or phrase("Its server can be entered by hand."),
        Exit.NOT_FOUND,
    )


def meant(invocation: Invocation, typed: str) -> Shown:
    """Return a question whether another provider was meant; no words where none has an id or a name like it."""
    import difflib

    providers = invocation.catalog.providers
    called = {name.lower(): each.id for each in providers for name in (each.name, *each.other_names)}
    called |= {each.id: each.id for each in providers}
    close = difflib.get_close_matches(typed.lower()[:_LONGEST_SHOWN], called, n=1, cutoff=CLOSE)
    return phrase("Did you mean '{}'?", shown(called[close[0]])) if close and called[close[0]] != typed else NO_WORDS


# --- text ---


def _text(provider: Provider, width: int | None) -> Iterator[str]:
    known = [
        ("Id", provider.id),
        ("Kind", provider.kind.value),
        ("Status", provider.status.value),
        ("Checked", provider.checked),
        ("Addresses", ", ".join(provider.domains)),
        ("MX", ", ".join(provider.mx)),
        ("User name", provider.username_form.value + (f": {provider.username_note}" if provider.username_note else "")),
        ("Successor", provider.successor or ""),
    ]
    yield provider.name
    yield from _block("", facts([(f"  {name}", words) for name, words in known if words], width))
    yield from _block("", [f"  {provider.note}"] if provider.note else [])
    yield from _block("Servers", [_endpoint_line(each) for each in provider.endpoints])
    yield from _block("Compared with ISPDB", [_ispdb_line(provider, entry) for entry in provider.ispdb])
    yield from _block("Ways to sign in", [line for path in provider.paths for line in _path_lines(path)])
    limits = (_limit_line(provider, limit) for limit in provider.limits)
    notes = filter(None, (provider.no_mailings, provider.limits_note))
    yield from _block("Sending limits", [*limits, *_indented(notes)])
    if provider.documented is not None:
        yield from _block("What the old help article says", _documented_lines(provider.documented))
    yield from _block("What would change this entry", _indented(each.words for each in look_again(provider)))
    yield from _block(
        "Sources", [f"  {each.id}: {each.title} ({each.date}) {each.url}".rstrip() for each in provider.sources]
    )


def _block(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield ""
        if title:
            yield title
        yield from lines


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _endpoint_line(offer: CatalogEndpoint) -> str:
    endpoint = offer.endpoint
    more = [
        f"region {offer.region}" if offer.region else "",
        offer.plan,
        ", ".join(offer.domains),
        "" if offer.offered else "not offered: it is only documented",
    ]
    more += [f"for MX hosts of {', '.join(offer.mx)}" if offer.mx else "", offer.note]
    more += ["a guess: no source names it" if offer.guess else f"{offer.confidence.value}, {offer.as_of}"]
    words = "; ".join(word for word in more if word)
    return f"  {endpoint.host}, port {endpoint.port}, {endpoint.security.words} ({words})"


def _ispdb_line(provider: Provider, entry: IspdbEntry) -> str:
    how = f"differs: {entry.note}" if provider.apart_from(entry) else "agrees"
    return f"  {entry.domain} (changed {entry.changed}): {how}"


def _path_lines(path: AccessPath) -> list[str]:
    lines = [f"  {path.id}: {path.title} ({path.status.value}, {path.auth.value})", f"      {path.summary}"]
    ended = "Retired" if has_come(path.retired_on or "", date.today()) else "Retires"
    lines += [f"      {ended} on {path.retired_on}."] if path.retired_on else []
    lines += [f"      Instead: {'; '.join(path.instead)}"] if path.instead else []
    lines += [f"      Disputed: {path.disputed}"] if path.disputed else []
    lines += [f"      {path.note}"] if path.note else []
    lines += [f"      Guide: smtp-wizard guide {path.guide}"] if path.guide else []
    return lines


def _limit_line(provider: Provider, limit: SendLimit) -> str:
    words = " - ".join((limit.words(), *provider.barred(limit)))
    return f"  {words} ({limit.confidence.value}{f', {limit.as_of}' if limit.as_of else ''})"


def _documented_lines(documented: Documented) -> list[str]:
    lines = [f"  Called: {', '.join(documented.names)}", *_indented(documented.smtp_lines)]
    lines += [f"  {documented.limits_label}: {line}" for line in documented.limit_lines]
    lines += [f"  Still true: {line}" for line in documented.still_true]
    lines += [f"  No longer true: {line}" for line in documented.false_today]
    lines += [f"  Limits today: {documented.limits_today}"] if documented.limits_today else []
    return lines
