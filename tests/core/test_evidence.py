"""Evidence files: what is taken, what is refused, where it is kept. Images are made by Pillow, broken on purpose."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import Babel
from PIL import Image

from app.core import evidence
from app.core.errors import Invalid, Missing

A_PDF = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A small application whose evidence is kept in a folder of its own."""
    app = Flask("evidence")
    app.config.update(EVIDENCE_URL=f"file://{tmp_path}/kept", EVIDENCE_MAX=200_000)
    Babel(app)
    with app.app_context():
        yield tmp_path / "kept"


def picture(kind: str, size: tuple[int, int] = (40, 30)) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", size, "teal").save(buffer, kind)
    return buffer.getvalue()


def refusal(content: bytes, name: str) -> str:
    with pytest.raises(Invalid) as refused:
        evidence.store(BytesIO(content), name)
    return str(refused.value)


@pytest.mark.parametrize(
    ("content", "name", "media_type", "pages"),
    [
        (picture("JPEG"), "身份证正面.JPG", "image/jpeg", 1),
        (picture("JPEG"), "scan.jpeg", "image/jpeg", 1),
        (picture("PNG"), "户口簿.png", "image/png", 1),
        (A_PDF, "申请.pdf", "application/pdf", None),
    ],
)
def test_images_and_pdfs_are_kept_under_their_hash(
    home: Path, content: bytes, name: str, media_type: str, pages: int | None
) -> None:
    stored = evidence.store(BytesIO(content), name)
    assert stored.sha256 == hashlib.sha256(content).hexdigest()
    assert (stored.media_type, stored.size, stored.pages) == (media_type, len(content), pages)
    assert (home / stored.sha256[:2] / stored.sha256).read_bytes() == content
    with evidence.open_(stored.sha256) as file:
        assert file.read() == content


def test_the_same_file_twice_is_kept_once(home: Path) -> None:
    first = evidence.store(BytesIO(A_PDF), "甲.pdf")
    second = evidence.store(BytesIO(A_PDF), "乙.pdf")
    assert first.sha256 == second.sha256
    assert [path.name for path in home.rglob("*") if path.is_file()] == [first.sha256]


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "a.jpg", "文件是空的"),
        (picture("PNG", (9, 9)) + bytes(200_000), "a.png", "文件超过"),
        (picture("JPEG"), "a.exe", "只能上传"),
        (picture("JPEG"), "a.jpg.exe", "只能上传"),
        (picture("JPEG"), "jpg", "只能上传"),
        (b"MZ\x90\x00 this is a program", "a.jpg", "无法作为图片或PDF打开"),
        (b"<html><script>alert(1)</script></html>", "a.png", "无法作为图片或PDF打开"),
        (picture("PNG"), "a.jpg", "扩展名与内容不符"),
        (A_PDF, "a.png", "扩展名与内容不符"),
        (picture("GIF"), "a.png", "无法作为图片或PDF打开"),
        (picture("JPEG", (400, 300))[:600], "a.jpg", "无法作为图片或PDF打开"),
        (picture("PNG", (400, 300))[:-40], "a.png", "无法作为图片或PDF打开"),
        (A_PDF[:40], "a.pdf", "PDF文件不完整"),
        (b"junk" + A_PDF, "a.pdf", "无法作为图片或PDF打开"),
    ],
    ids=range(14),
)
def test_what_is_not_what_it_says_is_refused_and_nothing_is_kept(
    home: Path, content: bytes, name: str, said: str
) -> None:
    assert said in refusal(content, name)
    assert not home.exists()


def test_a_picture_that_unpacks_to_far_too_many_pixels_is_refused(home: Path) -> None:
    buffer = BytesIO()
    Image.new("1", (8_000, 7_000)).save(buffer, "PNG")
    assert "像素过多" in refusal(buffer.getvalue(), "a.png")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd.png", "passwd.png"),
        ("C:\\fakepath\\证明.png", "证明.png"),
        ("setup.exe.png", "setup_exe.png"),
        ('"><img>\x00\n.png', "img.png"),
        ("=1+1.png", "1_1.png"),
        ("...png", "file.png"),
        ("长" * 300 + ".png", "长" * 96 + ".png"),
    ],
)
def test_the_name_that_is_shown_can_steer_nothing(home: Path, given: str, kept: str) -> None:
    assert evidence.store(BytesIO(picture("PNG")), given).name == kept


@pytest.mark.parametrize(
    "asked", ["", "..", "../../etc/passwd", "0" * 63, "G" * 64, "0" * 64 + "/..", "0" * 64]
)
def test_only_a_hash_that_is_kept_can_be_opened(home: Path, asked: str) -> None:
    with pytest.raises(Missing), evidence.open_(asked):
        pass


def test_a_file_that_was_tampered_with_is_noticed(home: Path) -> None:
    stored = evidence.store(BytesIO(A_PDF), "申请.pdf")
    assert evidence.is_whole(stored.sha256)
    (home / stored.sha256[:2] / stored.sha256).write_bytes(A_PDF + b"\n")
    assert not evidence.is_whole(stored.sha256)


def test_a_store_that_is_not_a_folder_is_refused_at_once(home: Path) -> None:
    from flask import current_app

    current_app.config["EVIDENCE_URL"] = "s3://somewhere"
    with pytest.raises(RuntimeError, match="file:///"):
        evidence.store(BytesIO(A_PDF), "申请.pdf")
