"""Printed pages, read back as whoever gets the file would read them."""

from __future__ import annotations

import io
import re

from pypdf import PdfReader
from werkzeug.test import TestResponse


def reader(answer: TestResponse | bytes) -> PdfReader:
    content = answer if isinstance(answer, bytes) else answer.data
    if not isinstance(answer, bytes):
        assert answer.status_code == 200, answer.status_code
        assert answer.mimetype == "application/pdf"
    return PdfReader(io.BytesIO(content))


def pages(answer: TestResponse | bytes) -> list[str]:
    """The text of each page, without the line breaks."""
    return [re.sub(r"\n", "", page.extract_text()) for page in reader(answer).pages]


def text(answer: TestResponse | bytes) -> str:
    return "".join(pages(answer))
