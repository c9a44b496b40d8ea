"""Reads what `data/providers.yaml` says about OAuth servers, as strictly as the rest of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Protocol

from smtp_wizard.engine.base.confidence import Confidence
from smtp_wizard.engine.base.strict_yaml import Node
from smtp_wizard.engine.oauth.server import (
    TENANT_SLOT,
    ApplicationAccess,
    ClientSecret,
    OAuthServer,
    TokenLife,
    is_redirect,
    is_safe_url,
)

OAuthServers = Mapping[str, OAuthServer]
"""The table of servers, by the name that paths refer to them with."""


class CitesSources(Protocol):
    """What is needed of the citations: source, date and confidence of a fact."""

    def fact(self, node: Node) -> tuple[str, str, Confidence]: ...

    def one(self, node: Node, key: str, source_id: str) -> str: ...


def read_servers(node: Node, cited: CitesSources) -> dict[str, OAuthServer]:
    """Read the table of servers. Raises `DataError`."""
    return {key: node.child(key).read(partial(read_server, cited=cited)) for key in node.keys()}  # noqa: SIM118


def server_of(node: Node, servers: OAuthServers, cited: CitesSources) -> OAuthServer | None:
    """Return the server that a path refers to, or describes itself; None where it says none. Raises `DataError`."""
    if not node.has("oauth"):
        return None
    if node.is_text("oauth"):
        name = node.text("oauth")
        if name not in servers:
            raise node.error("oauth", f"there is no OAuth server '{name}' in the table of them")
        server = servers[name]
        facts = (server, server.idle, server.testing, server.application)
        for source in (each.source for each in facts if each is not None and each.source):
            cited.one(node, "oauth", source)
        return server
    return node.child("oauth").read(partial(read_server, cited=cited))


def read_server(node: Node, cited: CitesSources) -> OAuthServer:
    """Read one server. Raises `DataError`."""
    source, as_of, confidence = cited.fact(node)
    redirect = node.text_or("redirect", "http://127.0.0.1:{port}/")
    if not is_redirect(redirect):
        raise node.error("redirect", "must be http://127.0.0.1:{port}, or localhost, with a path if need be")
    return OAuthServer(
        name=node.text("name"),
        authorize=_address(node, "authorize", required=True),
        token=_address(node, "token", required=True),
        device=_address(node, "device"),
        register=_address(node, "register"),
        revoke=_address(node, "revoke"),
        scopes=_scopes(node),
        extra=_extra(node),
        redirect=redirect,
        client_secret=node.choice("client_secret", ClientSecret) if node.has("client_secret") else ClientSecret.NONE,
        console=_address(node, "console"),
        idle=_life(node, "idle", cited),
        testing=_life(node, "testing", cited),
        application=_application(node, cited),
        closed=node.text_or("closed"),
        note=node.text_or("note"),
        source=source,
        as_of=as_of,
        confidence=confidence,
    )


def _application(node: Node, cited: CitesSources) -> ApplicationAccess | None:
    def read(access: Node) -> ApplicationAccess:
        source, as_of, confidence = cited.fact(access)
        token = access.text("token")
        if not is_safe_url(token.replace(TENANT_SLOT, "tenant")):
            raise access.error("token", "must begin with https://, with {tenant} where the organisation's id belongs")
        return ApplicationAccess(
            token=token,
            scopes=_scopes(access),
            shared=access.texts("shared") if access.has("shared") else (),
            source=source,
            as_of=as_of,
            confidence=confidence,
        )

    found = node.maybe_child("application")
    return found.read(read) if found else None


def _scopes(node: Node) -> tuple[str, ...]:
    scopes = node.texts("scopes")
    if not scopes or any(not _SCOPE.fullmatch(scope) for scope in scopes):
        raise node.error("scopes", "name what is asked for: a list of words without blanks")
    return scopes


_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
"""RFC 6749 section 3.3."""


def _address(node: Node, key: str, *, required: bool = False) -> str:
    text = node.text(key) if required else node.text_or(key)
    if text and not is_safe_url(text):
        raise node.error(key, "must begin with https:// (http:// is for a server on this computer alone)")
    return text


_OURS = frozenset(
    {"response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method"}
)
"""What the program itself puts into the address of the page."""


def _extra(node: Node) -> dict[str, str]:
    found = node.maybe_child("extra")
    if found is None:
        return {}
    own = [key for key in found.keys() if key in _OURS]  # noqa: SIM118  a method
    if own:
        raise found.error(own[0], "is put there by the program itself")
    return found.read(lambda each: {key: each.text(key) for key in each.keys()})  # noqa: SIM118


def _life(node: Node, key: str, cited: CitesSources) -> TokenLife | None:
    def read(life: Node) -> TokenLife:
        source, as_of, confidence = cited.fact(life)
        days = life.whole("days")
        if days < 1:
            raise life.error("days", "must be at least 1")
        return TokenLife(days=days, source=source, as_of=as_of, confidence=confidence)

    found = node.maybe_child(key)
    return found.read(read) if found else None
