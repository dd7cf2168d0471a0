"""A shop and a forum of this project's own, served on this machine for tests of WebArena."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

SHOP = """<title>Shop</title><h1>Kettles</h1>
<form action="/search"><input name="q" aria-label="Search"><button>Go</button></form>
<a href="/kettle.html">Steel kettle</a> <a href="/kettle.html" target="_blank">in a new tab</a>
<a href="/away">Elsewhere</a> <a href="/loop">Never ends</a>
<div style="height: 2000px"></div><p>Imprint</p>"""
KETTLE = """<title>Kettle</title><h1>Steel kettle</h1><p id="price">$31.50</p>
<p onmouseover="this.innerText = 'In stock: 3'">Stock?</p>
<select aria-label="Colour" onchange="document.title = this.value"><option>red</option><option>blue</option></select>
<button onclick="document.querySelector('#cart').innerText = 'Cart: 1 &amp; more'">Add to Cart</button>
<p id="cart">Cart: 0</p>
<form method="post" action="/reviews"><textarea name="text" aria-label="Review"></textarea><button>Send</button></form>"""
ORDER = '<title>Order</title><div class="order-details-items ordered">B07 kettle</div>'
POST = "<title>Post</title><h1>A post</h1><p class='comment'>First comment</p>"
MEMBERS = """<title>Members</title><table><tr><td data-label="Account"><span class="gl-avatar-labeled-sublabel">@ann</span></td>
<td class="col-max-role"><span>Guest</span></td></tr>
<tr><td data-label="Account"><span class="gl-avatar-labeled-sublabel">@bob</span></td>
<td class="col-max-role"><span>Developer</span></td></tr></table>"""
LOOP = "<title>Loop</title><button onclick='for (;;) {}'>Hang</button>"


class Handler(BaseHTTPRequestHandler):
    """``server.asked`` lists the paths; ``server.other`` is the address of a server nobody allowed."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        self.server.asked.append(self.path)
        pages = {"/": SHOP, "/kettle.html": KETTLE, "/sales/order/view/order_id/7/": ORDER,
                 "/loop": LOOP, "/f/books/12/": POST, "/members": MEMBERS}  # fmt: skip
        if path == "/away":
            self.send_response(302)
            self.send_header("Location", f"{self.server.other}/secret")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif path == "/search":
            word = query.get("q", [""])[0]
            self.say(
                f"<title>Search</title><p>Results for {word}</p><p>{self.headers.get('Cookie')}</p>"
            )
        elif path == "/rest/V1/orders" and self.headers.get("Authorization") == "Bearer token":
            self.say(json.dumps({"items": [{"increment_id": "000000007"}]}))
        elif path == "/rest/V1/products/B07/reviews":
            review = {"nickname": "Emma", "ratings": [{"rating_name": "Rating", "percent": 80}]}
            self.say(json.dumps([{"nickname": "Old", "ratings": []}, review]))
        elif path.startswith("/f/books/12/") and path not in pages:
            self.say("<title>Comment</title><p>One comment</p>")
        else:
            self.say(pages.get(path, "<title>None</title>"), 200 if path in pages else 404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.asked.append(f"{self.path} {body}")
        if self.path == "/v1/completions":
            said = "correct" if "four" in json.loads(body)["prompt"] else "incorrect"
            self.say(json.dumps({"choices": [{"text": said, "finish_reason": "stop"}]}))
        elif self.path.endswith("/admin/token"):
            known = json.loads(body) == {"username": "admin", "password": "secret"}
            self.say(json.dumps("token" if known else {"message": "no"}))
        else:
            self.say(f"<title>Thanks</title><p>You wrote: {parse_qs(body)['text'][0]}</p>")

    def say(self, text, status=200):
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments):
        pass


class LocalSite:
    """A server on a port of its own while it is used as a context."""

    def __init__(self):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.asked, self.server.other = [], ""
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    @property
    def asked(self):
        return self.server.asked

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
