"""What the floors below say in English is said in the reader's language where a page shows it."""

import pytest
from django.utils import translation

from web.retold import retold


@pytest.fixture
def german():
    with translation.override("de"):
        yield


def test_a_sentence_with_names_in_it_is_said_in_german(german):
    said = retold("INC-000012 is not open any more.")
    assert said == "INC-000012 ist nicht mehr offen."


def test_labels_and_clauses_within_a_sentence_are_said_in_german_too(german):
    said = retold("INC-000012 is in progress; that cannot be done now.")
    assert said == "INC-000012: In Bearbeitung; das geht jetzt nicht."
    advice = retold("Escalate to Mail Team on L2: route for Mail.")
    assert advice == "Eskalieren Sie an Mail Team auf L2: Weg für Mail."


def test_what_somebody_wrote_stands_as_it_was_written(german):
    assert retold("The printer on floor two hums") == "The printer on floor two hums"
    said = retold("Step “Nobody was told.” is added.")
    assert said == "Schritt „Nobody was told.“ kommt hinzu."


def test_english_stays_english():
    assert retold("Nobody was told.") == "Nobody was told."
