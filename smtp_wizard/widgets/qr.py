"""Web addresses as QR codes of characters, for a phone that is held against a terminal."""

from __future__ import annotations


def qr_code(text: str) -> str:
    """Return a text as a QR code of half blocks, empty where it would not fit a screen of 24 rows."""
    import segno

    code = segno.make(text, error="l", micro=False)
    matrix = [[False, False, *row, False, False] for row in code.matrix]
    width = len(matrix[0])
    rows = [[False] * width, *matrix, [False] * width]
    rows += [[False] * width] if len(rows) % 2 else []
    if len(rows) > 38:
        return ""
    # Light modules are drawn, so that the code reads dark on light in a terminal that shows light on dark.
    glyphs = {(False, False): "█", (True, False): "▄", (False, True): "▀", (True, True): " "}
    lines = zip(rows[::2], rows[1::2], strict=True)
    return "\n".join("".join(glyphs[bool(a), bool(b)] for a, b in zip(up, down, strict=True)) for up, down in lines)
