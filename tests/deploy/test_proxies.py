"""What stands around the program: nginx and PgBouncer take their files, and these name only what exists."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from adapters.web.live import HEARTBEAT
from gateway.config.channels import WebSettings
from gateway.config.model import Storage
from gateway.server import MAX_BODY
from tests.deploy.reading import DEPLOY, is_served, unserved
from tests.ports import free_port

AS_OTHER = ["-u", "nobody"] if os.getuid() == 0 else []  # PgBouncer does not run as root
NGINX = (DEPLOY / "nginx.conf").read_text("utf-8")


def program(name: str) -> str:
    """Debian keeps servers out of the search path of users."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    assert found, f"{name} is not installed: run `sh tests/services.sh`"
    return found


def nginx(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """`nginx -t` over the file, without the certificate that only the real machine has."""
    text = re.sub(r"ssl_certificate_key .*;", "ssl_reject_handshake on;", text)
    (folder / "site.conf").write_text(re.sub(r"ssl_certificate .*;", "", text), "utf-8")
    places = "".join(f"{it}_temp_path {folder}/{it};" for it in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    whole = f"pid {folder}/pid; error_log stderr; events {{}} http {{ access_log off; {places} include {folder}/site.conf; }}"
    (folder / "nginx.conf").write_text(whole, "utf-8")
    command = [program("nginx"), "-t", "-q", "-c", str(folder / "nginx.conf")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_nginx_takes_it(tmp_path: Path) -> None:
    done = nginx(tmp_path, NGINX)
    assert (done.returncode, done.stderr) == (0, "")


def test_nginx_finds_mistakes(tmp_path: Path) -> None:
    assert nginx(tmp_path, NGINX.replace("proxy_read_timeout 30s", "proxy_reed_timeout 30s")).returncode != 0


def locations() -> dict[str, str]:
    return dict(re.findall(r"    location (\S+) \{\n(.*?)\n    \}", NGINX, re.DOTALL))


@pytest.mark.parametrize(
    "path", ["/hooks/", "/events/", "/desks/", "/files/", "/chat/", "/api/", "/console", "/widget.js"]
)
def test_what_is_let_through_is_served(path: str) -> None:
    assert is_served(path)
    assert path.strip("/") in " ".join(re.findall(r"location (.*) \{", NGINX))


def test_everything_for_the_world_is_let_through() -> None:
    assert unserved(["/hooks/", "/events/", "/desks/", "/files/", "/chat/", "/api/", "/console", "/widget.js"]) == set()


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz"])
def test_the_inside_is_not_let_through(path: str) -> None:
    assert is_served(path)
    assert path not in NGINX
    assert "location / { return 404; }" in NGINX


def test_bodies_are_cut_where_the_program_cuts_them() -> None:
    megabyte = 1 << 20
    (whole, chat, api) = (int(size) * megabyte for size in re.findall(r"client_max_body_size (\d+)m;", NGINX))
    assert whole == MAX_BODY
    assert 0 < chat - WebSettings.model_fields["file_size"].default <= megabyte  # the form around the file
    assert 0 < api - Storage.model_fields["upload_size"].default <= megabyte


def test_sockets_live_longer_than_the_pause_between_pings() -> None:
    (seconds,) = re.findall(r"proxy_read_timeout (\d+)s;", locations()["/chat/"])
    assert float(seconds) > 2 * HEARTBEAT


def test_sockets_keep_the_clients_address() -> None:
    """A location with a header of its own inherits none."""
    outer = set(re.findall(r"proxy_set_header (\S+)", NGINX.partition("    location /hooks/")[0]))
    assert outer <= set(re.findall(r"proxy_set_header (\S+)", locations()["/chat/"]))


@pytest.fixture
def readable() -> Iterator[Path]:
    """A folder that another user may read, too."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_pgbouncer_takes_its_file(readable: Path) -> None:
    """It starts with the file, on another address, and complains of nothing."""
    text = (DEPLOY / "pgbouncer.ini").read_text("utf-8")
    (readable / "userlist.txt").write_text('"frontline" "change-me"\n', "utf-8")
    for ours, here in {
        "listen_addr = 0.0.0.0": "listen_addr = 127.0.0.1",
        "listen_port = 6432": f"listen_port = {free_port()}",
        "/tmp/userlist.txt": str(readable / "userlist.txt"),
    }.items():
        assert ours in text
        text = text.replace(ours, here)
    (readable / "pgbouncer.ini").write_text(text, "utf-8")
    said = first_words([program("pgbouncer"), *AS_OTHER, str(readable / "pgbouncer.ini")], "process up")
    assert "process up" in said
    assert not re.search("WARNING|ERROR|FATAL", said), said


def first_words(command: list[str], until: str) -> str:
    """What a program says until it says `until` or ends; then it is stopped."""
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = ""
        for line in process.stderr:
            said += line
            if until in line:
                break
        process.terminate()
        process.stderr.read()
    return said
