"""`providers`: what the catalogue knows, with who says so and when."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from smtp_wizard.commands.groups import GroupWithDefault, Later
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.runtime.exits import CommandError, Exit
from smtp_wizard.runtime.output import Form
from smtp_wizard.runtime.tables import table

if TYPE_CHECKING:
    from smtp_wizard.commands.invocation import Invocation
    from smtp_wizard.engine.base.endpoint import Endpoint
    from smtp_wizard.engine.providers.limits import SendLimit
    from smtp_wizard.engine.providers.provider import AccessPath, CatalogEndpoint, Documented, IspdbEntry, Provider

_LATER = {"verify": Later("smtp_wizard.commands.providers_verify", "Speak to the servers; say what no longer fits.")}


@click.group("providers", cls=GroupWithDefault, later=_LATER)
def command() -> None:
    """List the mail providers that are known, or those that QUERY means: a name, a domain, a server."""


@command.command("list", hidden=True)
@click.argument("query", required=False)
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def listed(invocation: Invocation, query: str | None, _json: bool) -> int:
    """List the providers."""
    out, catalog = invocation.out, invocation.catalog
    found = catalog.search(query or "", limit=len(catalog.providers))
    if out.form is Form.JSON:
        out.document("providers", providers=[_brief(provider) for provider in found])
    elif not found:
        out.narrate(f"No provider is known for '{shown(query or '', 60)}'. Its server can be entered by hand.")
    else:
        rows = [("Id", "Name", "Kind", "Status", "Checked")]
        rows += [(each.id, each.name, each.kind.value, each.status.value, each.checked) for each in found]
        out.data("\n".join(table(rows)))
    return Exit.OK


@command.command("show")
@click.argument("provider_id", metavar="ID")
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def show(invocation: Invocation, provider_id: str, _json: bool) -> int:
    """Show all that is known about one provider."""
    provider = provider_called(invocation, provider_id)
    overrides = invocation.catalog.overrides_of(provider.id)
    if invocation.out.form is Form.JSON:
        overridden = [dataclasses.asdict(each) for each in overrides]
        invocation.out.document("providers-show", **provider_json(provider), overrides=overridden)
    else:
        invocation.out.data(
            "\n".join([*_text(provider), *_block("Overridden", [f"  {each.words}" for each in overrides])])
        )
    return Exit.OK


def provider_called(invocation: Invocation, provider_id: str) -> Provider:
    """Return the provider with this id. Raises `CommandError`."""
    catalog = invocation.catalog
    found = catalog.get(provider_id)
    if found is not None:
        return found
    import difflib

    close = difflib.get_close_matches(provider_id, [each.id for each in catalog.providers], n=1)
    raise CommandError(
        "no-such-provider",
        f"There is no provider with the id '{shown(provider_id, 60)}'.",
        f"Did you mean '{close[0]}'?" if close else "'smtp-wizard providers' lists them.",
        Exit.NOT_FOUND,
    )


# --- JSON ---


def _brief(provider: Provider) -> dict[str, Any]:
    return {
        "id": provider.id,
        "name": provider.name,
        "kind": provider.kind.value,
        "status": provider.status.value,
        "checked": provider.checked,
    }


def provider_json(provider: Provider) -> dict[str, Any]:
    """Return the whole entry."""
    return {
        **_brief(provider),
        "other_names": list(provider.other_names),
        "domains": list(provider.domains),
        "mx": list(provider.mx),
        "mx_shared": list(provider.mx_shared),
        "endpoints": [_endpoint_json(each) for each in provider.endpoints],
        "username": {
            "form": provider.username_form.value,
            "literal": provider.username_literal or None,
            "note": provider.username_note,
        },
        "paths": [path_json(path) for path in provider.paths],
        "limits": [_limit_json(limit) for limit in provider.limits],
        "limits_note": provider.limits_note,
        "documented": _documented_json(provider.documented) if provider.documented else None,
        "note": provider.note,
        "successor": provider.successor,
        "ispdb": [_ispdb_json(provider, entry) for entry in provider.ispdb],
        "errors": [_plain(each) for each in provider.errors],
        "lockout": _plain(provider.lockout) if provider.lockout else None,
        "retirements": [_plain(each) for each in provider.retirements],
        "sources": [_plain(each) for each in provider.sources],
    }


def _ispdb_json(provider: Provider, entry: IspdbEntry) -> dict[str, Any]:
    return {
        "domain": entry.domain,
        "changed": entry.changed,
        "endpoints": [_server_json(endpoint) for endpoint in entry.endpoints],
        "username": entry.username_form.value,
        "agrees": not provider.apart_from(entry),
        "note": entry.note,
    }


def _server_json(endpoint: Endpoint) -> dict[str, Any]:
    return {"host": endpoint.host, "port": endpoint.port, "security": endpoint.security.value}


def _endpoint_json(offer: CatalogEndpoint) -> dict[str, Any]:
    more = _plain(offer)
    del more["endpoint"]
    return {**_server_json(offer.endpoint), **more}


def path_json(path: AccessPath) -> dict[str, Any]:
    """Return an access path as it stands in the documents of `providers show` and `discover`."""
    shown = _plain(path)
    form = shown.pop("secret_form")
    return {**shown, "secret_form": form}


def _limit_json(limit: SendLimit) -> dict[str, Any]:
    return {**_plain(limit), "words": limit.words()}


def _documented_json(documented: Documented) -> dict[str, Any]:
    return {**_plain(documented), "limits": [_limit_json(limit) for limit in documented.limits]}


def _plain(entry: Any) -> dict[str, Any]:
    """Return a dataclass of the catalogue as JSON has it: enums are text already, tuples become lists."""
    return {name: _listed(value) for name, value in dataclasses.asdict(entry).items()}


def _listed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _listed(inner) for name, inner in value.items()}
    return [_listed(inner) for inner in value] if isinstance(value, list | tuple) else value


# --- text ---


def _text(provider: Provider) -> Iterator[str]:
    facts = [
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
    yield from _block("", table([(f"  {name}", words) for name, words in facts if words]))
    yield from _block("", [f"  {provider.note}"] if provider.note else [])
    yield from _block("Servers", [_endpoint_line(each) for each in provider.endpoints])
    yield from _block("Compared with ISPDB", [_ispdb_line(provider, entry) for entry in provider.ispdb])
    yield from _block("Ways to sign in", [line for path in provider.paths for line in _path_lines(path)])
    notes = [provider.limits_note] if provider.limits_note else []
    yield from _block("Sending limits", [*(_limit_line(limit) for limit in provider.limits), *_indented(notes)])
    if provider.documented is not None:
        yield from _block("What the old help article says", _documented_lines(provider.documented))
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
    more = [offer.plan, ", ".join(offer.domains), "" if offer.offered else "not offered: it is only documented"]
    more += [f"for MX hosts of {', '.join(offer.mx)}" if offer.mx else "", offer.note]
    more += ["a guess: no source names it" if offer.guess else f"{offer.confidence.value}, {offer.as_of}"]
    words = "; ".join(word for word in more if word)
    return f"  {endpoint.host}, port {endpoint.port}, {endpoint.security.words} ({words})"


def _ispdb_line(provider: Provider, entry: IspdbEntry) -> str:
    how = f"differs: {entry.note}" if provider.apart_from(entry) else "agrees"
    return f"  {entry.domain} (changed {entry.changed}): {how}"


def _path_lines(path: AccessPath) -> list[str]:
    lines = [f"  {path.id}: {path.title} ({path.status.value}, {path.auth.value})", f"      {path.summary}"]
    lines += [f"      Retired on {path.retired_on}."] if path.retired_on else []
    lines += [f"      Instead: {'; '.join(path.instead)}"] if path.instead else []
    lines += [f"      Disputed: {path.disputed}"] if path.disputed else []
    lines += [f"      {path.note}"] if path.note else []
    lines += [f"      Guide: smtp-wizard guide {path.guide}"] if path.guide else []
    return lines


def _limit_line(limit: SendLimit) -> str:
    return f"  {limit.words()} ({limit.confidence.value}{f', {limit.as_of}' if limit.as_of else ''})"


def _documented_lines(documented: Documented) -> list[str]:
    lines = [f"  Called: {', '.join(documented.names)}", *_indented(documented.smtp_lines)]
    lines += [f"  {documented.limits_label}: {line}" for line in documented.limit_lines]
    lines += [f"  Still true: {line}" for line in documented.still_true]
    lines += [f"  No longer true: {line}" for line in documented.false_today]
    lines += [f"  Limits today: {documented.limits_today}"] if documented.limits_today else []
    return lines
