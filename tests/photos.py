"""Photos for tests, drawn: a head before a pale ground, with what cameras write into files."""

from __future__ import annotations

from io import BytesIO

from flask import Flask
from PIL import Image, ImageDraw

from tests import cast

PLACE_TAKEN = "31.2304N"  # as a camera might write it
SIDEWAYS = 6  # EXIF: turned by a quarter


def drawn(size: tuple[int, int] = (600, 800), ground: str = "#cfe3f5") -> Image.Image:
    image = Image.new("RGB", size, ground)
    width, height = size
    pen = ImageDraw.Draw(image)
    pen.ellipse((width * 0.25, height * 0.2, width * 0.75, height * 0.75), fill="#d9a37c")
    pen.rectangle((width * 0.15, height * 0.78, width * 0.85, height), fill="#2d4f8a")
    return image


def sent(image: Image.Image | None = None, kind: str = "JPEG", turned: int = 0) -> bytes:
    buffer, exif = BytesIO(), Image.Exif()
    exif[0x010E] = PLACE_TAKEN
    if turned:
        exif[0x0112] = turned
    (image or drawn()).save(buffer, kind, exif=exif)
    return buffer.getvalue()


def opened(content: bytes) -> Image.Image:
    image = Image.open(BytesIO(content))
    image.load()
    return image


def give_photo(app: Flask, name: str) -> int:
    """To the pupil of this name, as one who may; gives his id."""
    from app.areas.changes import photos
    from app.core import rights, saving, scope
    from app.extensions import db

    pk = cast.pupil(name)
    with app.app_context(), scope.acting(db.session(), rights.system("tests")) as by:
        with saving.work() as work:
            photos.keep(work.session, by, pk, photos.make(BytesIO(sent())))
        db.session.remove()
    return pk
