"""What a person pasted, made plain: an error, a log or a letter of refusal, however it was quoted, wrapped and escaped.

Nothing here knows what any of it means. It finds the replies of servers in it, and hides passwords and tokens.
"""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from collections.abc import Iterator
from functools import cache

from smtp_wizard.engine.base.html_links import unescaped
from smtp_wizard.engine.lazy_dataclass import dataclass

LONGEST_TEXT = 64_000
"""Characters that are looked at. Of a longer text the beginning, what looks like a fault, and above all the end."""
REPLY_LENGTH = 1000
"""Characters of a reply that are kept: servers that explain themselves in links go on for long."""


# --- plain text ------------------------------------------------------------------------------------------------------

_ESCAPES = {
    "n": "\n",
    "r": "\n",
    "t": " ",
    '"': '"',
    "'": "'",
    "/": "/",
}
_ESCAPE = re.compile(r"(?<!\\)\\++(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([nrt\"'/])(?![A-Za-z]:))")
_LINE_TAG = re.compile(r"</?(?:br|p|div|li|tr|h[1-6]|pre|ul|ol|table|blockquote)\b[^<>]{0,300}>", re.IGNORECASE)
_OTHER_TAG = re.compile(
    r"</?(?:a|b|i|em|strong|span|font|code|td|th|tbody|html|head|body|meta|title|style|script|img|u|small)"
    r"(?:\s[^<>]{0,500})?/?>",
    re.IGNORECASE,
)
_QUOTE = re.compile(r"^[ \t]*(?:[>|][> |\t]*)(?=\S)", re.MULTILINE)
_BLANKS = re.compile(r"[^\S\n]+")
_TYPOGRAPHIC = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-", "\u00a0": " "}
)


@cache
def _spelt_code() -> re.Pattern[str]:
    """Return how a library of Rust spells a code out; compiled for the first text that has one."""
    return re.compile(
        r"severity: (?P<first>Permanent|Transient)NegativeCompletion, category: (?P<second>[A-Z][a-zA-Z]{3,12}\d?)"
        r", detail: (?P<third>[A-Z][a-z]{2,4})"
    )


_CATEGORIES = ("Syntax", "Information", "Connections", "Unspecified3", "Unspecified4", "MailSystem")
_DIGITS = ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")


def _in_digits(found: re.Match[str]) -> str:
    """Return a code in digits that a library of Rust (lettre) has spelt out (RFC 5321 section 4.2.1)."""
    if found["second"] not in _CATEGORIES or found["third"] not in _DIGITS:
        return found[0]
    first = 5 if found["first"] == "Permanent" else 4
    return f"code: {first}{_CATEGORIES.index(found['second'])}{_DIGITS.index(found['third'])} "


def plain_text(pasted: str) -> str:
    """Return the text with escapes resolved, tags and quoting marks taken off, and ordinary blanks and line ends."""
    text = shortened(pasted, LONGEST_TEXT)
    if "\\" in text:
        text = _ESCAPE.sub(_unescaped, text)
    if "NegativeCompletion" in text:
        text = _spelt_code().sub(_in_digits, text)
    if "<" in text:
        text = _OTHER_TAG.sub("", _LINE_TAG.sub("\n", text))
    if "&" in text:
        text = unescaped(text)
    if not text.isascii():
        text = shortened(_compatible(text.translate(_TYPOGRAPHIC)), LONGEST_TEXT)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _BLANKS.sub(" ", _QUOTE.sub("", text))


def _compatible(text: str) -> str:
    """Return the text in the signs that are usual for what it says (Unicode's form NFKC); one can stand for eighteen.

    Piece by piece: marks upon one letter are put in order in a time with the square of their number.
    """
    pieces = (text[at : at + _PIECE] for at in range(0, len(text), _PIECE))
    return "".join(unicodedata.normalize("NFKC", piece) for piece in pieces)


_PIECE = 500


LEFT_OUT = "[...]"
"""What stands where something was left out."""


def shortened(text: str, longest: int) -> str:
    """Return what tells most of a long text: its beginning, what looks like a fault in its midst, and its end."""
    if len(text) <= longest:
        return text
    quarter = max(0, longest - 2 * len(LEFT_OUT) - 4) // 4
    start, end = quarter, len(text) - 2 * quarter
    middle = _faults(text, start, end, quarter)
    return "\n".join([text[:start], LEFT_OUT, *([middle, LEFT_OUT] if middle else []), text[end:]])


_FAULT = re.compile(
    r"(?<![\w.@/+\-$])[45]\d\d[ \-]|error|fail|refus|reject|denied|exception|time[d-]? ?out|unable|could ?n.t|cannot"
    r"|invalid|unreachable|fehler|erreur|abgelehnt",
    re.IGNORECASE,
)
_BEFORE, _BEHIND = 200, 600
"""Characters around a fault that belong to it."""


def _faults(text: str, start: int, end: int, room: int) -> str:
    """Return what looks like a fault between two places of a text; of very many the first and the last."""
    most = max(1, room // (_BEFORE + _BEHIND))
    found: list[int] = []
    last: deque[int] = deque(maxlen=most)
    reach = start
    for at in (each.start() for each in _FAULT.finditer(text, start, end)):
        if at < reach:
            continue
        reach = at + _BEHIND
        (found if len(found) < most // 2 else last).append(at)
    places = [*found, *list(last)[-(most - len(found)) :]]
    pieces = (text[max(start, at - _BEFORE) : min(end, at + _BEHIND)] for at in places)
    return "\n".join(pieces)[:room]


def _unescaped(found: re.Match[str]) -> str:
    number = found[1] or found[2]
    if number is None:
        return _ESCAPES[found[3]]
    ch = chr(int(number, 16))
    return ch if ch.isprintable() else " "


# --- replies ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class QuotedReply:
    """A refusal as a server wrote it (RFC 5321 section 4.2), wherever it stands in the text."""

    code: int | None
    enhanced: str | None
    words: str
    at: int
    """Where in the text it begins."""
    sure: int
    """0: three digits with words behind; 1: where replies stand; 2: with an enhanced code of the same class."""


_ENHANCED = r"[245]\.\d{1,3}\.\d{1,3}(?![\d.]*\d)"
_REPLY = re.compile(
    rf"""
    (?<![\w.@/+\-$])                             # no part of a word, a number, an address
    (?P<code>4(?:2[12]|[3-57]\d)|5(?:[0-57]\d|9[0-2])|[45]xx)   # those that mail servers use, none of HTTP's 4xx
    (?![\w%]|\.\d|:[\d:]|/\d|\ ?(?:ms|bytes|seconds|MB|KB|kB)\b
       |\ (?:(?:dial|read|write)\ (?:tcp|udp)\b|Bad\ Gateway|Gateway\ Time))   # of a web server, and Go's own words
    (?P<tail>
        [\s,:;\-\[\]()'"/#<>b]{{0,6}}
        (?P<enhanced>{_ENHANCED})?
    )
    """,
    re.VERBOSE,
)
_NO_REPLY = re.compile(
    r"(?:\b(?:port|line|errno|timeout|pid)[ :=]{0,24}|\" responded |HTTP(?:/\d(?:\.\d)?)? "
    r"|[?&]\w{1,20}=|[a-z] [<>] |\.[a-z]{1,5}:|#|\d[ ,])\(?$",
    re.IGNORECASE,
)
"""What stands before three digits that are no reply: a port, a line of a program, the number of a fault."""
_REPLY_STANDS = re.compile(
    r"(?:^|\n|[:;'\"(\[{<>=]|said|saying|code|response|server|error|status|got|smtp|-{2,3}>|<-|<<|replied|reply)\s{0,24}b?['\"(\[<]?$",
    re.IGNORECASE,
)
_ENDS = re.compile(
    r"\n\s{0,40}(?:\n|at |File |Traceback|Caused by|\.\.\. |code\b|response|command\b|stack|During handling|---|-->"
    r"|<--|[*<] |(?:[CS]|SERVER|CLIENT)(?: ->)?: )|'\)\}|\)\s*\n|`{3}"
)
_BARE_ENHANCED = re.compile(rf"(?<![\w.@/+\-])({_ENHANCED})")


def find_replies(text: str) -> list[QuotedReply]:
    """Return the refusals (4xx, 5xx) in a plain text, in the order in which they stand there.

    Of a great many the first and, as in a log, above all the last.
    """
    found = list(_REPLY.finditer(text))
    if len(found) > _MOST_REPLIES:
        found = found[: _MOST_REPLIES // 4] + found[-3 * _MOST_REPLIES // 4 :]
    return [reply for each in found if (reply := _reply(text, each)) is not None]


_MOST_REPLIES = 40


def _reply(text: str, found: re.Match[str]) -> QuotedReply | None:
    """Return the reply that three digits begin; None where they are something else."""
    digits, enhanced = found["code"], found["enhanced"]
    before = text[max(0, found.start() - 24) : found.start()]
    if enhanced and enhanced[0] != digits[0]:
        enhanced = None
    if not enhanced and _NO_REPLY.search(before):
        return None
    stands = _REPLY_STANDS.search(before) is not None
    if not enhanced and not stands and _WORDS_FOLLOW.match(text, found.end("code")) is None:
        return None
    words = _words_after(text, found.end("enhanced" if enhanced else "code"), digits)
    return QuotedReply(
        code=int(digits) if digits.isdigit() else None,
        enhanced=enhanced or _enhanced_in(words, digits[0]),
        words=words,
        at=found.start(),
        sure=2 if enhanced else 1 if stands else 0,
    )


_WORDS_FOLLOW = re.compile(r"[ \-:]{1,3}['\"<(\[#]?[^\W\d]")
_CONTINUED = re.compile(r"\n\s{0,40}(?:S: |<- ?|<< ?|< |SERVER -> CLIENT: )?(\d{3})[ \-]")
_NEXT_REPLY = re.compile(r"\n\s{0,40}(?:(?:S:|<-|<<|SMTP<<|SERVER -> CLIENT:) ?)?[245]\d\d[ \-](?=\d\.\d|[A-Za-z<])")
_CLOSED_QUOTE = re.compile(r"['\"]\s*[)\]},]*$")


def _words_after(text: str, start: int, digits: str) -> str:
    """Return the words of a reply whose codes end at `start`, on one line: its further lines have the same code."""
    window = text[start : start + REPLY_LENGTH]
    window = _CONTINUED.sub(lambda more: " " if more[1] == digits else more[0], window)
    for end in (_ENDS, _NEXT_REPLY):
        over = end.search(window)
        if over is not None:
            window = window[: over.start()]
    words = _CLOSED_QUOTE.sub("", " ".join(window.split()).lstrip(" ,:;-'\"([b#/"))
    return _without_stock_phrase(words)


@cache
def _stock_phrase() -> re.Pattern[str]:
    """Return what phrases of the RFC begin a reply; compiled for the first that may."""
    return re.compile(
        r"(?:\d\.\d{1,3}\.\d{1,3} )?(?:requested (?:mail )?action (?:not taken|aborted)"
        r"(?:: ?(?:mailbox (?:unavailable|busy)|local error in processing|insufficient system storage"
        r"|exceeded storage allocation"
        r"|mailbox name not allowed))?"
        r"|transaction failed|service not available(?:, closing transmission channel)?)[ .,:;-]{1,4}(?:\d{3}[ -])?",
        re.IGNORECASE,
    )


_TELLING = 3
_BEGINNING = 40
_STOCK_WORDS = ("requested", "transaction failed", "service not available")


def _without_stock_phrase(words: str) -> str:
    """Take a phrase of RFC 5321 section 4.2.3 off where a reason stands behind it: some servers begin all with one."""
    begins = words[:_BEGINNING].lower()
    found = _stock_phrase().match(words) if any(each in begins for each in _STOCK_WORDS) else None
    rest = words[found.end() :] if found is not None else ""
    return rest if sum(each.isalpha() for each in rest.split()) >= _TELLING else words


def _enhanced_in(words: str, klass: str) -> str | None:
    """Return the first enhanced code (RFC 3463) of this class in the words, such as qmail writes it at the end."""
    return next((each[1] for each in _BARE_ENHANCED.finditer(words) if each[1][0] == klass), None)


def bare_enhanced(text: str) -> tuple[str, int] | None:
    """Return an enhanced code that stands without a basic one, and where it ends; None where there is none."""
    found = next((each for each in _BARE_ENHANCED.finditer(text) if each[1][0] != "2"), None)
    return (found[1], found.end()) if found else None


# --- hosts and ports -------------------------------------------------------------------------------------------------

_HOST = re.compile(
    r"(?<![\w@.\-/\\])(?P<scheme>(?:ssl|tls|tlsv1\.2|smtps?|starttls)://)?(?:\*\.)?"
    r"(?P<host>(?:[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?\.)+[a-z]{2,18})\.?"
    r"(?:\[[0-9a-f.:]+\])?(?:[:,]\s?(?P<port>\d{2,5})\b)?(?![\w@])",
    re.IGNORECASE,
)
_PORT = re.compile(
    r"(?:\bport['\"]?\s{0,2}[:=#]?\s{0,2}['\"]?\(?"
    r"|(?:端口|ポート|포트|порт|puerto|porta|poort)\w{0,2}[ :=]{0,3})(\d{2,5})\b",
    re.IGNORECASE,
)
_IP_PORT = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}:(\d{2,5})\b")
_NO_HOST = frozenset({"js", "py", "php", "java", "go", "rb", "cs", "ts", "log", "txt", "html", "net", "mail", "lang"})
"""Endings of the names of files and of parts of programs. '.net' is one and a domain: both are told apart below."""


@dataclass(frozen=True, slots=True)
class NamedHost:
    """A host that a text names."""

    host: str
    port: int | None
    scheme: str


def named_hosts(text: str) -> Iterator[NamedHost]:
    """Yield what looks like the name of a server, as it comes."""
    for found in _HOST.finditer(text):
        host = found["host"].lower()
        ending = host.rpartition(".")[2]
        if ending in _NO_HOST and not (ending == "net" and host.count(".") >= 1):
            continue
        port = int(found["port"]) if found["port"] else None
        yield NamedHost(host, port, (found["scheme"] or "").rstrip(":/").lower())


_LOCAL = re.compile(
    r"(?<![\w.@])(?:localhost|127\.\d+\.\d+\.\d+|10\.\d+\.\d+\.\d+|192\.168\.\d+\.\d+"
    r"|172\.(?:1[6-9]|2\d|3[01])\.\d+\.\d+|\[?::1\]?)(?![\w.])",
    re.IGNORECASE,
)


def local_host(text: str) -> str:
    """Return the name of this computer, or an address of the network around it (RFC 1918), that a text names; or ''."""
    found = _LOCAL.search(text)
    return found[0].strip("[]").lower() if found else ""


@cache
def _failed_at() -> re.Pattern[str]:
    """Return how a failed connection to this computer is told; compiled for the first text that names it."""
    return re.compile(
        r"(?:ECONNREFUSED|ETIMEDOUT|ECONNRESET|EHOSTUNREACH|ENETUNREACH|dial tcp:?|connect(?:ion|ing)? to|opening to"
        r"|refused by)"
        r"[ :\"'(\[]{1,4}(?:host |server )?"
        r"(?P<host>localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[?::1\]?)"
        r"(?:[\]\"']?[: ]{1,2}(?:port )?(?P<port>\d{2,5})\b)?(?![\w.-])",
        re.IGNORECASE,
    )


def failed_here(text: str) -> NamedHost | None:
    """Return this computer where a connection to it is what failed, whatever server the settings beside it name."""
    found = _failed_at().search(text) if "127." in text or "::1" in text or "localhost" in text.lower() else None
    if found is None:
        return None
    return NamedHost(found["host"].strip("[]").lower(), int(found["port"]) if found["port"] else None, "")


def named_port(text: str) -> int | None:
    """Return the port that a text names, if it is one that mail could go to."""
    for pattern in (_PORT, _IP_PORT):
        for found in pattern.finditer(text):
            if 0 < int(found[1]) <= 65535:
                return int(found[1])
    return None


# --- what must not be said on ----------------------------------------------------------------------------------------

_MAIL_ADDRESS = re.compile(r"[^\s<>()\[\]'\",;:=]{1,64}@(?:[\w\-]+\.)*[\w\-]+", re.UNICODE)
_LINK_OR_TOKEN = re.compile(
    r"(?P<link>https?://[^\s'\"<>)]{1,2000})|(?<![\w/+=\-@])(?P<token>[A-Za-z0-9+/=_\-.~]{28,})(?![\w/+=\-@])",
    re.IGNORECASE,
)
_IN_A_LINK = re.compile(r"(?<==)[^&#\s]{24,}")
_HOST_ALONE = re.compile(r"(?!eyJ)(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,18}\.?")
_PATH = re.compile(r"/{0,2}[\w.-]{1,253}\.[a-z]{2,18}/[\w/.~-]{0,200}|(?:/[\w.+~-]{1,60}){2,20}/?")
"""Of a link that lost its beginning, or of a file."""
_ONLY_LETTERS = re.compile(r"[A-Za-z]+|[\d.:-]+|[=_\-.~+/]+")
"""A long word, a long number, a line drawn with signs."""
_AUTH_LINE = re.compile(
    r"\b(AUTH\s{1,4}(?:PLAIN|LOGIN|XOAUTH2|OAUTHBEARER|CRAM-MD5|NTLM)\s{1,4})[^\s'\"]{4,}", re.IGNORECASE
)
_GIVEN_NAME = re.compile(
    r"\b((?:sasl_)?(?:pass(?:word|wd|phrase)?|secret|token|api[_-]?key|bearer))(['\"]?\s?[=:]\s?['\"<]?|\s(?=ey[A-Z]|ya29))([^\s'\",;<>)]+)",
    re.IGNORECASE,
)
_NO_SECRET = frozenset(
    {"not", "is", "was", "rejected", "incorrect", "invalid", "wrong", "failed", "expired", "required", "null", "none"}
)


def without_secrets(text: str) -> str:
    """Return the text without passwords, keys and tokens; addresses and hosts are the person's own, and stay."""
    text = _AUTH_LINE.sub(r"\1[hidden]", text)
    text = _GIVEN_NAME.sub(_hidden, text)
    return _LINK_OR_TOKEN.sub(_shortened_token, text)


def _hidden(found: re.Match[str]) -> str:
    return found[0] if found[3].lower() in _NO_SECRET else f"{found[1]}{found[2]}[hidden]"


def _shortened_token(found: re.Match[str]) -> str:
    if found["link"] is not None:
        return _IN_A_LINK.sub("[...]", found["link"])
    token = found["token"]
    if any(each.fullmatch(token) for each in (_ONLY_LETTERS, _HOST_ALONE, _PATH)):
        return token
    return "[...]"


def without_addresses(text: str) -> str:
    """Return the text without mail addresses: whose they are says nothing about who said the rest."""
    return _MAIL_ADDRESS.sub(" ", text) if "@" in text else text
