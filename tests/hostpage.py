"""A blog on another origin, as strict about its Content-Security-Policy as a blog can be, that embeds our comments."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SHEET = """
:root { color-scheme: light dark; }
html { font-size: 62.5%; text-align: center; }
body { background: #fff; color: #222; font: 1.8rem/1.6 Georgia, serif; margin: 0 auto; max-width: 70rem; padding: 1.6rem; text-align: start; }
p, button, input { color: red; letter-spacing: 1em; text-transform: uppercase; }
.prose { color: inherit; letter-spacing: 0; text-transform: none; }
@media (prefers-color-scheme: dark) { body { background: #111; color: #e8e8e8; } }
"""
"""With rules that would ruin what is not in a shadow."""


@dataclass
class Host:
    url: str
    service: str
    pages: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    """Path → media type, Content-Security-Policy, content."""

    def page(self, path: str, attributes: str = "", *, root: str = 'lang="en"', head: str = "", body: str = "") -> str:
        """Adds a page with the embed, and gives its address."""
        policy = (
            f"default-src 'none'; script-src {self.service}; connect-src {self.service} 'self'; img-src {self.service}; "
            "style-src 'self'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; "
            "trusted-types leave-a-reply"
        )
        content = (
            f'<!doctype html><html {root}><head><meta charset="utf-8"><title>A page of a blog</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">{head}'
            f'<link rel="stylesheet" href="/host.css"><script src="{self.service}/embed.js" defer></script></head>'
            f'<body><main><article><h1>The blue flower</h1><p class="prose">Words of the blog.</p>{body}</article>'
            f"<leave-a-reply {attributes}></leave-a-reply></main></body></html>"
        )
        self.pages[path] = ("text/html; charset=utf-8", policy, content)
        return self.url + path


@contextmanager
def host_page(service: str) -> Iterator[Host]:
    """On another port of this machine: to a browser that is another origin."""
    pages: dict[str, tuple[str, str, str]] = {
        "/host.css": ("text/css", "", SHEET),
        "/favicon.ico": ("image/x-icon", "", ""),
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, policy, content = pages.get(self.path.partition("?")[0], ("text/plain", "", ""))
            self.send_response(200 if content or self.path == "/favicon.ico" else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            self.wfile.write(content.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield Host(f"http://127.0.0.1:{server.server_address[1]}", service, pages)
    finally:
        server.shutdown()
        server.server_close()
