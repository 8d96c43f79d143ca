"""Documents that are made of results say what the results beside them say."""

import json
from pathlib import Path

import pytest
from ramrec.host.evaluation.drawing import COLOURS
from ramrec.host.evaluation.files import experiments_beside
from ramrec.host.evaluation.report import report
from ramrec.host.evaluation.sections import document

ROOT = Path(__file__).parent.parent
STAGES = (0, 5, 10, 20, 50, "all")
METHODS = {
    "**this agent (`sweep`)**": "sweep",
    "prior + user bias": "prior+bias",
    "item-kNN": "item-knn",
    "EASE with fold-in": "ease",
    "matrix factorisation, fold-in (float)": "mf",
    "the same with features of films": "fm",
    "all of them stacked, the reference ceiling": "stack",
    "a neural network per user": "mlp",
    "the published neuron (nearest pattern), on our codes": "nearest",
    "the published neuron on the published bits": "nearest-published",
}


@pytest.mark.parametrize("folder", [ROOT / "docs", ROOT / "docs" / "ml-latest-small"], ids=lambda folder: folder.name)
def test_a_report_is_that_of_its_results(folder):
    path = folder / "results.json"
    assert (folder / "results.md").read_text("utf-8") == report(json.loads(path.read_text()), experiments_beside(path))


def test_the_first_page_has_the_accuracies_of_the_report():
    rows = json.loads((ROOT / "docs" / "results.json").read_text())["results"]
    measured = {(row["method"], row["k"]): f"{row['accuracy']:.1f}" for row in rows if row["order"] == "random"}
    text = (ROOT / "README.md").read_text("utf-8")
    header = "| ratings learned | " + " | ".join(map(str, STAGES)) + " |"
    table = text[text.index(header) :].split("\n\n")[0].splitlines()[2:]
    said = {name: cells for name, *cells in ([part.strip() for part in line.strip("|").split("|")] for line in table)}
    assert said == {name: [measured[method, k] for k in STAGES] for name, method in METHODS.items()}


def test_every_series_of_a_picture_has_a_colour_of_its_own():
    path = ROOT / "docs" / "results.json"
    sections = document(json.loads(path.read_text()), experiments_beside(path)).sections
    assert 1 < max(len(picture.plot.series) for section in sections for picture in section.pictures) <= len(COLOURS)
    style = (ROOT / "host" / "evaluation" / "page.html.jinja").read_text("utf-8")
    assert [style.count(f"--series-{place}:") for place in range(len(COLOURS))] == [2] * len(COLOURS)
