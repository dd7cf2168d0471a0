"""A model behind vLLM's own server, for whoever is measured by asking it over OpenAI's interface."""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import requests
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT

SERVED = "bench"  # what the server calls the model
START_SECONDS = 900  # it compiles before it answers
CACHE_GB = 2


@contextlib.contextmanager
def serve(model: Path) -> Iterator[str]:
    """The address of a server that has loaded ``model`` (a folder) in bfloat16, until it is left.

    Raises:
        UserError: vLLM is not built here, or its server does not come up.
    """
    run = ROOT / "workflow" / "env-run"
    built = subprocess.run([run, "vllm", "true"], capture_output=True, text=True)
    if built.returncode:
        raise UserError(built.stderr.strip().splitlines()[-1])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # Its command asks for a package named vllm, which the build for CPUs is not.
    line = [run, "vllm", "python", "-m", "vllm.entrypoints.openai.api_server"]
    line += ["--model", model.resolve(), "--served-model-name", SERVED]
    line += ["--host", "127.0.0.1", "--port", str(port), "--dtype", "bfloat16"]
    line += ["--generation-config", "vllm", "--uvicorn-log-level", "warning"]
    openmp = ROOT / ".envs" / "vllm" / "lib" / "libiomp5.so"  # its threads sleep between steps
    variables = os.environ | {
        "VLLM_SERVER_DEV_MODE": "1",  # so that what it has kept of prompts can be given up
        "VLLM_CPU_KVCACHE_SPACE": str(CACHE_GB),
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_LOGGING_LEVEL": "WARNING",
        **({"LD_PRELOAD": str(openmp)} if openmp.is_file() else {}),
    }
    with tempfile.TemporaryFile("w+") as log:
        server = subprocess.Popen(
            list(map(str, line)), stdout=log, stderr=log, env=variables, start_new_session=True
        )
        try:
            _wait_until_ready(server, f"http://127.0.0.1:{port}/health", log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(30)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def forget(url: str) -> None:
    """Give up what the server keeps of prompts: a second measurement would find the first one's."""
    requests.post(f"{url.removesuffix('/v1')}/reset_prefix_cache", timeout=60).raise_for_status()


def _wait_until_ready(server: subprocess.Popen, health: str, log) -> None:
    print("vLLM's server: loading and compiling", flush=True)
    began = time.monotonic()
    while time.monotonic() - began < START_SECONDS:
        if server.poll() is not None:
            log.seek(0)
            last = (log.read().strip().splitlines() or ["no message"])[-1]
            raise UserError(f"vLLM's server ended with {server.returncode} ({last[:300]})")
        with contextlib.suppress(requests.RequestException):
            if requests.get(health, timeout=5).ok:
                print(f"vLLM's server: ready after {time.monotonic() - began:.0f} s", flush=True)
                return
        time.sleep(1)
    raise UserError(f"vLLM's server was not ready after {START_SECONDS} s")
