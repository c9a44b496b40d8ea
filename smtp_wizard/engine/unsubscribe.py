"""The way off a mailing list: the link, the headers, and whether a template has them.

RFC 2369 (List-Unsubscribe), RFC 8058 (one-click), RFC 6068 (mailto). What the rules ask is told from
data/unsubscribe.yaml, without advising.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote, unquote, urlsplit

from smtp_wizard.engine.base.address import Address, AddressError
from smtp_wizard.engine.base.characters import has_control
from smtp_wizard.engine.base.data_files import data_path
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.html_links import LONGEST_HREF, MOST_LINKS, Link, read_html
from smtp_wizard.engine.base.mail_message import MailMessage, MessagePart, begins_with_header, decoded, read_message
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.base.strict_yaml import Node, YamlDocument

SUBJECT = "remove"
"""The article's sample: mailto:yourlist@yourdomain.tld?subject=remove"""
LINK_TEXT = "Unsubscribe from these e-mails"
LARGEST = 5_000_000
"""Octets of a template that are read."""


class LinkError(InputError):
    """A web address for one-click cannot be used."""


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """Everything that a mailing needs so that people can leave it."""

    mailto: str
    """mailto: address, percent-encoded (RFC 6068)."""
    url: str
    """https address for one-click, or empty."""
    html: str
    text: str
    headers: tuple[tuple[str, str], ...]
    """Header fields, name and value."""

    @property
    def one_click(self) -> bool:
        """Whether mail programs can unsubscribe with one click (RFC 8058)."""
        return bool(self.url)


def unsubscribe(address: Address, *, subject: str = SUBJECT, url: str = "", link_text: str = LINK_TEXT) -> Unsubscribe:
    """Return the link for templates and the headers for the program that builds the message.

    `subject` is the word that tells a request from other mail; `url`, an https address that unsubscribes by POST.
    Raises `InputError` for a subject of more than one line, `LinkError` for an address that is not https.
    """
    word = subject.strip()
    if not word or has_control(word) or len(word) > 100:
        raise InputError(phrase("The subject is one short line, for example: remove."))
    if has_control(link_text):
        raise InputError(phrase("The text of the link is one line."))
    mailto = mailto_link(address, word)
    web = parse_url(url) if url.strip() else ""
    link = f'<a href="{html.escape(web or mailto, quote=True)}">{html.escape(link_text)}</a>'
    text = f"{link_text}: {web}" if web else f"{link_text}: write to {address} with the subject '{word}'"
    ways = f"<{mailto}>" + (f", <{web}>" if web else "")
    headers = [("List-Unsubscribe", ways)]
    if web:
        headers.append(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    return Unsubscribe(mailto, web, link, text, tuple(headers))


def mailto_link(address: Address, subject: str) -> str:
    """Return a mailto: address; every character that means something in it is percent-encoded (RFC 6068 section 2)."""
    local = quote(address.local, safe="!$'*+-._~")
    return f"mailto:{local}@{address.ascii_domain}?subject={quote(subject, safe='')}"


def parse_url(text: str) -> str:
    """Take an https address as typed; return it in ASCII. Raises `LinkError`."""
    typed = text.strip()
    if len(typed) > 2000 or has_control(typed) or any(ch.isspace() or ch in '<>"\\^`{|}' for ch in typed):
        raise LinkError(phrase("A web address has no blanks, quotation marks or brackets in it."))
    try:
        parts = urlsplit(typed)
        host = parts.hostname or ""
        port = parts.port
    except ValueError:
        raise LinkError(phrase("That is not a web address. It begins with https:// and a name.")) from None
    if parts.scheme.lower() != "https" or not host or "." not in host:
        raise LinkError(phrase("One-click needs an address that begins with https:// (RFC 8058)."))
    if parts.username or parts.password:
        raise LinkError(phrase("A web address for everybody has no user name or password in it."))
    name = Address.parse_bare(f"x@{host}").ascii_domain if not host.isascii() else host
    where = f"{name}:{port}" if port else name
    path = quote(parts.path, safe="/%:@!$&'()*+,;=~-._")
    query = f"?{quote(parts.query, safe='/%:@!$&()*+,;=~-._?')}" if parts.query else ""
    return f"https://{where}{path}{query}"


@dataclass(frozen=True, slots=True)
class MailingRule:
    """A rule for mailings, in plain words."""

    name: str
    words: str
    source: str
    as_of: str


def rules(path: Path | None = None) -> tuple[MailingRule, ...]:
    """Return the rules of data/unsubscribe.yaml, or of `path`. Raises `DataError`."""
    return YamlDocument(path or data_path("unsubscribe.yaml")).root.read(_read_rules)


def _read_rules(root: Node) -> tuple[MailingRule, ...]:
    if root.whole("schema") != 1:
        raise root.error("schema", "must be 1")
    return tuple(
        node.read(
            lambda rule: MailingRule(rule.text("name"), rule.text("words"), rule.text("source"), rule.date("as_of"))
        )
        for node in root.children("rules")
    )


@dataclass(frozen=True, slots=True)
class TemplateCheck:
    """One thing that was looked for in a template."""

    id: str
    good: bool
    words: str


TemplateKind = Literal["html", "text", "message"]


@dataclass(frozen=True, slots=True)
class TemplateReport:
    """What a template has and lacks."""

    kind: TemplateKind
    seen: tuple[TemplateCheck, ...]
    links: tuple[str, ...] = ()
    """The unsubscribe links that were found, cleaned."""

    @property
    def good(self) -> bool:
        """Whether a mailing with this template has all it needs in itself."""
        return all(each.good for each in self.seen)


# Words for the way out, in the languages that templates come in.
_WAY_OUT = re.compile(
    r"unsubscri|opt.?out|remove me|take me off|abmelden|abbestell|austragen|d[ée]sabonn|d[ée]sinscri|darse de baja"
    r"|cancelar (?:la )?suscripci|annulla.{0,12}iscrizione|disiscri|afmeld|uitschrij|descadastr|avregistr|wypis",
    re.IGNORECASE,
)
_REMOVE_SUBJECT = re.compile(r"[?&]subject=[^&]{0,100}?(?:remove|unsubscri|stop|abmeld|baja|desabonn)", re.IGNORECASE)
_POSTAL = re.compile(
    r"\bp\.? ?o\.? ?box \d+"
    r"|\b\d{1,6}[a-z]? (?:[\w.'-]{1,40} ){0,4}(?:street|st|road|rd|avenue|ave|boulevard|blvd|lane|ln|drive|dr|way|court"
    r"|ct|square|sq|highway|hwy|parkway|pkwy|place|pl|suite|ste)\b"
    r"|(?:stra(?:ß|ss)e|str\.|weg|platz|gasse|allee|rue|avenue|calle|via|piazza) [\w .'-]{0,40}?\d",
    re.IGNORECASE,
)
_POSTCODE = re.compile(
    r"\b(?:\d{5} [A-ZÄÖÜ][\w.-]"
    r"|(?:[A-Z]{2} \d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|\d{4} ?[A-Z]{2}|[A-Z]\d[A-Z] ?\d[A-Z]\d)\b)"
)
"""Both are looked for in a text with single blanks."""
_PLACEHOLDER = re.compile(r"yourdomain|yourlist|example\.(?:com|org|net)|\btld\b|\{\{|\[\[|%%|<%", re.IGNORECASE)
_MARKUP = re.compile(r"<(?:html|body|a|p|div|table|br)\b", re.IGNORECASE)
_HEAD = 65_536
"""Octets in which the header of a message ends."""


def check_template(data: bytes) -> TemplateReport:
    """Read a template (HTML, plain text, or a whole message) and say whether it has link, header and postal address.

    Nothing is opened or fetched. A placeholder that a mailing program fills in counts as a link, and is named as one.
    """
    octets = data[:LARGEST].decode("latin-1")
    if begins_with_header(octets, _HEAD):
        return _check_message(read_message(octets, octets=True))
    text = data[:LARGEST].decode("utf-8", "replace")
    markup = _MARKUP.search(text) is not None
    return TemplateReport("html" if markup else "text", *_body(text, markup))


def _check_message(letter: MailMessage) -> TemplateReport:
    """Look through the part that mail programs show, the HTML before the plain text, and the header."""
    part = letter.shown("text/html", "text/plain")
    seen, links = _body(part.text() if part is not None else "", part is not None and part.kind == "text/html")
    return TemplateReport("message", (*seen, *_headers(letter.head)), links)


def _headers(head: MessagePart) -> Iterator[TemplateCheck]:
    ways = read_list_unsubscribe(head.all("list-unsubscribe"))
    yield TemplateCheck("header", not ways.fault, ways.fault or "The List-Unsubscribe header is there.")
    post = head.all("list-unsubscribe-post")
    if post or ways.secure:
        fault = _one_click_fault(ways, post)
        yield TemplateCheck("one-click", not fault, fault or "One-click is set up (RFC 8058).")


def _one_click_fault(ways: ListUnsubscribe, post: Sequence[str]) -> str:
    """Say what keeps mail programs from unsubscribing with one click (RFC 8058 section 3.1), '' where nothing does."""
    if not post:
        return "An https address without List-Unsubscribe-Post is no one-click."
    if not ways.secure:
        return "One-click needs an https address in List-Unsubscribe (RFC 8058 section 3.1), and there is none."
    if [each.lower() for each in post] != ["list-unsubscribe=one-click"]:
        return "List-Unsubscribe-Post must say 'List-Unsubscribe=One-Click' and nothing else (RFC 8058 section 3.1)."
    return ""


@dataclass(frozen=True, slots=True)
class ListUnsubscribe:
    """What a message's List-Unsubscribe header comes to."""

    fault: str = ""
    """Why mail programs cannot use it, and what to write: one sentence. Empty where they can."""
    secure: bool = False
    """Whether it has an https address."""


_WAY = re.compile(r"<([^<>]*+)>")
_COMMENT = re.compile(r"\([^()]*+\)")
_NO_WAY_OUT = "There is no List-Unsubscribe header (RFC 2369)."
_UNFORMED = (
    "The List-Unsubscribe header is not well formed: each address stands in angle brackets of its own, with a comma "
    "between one and the next (RFC 2369 section 2)."
)
_ENCODED = (
    "The List-Unsubscribe header is an encoded word (=?...?=), which mail programs do not decode in it (RFC 2047 "
    "section 5): write the addresses as they are."
)
_SEVERAL = "There are several List-Unsubscribe headers: a message has one (RFC 2369 section 2), with all in it."
_USELESS = "The List-Unsubscribe header has no address that mail programs can use: mailto or https (RFC 2369)."


def read_list_unsubscribe(fields: Sequence[str]) -> ListUnsubscribe:
    """Read the List-Unsubscribe fields of a message (RFC 2369 section 2): addresses in angle brackets, with commas.

    What stands in round brackets between them is a comment. A placeholder that a mailing program fills in is taken.
    """
    if len(fields) != 1:
        return ListUnsubscribe(_SEVERAL if fields else _NO_WAY_OUT)
    value = fields[0]
    if value.startswith(_FILLED_IN):
        return ListUnsubscribe()
    ways = _WAY.findall(value)
    secure = any(way.strip().lower().startswith("https:") for way in ways)
    between = _COMMENT.sub("", _WAY.sub("<>", value))
    if decoded(between) != between or any(decoded(way) != way for way in ways):
        return ListUnsubscribe(_ENCODED, secure)
    if not ways or "".join(between.split()) != ",".join(["<>"] * len(ways)):
        return ListUnsubscribe(_UNFORMED, secure)
    fault = next((fault for fault in map(_fault_of_way, ways) if fault), "")
    usable = any(way.startswith(_FILLED_IN) or _scheme(way) in ("mailto", "http", "https") for way in ways)
    return ListUnsubscribe(fault or ("" if usable else _USELESS), secure)


def _scheme(way: str) -> str:
    return way.strip().partition(":")[0].lower()


def _fault_of_way(way: str) -> str:
    """Say why an address in the header cannot be used as it is written, '' where it can."""
    if way.startswith(_FILLED_IN):
        return ""
    typed = way.strip()
    if any(ch.isspace() for ch in typed):
        return (
            f"A blank stands in the List-Unsubscribe address {shown(typed, 120)}: mail programs leave it out (RFC 2369 "
            "section 2). Write %20 in its place (RFC 3986 section 2.1)."
        )
    if not typed.isascii() or has_control(typed):
        return (
            f"The List-Unsubscribe address {shown(typed, 120)} has letters that must be written as % and figures "
            "(RFC 3986 section 2.1)."
        )
    if _scheme(typed) == "mailto" and not _works(typed):
        return f"The List-Unsubscribe address {shown(typed, 120)} names no e-mail address (RFC 6068 section 2)."
    return ""


def _body(text: str, markup: bool) -> tuple[tuple[TemplateCheck, ...], tuple[str, ...]]:
    links, words = read_html(text) if markup else (_plain_links(text), text)
    ways = [link for link in links if _leads_out(link)]
    good = [link.href for link in ways if _works(link.href)]
    return (
        (_link_seen(ways, good), _postal_seen(words)),
        tuple(shown(link.href, 200) for link in ways[:10]),
    )


_PLAIN_LINK = re.compile(r"(?:mailto:|https?:)\S+")
_BEFORE = 200


def _plain_links(text: str) -> list[Link]:
    """Links of a plain text, each with the line it stands in, or what stands around it where that is a long one."""
    links: list[Link] = []
    for line in text.splitlines():
        for found in _PLAIN_LINK.finditer(line):
            around = line[max(0, found.start() - _BEFORE) : found.end() + _BEFORE]
            links.append(Link(found[0].rstrip(".,;)")[:LONGEST_HREF], around[: LONGEST_HREF + 2 * _BEFORE]))
            if len(links) == MOST_LINKS:
                return links
    return links


def _leads_out(link: Link) -> bool:
    return any(_WAY_OUT.search(words) for words in (link.label, unquote(link.href))) or bool(
        _REMOVE_SUBJECT.search(link.href)
    )


_FILLED_IN = ("{{", "[[", "%%", "<%", "*|")
_WEB = re.compile(r"https?://[^/\s.]+\.[^/\s]", re.IGNORECASE)


def _works(href: str) -> bool:
    if href.startswith(_FILLED_IN):
        return True  # a mailing program puts the address in
    if href.lower().startswith("mailto:"):
        try:
            Address.parse_bare(unquote(href[7:].partition("?")[0]))
        except AddressError:
            return False
        return True
    return _WEB.match(href) is not None


def _link_seen(ways: list[Link], good: list[str]) -> TemplateCheck:
    if not ways:
        return TemplateCheck("link", False, "There is no link or address to unsubscribe with.")
    if not good:
        return TemplateCheck(
            "link", False, f"The unsubscribe link leads nowhere: {shown(ways[0].href or 'it is empty', 120)}"
        )
    sample = next((href for href in good if _PLACEHOLDER.search(href)), None)
    if sample is not None:
        return TemplateCheck(
            "link", False, f"The unsubscribe link is still a sample or a placeholder: {shown(sample, 120)}"
        )
    return TemplateCheck("link", True, f"There is a way to unsubscribe: {shown(good[0], 120)}")


def _postal_seen(words: str) -> TemplateCheck:
    flat = " ".join(words.split())
    if _POSTAL.search(flat) and (_POSTCODE.search(flat) or "box" in flat.lower()):
        return TemplateCheck("postal", True, "There is what looks like a postal address.")
    return TemplateCheck("postal", False, "No postal address was found; a mailing that advertises needs one.")
