"""Pages of reviews: who finds them, what they owe, what they keep when they refuse, and files."""

from datetime import timedelta
from io import BytesIO

import pytest
from pypdf import PdfReader

from insights.reviews.keeping import add_action, draft_review, edit_review
from insights.reviews.models import Review, ReviewAction, Sample
from roles.instants import database_now
from roles.models import Duty, DutyAssignment
from roles.people import forget_roles
from tests.web.stage import Stage
from tickets.models import Ticket


@pytest.fixture
def solved(stage: Stage) -> Ticket:
    return stage.tickets["badge"]


@pytest.fixture
def review(stage: Stage, solved: Ticket) -> Review:
    return draft_review(ticket=solved, actor=stage.ines)


@pytest.fixture
def petra(stage: Stage):
    duty = Duty.objects.create(slug="qa-reviewer", name="QA reviewer")
    DutyAssignment.objects.create(duty=duty, person=stage.petra)
    forget_roles(stage.petra)
    return stage.petra


def test_a_review_is_drafted_edited_given_an_action_and_signed(
    stage, solved, petra, sign_in, django_assert_max_num_queries
):
    address = f"/tickets/{solved.key}/review"
    client = sign_in(stage.ines)
    assert "There is no review yet." in client.get(address).content.decode()
    assert client.post(address).status_code == 302
    page = client.get(address).content.decode()
    assert "Ines Okafor: Taken" in page
    assert "Sign the review" not in page
    sections = {"cause": "The badge had expired.", "version": "1"}
    assert client.post(f"{address}/edit", sections).status_code == 302
    day = (database_now() + timedelta(days=4)).date()
    action = {"text": "Warn a week ahead", "owner": "omar", "due_on": day.isoformat()}
    assert client.post(f"{address}/actions", action).status_code == 302
    assert "Sign the review" in sign_in(petra).get(address).content.decode()
    sign_in(petra).post(f"{address}/sign")
    held = Review.objects.get()
    assert (held.cause, held.signed_by) == ("The badge had expired.", petra)
    client.post(f"{address}/actions/{ReviewAction.objects.get().pk}/done")
    with django_assert_max_num_queries(16):
        page = client.get(address).content.decode()
    assert "Signed by Petra Novak" in page
    assert "Keep the review" not in page
    assert ReviewAction.objects.get().done_by == stage.ines


def test_what_was_typed_stays_when_somebody_else_was_faster(stage, review, sign_in):
    address = f"/tickets/{review.ticket.key}/review"
    edit_review(review=review, actor=stage.omar, sections={"cause": "A worn chip"}, version=1)
    client = sign_in(stage.ines)
    mine = {"cause": "It had expired", "version": "1"}
    answer = client.post(f"{address}/edit", mine)
    body = answer.content.decode()
    assert answer.status_code == 422
    assert "Somebody has edited this review meanwhile" in body
    assert "It had expired" in body
    assert "A worn chip" in body, "both are seen"
    assert Review.objects.get().cause == "A worn chip"
    again = {"cause": "It had expired", "version": answer.context["form"]["version"].value()}
    assert client.post(f"{address}/edit", again).status_code == 302
    assert Review.objects.get().cause == "It had expired"


def test_signing_keeps_what_was_typed_and_asks_for_the_cause_at_its_box(
    stage, review, petra, sign_in
):
    address = f"/tickets/{review.ticket.key}/review"
    client, typed = sign_in(petra), {"impact": "One door", "version": "1"}
    answer = client.post(f"{address}/sign", typed)
    assert answer.status_code == 422
    assert answer.context["form"].errors == {"cause": ["Say the cause, or that it is not known."]}
    assert "One door" in answer.content.decode()
    assert Review.objects.get().signed_at is None
    assert client.post(f"{address}/sign", {**typed, "cause": "Not known."}).status_code == 302
    held = Review.objects.get()
    assert (held.impact, held.cause, held.signed_by) == ("One door", "Not known.", petra)


def test_a_review_past_its_day_says_so(stage, review, sign_in):
    address, client = f"/tickets/{review.ticket.key}/review", sign_in(stage.ines)
    assert "overdue" not in client.get(address).content.decode()
    Review.objects.update(due_at=database_now() - timedelta(days=1))
    assert "overdue" in client.get(address).content.decode()


def test_an_action_that_will_not_do_is_refused_beside_its_field(stage, review, sign_in):
    address = f"/tickets/{review.ticket.key}/review/actions"
    client = sign_in(stage.ines)
    for given, said in (
        ({"text": "", "owner": "omar", "due_on": "2099-01-01"}, "Say what is to be done."),
        ({"text": "Look", "owner": "omar", "due_on": "2020-01-01"}, "Choose a day to come."),
        ({"text": "Look", "owner": "nobody", "due_on": "2099-01-01"}, "nobody"),
        ({"text": "Look", "owner": "omar", "due_on": ""}, "Choose a day."),
    ):
        answer = client.post(address, given)
        assert answer.status_code == 422, given
        assert said in answer.content.decode(), given
        assert given["text"] in answer.content.decode()
    assert not ReviewAction.objects.exists()


def test_reviews_are_for_people_of_the_service_who_may_see_the_ticket(stage, review, sign_in):
    key, case = review.ticket.key, stage.tickets["case"].key
    for end in ("", ".md", ".pdf"):
        assert sign_in(stage.bo).get(f"/tickets/{key}/review{end}").status_code == 404
        assert sign_in(stage.ines).get(f"/tickets/{case}/review{end}").status_code == 404
        assert sign_in(stage.nora).get(f"/tickets/{key}/review{end}").status_code == 200
    assert sign_in(stage.bo).get("/reviews").status_code == 404
    told = sign_in(stage.ines).get(f"/tickets/{stage.tickets['slow'].key}/review").content.decode()
    assert "It can be begun once the ticket is solved." in told


def test_the_list_says_what_is_owed_and_that_nothing_is(
    stage, solved, petra, sign_in, django_assert_max_num_queries
):
    assert "No review is owed." in sign_in(stage.mara).get("/reviews").content.decode()
    review = draft_review(ticket=solved, actor=stage.ines)
    now = database_now()
    add_action(
        review=review, actor=stage.ines, text="Warn ahead", owner=stage.omar, due_on=now.date()
    )
    Review.objects.update(due_at=now - timedelta(days=1))
    Sample.objects.create(ticket=solved, chosen_at=now)
    client = sign_in(petra)
    client.get("/reviews")
    with django_assert_max_num_queries(14):
        page = client.get("/reviews").content.decode()
    for words in ("Not signed yet", "overdue", "Warn ahead", "Resolutions to look at"):
        assert words in page
    assert "Resolutions to look at" not in sign_in(stage.mara).get("/reviews").content.decode()


def test_quality_marks_a_resolution_once_and_the_list_tells_the_means(
    stage, solved, petra, sign_in
):
    sample = Sample.objects.create(ticket=solved, chosen_at=database_now())
    address = f"/reviews/samples/{sample.pk}"
    assert sign_in(stage.ines).get(address).status_code == 404
    client = sign_in(petra)
    short = {"understood": "4", "told": "5", "documented": "3", "comment": "Brief but right"}
    answer = client.post(address, short)
    assert answer.status_code == 422
    assert "Brief but right" in answer.content.decode()
    assert client.post(address, {**short, "solved": "5"}).url == "/reviews"
    assert "It has its marks." in client.get(address).content.decode()
    assert client.post(address, {**short, "solved": "1"}).status_code == 422
    page = client.get("/reviews").content.decode()
    assert "1 resolution in 90 days" in page
    assert "4.0" in page


def test_a_review_is_taken_away_as_a_document(stage, review, sign_in):
    client = sign_in(stage.ines)
    address = f"/tickets/{review.ticket.key}/review"
    text = client.get(f"{address}.md")
    assert text["Content-Disposition"] == f'attachment; filename="review-{review.ticket.key}.md"'
    assert f"# Review of {review.ticket.key}: Badge does not open" in text.content.decode()
    pages = PdfReader(BytesIO(client.get(f"{address}.pdf").content)).pages
    said = "\n".join(page.extract_text() for page in pages)
    assert "What happened" in said
    assert "Ines Okafor: Resolved" in said
