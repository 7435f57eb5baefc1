"""Does the service do what its OpenAPI document says, whatever fits the document or does not? Needs schemathesis."""

import pytest
from conftest import open_small
from hypothesis import HealthCheck, given, settings

from ui.api.app import build_api
from ui.api.serving import served

schemathesis = pytest.importorskip("schemathesis")


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    with open_small(tmp_path_factory.mktemp("document") / "w") as agent:
        with served(build_api(agent, per_minute=0), port=0) as url:
            yield schemathesis.openapi.from_url(f"{url}/openapi.json")


@pytest.mark.parametrize("mode", ["POSITIVE", "NEGATIVE"])
def test_the_service_keeps_to_its_document(document, mode):
    # What fits the document may still be refused by the agent: an unknown title, a list longer than the settings allow.
    refused = [schemathesis.checks.CHECKS.get_by_names(["positive_data_acceptance"])[0]]
    tried = 0
    for operation in (found.ok() for found in document.get_all_operations()):
        if mode == "NEGATIVE" and not operation.body:  # any text fits a path
            continue
        cases = operation.as_strategy(generation_mode=schemathesis.GenerationMode[mode])

        @settings(
            max_examples=10, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
        )
        @given(case=cases)
        def keeps_to_it(case):
            answer = case.call()
            if answer.status_code != 413:  # too large is refused too, and schemathesis does not count it
                case.validate_response(answer, excluded_checks=refused)

        keeps_to_it()
        tried += 1
    assert tried >= 8
