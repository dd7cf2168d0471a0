"""A page of documentation as plain text: its layout kept, its navigation left out."""

from collections.abc import Iterator

from lemur.core.lines import lines

# What a reader would not call part of the page: menus, links to the next page, the search box.
_ASIDE = (
    "//*[self::script or self::style or self::noscript or self::nav or self::header or "
    "self::footer or self::form or self::iframe or @role='navigation' or "
    "contains(concat(' ', @class, ' '), ' navheader ') or "
    "contains(concat(' ', @class, ' '), ' navfooter ') or "
    "contains(concat(' ', @class, ' '), ' related ') or "
    "contains(concat(' ', @class, ' '), ' sphinxsidebar ') or "
    "contains(concat(' ', @class, ' '), ' nosearch ')]"
)


def documents(data: bytes) -> Iterator[tuple[str, str]]:
    """The page as one document; none of a page without text. Never raises for bad markup."""
    from inscriptis import Inscriptis
    from inscriptis.css_profiles import CSS_PROFILES
    from inscriptis.model.config import ParserConfig
    from lxml import etree
    from lxml import html as markup

    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    try:
        # As bytes: lxml refuses a string that declares an encoding of its own.
        parser = markup.HTMLParser(encoding="utf-8")
        tree = markup.document_fromstring(text.encode("utf-8"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError, AssertionError):
        return
    for element in tree.xpath(_ASIDE):
        if element.getparent() is not None:
            element.drop_tree()
    found = Inscriptis(tree, ParserConfig(css=CSS_PROFILES["strict"].copy())).get_text()
    whole = "\n".join(line.rstrip() for line in lines(found)).strip()
    while "\n\n\n" in whole:
        whole = whole.replace("\n\n\n", "\n\n")
    if whole:
        yield "", whole + "\n"
