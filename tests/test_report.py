"""The report: what it says follows from the figures, and its page stands alone."""

import builtins
import csv
import json
import re
from html.parser import HTMLParser

import pytest
from ramrec.host.errors import RamrecError, UsageError
from ramrec.host.evaluation.document import Table, by_stage, row_table, span
from ramrec.host.evaluation.drawing import as_svg
from ramrec.host.evaluation.files import experiments_beside, write_experiments, write_page, write_report
from ramrec.host.evaluation.page import numeric, page
from ramrec.host.evaluation.picture import Plot, Series
from ramrec.host.evaluation.report import report, require_document
from ramrec.host.evaluation.wording import losses, summary

pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")


def row(method, k, accuracy, order="random"):
    return {
        "method": method,
        "order": order,
        "k": k,
        "users": 40,
        "accuracy": accuracy,
        "accuracy_low": accuracy - 1,
        "accuracy_high": accuracy + 1,
        "auc": None,
    }


def difference(b, k, diff, order="random"):
    return {"a": "sweep", "b": b, "order": order, "k": k, "diff": diff, "low": diff - 0.5, "high": diff + 0.5}


def results():
    """The least that an evaluation gives."""
    return {
        "command": "ramrec evaluate --data <b>tiny</b>",
        "data": {"name": "<b>tiny</b>", "ratings": 1234, "films": 56, "licence": "none"},
        "folds": {"run": 1, "of": 5, "inner": 1},
        "users": 40,
        "predictions": 700,
        "geometries": {"sweep": {"memory_depth": 64}},
        "results": [
            row(method, k, accuracy, order)
            for order in ("random", "time")
            for method, accuracies in {"sweep": (60, 70), "mf": (61, 69), "river": (50, 51)}.items()
            for k, accuracy in zip((0, 20), accuracies, strict=True)
        ],
        "paired": [
            *(difference("mf", k, diff) for k, diff in ((0, -1), (20, 1))),
            difference("river", 0, 10),
            difference("mf", 20, -0.2, "time"),
        ],
        "tuned": {"sweep": {"tried": 1, "chosen": [{}]}, "mf": {"tried": 9, "chosen": [{"noise": 0.5}]}},
    }


def experiments():
    plot = Plot("ratings", "%", [Series("sweep", [1, 2], [3.0, 4.0], [2.0, 3.0], [4.0, 5.0])], log_x=True)
    target = {"name": "drift", "target": "at least 60 %", "measured": 70.0, "low": 65.0, "high": 75.0, "met": True}
    one = {
        "name": "drift",
        "title": "How soon?",
        "sentence": "After 20 ratings 70 % is back.",
        "rows": [{"agent": "sweep", "recovered": 70.25, "users": 1200, "k": None}],
        "plot": plot.as_json(),
        "about": "Measured.",
        "targets": [target],
        "command": "ramrec experiment drift",
    }
    return {"experiments": [one], "left_out": {"latency": "no compiler here"}}


class Checker(HTMLParser):
    """Notes what a page loads, and that its elements are closed."""

    VOID = frozenset({"meta", "br", "link", "img", "use", "path", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self.loads, self.open, self.ids = [], [], []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)
        self.loads += [value for name, value in attrs if name in ("src", "href", "xlink:href") and value[:1] != "#"]
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_the_page_stands_alone():
    text = page(require_document(results(), experiments()))
    checker = Checker()
    checker.feed(text)
    assert checker.open == []
    assert checker.loads == []
    assert len(checker.ids) == len(set(checker.ids))
    assert "<b>tiny</b>" not in text
    assert "&lt;b&gt;tiny&lt;/b&gt;" in text
    assert text.count("<svg") == 4
    assert not re.search(r"#[0-9a-f]{6}", text.partition("</style>")[2])
    assert "prefers-color-scheme: dark" in text


def test_every_figure_names_its_command():
    text = report(results(), experiments())
    assert "ramrec evaluate --data <b>tiny</b>" in text
    assert "<sub>`ramrec experiment drift`</sub>" in text
    for line in ("How soon?", "After 20 ratings 70 % is back.", "70.0 (65.0 to 75.0)", "no compiler here", "1,200"):
        assert line in text.replace("70.00 (65.00 to 75.00)", "70.0 (65.0 to 75.0)")


def test_what_was_not_run_is_not_spoken_of():
    text = report(results())
    for title in ("Targets", "Predict, then learn", "publication", "Left out", "Agents of other sizes"):
        assert title not in text
    assert "No prediction of this run was repeated on a device" in text


def test_it_says_who_ranks_nothing_and_what_another_like_changes():
    told = results()
    text = report(told)
    assert "are not measured for" not in text
    assert "follow this like" not in text
    told["like"] = "3.5"
    for one in told["results"]:
        one["ndcg"] = None if one["method"] == "river" or one["k"] == 20 else 12.5
    text = report(told)
    assert "are not measured for `river`:" in text
    assert "follow this like" in text


def test_what_more_people_bring_is_told_without_other_methods():
    told = results() | {"paired": []}
    told["results"] = [one for one in told["results"] if one["method"] == "sweep"]
    auc = {"auc_diff": 0.25, "auc_low": 0.125, "auc_high": 0.5}
    rows = [difference("", k, diff) | {"method": "sweep"} | auc for k, diff in ((5, 0.25), (20, 0.75))]
    told["population"] = {"sets": [{"name": "other", "users": 1234, "ratings": 56}], "paired": rows}
    text = report(told)
    assert "beside no other methods" in text
    assert "comparisons" not in text
    assert "Where sweep loses" not in text
    said = "With 1,234 users of other to learn from as well: +0.25 points (-0.25 to +0.75) at 5, +0.75 points"
    assert said in text
    assert "| sweep | +0.25 (-0.25 to +0.75) | **+0.75** (+0.25 to +1.25) |" in text
    assert "| sweep | **+0.25** (+0.12 to +0.50) | **+0.25** (+0.12 to +0.50) |" in text


def test_targets_are_told_met_from_not_met():
    rows = [
        {"name": "near mf", "target": "above 0", "k": 5, "measured": -1.0, "low": -2.0, "high": 0.0, "met": False},
        {"name": "unknown", "target": "above 0", "k": 5, "measured": None, "low": None, "high": None, "met": None},
    ]
    text = report(results() | {"targets": rows}, experiments())
    assert "1 of 2 targets are met. This run says nothing about 1 more." in text
    assert text.index("| **not met** | near mf |") < text.index("| met | drift |")


def test_the_summary_follows_from_the_figures():
    said = " ".join(summary(results(), []))
    assert "`sweep` predicts 60.0 % with no ratings, 70.0 % with 20 ratings of a new user's likes right." in said
    assert "`mf` +1.00 points (+0.50 to +1.50)" in said
    assert "surely worse than another method in 1 of 3 comparisons (with `mf`)" in said
    better = results()
    better["paired"][0] |= {"diff": 1, "low": 0.5, "high": 1.5}
    assert "surely worse than another method in 0 of 3 comparisons." in " ".join(summary(better, []))


def test_where_it_loses_nothing_is_left_out():
    said = losses(results()["paired"])
    assert any("**accuracy, random order**, interval below zero: `mf` at 0 (-1.00)" in line for line in said)
    assert any("time order**, interval below zero: nowhere" in line for line in said)
    assert "Accuracy below another method's by any amount, time order: 1 of 1 comparisons." in said


def test_cells_by_hand():
    figures = {"x": 1.25, "low": 0.5, "high": 2.0}
    assert span(figures, "x", "low", "high") == "1.2|0.5 to 2.0"
    assert span(figures, "x", "low", "high", digits=2, signed=True) == "**+1.25**|+0.50 to +2.00"
    assert span(figures | {"low": -0.5}, "x", "low", "high", signed=True) == "+1.2|-0.5 to +2.0"
    assert span({"x": None}, "x", "low", "high") == "-"
    columns, lines = by_stage([{"m": "a", "k": 1}, {"m": "b", "k": "all"}], "m", lambda row: str(row["k"]))
    assert (columns, lines) == (["k", "1", "all"], [["a", "1", "-"], ["b", "-", "all"]])
    assert row_table([{"a": 1.50, "b": 1234}, {"c": None}]).rows == [["1.5", "1,234", "-"], ["-", "-", "-"]]
    table = Table(["", "", ""], [["a", "**+1.2**|0 to 2", "+1.0 or more"], ["b", "-", "3"]])
    assert numeric(table) == [False, True, False]


@pytest.mark.parametrize("kind", ["line", "bars"])
def test_pictures_are_the_same_every_time(kind):
    series = [Series("a", ["x", "y"], [1.0, 2.0], [0.5, 1.5], [1.5, 2.5]), Series("b", ["y"], [3.0])]
    plot = Plot("rate", "", series, kind=kind, level=(1.5, "level"))
    svg = as_svg(plot, "one")
    assert svg == as_svg(plot, "one")
    kept = json.loads(json.dumps(plot.as_json()))
    assert json.loads(json.dumps(Plot.from_json(kept).as_json())) == kept
    assert as_svg(Plot.from_json(kept), "one") == svg
    assert "var(--series-0)" in svg
    assert ">y<" in svg


def test_files_are_written(tmp_path):
    write_experiments(experiments(), tmp_path)
    assert not (tmp_path / "results.html").exists()
    write_report(results(), tmp_path)
    assert json.loads((tmp_path / "results.json").read_text()) == results()
    assert "How soon?" in (tmp_path / "results.html").read_text("utf-8")
    assert "How soon?" in (tmp_path / "results.md").read_text("utf-8")
    for name in re.findall(r"\]\((\S+)\)", (tmp_path / "results.md").read_text("utf-8")):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    with (tmp_path / "results.csv").open(newline="") as file:
        assert [line["accuracy"] for line in csv.DictReader(file)][:2] == ["60", "70"]
    write_page(results(), tmp_path / "other" / "page.html")
    assert "How soon?" not in (tmp_path / "other" / "page.html").read_text("utf-8")
    (tmp_path / "experiments.json").write_text("{")
    assert experiments_beside(tmp_path / "results.json") is None
    with pytest.raises(RamrecError, match="can not write"):
        write_page(results(), tmp_path / "results.html" / "page.html")


def test_other_json_is_refused():
    with pytest.raises(UsageError, match="not the results of an evaluation"):
        report({"command": "x", "data": {}})


def test_a_missing_library_is_one_line(monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **named):
        if name.startswith("jinja2"):
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(RamrecError, match=r"jinja2, which is missing; pip install 'ramrec\[eval\]'"):
        page(require_document(results()))
