"""The templates of the report's pages: everything that varies is escaped, nothing may be missing."""

import base64
import hashlib
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


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def policy(style: str, script: str) -> str:
    """A content security policy that allows what the page carries and nothing else."""
    return (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
