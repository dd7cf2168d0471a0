"""Lines as files have them."""

import re

_END = re.compile(r"\r\n|\r|\n")


def lines(text: str) -> list[str]:
    r"""What stands between the line ends ``\n``, ``\r\n`` and ``\r``, as Python and Markdown count lines.

    ``str.splitlines`` also cuts at form feeds, U+001C to U+001E, U+0085, U+2028 and U+2029, which are
    characters inside of a line to both (Python language reference 2.1.2, CommonMark 0.31.2 section
    2.1). A line end at the end of the text begins no further line.
    """
    found = _END.split(text)
    return found if found[-1] else found[:-1]
