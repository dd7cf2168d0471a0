"""An OpenAI-compatible completions server on loopback around a tiny model, with faults to order.

    env-run evaluate python tests/completion_server.py FOLDER

prints its address and serves the model in FOLDER until it is ended.
"""

import contextlib
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import torch
from lemur.inference import model_tokenizer
from lemur.inference.engine import Wanted
from lemur.inference.stopping import cut

FINISH = {"stop": ("stop", "text"), "end": ("stop", None), "length": ("length", None)}


class CompletionServer:
    """``faults``: what the next requests get instead, in turn: a status, ``cut`` (the connection
    ends in the middle of the answer), ``slow``, ``broken`` (no JSON), ``empty`` (no choices), or
    None for the answer. ``bodies`` is what was asked; ``most`` how many were under way at once.
    ``chat``: control tokens in a prompt are read as such, as servers do. ``ids``: it gives those of
    prompts, as vLLM does; ``echoes``: false where it passes over that.
    ``refuses``: what a prompt holds that is refused, and with which status and words. A prompt that
    leaves an answer no room in the model's context is refused as vLLM does it."""

    def __init__(self, engine):
        self.engine, self.faults, self.bodies = engine, [], []
        self.lock, self.turn = threading.Lock(), threading.Lock()
        self.under_way = self.most = 0
        self.text = None  # answered instead of the model's own
        self.ids, self.echoes, self.refuses, self.chat = False, True, None, False

    def __enter__(self):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def fault(self):
        with self.lock:
            return self.faults.pop(0) if self.faults else None

    def complete(self, body):
        read = model_tokenizer.encode_chat if self.chat else model_tokenizer.encode
        ids = read(self.engine.tokenizer, body["prompt"])
        if len(ids) + body["max_tokens"] > self.engine.context:
            return None
        shown = {"prompt_token_ids": ids} if self.ids and body.get("return_token_ids") else {}
        if body.get("echo") and self.echoes:
            made = self.scored(ids, body["prompt"])
            return {"choices": [{**made["choices"][0], **shown}]}
        stops = tuple(body.get("stop", ()))
        drawn = body.get("temperature", 0.0), body.get("top_p", 1.0)
        wanted = Wanted(tuple(ids), body["max_tokens"], stops, *drawn)
        with self.turn:  # one forward pass at a time, as the engine has it
            ((_, made),) = self.engine.generate([wanted], 1)
        # As vLLM's: the answer as it follows its prompt.
        text = self.text or cut(
            model_tokenizer.Decoding(self.engine.tokenizer, ids)(made.ids), stops
        )
        finish, reason = FINISH[made.finish]
        choice = {"text": text, "finish_reason": finish, "stop_reason": reason, **shown}
        return {"choices": [choice], "usage": {"completion_tokens": len(made.ids)}}

    def scored(self, ids, text):
        with self.turn, torch.inference_mode():
            scores = self.engine.logits(self.engine.hidden([ids])[0]).log_softmax(-1)
        # Of sentencepiece's tokens each loses its blank so, and a beginning token is one of them.
        tokens = [self.engine.tokenizer.decode([one]) for one in ids]
        offsets = [sum(map(len, tokens[:n])) for n in range(len(ids))]
        known = [None, *(float(scores[n - 1, ids[n]]) for n in range(1, len(ids)))]
        best = [None, *({"b": float(scores[n - 1].max())} for n in range(1, len(ids)))]
        # The token that had to be generated stands at the end, past the prompt.
        told = {
            "tokens": [*tokens, "x"], "text_offset": [*offsets, len(text)],
            "token_logprobs": [*known, -1.0], "top_logprobs": [*best, {"b": -1.0}],
        }  # fmt: skip
        return {"choices": [{"text": text + "x", "finish_reason": "length", "logprobs": told}]}


def _handler(owner):
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_POST(self):
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _answer(self, body):
            fault = owner.fault()
            with owner.lock:
                owner.bodies.append({**body, "_authorization": self.headers.get("Authorization")})
                owner.under_way += 1
                owner.most = max(owner.most, owner.under_way)
            try:
                if owner.refuses and owner.refuses[0] in body["prompt"]:
                    fault = owner.refuses[1:]
                if fault == "slow":
                    time.sleep(1.0)
                made = None if isinstance(fault, tuple) else json.dumps(owner.complete(body))
                if made == "null":
                    made, fault = None, (400, "This model's maximum context length is exceeded")
            finally:
                # An answer is no longer under way once it is made: its client may ask again before
                # this thread comes back from sending it.
                with owner.lock:
                    owner.under_way -= 1
            if made is None:
                self._send(fault[0], json.dumps({"error": fault[1]}).encode(), fault[2:])
                return
            made = {"broken": "<html>", "empty": '{"choices": []}'}.get(fault, made)
            self._send(200, made.encode(), cut=fault == "cut")

        def _send(self, status, data, more=(), cut=False):
            self.send_response(status)
            for name, value in more:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if cut else data)

    return Handler


if __name__ == "__main__":
    from lemur.inference.engine import Engine

    with CompletionServer(Engine(sys.argv[1], "fp32", "cpu")) as server:
        server.chat = True
        print(server.url, flush=True)
        sys.stdin.read()  # whoever started it closes this, or ends
