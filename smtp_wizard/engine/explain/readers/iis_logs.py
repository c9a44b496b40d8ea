"""Lines of the SMTP service of IIS, in the two forms that it writes by default: which side spoke, and what it said.

In W3C's form ('2024-03-01 20:48:22 192.0.2.10 OutboundConnectionResponse SMTPSVC1 WEB - 25 - - 550+5.7.1+no 0 ...') a
blank in what was said is a plus. What the service hands on itself has its side in the place of the user; of what others
hand in there is the command and the code of the reply. In its own form the fields stand behind commas.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_OUTBOUND = re.compile(
    r"(?P<ip>[0-9a-f.:]{3,45}) OutboundConnection(?P<side>Response|Command) SMTPSVC\d{1,4} [^ ]{1,64} [^ ]{1,45} "
    r"(?P<port>\d{1,5}) (?P<verb>[^ ]{1,12}) [^ ]{1,200} (?P<said>[^ ]{1,1500})"
)
_INBOUND = re.compile(
    r"[0-9a-f.:]{3,45} [^ ]{1,64} SMTPSVC\d{1,4} [^ ]{1,64} [^ ]{1,45} \d{1,5} (?P<verb>[A-Z]{4,8}) [^ ]{1,200} "
    r"(?P<said>[^ ]{1,500}) (?P<code>[2-5]\d\d) "
)
_OWN_FORM = re.compile(
    r"[0-9a-f.:]{3,45}, [^,]{1,120}, [^,]{6,10}, [\d:]{7,8}, SMTPSVC\d{1,4}, [^,]{1,64}, [^,]{1,45}, \d{1,9}, \d{1,9}, "
    r"\d{1,9}, (?P<code>[2-5]\d\d), \d{1,9}, (?P<verb>[A-Z]{4,8})(?: FROM| TO)?, [^,]{0,200}, (?P<said>[^,]{0,500}),"
)


def read_iis(line: str) -> Iterator[tuple[bool, str]]:
    """Yield what a line says: whether the server spoke, and its words; nothing for a line of another program."""
    if (found := _OUTBOUND.search(line)) is not None:
        said = found["said"].replace("+", " ")
        answers = found["side"] == "Response"
        yield answers, said if answers else _command(found["verb"], said)
    elif (found := _INBOUND.search(line) or _OWN_FORM.search(line)) is not None:
        yield False, _command(found["verb"], found["said"].replace("+", " "))
        yield True, f"{found['code']} "


def _command(verb: str, said: str) -> str:
    """Return a command as it was sent: the service writes MAIL and RCPT without what belongs to them."""
    return f"{verb} {said.lstrip(' -')}".strip()
