"""What tests in a browser share."""

import pytest
from lemur.agents.browser import process


def needs_browser():
    """Skip where no browser can be started."""
    if (why := process.missing()) is not None:
        pytest.skip(f"browser: {why}")


def say(action):
    """An answer with one action."""
    return f"Let's think. In summary, the next action I will perform is ```{action}```"
