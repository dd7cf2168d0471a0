"""The HTTP session of every download: pip's certificates and time limits, no hidden retries."""

import os
from typing import Any

import requests

from lemur.download import pip_settings


class Session(requests.Session):
    """A session with a time limit on every request and the certificates that pip is told to use.

    ``verify`` goes with each request: set on the session, requests lets REQUESTS_CA_BUNDLE
    replace it, and a PIP_CERT of the user's would be lost.
    """

    def __init__(self) -> None:
        super().__init__()
        self.headers["User-Agent"] = "lemur-pipeline"
        self.limit = (15.0, pip_settings.timeout())
        self.certificates = pip_settings.certificates()

    def request(self, method: Any, url: Any, *args: Any, **kwargs: Any) -> requests.Response:
        """As ``requests.Session.request``, with our defaults."""
        if kwargs.get("timeout") is None:
            kwargs["timeout"] = self.limit
        if self.certificates and os.path.exists(self.certificates):
            kwargs.setdefault("verify", self.certificates)
        return super().request(method, url, *args, **kwargs)
