"""Serve a folder as a hub until interrupted: ``python -m hubserver FOLDER``."""

import sys
import threading
from pathlib import Path

from hubserver.server import COMMIT, HubServer

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    with HubServer() as hub:
        for repository in sorted(folder.glob("*/*")):
            files = [path for path in sorted(repository.rglob("*")) if path.is_file()]
            held = {path.relative_to(repository).as_posix(): path.read_bytes() for path in files}
            hub.datasets[repository.relative_to(folder).as_posix()] = held
            hub.models[repository.relative_to(folder).as_posix()] = held
        print(f"HF_ENDPOINT={hub.url} revision {COMMIT}", flush=True)
        threading.Event().wait()
