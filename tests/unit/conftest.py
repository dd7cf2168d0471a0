"""Examples may take as long as a busy machine makes them: time is no property of a function."""

import contextlib

with contextlib.suppress(ImportError):  # not every environment has hypothesis
    from hypothesis import settings

    settings.register_profile("lemur", deadline=None)
    settings.load_profile("lemur")
