"""From a result back to the pinned sources: read, print and export what ``.prov.json`` files say."""
