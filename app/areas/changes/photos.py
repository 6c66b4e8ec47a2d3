"""学生照片: checked by the rules of the national system, cut, made anew as a small JPEG, kept as a file of the pupil.

The rules (照片采集要求 of the national system's school edition): in colour, JPG, 26 mm × 32 mm at 150 dpi or more, below
60 KB, before a pale plain ground. The file that was sent is not kept: it may say where and with what it was taken.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import IO, NamedTuple

from flask_babel import gettext as _
from PIL import Image, ImageOps, ImageStat
from sqlalchemy.orm import Session

from app.areas.changes.models import EvidenceFile
from app.areas.students.lookups import find_pupil
from app.areas.students.models import Student
from app.core import evidence, saving, scope
from app.core.authority import Authority
from app.core.errors import Denied, Invalid, Stale
from app.core.fields import HERE
from app.core.rights import Actor

KIND = "16"  # of the code table evidence_kind
MM = (26, 32)
DPI = 254  # of what is kept: ten pixels for a millimetre
SIZE = (260, 320)  # pixels of what is kept
SMALL = (78, 96)  # pixels of what a list shows: half as many are seen, the rest is for fine screens
LEAST = (154, 189)  # pixels: MM at 150 dpi
KEPT_BYTES = 60 * 1024  # what is kept is smaller
MOST_BYTES = 6 * 1024 * 1024  # of what is sent; telephones make 2 to 5 MB
MOST_PIXELS = 30_000_000  # of what is sent; telephones make 12 million
PALE, PLAIN = 140, 32  # of 255: the least brightness of the ground, the most by which it varies
GREY = 3  # of 255: the mean saturation up to which a picture is not in colour


class Box(NamedTuple):
    """Where to cut: left edge, top edge and width, as parts (0 to 1) of the upright picture's width, height, width."""

    left: float
    top: float
    width: float


class Kept(NamedTuple):
    content: bytes
    media_type: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo as it is kept. `doubts`: sentences about what a program cannot be sure of."""

    content: bytes
    doubts: tuple[str, ...]


# --- making it ----------------------------------------------------------------------------------------


def make(stream: IO[bytes], box: Box | None = None) -> Photo:
    """Cut to the box, or to the largest in the middle. Raises Invalid with a sentence."""
    upright = _read(stream)
    cut = _cut(upright, _edges(upright.size, box))
    if ImageStat.Stat(cut.convert("HSV")).mean[1] < GREY:
        raise Invalid(_("照片是黑白的。请换用近期的彩色照片。"))
    return Photo(_as_jpeg(cut), tuple(_doubts(cut)))


def _read(stream: IO[bytes]) -> Image.Image:
    """The picture as one looks at it, in RGB. Its kind is told by its content."""
    content = stream.read(MOST_BYTES + 1)
    if not content:
        raise Invalid(_("文件是空的。请重新选择照片。"))
    if len(content) > MOST_BYTES:
        raise Invalid(_("照片超过%(n)s MB。请压缩后重新选择。", n=MOST_BYTES // 1024 // 1024))
    try:
        with Image.open(BytesIO(content), formats=("JPEG", "PNG")) as image:
            if image.width * image.height > MOST_PIXELS:
                raise Invalid(
                    _("照片的像素过多。请缩小到%(n)s万像素以内后重新选择。", n=MOST_PIXELS // 10_000)
                )
            image.load()
            return _on_white(ImageOps.exif_transpose(image))
    except (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError) as fault:
        raise Invalid(
            _("文件不是JPG或PNG照片，或已损坏。请用手机或相机重新拍照，或另存为JPG后再选择。")
        ) from fault


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    ground = Image.new("RGB", image.size, "white")
    ground.paste(image, mask=image.convert("RGBA").getchannel("A"))
    return ground


def _edges(size: tuple[int, int], box: Box | None) -> tuple[int, int, int, int]:
    """Left, top, right, bottom in pixels: of the shape of MM, within the picture. Raises Invalid where that is too small."""
    shape = MM[1] / MM[0]
    most = min(size[0], size[1] / shape)
    width = most if box is None else min(most, box.width * size[0])
    height = width * shape
    if round(width) < LEAST[0] or round(height) < LEAST[1]:
        raise Invalid(
            _(
                "照片（裁剪后）只有%(w)s×%(h)s像素，打印出来不清楚。至少要%(a)s×%(b)s像素，请放大裁剪框或换用更清晰的照片。",
                w=round(width),
                h=round(height),
                a=LEAST[0],
                b=LEAST[1],
            )
        )
    left = (size[0] - width) / 2 if box is None else min(box.left * size[0], size[0] - width)
    top = (size[1] - height) / 2 if box is None else min(box.top * size[1], size[1] - height)
    return round(left), round(top), round(left + width), round(top + height)


def _cut(image: Image.Image, edges: tuple[int, int, int, int]) -> Image.Image:
    """Never made larger than it was taken. Nothing but the pixels goes along."""
    width = min(SIZE[0], edges[2] - edges[0])
    size = (width, round(width * MM[1] / MM[0]))
    bare = Image.new("RGB", size)
    bare.paste(image.resize(size, Image.Resampling.LANCZOS, box=edges))
    return bare


def _as_jpeg(image: Image.Image) -> bytes:
    """As good as KEPT_BYTES allow."""
    for quality in range(92, 0, -8):
        buffer = BytesIO()
        image.save(buffer, "JPEG", quality=quality, optimize=True, dpi=(DPI, DPI))
        if buffer.tell() < KEPT_BYTES:
            break
    return buffer.getvalue()


def _doubts(image: Image.Image) -> list[str]:
    """The ground is looked at in the upper corners, where no head is."""
    width, height = round(image.width * 0.14), round(image.height * 0.12)
    grey = image.convert("L")
    for left in (0, image.width - width):
        corner = ImageStat.Stat(grey.crop((left, 0, left + width, height)))
        if corner.mean[0] < PALE or corner.stddev[0] > PLAIN:
            return [_("照片的背景看起来不是浅色纯色。国家系统要求淡蓝色背景，请核对，必要时重新拍照。")]
    return []


# --- seeing it ----------------------------------------------------------------------------------------


def content_of(session: Session, by: Actor, student: Student) -> Kept | None:
    """None where there is no photo. Raises Denied where `by` may not see photos of this pupil, Missing where the file is
    lost."""
    kept = scope.pointed_at(session, by, student, "photo_id", ("media_type", "sha256"))
    if kept is None or kept["media_type"] == evidence.PDF:
        return None
    with evidence.open_(kept["sha256"]) as file:
        return Kept(file.read(), **kept)


def small(content: bytes) -> bytes:
    """The photo as a list shows it, a few kilobytes."""
    with Image.open(BytesIO(content), formats=("JPEG", "PNG")) as image:
        image.draft("RGB", SMALL)
        made = image.convert("RGB").resize(SMALL, Image.Resampling.LANCZOS)
    buffer = BytesIO()
    made.save(buffer, "JPEG", quality=80, optimize=True)
    return buffer.getvalue()


def may_see(session: Session, by: Actor, student: Student) -> bool:
    return bool(scope.may(session, by, "photo_id:see", student))


# --- keeping it ---------------------------------------------------------------------------------------


def why_not(session: Session, by: Actor, student: Student) -> str:
    """Why `by` may not give this pupil a photo, or ""."""
    return str(scope.may(session, by, "edit", student)) or str(
        scope.may(session, by, "photo_id:see", student)
    )


def require_editor(session: Session, by: Actor, student: Student) -> None:
    if why := why_not(session, by, student):
        raise Denied(why)


def keep(
    session: Session, by: Actor, student_id: int, photo: Photo | None, *, seen: int | None = None
) -> Student:
    """Puts the photo in place of the one that was seen (`seen`: its id), or takes it off; the old file stays with the
    pupil. Inside `saving.work()`. Raises Denied, Missing, Stale."""
    student = find_pupil(session, by, student_id)
    require_editor(session, by, student)
    if seen != student.photo_id:
        raise Stale(
            _(
                "在您打开本页之后，%(name)s的照片已由其他人更换。请核对现在的照片，仍要更换的请重新选择。",
                name=student.name,
            )
        )
    authority = Authority("photo", schools=frozenset({student.school_id}))
    made = saving.create(EvidenceFile, _file(photo, by, student), by, authority=authority) if photo else None
    given = {"photo_id": made.id if made is not None else None}
    return saving.edit(student, given, by, version=student.version, authority=authority)


def _file(photo: Photo, by: Actor, student: Student) -> Mapping[str, object]:
    """Named by when it was given: files that are sent are often named by ID numbers."""
    now = datetime.now(UTC)
    stored = evidence.store(BytesIO(photo.content), f"照片{now.astimezone(HERE):%Y%m%d-%H%M%S}.jpg")
    return {
        "student_id": student.id,
        "kind": KIND,
        "original_name": stored.name,
        "sha256": stored.sha256,
        "media_type": stored.media_type,
        "byte_count": stored.size,
        "pages": stored.pages,
        "uploaded_by": by.name,
        "uploaded_at": now,
    }
