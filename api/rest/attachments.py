"""Files of a ticket: taken in for a comment that follows, listed, and handed out."""

from typing import Any

from django.db.models import Q
from django.http import FileResponse, Http404, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from api.idempotency import once
from api.paging import Order
from api.rest.catalog import PersonRef
from api.rest.comments import events_of
from api.rest.headers import IDEMPOTENCY
from api.rest.resource import Resource
from api.rest.tickets import ticket_of
from roles.refusals import Invalid
from tickets.attachments import PLAIN, drop_upload, keep_upload
from tickets.models import Attachment, Ticket


class AttachmentView(serializers.ModelSerializer):
    """A file; `comment` is the number of the event that it came with, null until that is sent."""

    uploader = PersonRef(read_only=True)
    comment = serializers.IntegerField(source="event.seq", default=None, read_only=True)

    class Meta:
        model = Attachment
        fields = ("id", "name", "media_type", "size", "sha256", "uploader", "added_at", "comment")
        read_only_fields = fields


class Uploading(serializers.Serializer):
    """The file."""

    file = serializers.FileField()


def files_of(request: Request, ticket: Ticket) -> Any:
    """The files that the caller may read: those of events that they see, and their own unsent."""
    seen = Q(event__in=events_of(request, ticket).values("pk"))
    mine = Q(event=None, uploader=request.user.pk)
    rows = Attachment.objects.filter(seen | mine, ticket=ticket.pk)
    return rows.select_related("uploader", "event")


class Attachments(Resource):
    serializer_class = AttachmentView
    queryset = Attachment.objects.none()
    orders = {"id": Order("pk"), "-id": Order("pk", True)}
    parser_classes = [MultiPartParser]

    @extend_schema(operation_id="tickets_attachments_list", responses=AttachmentView(many=True))
    def get(self, request: Request, key: str) -> Response:
        """The files of what the caller may read, and those not sent yet."""
        return self.page(files_of(request, ticket_of(request, key)))

    @extend_schema(
        operation_id="tickets_attachments_create",
        request={"multipart/form-data": Uploading},
        parameters=[IDEMPOTENCY],
        responses={201: AttachmentView},
    )
    def post(self, request: Request, key: str) -> HttpResponseBase:
        """Keep a file for a comment: name its `id` there, and it goes out with that."""
        return once(request, lambda: self._keep(request, key))

    def _keep(self, request: Request, key: str) -> Response:
        ticket = ticket_of(request, key)
        upload = request.FILES.get("file")
        if getattr(request._request, "cut_off", ()):
            raise Invalid("too_large", "The file is too large.", {"file": "It is too large."})
        if upload is None:
            raise Invalid("no_file", "Send a file.", {"file": "A file, please."})
        kept = keep_upload(ticket=ticket, actor=request.user, upload=upload)
        return Response(self.show(kept), status=201)


class OneAttachment(Resource):
    serializer_class = AttachmentView
    queryset = Attachment.objects.none()

    @extend_schema(
        operation_id="tickets_attachments_download",
        responses={(200, PLAIN): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, key: str, number: int) -> HttpResponseBase:
        """The file itself, always as a download."""
        found = files_of(request, ticket_of(request, key)).filter(pk=number).first()
        if found is None:
            raise Http404
        kind = found.media_type if found.is_image else PLAIN
        answer = FileResponse(
            found.file.open("rb"), as_attachment=True, filename=found.name, content_type=kind
        )
        answer["X-Content-Type-Options"] = "nosniff"
        answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
        return answer

    @extend_schema(
        operation_id="tickets_attachments_delete",
        responses={204: OpenApiResponse(description="Forgotten.")},
    )
    def delete(self, request: Request, key: str, number: int) -> Response:
        """Forget a file of the caller's that has not been sent."""
        ticket = ticket_of(request, key)
        if not drop_upload(ticket=ticket, actor=request.user, attachment_id=number):
            raise Http404
        return Response(status=204)
