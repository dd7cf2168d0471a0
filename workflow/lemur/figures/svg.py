"""What matplotlib's SVG lacks: a text alternative, and colours for a dark page."""

import re
from collections.abc import Iterable
from html import escape, unescape

from lemur.core.errors import UserError

_OPEN = re.compile(r"<svg\b[^>]*>")


def accessible(svg: str, title: str, description: str, pairs: Iterable[tuple[str, str]]) -> str:
    """``svg`` with ``<title>``, ``<desc>`` and a style sheet that recolours it on dark ground.

    ``pairs`` are (light, dark) colours ``#rrggbb``; viewers that know no media queries show the
    light ones, which stay in the elements.
    """
    rules, known = [], {}
    for light, dark in dict.fromkeys(pairs):
        if known.setdefault(light, dark) != dark:
            raise UserError(f"colour {light} stands for both {known[light]} and {dark} when dark")
        if light != dark:
            for part in ("fill", "stroke"):
                rules.append(f'[style*="{part}: {light}"]{{{part}:{dark}!important}}')
    sheet = "@media screen and (prefers-color-scheme:dark){" + "".join(rules) + "}"
    found = _OPEN.search(svg)
    if not found:
        raise UserError("not an SVG file: no <svg> element")
    opening = found.group(0)[:-1] + ' role="img" aria-labelledby="title desc">'
    head = (
        f'{opening}\n <title id="title">{escape(title)}</title>\n'
        f' <desc id="desc">{escape(description)}</desc>\n <style>{sheet}</style>'
    )
    body = svg[found.end() :]
    # Empty once the date is left out; its namespaces would be the file's only foreign addresses.
    body = re.sub(r"\s*<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    # The prolog names a document type on a foreign host, which no viewer needs.
    return '<?xml version="1.0" encoding="utf-8"?>\n' + head + body


def texts(svg: str) -> tuple[str, str]:
    """Title and description of an SVG file that :func:`accessible` made."""
    parts = []
    for tag in ("title", "desc"):
        found = re.search(rf'<{tag} id="{tag}">(.*?)</{tag}>', svg, flags=re.DOTALL)
        if not found:
            raise UserError(f"figure without <{tag}>: not written by lemur.figures")
        parts.append(unescape(found.group(1)))
    return parts[0], parts[1]
