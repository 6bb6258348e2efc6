"""Requests in the shapes of Akismet's clients, byte for byte as each puts them on the wire: method, path, version, headers and
their order, and how it spells a body. The words are ours. `{key}` is the key, `{port}` the service's port."""

from __future__ import annotations

import json
from dataclasses import dataclass

THANKS = "Thanks for making the web a better place."
FORM = "application/x-www-form-urlencoded"
JSON = object()
"""An answer that is a JSON document."""


@dataclass(frozen=True, kw_only=True)
class Recorded:
    client: str
    head: tuple[str, ...]
    """The request line and the headers, without Content-Length."""
    body: str | bytes = ""
    answer: str | object

    def on_the_wire(self, key: str, port: int) -> bytes:
        body = (self.body.encode() if isinstance(self.body, str) else self.body).replace(b"{key}", key.encode())
        head = [line.replace("{key}", key).replace("{port}", str(port)) for line in self.head]
        if body:
            head.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*head, "", ""]).encode() + body


def wordpress(path: str, body: str, answer: str | object, *, version: str = "1.1") -> Recorded:
    """WordPress' HTTP library sends headers in this order, and speaks HTTP/1.0 before version 7."""
    head = (
        f"POST {path} HTTP/{version}",
        "Host: rest.akismet.com",
        "User-Agent: WordPress/7.1.0 | Akismet/5.7.2",
        "Accept: */*",
        "Accept-Encoding: deflate, gzip, br",
        "Referer: http://rest.akismet.com" + path,
        f"Content-Type: {FORM}; charset=UTF-8",
        "Connection: close",
    )
    return Recorded(client=f"wordpress {path} {version}", head=head, body=body, answer=answer)


WORDPRESS_COMMENT = (
    "comment_post_ID=7&comment_author=Ann&comment_author_email=ann%40garden.example&comment_author_url=&comment_content=I%5C%27m+glad%2C+the+part"
    "+about+roses+helped+me+%3Cb%3Ea+lot%3C%2Fb%3E.&comment_type=comment&comment_parent=0&user_ID=0&user_ip=203.0.113.7&user_agent=Mozilla%2F5.0"
    "+%28X11%3B+Linux+x86_64%29&referrer=https%3A%2F%2Fblog.example%2F%3Fp%3D7&blog=https%3A%2F%2Fblog.example&blog_lang=en_US&blog_charset=UTF-8"
    "&permalink=https%3A%2F%2Fblog.example%2F%3Fp%3D7&comment_post_modified_gmt=2026-11-20+10%3A00%3A00&comment_date_gmt=2026-11-23+07%3A12%3A20"
    "&comment_context%5B0%5D=roses&comment_context%5B1%5D=garden&honeypot_field_name=ak_hp_textarea&akismet_comment_nonce=inactive"
    "&POST_comment=Thank+you&POST_author=Ann&POST_ak_hp_textarea=&POST_ak_js=1700000000123&POST_ak_bib=1700000000200&HTTP_ACCEPT=text%2Fhtml"
    "&HTTP_HOST=blog.example&HTTP_REFERER=https%3A%2F%2Fblog.example%2F%3Fp%3D7&REMOTE_ADDR=203.0.113.7&REQUEST_URI=%2Fwp-comments-post.php"
    "&DOCUMENT_URI=%2Fwp-comments-post.php&api_key={key}"
)
STORED = (
    "comment_ID=12&comment_post_ID=7&comment_author=Ann&comment_author_email=ann%40garden.example&comment_author_url=&comment_author_IP=203.0.113.7"
    "&comment_date=2026-11-23+08%3A12%3A20&comment_date_gmt=2026-11-23+07%3A12%3A20&comment_content=I%27m+glad%2C+the+part+about+roses+helped+me+"
    "%3Cb%3Ea+lot%3C%2Fb%3E.&comment_karma=0&comment_approved=1&comment_agent=Mozilla%2F5.0&comment_type=comment&comment_parent=0&user_id=0"
    "&blog=https%3A%2F%2Fblog.example&blog_lang=en_US&blog_charset=UTF-8&permalink=https%3A%2F%2Fblog.example%2F%3Fp%3D7"
    "&user_role&reporter=admin&site_domain=blog.example&comment_check_response=false&user_ip=203.0.113.7&api_key={key}"
)
WORDPRESS = (
    wordpress("/1.1/verify-key", "key={key}&blog=https%3A%2F%2Fblog.example&api_key=ffffffffffff", "valid"),
    wordpress("/1.1/verify-key", "key=ffffffffffff&blog=https%3A%2F%2Fblog.example&api_key={key}", "invalid"),
    wordpress("/1.1/get-subscription", "key={key}&blog=https%3A%2F%2Fblog.example&api_key={key}", JSON),
    wordpress("/1.1/get-stats", "blog=https%3A%2F%2Fblog.example&key={key}&from=60-days&api_key={key}", JSON),
    wordpress("/1.1/comment-check", WORDPRESS_COMMENT, "false"),
    wordpress("/1.1/comment-check", WORDPRESS_COMMENT, "false", version="1.0"),
    wordpress("/1.1/comment-check", WORDPRESS_COMMENT.replace("ak_hp_textarea=&", "ak_hp_textarea=buy&"), "true"),
    wordpress("/1.1/comment-check", WORDPRESS_COMMENT.replace("user_ID=0", "user_ID=1&user_role=editor,administrator"), "false"),
    wordpress("/1.1/comment-check", STORED + "&recheck_reason=recheck_queue", "false"),
    wordpress("/1.1/comment-check", "akismet_pre_check=1&comment_pingback_target=https%3A%2F%2Fblog.example%2F%3Fp%3D7&comment_type=pingback"
              "&comment_author_url=https%3A%2F%2Felsewhere.example%2Fpost&comment_content=&is_multicall=0&pingbacks_closed=0&user_ip=198.51.100.3"
              "&blog=https%3A%2F%2Fblog.example&api_key={key}", "false"),
    wordpress("/1.1/submit-spam", STORED, THANKS),
    wordpress("/1.1/comment-check", WORDPRESS_COMMENT, "true"),
    wordpress("/1.1/submit-ham", STORED, THANKS),
    wordpress("/1.1/comment-check", WORDPRESS_COMMENT, "false"),
    wordpress("/1.1/token", "blog=https%3A%2F%2Fblog.example&api_key={key}", object()),
    wordpress("/1.1/deactivate", "key={key}&blog=https%3A%2F%2Fblog.example&api_key={key}", "deactivated"),
    Recorded(client="wordpress /1.1/test", answer="connected", head=(
        "GET /1.1/test HTTP/1.1", "Host: rest.akismet.com", "User-Agent: WordPress/7.1.0; https://blog.example", "Accept: */*",
        "Accept-Encoding: deflate, gzip, br", "Connection: close")),
    Recorded(client="wordpress before 5.0.2", answer="false", body=WORDPRESS_COMMENT.replace("&api_key={key}", ""), head=(
        "POST /1.1/comment-check HTTP/1.0", "Host: {key}.rest.akismet.com", "User-Agent: WordPress/5.8 | Akismet/4.2", "Accept: */*",
        f"Content-Type: {FORM}; charset=UTF-8", "Connection: close")),
    Recorded(client="wordpress in latin-1", answer="false", head=(
        "POST /1.1/comment-check HTTP/1.1", "Host: rest.akismet.com", "User-Agent: WordPress/7.1.0 | Akismet/5.7.2",
        f"Content-Type: {FORM}; charset=ISO-8859-1"),
        body=b"comment_content=Merci%2C+le+caf\xe9+%E9tait+bon.&blog=https%3A%2F%2Fblog.example&blog_charset=ISO-8859-1&api_key={key}"),
)  # fmt: skip
"""In the order of a site's life: each answer depends on those before."""

COMMON = "blog=https%3A%2F%2Fapp.example&user_ip=203.0.113.7&comment_author=Ann&comment_content=Thank+you%2C+this+helped+me+with+the+roses."
OTHERS = (
    Recorded(client="akismet-api", answer="valid", body="key={key}&blog=https%3A%2F%2Fapp.example", head=(
        "POST /1.1/verify-key HTTP/1.1", "Host: rest.localhost:{port}", "Accept-Encoding: gzip, deflate", "User-Agent: Node.js/22 | Akismet-api/6.0.0",
        f"Content-Type: {FORM}", "Connection: close")),
    Recorded(client="akismet-api", answer="false", body=COMMON + "&comment_type=comment&is_test=false", head=(
        "POST /1.1/comment-check HTTP/1.1", "Host: {key}.localhost:{port}", "Accept-Encoding: gzip, deflate", "User-Agent: Node.js/22 | Akismet-api/6.0.0",
        f"Content-Type: {FORM}", "Connection: close")),
    Recorded(client="akismet-api honeypot", answer="true", body=COMMON + "&honeypot_field_name=hp&hp=filled", head=(
        "POST /1.1/comment-check HTTP/1.1", "Host: {key}.localhost:{port}", f"Content-Type: {FORM}", "Connection: close")),
    Recorded(client="npm akismet", answer="valid", body="key={key}&blog=https%3A%2F%2Fapp.example", head=(
        "POST /1.1/verify-key HTTP/1.1", f"content-type: {FORM}", "user-agent: node-akismet/2.0.7", "host: rest.akismet.com", "Connection: close")),
    Recorded(client="npm akismet", answer="false", body=COMMON, head=(
        "POST /1.1/comment-check HTTP/1.1", f"content-type: {FORM}", "user-agent: node-akismet/2.0.7", "host: {key}.rest.akismet.com", "Connection: close")),
    Recorded(client="@cedx/akismet", answer="valid", body="api_key={key}&blog=https%3A%2F%2Fapp.example%2F", head=(
        "POST /1.1/verify-key HTTP/1.1", "host: 127.0.0.1:{port}", "connection: keep-alive", f"content-type: {FORM};charset=UTF-8",
        "user-agent: Node.js/22 | Akismet/17.3", "accept: */*", "accept-language: *", "sec-fetch-mode: cors", "accept-encoding: gzip, deflate")),
    Recorded(client="@cedx/akismet", answer="true", body="api_key={key}&blog=https%3A%2F%2Fapp.example%2F&blog_charset=UTF-8&blog_lang=en%2Cfr&comment_author="
             "viagra-test-123&comment_context%5B0%5D=roses&comment_context%5B1%5D=garden&comment_content=x&comment_date_gmt=2026-01-01T00%3A00%3A00.000Z"
             "&is_test=1&user_agent=Mozilla%2F5.0&user_ip=203.0.113.7", head=(
        "POST /1.1/comment-check HTTP/1.1", "host: 127.0.0.1:{port}", "connection: keep-alive", f"content-type: {FORM};charset=UTF-8",
        "user-agent: Node.js/22 | Akismet/17.3", "accept: */*", "accept-language: *", "sec-fetch-mode: cors", "accept-encoding: gzip, deflate")),
    Recorded(client="ruby akismet", answer="true", body="is_test=true&test_discard=true&comment_author=viagra-test-123&blog=https%3A%2F%2Fapp.example"
             "&user_ip=203.0.113.7&user_agent=Mozilla", head=(
        "POST /1.1/comment-check HTTP/1.1", "User-Agent: Ruby/3.3 | Akismet/3.0.0", f"Content-Type: {FORM}", "Accept-Encoding: gzip;q=1.0,deflate;q=0.6",
        "Accept: */*", "Host: {key}.rest.akismet.com", "Connection: close")),
    Recorded(client="discourse", answer="false", body="content_type=forum-post&permalink=https%3A%2F%2Fforum.example%2Ft%2Fx%2F1%2F2&comment_author=ann"
             "&comment_content=Roses%0A%0AThank+you%2C+*this*+helped.&comment_author_email=ann%40garden.example&user_ip=203.0.113.7&blog=https%3A%2F%2Fforum.example", head=(
        "POST /1.1/comment-check HTTP/1.1", f"Content-Type: {FORM}", "User-Agent: Discourse/3.5.0 | discourse-akismet/0.1.0", "Host: {key}.rest.akismet.com:443")),
    Recorded(client="coral", answer=THANKS, body=json.dumps({"user_ip": "", "referrer": "https://news.example/a", "user_agent": "Mozilla/5.0",
             "comment_content": "<div>Buy cheap pills, best bonus, click here now</div>", "permalink": "https://news.example/a", "comment_author": "Eve",
             "comment_type": "comment", "is_test": False}), head=(
        "POST /1.1/submit-spam HTTP/1.1", "Accept: application/json", "Content-Type: application/json", "User-Agent: coral", "Host: {key}.rest.akismet.com",
        "Connection: close")),
    Recorded(client="go adtac, artalk", answer="false", body=COMMON + "&blog_charset=UTF-8&comment_author_email=&comment_author_url=&comment_type=comment"
             "&is_test=&permalink=&referrer=&user_agent=Mozilla&user_role=", head=(
        "POST /1.1/comment-check HTTP/1.1", "Host: {key}.rest.akismet.com", "User-Agent: Go-http-client/1.1", f"Content-Type: {FORM}", "Accept-Encoding: gzip")),
    Recorded(client="php sdk", answer="false", body="api_key={key}&classify=1&" + COMMON, head=(
        "POST /1.1/comment-check HTTP/1.1", "Host: 127.0.0.1:{port}", "User-Agent: GuzzleHttp/7", f"Content-Type: {FORM}")),
    Recorded(client="php sdk usage", answer=JSON, head=(
        "GET /1.2/usage-limit?api_key={key} HTTP/1.1", "Host: 127.0.0.1:{port}", "User-Agent: GuzzleHttp/7")),
    Recorded(client="php sdk sites", answer=JSON, head=(
        "GET /1.2/key-sites?api_key={key}&month=2026-11&limit=10&offset=0&order=total&format=json HTTP/1.1", "Host: 127.0.0.1:{port}", "User-Agent: GuzzleHttp/7")),
    Recorded(client="python-akismet", answer="false", body="blog=https%3A%2F%2Fapp.example&user_ip=203.0.113.7&user_agent=Mozilla&referrer=unknown&charset=UTF-8"
             "&comment_content=Thank+you+for+the+roses.&is_test=False&is_spam=", head=(
        "POST /1.1/comment-check HTTP/1.1", "Host: {key}.rest.akismet.com", "User-Agent: Python/3 | akismet.py/0.4", "Accept-Encoding: gzip, deflate",
        "Accept: */*", "Connection: keep-alive", f"Content-Type: {FORM}")),
    Recorded(client="perl net::akismet", answer="true", body="blog=https%3A%2F%2Fapp.example&user_ip=203.0.113.7&comment_author=viagra-test-123", head=(
        "POST /1.1/comment-check HTTP/1.1", "TE: deflate,gzip;q=0.3", "Connection: TE, close", "Host: {key}.rest.akismet.com",
        "User-Agent: Perl-Net-Akismet/0.05", f"Content-Type: {FORM}")),
    Recorded(client="rakismet", answer="false", body=COMMON + "&comment_author_email=&test=", head=(
        "POST /1.1/comment-check HTTP/1.1", f"Content-Type: {FORM}", "User-Agent: Rakismet/1.5.5", "Accept: */*", "Host: {key}.rest.akismet.com")),
    Recorded(client="absolute target", answer="connected", head=("GET http://rest.akismet.com/1.1/test HTTP/1.1", "Host: rest.akismet.com")),
)  # fmt: skip
