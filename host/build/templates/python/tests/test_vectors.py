import pytest

from countersign import report

REPORT = report("acme-plugin.wasm")


@pytest.mark.parametrize("case", REPORT["cases"], ids=lambda case: case["name"])
def test_case(case):
    assert case["differences"] == [], "\n".join(case["log"])


def test_the_checks_find_nothing():
    assert REPORT["findings"] == []


def test_there_is_a_case():
    assert REPORT["cases"]
