"""The command line: what each command prints, and one line and an exit code for each wrong use."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ramrec.host import cli

ALIEN = "Alien Film (1979)"
COMMANDS = (
    "boards",
    "build",
    "demo",
    "doctor",
    "encode",
    "explain",
    "flash",
    "forget",
    "link",
    "rate",
    "recommend",
    "users",
    "verify",
)

Run = Callable[..., tuple[int, str, str]]
Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_ratings: Write) -> Path:
    monkeypatch.setenv("RAMREC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("platformdirs.user_data_dir", lambda name: str(tmp_path / "data" / name))
    monkeypatch.delenv("RAMREC_PROJECT", raising=False)
    monkeypatch.chdir(tmp_path)
    return write_ratings(tmp_path / "films", users=6, rated=12)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process: exit code, stdout, stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as caught:
            cli.main(arguments)
        out, err = capsys.readouterr()
        return int(caught.value.code or 0), out, err

    return run


@pytest.fixture
def at_hand(run: Run, home: Path) -> Run:
    """Run a command on the golden model and the films in ``home``."""

    def at_hand(command: str, *arguments: str) -> tuple[int, str, str]:
        backend = () if command in ("users", "encode") else ("--backend", "golden")
        geometry = () if command == "users" else ("--geometry", "TINY")
        return run(command, "--data", str(home), *geometry, *backend, *arguments)

    return at_hand


def parsed(result: tuple[int, str, str]) -> dict[str, Any]:
    code, out, err = result
    assert (code, err, out.count("\n")) == (0, "", 1)
    return json.loads(out)  # type: ignore[no-any-return]


def test_a_session(at_hand: Run) -> None:
    assert at_hand("rate", "ada", "alien film", "5") == (0, f"ada gives 5 stars to {ALIEN} (1 rating)\n", "")
    assert at_hand("rate", "ada", "Film 7", "1.5")[1] == "ada gives 1.5 stars to Film 7 (1987) (2 ratings)\n"
    code, out, _ = at_hand("recommend", "ada", "-k", "3")
    assert (code, len(out.splitlines()), out.splitlines()[0].split()) == (0, 4, ["stars", "film"])
    assert ALIEN not in out
    code, out, _ = at_hand("recommend", "ada", "--genre", "romance", "-k", "30")
    assert code == 0
    numbers = [int(line.split()[3]) for line in out.splitlines()[1:]]
    assert numbers and all(number % 2 for number in numbers)
    code, out, _ = at_hand("explain", "ada", "Film 8")
    assert code == 0
    assert out.startswith("Film 8 (1988): ")
    assert f"your 5 stars for {ALIEN}" in out
    assert "in all; liked from" in out
    code, out, _ = at_hand("forget", "ada", ALIEN)
    assert (code, out.startswith(f"ada has never rated {ALIEN} (1 rating, state ")) == (0, True)
    assert at_hand("users")[1].split() == ["user", "ratings", "ada", "1"]


def test_a_session_in_json(at_hand: Run) -> None:
    assert parsed(at_hand("users", "--json")) == {"users": []}
    rated = parsed(at_hand("rate", "ada", "#0", "5", "--json"))
    assert rated == {"user": "ada", "film": ALIEN, "stars": 5, "ratings": 1}
    assert parsed(at_hand("users", "--json")) == {"users": [{"user": "ada", "ratings": 1}]}
    ranked = parsed(at_hand("recommend", "ada", "-k", "3", "--json"))
    assert (ranked["ratings"], len(ranked["films"]), set(ranked["films"][0])) == (1, 3, {"film", "stars"})
    said = parsed(at_hand("explain", "ada", "Film 8", "--json"))
    assert said["title"] == "Film 8 (1988)"
    assert said["contributions"][0]["title"] == ALIEN
    gone = parsed(at_hand("forget", "ada", ALIEN, "--json"))
    assert (gone["film"], gone["ratings"], len(gone["digest"])) == (ALIEN, 0, 8)


def test_nobody_has_rated(at_hand: Run) -> None:
    code, out, err = at_hand("users")
    assert (code, out) == (0, "")
    assert err.startswith("nobody has rated yet")


def test_encode_writes_what_catalogue_reads(at_hand: Run, run: Run, home: Path) -> None:
    made = parsed(at_hand("encode", "--seed", "3", "--out", "made.npz", "--json"))
    assert (made["path"], made["films"], made["code_bits"], made["encoder"]["seed"]) == ("made.npz", 30, 16, 3)
    code, out, err = at_hand("encode")
    assert (code, err, Path("films.npz").exists()) == (0, "", True)
    assert out.startswith("films.npz: 30 films of films in codes of 16 bits, learned from 6 users\n")
    options = ("--catalogue", "made.npz", "--geometry", "TINY", "--backend", "golden")
    assert run("rate", "ada", "film 8", "4", *options)[0] == 0
    assert parsed(at_hand("users", "--json")) == {"users": [{"user": "ada", "ratings": 1}]}


def test_project_is_named_by_the_environment(at_hand: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RAMREC_PROJECT", str(tmp_path / "mine.ramrec"))
    at_hand("rate", "ada", ALIEN, "4")
    assert (tmp_path / "mine.ramrec").exists()
    assert parsed(at_hand("users", "--project", "other.ramrec", "--json")) == {"users": []}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("rate", "ada", "Alian Film", "5"), 2, f'unknown film "Alian Film"; closest: "{ALIEN}"'),
        (("rate", "ada", ALIEN, "6"), 2, "a rating is 0.5 to 5 stars"),
        (("rate", "ada", ALIEN, "4.2"), 2, "a rating is 0.5 to 5 stars in half steps, not 4.2"),
        (("rate", "ada", ALIEN, "many"), 2, "Invalid value for 'STARS'"),
        (("rate", "", ALIEN, "4"), 2, "a user needs a name"),
        (("rate", "a\nb", ALIEN, "4"), 2, "a user's name is text on one line"),
        (("rate", "a\udcff", ALIEN, "4"), 2, "a user's name is text on one line"),
        (("rate", "ada", ALIEN), 2, "STARS"),
        (("forget", "ada", ALIEN), 2, f"ada has not rated {ALIEN}"),
        (("recommend", "ada", "-k", "0"), 2, "must be at least 1, not 0"),
        (("recommend", "ada", "--genre", "Western"), 2, "films has no genre 'Western'; it has Romance, Sci-Fi"),
        (("recommend", "ada", "--geometry", "HUGE"), 2, "a geometry is one of TINY, UP5K, ECP5_25F, ECP5_85F"),
        (("recommend", "ada", "--data", "nowhere"), 2, '"nowhere" is neither a path nor a known data set'),
        (("recommend", "ada", "--catalogue", "none.npz"), 2, "there is no catalogue none.npz"),
        (("recommend", "ada", "--data", ""), 2, '"" is neither a path nor a known data set'),
        (("recommend", "ada", "--geometry", "TINY:rule=wisard", "--backend", "virtual"), 2, "golden model only"),
        (("recommend", "ada", "--backend", "serial://[::1"), 1, "can not open [::1"),
        (
            ("recommend", "ada", "--backend", "abacus"),
            2,
            "a backend is one of golden, native, auto, virtual, pty, serial://",
        ),
        (("recommend", "ada", "--backend", "serial:///dev/nonexistent"), 1, "can not open /dev/nonexistent"),
        (("recommend", "ada", "--project", "no/folder/file"), 1, "its folder must exist"),
        (("recommend", "ada", "--project", "films/movies.csv"), 1, "no ramrec project"),
        (("recommend", "ada", "--colour"), 2, "No such option: --colour"),
        (("demo", "--users", "0"), 2, "--users"),
        (("demo",), 1, "is too small for this"),
        (("encode", "--out", ""), 2, "a catalogue needs a file name"),
        (("encode", "--out", "no/folder/file"), 1, "can not write no/folder/file"),
        (("reccomend", "ada"), 2, "No such command 'reccomend'"),
    ],
)
def test_wrong_use_is_one_line_and_an_exit_code(
    at_hand: Run, arguments: tuple[str, ...], code: int, message: str
) -> None:
    found, out, err = at_hand(*arguments)
    assert (found, out) == (code, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err
    found, out, err = at_hand(*arguments, "--json")
    assert (found, err) == (code, "")
    assert message in json.loads(out)["error"]


def test_project_of_another_data_set(at_hand: Run, run: Run, write_ratings: Write, tmp_path: Path) -> None:
    project = str(tmp_path / "shared.ramrec")
    at_hand("rate", "ada", ALIEN, "5", "--project", project)
    other = write_ratings(tmp_path / "others", users=5, rated=9)
    code, out, err = run("users", "--data", str(other), "--project", project)
    assert (code, out) == (1, "")
    assert "choose another project file" in err


def test_broken_data_set_names_file_and_line(at_hand: Run, home: Path) -> None:
    with (home / "ratings.csv").open("a") as file:
        file.write("u0,29,9.5,1\n")
    code, out, err = at_hand("recommend", "ada")
    assert (code, out) == (2, "")
    assert "ratings.csv, line 74: expected a rating of 0.5 to 5 stars, found 9.5" in err


@pytest.mark.parametrize("by_signal", [False, True])
def test_interrupted(by_signal: bool, at_hand: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        if not by_signal:
            raise KeyboardInterrupt
        signal.raise_signal(signal.SIGTERM)
        pytest.fail("the signal was ignored")

    before = signal.getsignal(signal.SIGTERM)

    monkeypatch.setattr("ramrec.host.recommender.Recommender.open", interrupt)
    code, out, err = at_hand("recommend", "ada")
    assert (code, out) == (130, "")
    assert err.splitlines()[-1].startswith("error: interrupted")
    assert signal.getsignal(signal.SIGTERM) is before


def test_without_a_compiler_the_model_runs_and_one_line_says_so(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    arguments = ("recommend", "ada", "-k", "1", "--data", str(home), "--geometry", "TINY")
    code, out, err = run(*arguments)
    assert code == 0
    assert "stars" in out
    assert err.count("\n") == 1
    assert "running on the golden model" in err
    code, out, err = run(*arguments, "--backend", "virtual")
    assert (code, out) == (1, "")
    assert "golden needs no compiler" in err


def test_version(run: Run) -> None:
    code, out, err = run("--version")
    assert (code, err) == (0, "")
    assert out.split()[0] == "ramrec"
    assert out.split()[1][0].isdigit()
    assert parsed(run("--version", "--json")) == {"version": out.split()[1]}


def test_help_in_json(run: Run) -> None:
    assert "Examples:" in parsed(run("--json"))["help"]
    assert "Examples:" in parsed(run("--help", "--json"))["help"]
    assert "STARS" in parsed(run("rate", "--help", "--json"))["help"]
    code, out, err = run("--json", "users")
    assert (code, err) == (2, "")
    assert "--json goes behind the command: ramrec users ... --json" in json.loads(out)["error"]


def test_closed_streams(home: Path) -> None:
    command = "import sys; sys.stdout = sys.stderr = None; from ramrec.host.cli import main; main({})"
    for arguments, code in ((["--version"], 0), (["users", "--data", str(home), "--json"], 0), (["nonsense"], 2)):
        script = command.format(arguments)
        assert subprocess.run([sys.executable, "-c", script], check=False).returncode == code


@pytest.mark.parametrize("command", (*COMMANDS, "data list", "data fetch", "data info"))
def test_help_has_examples(run: Run, command: str) -> None:
    code, out, err = run(*command.split(), "--help")
    assert (code, err) == (0, "")
    assert "Example" in out
    assert f"ramrec {command}" in out.split("Example")[1]
    assert "--json" in out


def test_help_lists_all_commands(run: Run) -> None:
    code, out, _ = run("--help")
    assert code == 0
    assert run()[1] == out
    assert all(f"\n  {command} " in out for command in (*COMMANDS, "data"))


def test_data_alone_shows_its_help(run: Run) -> None:
    code, _, err = run("data")
    assert code == 2
    assert "fetch" in err


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; from ramrec.host.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print({'numpy', 'polars', 'scipy', 'amaranth'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"
