"""nginx from the system's packages, in front of the service below a path of a site's host."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import answers, wait_until

CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  types {{ text/html html; }}
  server {{
    listen 127.0.0.1:{port};
    root {folder}/blog;
    location {prefix}/ {{
      proxy_pass {upstream};
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_buffering off;
    }}
  }}
}}
"""


def program() -> str | None:
    return shutil.which("nginx") or next((path for path in ("/usr/sbin/nginx",) if Path(path).exists()), None)


@contextmanager
def in_front(service: str, port: int, prefix: str, folder: Path, *, strips: bool) -> Iterator[Path]:
    """nginx on this port. It passes what is below the prefix to the service, with the prefix or without it; the other files
    of the host are those in the folder that it gives."""
    nginx = program()
    assert nginx
    blog = folder / "blog"
    blog.mkdir(parents=True)
    upstream = service + ("/" if strips else "")
    configuration = folder / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, port=port, prefix=prefix, upstream=upstream))
    with open(folder / "log", "w") as log:
        command = [nginx, "-p", str(folder), "-c", str(configuration), "-e", "stderr"]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        public = f"http://127.0.0.1:{port}{prefix}"
        wait_until(lambda: answers(public) or process.poll() is not None, "nginx")
        assert process.poll() is None, (folder / "log").read_text()
        yield blog
    finally:
        process.terminate()
        process.wait(30)
