"""Stops a file that is larger than allowed while it is still coming in."""

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, SkipFile


class CappedUploads(FileUploadHandler):
    """The first of the upload handlers: it counts, and lets no more than the limit go on.

    The names of files that were cut off stand in `request.cut_off`, for the page to say so.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """A file begins."""
        super().new_file(*args, **kwargs)
        self._size = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        """Pass a piece on. Raises SkipFile once the file has grown too large."""
        self._size += len(raw_data)
        if self._size > settings.ATTACHMENT_MAX_MB * 1024 * 1024:
            request: Any = self.request
            request.cut_off = [*getattr(request, "cut_off", []), self.file_name or ""]
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Leave it to the next handler to hold the file."""
