"""WordPress from the system's packages (Debian: wordpress, php-cli, php-mysql, mariadb-server), on loopback, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.conftest import free_port, wait_until

SOURCES = Path("/usr/share/wordpress")
THEMES = ("twentytwentyone", "twentytwentythree")
"""A classic theme and one of blocks; Debian has a package for each."""
CONFIGURATION = """<?php
define('DB_NAME', 'wordpress'); define('DB_USER', 'root'); define('DB_PASSWORD', ''); define('DB_HOST', 'localhost:{socket}');
define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
define('WP_CONTENT_DIR', '{content}'); define('WP_CONTENT_URL', '{url}/wp-content');
define('WP_HTTP_BLOCK_EXTERNAL', true); define('WP_ACCESSIBLE_HOSTS', '127.0.0.1,rest.akismet.com');
define('DISABLE_WP_CRON', true); define('AUTOMATIC_UPDATER_DISABLED', true); define('WP_DEBUG', true);
define('WP_DEBUG_LOG', '{folder}/debug.log'); define('WP_DEBUG_DISPLAY', false);
define('AUTH_KEY', 'a'); define('SECURE_AUTH_KEY', 'b'); define('LOGGED_IN_KEY', 'c'); define('NONCE_KEY', 'd');
define('AUTH_SALT', 'e'); define('SECURE_AUTH_SALT', 'f'); define('LOGGED_IN_SALT', 'g'); define('NONCE_SALT', 'h');
{more}
$table_prefix = 'wp_';
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
"""
INSTALL = """
define('WP_INSTALLING', true);
require 'wp-load.php'; require 'wp-admin/includes/upgrade.php';
wp_install('A garden', 'admin', 'admin@blog.example', true, '', 'a long password');
update_option('siteurl', '{url}'); update_option('home', '{url}');
update_option('comment_moderation', 0); update_option('comment_previously_approved', 0);
update_option('moderation_notify', 0); update_option('comments_notify', 0);
"""


def missing() -> str:
    """What is not installed; empty where all is."""
    programs = [name for name in ("php", "mariadbd", "mariadb-install-db") if not shutil.which(name)]
    themes = [name for name in THEMES if not (SOURCES / "wp-content" / "themes" / name).exists()]
    return ", ".join(programs + themes + ([] if (SOURCES / "wp-load.php").exists() else ["wordpress"]))


@dataclass
class WordPress:
    url: str
    folder: Path
    environment: dict[str, str]

    def php(self, code: str, *, user: int = 0) -> str:
        """Runs code in WordPress, as this user."""
        loaded = f"require 'wp-load.php'; wp_set_current_user({user}); {code}"
        return php(self.folder / "wp", loaded, self.environment)

    def cron(self) -> None:
        self.php("foreach (array_keys(_get_cron_array()) as $time) foreach (_get_cron_array()[$time] as $hook => $all) "
                 "if (strpos($hook, 'leave_a_reply') === 0) do_action($hook);")  # fmt: skip

    def post(self, comment: str, **fields: str) -> httpx.Response:
        """A reader's comment on the first post, by WordPress's own form."""
        form = {"author": "Ann", "email": "ann@example.org", "url": "", "comment": comment, "comment_post_ID": "1"}
        form |= {"comment_parent": "0"} | fields
        return httpx.post(f"{self.url}/wp-comments-post.php", data=form, timeout=30)

    def status(self, words: str) -> str:
        """What became of the latest comment with these words: `1`, `0`, `spam`, `trash`, or nothing."""
        return self.php(
            "global $wpdb; echo $wpdb->get_var($wpdb->prepare('SELECT comment_approved FROM ' . $wpdb->comments . "
            f"' WHERE comment_content LIKE %s ORDER BY comment_ID DESC LIMIT 1', '%{words}%'));"
        )

    @property
    def log(self) -> str:
        path = self.folder / "debug.log"
        return path.read_text() if path.exists() else ""


def php(folder: Path, code: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["php", "-d", "display_errors=stderr", "-r", code],
        cwd=folder, capture_output=True, text=True, timeout=120, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def running(folder: Path, *plugins: Path, more: str = "") -> Iterator[WordPress]:
    """A fresh WordPress with these plugins' folders beside its own; `more` stands in its configuration."""
    socket, port = folder / "socket", free_port()
    as_root = ["--user=root"] if os.geteuid() == 0 else []
    with open(folder / "mariadb.log", "w") as log:
        subprocess.run(
            ["mariadb-install-db", "--no-defaults", f"--datadir={folder / 'db'}", "--skip-test-db",
             "--auth-root-authentication-method=normal", *as_root],
            check=True, stdout=log, stderr=log, timeout=120,
        )  # fmt: skip
        database = subprocess.Popen(
            ["mariadbd", "--no-defaults", f"--datadir={folder / 'db'}", f"--socket={socket}", "--skip-networking",
             f"--pid-file={folder / 'pid'}", "--innodb-flush-log-at-trx-commit=0", *as_root],
            stdout=log, stderr=log,
        )  # fmt: skip
    server = None
    try:
        wait_until(lambda: socket.exists() or database.poll() is not None, "MariaDB")
        assert database.poll() is None, (folder / "mariadb.log").read_text()
        url = f"http://127.0.0.1:{port}"
        home = folder / "wp"
        shutil.copytree(SOURCES, home, ignore=shutil.ignore_patterns(".htaccess", "wp-config.php"))
        for plugin in plugins:
            copy = shutil.copytree if plugin.is_dir() else shutil.copy
            copy(plugin, home / "wp-content" / "plugins" / plugin.name)
        (home / "wp-content" / "mu-plugins").mkdir()
        # without the pause of 15 seconds between two comments
        pause = "<?php add_filter('wp_is_comment_flood', '__return_false', 99);"
        (home / "wp-content" / "mu-plugins" / "pause.php").write_text(pause)
        configuration = CONFIGURATION.format(
            socket=socket, content=home / "wp-content", url=url, folder=folder, more=more
        )
        (home / "wp-config.php").write_text(configuration)
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        environment |= {"PHP_CLI_SERVER_WORKERS": "4"}
        create = f"$m = new mysqli('localhost', 'root', '', '', 0, '{socket}'); $m->query('CREATE DATABASE wordpress');"
        php(home, create, environment)
        php(home, INSTALL.format(url=url), environment)
        with open(folder / "php.log", "w") as log:
            server = subprocess.Popen(
                ["php", "-S", f"127.0.0.1:{port}", "-t", str(home)], stdout=log, stderr=log, env=environment, cwd=home
            )
        wait_until(lambda: is_up(url), "WordPress")
        yield WordPress(url, folder, environment)
    finally:
        if server:
            server.terminate()
            server.wait(30)
        database.terminate()
        database.wait(30)


def is_up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readme.html", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False
