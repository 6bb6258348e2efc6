"""The WordPress plugin (deploy/wordpress/leave-a-reply) on a real WordPress, beside a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import wordpress
from tests.conftest import ROOT, Server, free_port, missing, wait_until
from tests.reading import reading_models
from tests.wordpress import WordPress

pytestmark = pytest.mark.long
PLUGIN = ROOT / "deploy" / "wordpress" / "leave-a-reply"
CASINO = "Best online casino bonus, win cash now https://casino-bonus.example/win https://casino-bonus.example/free"
FEDIVERSE = (
    '<p><span class="h-card"><a href="https://blog.example/@garden" class="u-url mention">@<span>garden</span></a></span> '
    "My beans liked the rain too, %s.</p>"
)


@dataclass
class Both:
    blog: WordPress
    server: Server
    token: str

    def api(self, method: str, path: str, **more: Any) -> Any:
        answer = httpx.request(
            method, self.server.url + path, headers={"Authorization": f"Bearer {self.token}"}, **more
        )
        assert answer.is_success, answer.text
        return answer.json()

    def meta(self, words: str, key: str = "leave_a_reply_why") -> str:
        return self.blog.php(
            "global $wpdb; $id = $wpdb->get_var($wpdb->prepare('SELECT comment_ID FROM ' . $wpdb->comments . "
            f"' WHERE comment_content LIKE %s ORDER BY comment_ID DESC LIMIT 1', '%{words}%')); "
            f"echo get_comment_meta($id, '{key}', true);"
        )

    def there(self, words: str) -> str:
        """The status of the same comment on the service."""
        found = self.api("GET", "/api/v1/comments", params={"status": "any", "q": words})["comments"]
        assert len(found) <= 1
        return str(found[0]["status"]) if found else ""

    def as_editor(self, words: str, act: str) -> None:
        """What an editor's click does; `$id` is the comment's."""
        self.blog.php(
            "global $wpdb; $id = (int) $wpdb->get_var($wpdb->prepare('SELECT comment_ID FROM ' . $wpdb->comments . "
            f"' WHERE comment_content LIKE %s ORDER BY comment_ID DESC LIMIT 1', '%{words}%')); {act}",
            user=1,
        )


@contextmanager
def plugged_in(server: Server, folder: Path) -> Iterator[Both]:
    """A blog whose plugin asks this server."""
    keys = server.run("add-token", "--scopes", "score,teach,moderate", "--site", "default").stdout.strip()
    folder.mkdir()
    with wordpress.running(folder, PLUGIN) as blog:
        blog.php(
            "require 'wp-admin/includes/plugin.php'; activate_plugin('leave-a-reply/leave-a-reply.php'); "
            f"update_option('leave_a_reply', ['url' => '{server.url}', 'site' => 'default', 'token' => '{keys}']);"
        )
        yield Both(blog, server, keys)
        assert "leave-a-reply" not in blog.log, blog.log


@pytest.fixture
def both(start: Callable[..., Server], tmp_path: Path) -> Iterator[Both]:
    if lacking := wordpress.missing():
        missing(f"WordPress is not installed ({lacking})")
    with plugged_in(start(), tmp_path / "wordpress") as found:
        yield found


def test_a_comments_whole_life(both: Both) -> None:
    blog = both.blog
    assert blog.post("Thank you, my beans grow well this year.").status_code == 302
    assert blog.status("my beans grow") == "1" and both.there("beans") == "approved"
    assert both.meta("my beans grow") == "Nothing against it."

    blog.post(CASINO, author="Best Casino", email="casino@example.org")
    assert blog.status("casino bonus") in ("0", "spam")
    assert "Looks like spam (" in both.meta("casino bonus")

    # a link of somebody new waits; the editor's approval teaches, and what is edited and deleted goes along
    blog.post("I wrote about it at https://allotment.example/quince as well.", author="Bea", email="bea@example.org")
    assert blog.status("quince") == "0" and both.there("quince") == "pending"
    assert "link" in both.meta("quince")
    both.as_editor("quince", "wp_set_comment_status($id, 'approve');")
    assert blog.status("quince") == "1" and both.there("quince") == "approved"
    both.as_editor(
        "quince", "wp_update_comment(['comment_ID' => $id, 'comment_content' => 'I wrote about the medlar.']);"
    )
    assert both.there("medlar") == "approved" and both.there("quince") == ""
    both.as_editor("medlar", "wp_spam_comment($id);")
    assert both.there("medlar") == "spam"
    both.as_editor("medlar", "wp_delete_comment($id, true);")
    assert both.there("medlar") == ""

    # WordPress's own rules are never overruled
    blog.php("update_option('comment_moderation', 1);")
    blog.post("The pears are ripe as well.", author="Cid", email="cid@example.org")
    assert blog.status("pears") == "0" and both.there("pears") == "approved"


def test_replies_from_the_fediverse_are_judged_by_what_they_say(both: Both) -> None:
    insert = (
        "wp_insert_comment(['comment_post_ID' => 1, 'comment_author' => 'Dan', 'comment_author_email' => '', "
        "'comment_author_url' => 'https://social.example/@dan', 'comment_content' => '{text}', 'comment_approved' => 1, "
        "'comment_type' => 'comment', 'comment_agent' => 'ActivityPub', 'comment_meta' => ['protocol' => 'activitypub']]);"
    )
    both.blog.php(insert.format(text=FEDIVERSE % "says the squash"))
    assert both.blog.status("squash") == "1" and both.there("squash") == "approved"
    both.blog.php(insert.format(text=FEDIVERSE % CASINO))
    assert both.blog.status("casino bonus") in ("0", "spam")
    note = insert.format(text="Order shipped: xyzzy").replace(
        "'comment_type' => 'comment'", "'comment_type' => 'order_note'"
    )
    both.blog.php(note)
    assert both.blog.status("xyzzy") == "1" and both.there("xyzzy") == ""


def test_without_an_answer_it_waits_and_is_asked_again(both: Both) -> None:
    blog = both.blog
    blog.php(
        f"$s = get_option('leave_a_reply'); $s['url'] = 'http://127.0.0.1:{free_port()}'; update_option('leave_a_reply', $s);"
    )
    blog.post("The rain came late in autumn.", author="Eve", email="eve@example.org")
    assert blog.status("rain came late") == "0" and "did not answer" in both.meta("rain came late")
    blog.post("The frost came early.", author="Fay", email="fay@example.org")
    both.as_editor("frost came", "wp_spam_comment($id);")
    blog.php(f"$s = get_option('leave_a_reply'); $s['url'] = '{both.server.url}'; update_option('leave_a_reply', $s);")
    blog.cron()
    assert blog.status("rain came late") == "1" and both.there("rain") == "approved"
    assert blog.status("frost came") == "spam" and both.there("frost") == "spam"


def test_what_the_second_reader_has_not_read_yet_waits_for_it_and_for_nobody(
    start: Callable[..., Server], tmp_path: Path
) -> None:
    if lacking := wordpress.missing():
        missing(f"WordPress is not installed ({lacking})")
    server = start(models=str(reading_models(tmp_path / "reading")), reader="on", reader_wait="1")
    with plugged_in(server, tmp_path / "wordpress") as both:
        both.blog.post("The medlars keep until spring.", author="Eve", email="eve@example.org")
        assert both.blog.status("medlars keep") == "0" and "did not answer in time" in both.meta("medlars keep")
        wait_until(lambda: both.there("medlars") == "approved", "the second reader")
        both.blog.cron()
        assert both.blog.status("medlars keep") == "1" and both.meta("medlars keep") == "Nothing against it."


def test_an_old_comments_decision_teaches_and_an_anonymised_author_is_erased(both: Both) -> None:
    blog = both.blog
    blog.php(
        "define('WP_IMPORTING', true); wp_insert_comment(['comment_post_ID' => 1, 'comment_author' => 'Gus', "
        "'comment_author_email' => 'gus@example.org', 'comment_content' => 'From before: the walnut tree.', 'comment_approved' => 1]);"
    )
    assert both.there("walnut") == ""
    both.as_editor("walnut", "wp_spam_comment($id);")
    assert both.there("walnut") == "spam"
    blog.post("The hazel is mine.", author="Hal", email="hal@example.org")
    assert both.there("hazel") == "approved"
    blog.php("require 'wp-admin/includes/admin.php'; wp_comments_personal_data_eraser('hal@example.org');")
    assert blog.status("hazel") == "1" and both.there("hazel") == ""


@pytest.mark.parametrize("theme", wordpress.THEMES)
def test_the_embed_stands_in_place_of_the_themes_comments(both: Both, theme: str) -> None:
    blog = both.blog
    blog.php(
        f"switch_theme('{theme}'); $s = get_option('leave_a_reply'); $s['embed'] = '1'; update_option('leave_a_reply', $s);"
    )
    page = httpx.get(f"{blog.url}/?p=1").text
    assert page.count("<leave-a-reply site") == 1 and 'id="commentform"' not in page
    assert page.count(f"{both.server.url}/embed.js") == 1
    assert f"{both.server.url}/sites/default/feed" in page
    assert blog.post("Nobody would see this.").status_code == 403
    assert blog.status("Nobody would") == ""


def test_the_settings_page_says_how_it_stands_and_never_shows_the_token(both: Both) -> None:
    shown = both.blog.php("require 'wp-admin/includes/admin.php'; LeaveAReply\\settings_page();", user=1)
    assert "The service answers; model" in shown and both.token not in shown
    kept = both.blog.php(
        f"echo json_encode(LeaveAReply\\sanitized(['url' => '{both.server.url}/', 'site' => 'Def ault', 'token' => '']));",
        user=1,
    )
    assert both.token in kept
    rows = both.blog.php(
        "require 'wp-admin/includes/admin.php'; $c = get_comment(1); "
        "echo apply_filters('comment_row_actions', [], $c)['leave_a_reply'];",
        user=1,
    )
    assert "Check again" in rows and "_wpnonce" in rows
