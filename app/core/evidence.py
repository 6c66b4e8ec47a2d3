"""Evidence files: checked by what they contain, kept under the hash of their content, never served by path.

Whose a file is and who may see it is said by the entity that names its hash, not here. The file itself never
changes: what an approval was given to can be shown again.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from flask import current_app
from flask_babel import gettext as _
from PIL import Image

from app.core.errors import Invalid, Missing

JPEG, PNG, PDF = "image/jpeg", "image/png", "application/pdf"
ENDINGS = {".jpg": JPEG, ".jpeg": JPEG, ".png": PNG, ".pdf": PDF}
USUAL_ENDING = {JPEG: ".jpg", PNG: ".png", PDF: ".pdf"}
MOST_BYTES = 2 * 1024 * 1024  # without a setting
MOST_PIXELS = 50_000_000  # a scan of A4 at 600 dpi has 35 million
LONGEST_NAME = 100
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PDF_START = re.compile(rb"%PDF-[12]\.\d")
_PDF_END_WITHIN = 1024  # bytes


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that is kept: the hash it is found by, its real type, its size in bytes, and a harmless name."""

    sha256: str
    media_type: str
    size: int
    name: str
    pages: int | None  # None where it is not known without reading the document


def store(stream: BinaryIO, name: str) -> Stored:
    """Checks an uploaded file and keeps it. Raises Invalid with a sentence; storing twice is harmless."""
    content = _read(stream)
    ending = _ending_of(name)
    media_type = _type_of(content)
    if ENDINGS[ending] != media_type:
        raise Invalid(_("文件的扩展名与内容不符。请用原来的格式重新保存后上传，不要直接改扩展名。"))
    sha256 = hashlib.sha256(content).hexdigest()
    _keep(_path(sha256), content)
    pages = None if media_type == PDF else 1
    return Stored(sha256, media_type, len(content), _harmless(name, media_type), pages)


@contextmanager
def open_(sha256: str) -> Iterator[BinaryIO]:
    """The content of a kept file, to be read. Raises Missing."""
    if not _SHA256.fullmatch(sha256):
        raise Missing()
    try:
        file = _path(sha256).open("rb")
    except FileNotFoundError:
        raise Missing(_("没有找到这份材料的文件。请联系运维人员从备份中恢复。")) from None
    with file:
        yield file


def is_whole(sha256: str) -> bool:
    """Whether the kept file still is what its name says."""
    with open_(sha256) as file:
        return hashlib.sha256(file.read()).hexdigest() == sha256


# --- checking -----------------------------------------------------------------------------------------


def _read(stream: BinaryIO) -> bytes:
    most = int(current_app.config.get("EVIDENCE_MAX", MOST_BYTES))
    content = stream.read(most + 1)
    if not content:
        raise Invalid(_("文件是空的。请重新选择清晰的图片或PDF。"))
    if len(content) > most:
        raise Invalid(
            _("文件超过%(n)s MB。请压缩图片或降低扫描分辨率后重新上传。", n=f"{most / 1024 / 1024:g}")
        )
    return content


def _ending_of(name: str) -> str:
    ending = Path(name).suffix.lower()
    if ending not in ENDINGS:
        raise Invalid(_("只能上传JPG、PNG图片或PDF文件。请转换格式后重新上传。"))
    return ending


def _type_of(content: bytes) -> str:
    """The type by content. Raises Invalid for what is broken or neither image nor PDF."""
    if _PDF_START.match(content):
        if b"%%EOF" not in content[-_PDF_END_WITHIN:]:
            raise Invalid(_("PDF文件不完整，可能没有传完。请重新上传。"))
        return PDF
    return _image_type(content)


def _image_type(content: bytes) -> str:
    try:
        with Image.open(BytesIO(content), formats=("JPEG", "PNG")) as image:
            if image.width * image.height > MOST_PIXELS:
                raise Invalid(_("图片的像素过多。请降低扫描分辨率后重新上传。"))
            image.load()
            return PNG if image.format == "PNG" else JPEG
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as fault:
        raise Invalid(_("文件无法作为图片或PDF打开，可能已损坏。请重新拍照或扫描后上传。")) from fault


def _harmless(name: str, media_type: str) -> str:
    """The last part of the name with one ending, that of the real type, and without signs that steer anything."""
    stem = Path(name.replace("\\", "/")).name.rpartition(".")[0]
    kept = "".join(
        "_" if unicodedata.category(ch)[0] in "CZ" or ch in '.<>:"/|?*%&=+@;' else ch for ch in stem
    )
    ending = USUAL_ENDING[media_type]
    return (kept.strip("_-")[: LONGEST_NAME - len(ending)] or "file") + ending


# --- keeping ------------------------------------------------------------------------------------------


def _root() -> Path:
    url = urlsplit(current_app.config["EVIDENCE_URL"])
    if url.scheme != "file" or url.netloc:
        raise RuntimeError("EVIDENCE_URL must be file:///…; other stores are not supported")
    return Path(unquote(url.path))


def _path(sha256: str) -> Path:
    return _root() / sha256[:2] / sha256


def _keep(path: Path, content: bytes) -> None:
    """Written beside and renamed, so that no half file ever carries a hash."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, beside = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(beside).replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(beside).unlink()
        raise
