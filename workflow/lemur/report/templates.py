"""The templates of the report's pages: everything that varies is escaped, nothing may be missing."""

from pathlib import Path

import jinja2


def template(folder: Path, name: str) -> jinja2.Template:
    """One template of ``reports/template``; a variable that it lacks is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
