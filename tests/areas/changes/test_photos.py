"""The pupil's photo: what is taken and how it is made anew, who may give, see and take it off, what is kept of it."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_babel import Babel
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from werkzeug.test import TestResponse

from app.areas.changes import photos
from app.areas.changes.models import EvidenceFile
from app.areas.changes.photos import Box
from app.areas.students.models import Student
from app.core import rights, scope
from app.core.errors import Invalid
from app.extensions import db
from tests import cast
from tests.accounts import put_limit
from tests.cast import CHENGGUAN, GIRL
from tests.client import Client
from tests.photos import PLACE_TAKEN, SIDEWAYS, drawn, opened, sent

Login = Callable[..., Client]
ZIHAN, NEAR = cast.pupil("王子涵", gender=GIRL), cast.pupil("吴佳怡", at=CHENGGUAN)
PATH = f"/students/{ZIHAN}/photo"
API = f"/api/v1/students/{ZIHAN}/photo"
SMALL = Flask("photos")
Babel(SMALL)


def give(
    client: Client, content: bytes, name: str = "IMG_2.jpg", *, pupil: int = ZIHAN, **words: Any
) -> TestResponse:
    data = {"seen": "", "photo": (BytesIO(content), name)} | words
    return client.post(f"/students/{pupil}/photo/change", data=data)


def photo_id(app: Flask, pupil: int = ZIHAN) -> int | None:
    with app.app_context(), scope.acting(db.session(), rights.system("tests")):
        return db.session.get_one(Student, pupil).photo_id


def files(app: Flask, pupil: int = ZIHAN) -> list[EvidenceFile]:
    with app.app_context(), scope.acting(db.session(), rights.system("tests")):
        query = sa.select(EvidenceFile).where(EvidenceFile.student_id == pupil).order_by(EvidenceFile.id)
        found = list(db.session.scalars(query))
        db.session.expunge_all()
        return found


def png_of(width: int, height: int) -> bytes:
    """A tiny file that says it is a huge picture."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"0"))
        + chunk(b"IEND", b"")
    )


# --- how it is made -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_photo_is_kept_in_the_size_of_the_national_system(app: Flask, kind: str) -> None:
    with app.test_request_context():
        made = photos.make(BytesIO(sent(kind=kind)))
    image = opened(made.content)
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (260, 320))
    assert image.info["dpi"] == (254, 254)
    assert len(made.content) < 60 * 1024
    assert made.doubts == ()


def test_nothing_but_the_picture_is_kept(app: Flask) -> None:
    assert PLACE_TAKEN.encode() in sent()
    with app.test_request_context():
        made = photos.make(BytesIO(sent() + b"<script>alert(1)</script>"))
    assert not opened(made.content).getexif()
    assert PLACE_TAKEN.encode() not in made.content
    assert b"script" not in made.content


def test_a_photo_that_was_taken_sideways_is_turned_upright(app: Flask) -> None:
    lying = drawn().transpose(Image.Transpose.ROTATE_90)
    with app.test_request_context():
        image = opened(photos.make(BytesIO(sent(lying, turned=SIDEWAYS))).content)
    assert image.getpixel((130, 300)) == pytest.approx((45, 79, 138), abs=12)  # the shoulders are below


def test_the_noisiest_photo_stays_below_60_kb(app: Flask) -> None:
    noise = Image.effect_noise((260, 320), 200)
    coloured = Image.merge("RGB", (noise, noise.transpose(Image.Transpose.ROTATE_180), noise))
    with app.test_request_context():
        assert len(photos.make(BytesIO(sent(coloured, "PNG"))).content) < 60 * 1024


@pytest.mark.parametrize(
    ("box", "colour"),
    [
        (None, "blue"),
        (Box(0, 0, 0.3), "red"),
        (Box(0.7, 0, 0.3), "green"),
        (Box(1, 1, 0.3), "green"),
        (Box(0.35, 0, 1), "blue"),  # wider than its height allows
    ],
)
def test_it_is_cut_where_one_chose_and_never_beyond_the_picture(
    app: Flask, box: Box | None, colour: str
) -> None:
    wide = Image.new("RGB", (1300, 480), "blue")
    wide.paste("red", (0, 0, 390, 480))
    wide.paste("green", (910, 0, 1300, 480))
    with app.test_request_context():
        image = opened(photos.make(BytesIO(sent(wide)), box).content)
    wanted = {"red": (255, 0, 0), "green": (0, 128, 0), "blue": (0, 0, 255)}[colour]
    assert image.size == (260, 320)
    assert image.getpixel((130, 160)) == pytest.approx(wanted, abs=12)


def test_a_small_photo_is_not_blown_up(app: Flask) -> None:
    with app.test_request_context():
        assert opened(photos.make(BytesIO(sent(drawn((200, 260))))).content).size == (200, 246)


@pytest.mark.parametrize("ground", ["#203040", "stripes"])
def test_a_dark_or_restless_ground_is_doubted_and_kept(app: Flask, ground: str) -> None:
    image = drawn(ground="#cfe3f5" if ground == "stripes" else ground)
    if ground == "stripes":
        for left in range(0, 600, 20):
            image.paste("#4a1010", (left, 0, left + 10, 200))
    with app.test_request_context():
        made = photos.make(BytesIO(sent(image)))
    assert "淡蓝色背景" in made.doubts[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "文件是空的"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "不是JPG或PNG"),
        (b"<html><body>photo</body></html>", "不是JPG或PNG"),
        (b"%PDF-1.4\n%%EOF", "不是JPG或PNG"),
        (b"GIF89a\x01\x00\x01\x00\x80", "不是JPG或PNG"),
        (sent()[:3000], "不是JPG或PNG"),
        (sent(kind="PNG")[:2000], "不是JPG或PNG"),
        (b"\xff\xd8\xff" + bytes(5000), "不是JPG或PNG"),
        (png_of(30_000, 30_000), "不是JPG或PNG"),
        (png_of(9_000, 6_000), "像素过多"),
        (sent(drawn((150, 185))), "150×185像素"),
        (sent(drawn((900, 180))), "至少要154×189像素"),
        (sent(drawn().convert("L")), "黑白"),
        (sent() + bytes(6 * 1024 * 1024), "超过6 MB"),
    ],
    ids=range(14),
)
def test_what_is_no_photo_is_refused_with_a_sentence(app: Flask, content: bytes, said: str) -> None:
    with app.test_request_context(), pytest.raises(Invalid, match=said):
        photos.make(BytesIO(content))


@given(places=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=20), until=st.floats(0, 1))
def test_a_damaged_file_is_taken_or_refused_and_never_a_fault(
    places: list[tuple[float, int]], until: float
) -> None:
    for whole in (sent(drawn((200, 250))), sent(drawn((200, 250)), "PNG")):
        content = bytearray(whole)
        for place, value in places:
            content[int(place * (len(content) - 1))] = value
        with SMALL.test_request_context(), suppress(Invalid):
            photos.make(BytesIO(bytes(content[: int(until * len(content)) + 1])))


# --- the form -----------------------------------------------------------------------------------------


def test_the_clerk_gives_a_photo_and_sees_it_on_the_pupils_page(app: Flask, login: Login) -> None:
    client = login("lin")
    before = client.get(f"/students/show/{ZIHAN}").text
    assert "没有照片" in before
    assert "上传照片" in before
    answer = give(client, sent(), "510902201403050021.jpg")
    assert (answer.status_code, answer.location) == (302, f"/students/show/{ZIHAN}")
    page = client.get(answer.location).text
    assert "已保存王子涵的照片。" in page
    assert f'<img src="{PATH}?v={photo_id(app)}" alt="王子涵的照片"' in page
    assert "510902201403050021.jpg" not in page
    assert "更换照片" in page
    picture = client.get(PATH)
    assert (picture.mimetype, opened(picture.data).size) == ("image/jpeg", (260, 320))


def test_it_is_kept_by_the_browser_of_this_person_only_and_asked_for_anew(login: Login) -> None:
    client = login("lin")
    give(client, sent())
    first = client.get(PATH)
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert first.headers["X-Content-Type-Options"] == "nosniff"
    again = client.get(PATH, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    stranger = login("wang").get(PATH, headers={"If-None-Match": first.headers["ETag"]})
    assert stranger.status_code == 404


def test_an_old_photo_stays_in_the_time_line_and_among_the_files(app: Flask, login: Login) -> None:
    client = login("lin")
    give(client, sent())
    first = photo_id(app)
    give(client, sent(drawn(ground="#ffffff")), seen=str(first))
    old, new = files(app)
    assert (old.id, new.id) == (first, photo_id(app))
    assert {old.kind, new.kind} == {photos.KIND}
    assert (old.uploaded_by, old.media_type, old.pages) == ("林老师", "image/jpeg", 1)
    page = client.get(f"/students/show/{ZIHAN}").text
    assert f'<span class="was">{old.original_name}</span>' in page
    assert f'<span class="now">{new.original_name}</span>' in page
    with app.app_context(), scope.acting(db.session(), rights.system("tests")):
        from app.core.audit import AuditEntry

        query = sa.select(AuditEntry.before, AuditEntry.after, AuditEntry.authority, AuditEntry.actor_name)
        rows = db.session.execute(
            query.where(AuditEntry.entity == "student", AuditEntry.action == "edit").order_by(AuditEntry.id)
        ).all()
    assert rows[-1] == ({"photo_id": old.id}, {"photo_id": new.id}, "photo", "林老师")


def test_a_photo_that_somebody_changed_meanwhile_is_not_overwritten(app: Flask, login: Login) -> None:
    client = login("lin")
    give(client, sent())
    kept = photo_id(app)
    answer = give(client, sent(drawn(ground="#ffffff")))
    assert answer.status_code == 409
    assert "已由其他人更换" in answer.text
    assert f'name="seen" value="{kept}"' in answer.text
    assert photo_id(app) == kept
    assert len(files(app)) == 1


def test_a_photo_is_taken_off_and_stays_among_the_files(app: Flask, login: Login) -> None:
    client = login("lin")
    assert client.post(f"{PATH}/remove", data={"seen": ""}).status_code == 422
    give(client, sent())
    assert client.post(f"{PATH}/remove", data={"seen": "999"}).status_code == 409
    answer = client.post(f"{PATH}/remove", data={"seen": str(photo_id(app))})
    assert answer.status_code == 302
    assert photo_id(app) is None
    assert len(files(app)) == 1
    missing = client.get(PATH)
    assert (missing.status_code, "还没有照片" in missing.text) == (404, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"photo": ""}, "没有选择照片"),
        ({"photo": (b"x", "")}, "没有选择照片"),
        ({"photo": (b"<html>", "a.jpg")}, "不是JPG或PNG"),
        ({"seen": "\0"}, "页面已过期"),
        ({"seen": "9" * 30}, "页面已过期"),
        ({"seen": "-1"}, "页面已过期"),
        ({"crop_left": "nan", "crop_top": "0", "crop_width": "1"}, "裁剪的位置"),
        ({"crop_left": "0.5"}, "裁剪的位置"),
        ({"crop_left": "0", "crop_top": "0", "crop_width": "1.5"}, "裁剪的位置"),
        ({"crop_left": "0", "crop_top": "0", "crop_width": "0"}, "0×0像素"),
        ({"name": "x"}, "没有“name”这一项"),
        ({"more": (b"x", "b.jpg")}, "没有“more”这一项"),
    ],
    ids=range(12),
)
def test_junk_gets_a_sentence_and_writes_nothing(
    app: Flask, login: Login, words: dict[str, Any], said: str
) -> None:
    words = {"seen": "", "photo": (sent(), "a.jpg")} | words
    data = {n: (BytesIO(one[0]), one[1]) if isinstance(one, tuple) else one for n, one in words.items()}
    answer = login("lin").post(f"{PATH}/change", data=data)
    assert answer.status_code == 422
    assert said in answer.text
    assert files(app) == []


def test_ten_megabytes_are_too_many(app: Flask, login: Login) -> None:
    answer = give(login("lin"), sent() + bytes(10 * 1024 * 1024))
    assert answer.status_code == 413
    assert "超过了大小限制" in answer.text
    assert files(app) == []


# --- who ----------------------------------------------------------------------------------------------


WHO_GIVES = {
    "lin": 302,
    "zhou": 302,
    "zhao": 403,
    "li": 403,
    "chen": 403,
    "wang": 404,
    "gao": 404,
    "ops": 403,
}


@pytest.mark.parametrize(("username", "code"), WHO_GIVES.items())
def test_a_photo_is_given_by_whoever_edits_the_pupil(
    app: Flask, login: Login, username: str, code: int
) -> None:
    assert give(login(username), sent()).status_code == code
    assert (photo_id(app) is not None) == (code == 302)


WHO_SEES = {"lin": 200, "zhou": 200, "zhao": 200, "chen": 200, "li": 403, "wang": 404, "gao": 404, "ops": 403}


@pytest.mark.parametrize(("username", "code"), WHO_SEES.items())
def test_a_photo_is_seen_by_whoever_sees_the_pupil(login: Login, username: str, code: int) -> None:
    """Also by those who read no other files of his."""
    give(login("lin"), sent())
    client = login(username)
    assert client.get(PATH).status_code == code
    assert client.get(API).status_code == code


def test_nobody_sees_it_without_a_login(app: Flask, login: Login) -> None:
    give(login("lin"), sent())
    assert Client(app).get(PATH).status_code == 302
    assert Client(app).get(API).status_code == 401


def test_where_the_field_is_hidden_there_is_no_photo_anywhere(app: Flask, login: Login) -> None:
    give(login("lin"), sent())
    put_limit(app, "zhou", "student:photo_id:hide")
    client = login("zhou")
    page = client.get(f"/students/show/{ZIHAN}").text
    assert PATH + "?" not in page
    assert "没有照片" not in page
    for path in (PATH, API):
        refused = client.get(path)
        assert refused.status_code == 403, path
        assert "照片" in refused.text
    assert give(client, sent()).status_code == 403
    assert client.post(f"{PATH}/remove", data={"seen": str(photo_id(app))}).status_code == 403
    assert photo_id(app) is not None


def test_it_is_refused_on_the_page_with_the_reason(login: Login) -> None:
    page = login("zhao").get(f"/students/show/{ZIHAN}").text
    said = page.partition("<strong>上传照片</strong>")[2].partition("</li>")[0]
    assert "修改“学生”" in said


def test_the_record_card_of_a_class_teacher_has_the_photo(login: Login) -> None:
    give(login("lin"), sent())
    answer = login("zhou").post(f"/print/student/{ZIHAN}/card")
    assert b"/Subtype /Image" in answer.data


def test_the_bureau_sees_it_on_its_own_site(login: Login) -> None:
    give(login("wang"), sent(), pupil=NEAR)
    client = login("chen")
    assert f'src="/students/{NEAR}/photo?v=' in client.get(f"/bureau/students/show/{NEAR}").text
    assert client.get(f"/students/{NEAR}/photo").status_code == 200


# --- for programs -------------------------------------------------------------------------------------


def put(client: Client, content: bytes, tag: str, kind: str = "image/jpeg") -> TestResponse:
    return client.put(API, data=content, content_type=kind, headers={"If-Match": tag})


def test_a_program_puts_reads_and_takes_off_a_photo(app: Flask, login: Login) -> None:
    client = login("lin")
    tag = client.get(f"/api/v1/students/{ZIHAN}").headers["ETag"]
    saved = put(client, sent(drawn(ground="#203040")), tag)
    assert saved.status_code == 200
    assert saved.json is not None
    assert (saved.json["id"], len(saved.json["warnings"])) == (ZIHAN, 1)
    assert client.get(f"/api/v1/students/{ZIHAN}").headers["ETag"] == saved.headers["ETag"] != tag
    assert client.get(API).mimetype == "image/jpeg"
    stale = put(client, sent(), tag)
    assert (stale.status_code, stale.json and stale.json["error"]) == (412, "stale")
    assert client.delete(API, headers={"If-Match": saved.headers["ETag"]}).status_code == 204
    assert photo_id(app) is None
    gone = client.get(f"/api/v1/students/{ZIHAN}").headers["ETag"]
    assert client.delete(API, headers={"If-Match": gone}).status_code == 404


@pytest.mark.parametrize(
    ("content", "kind", "code"),
    [
        (b"<svg/>", "image/jpeg", 422),
        (b"<svg/>", "image/svg+xml", 415),
        (b"{}", "application/json", 415),
        (b"", "image/png", 422),
        (bytes(10 * 1024 * 1024), "image/jpeg", 413),
    ],
)
def test_junk_of_programs_gets_a_sentence(
    app: Flask, login: Login, content: bytes, kind: str, code: int
) -> None:
    client = login("lin")
    tag = client.get(f"/api/v1/students/{ZIHAN}").headers["ETag"]
    answer = put(client, content, tag, kind)
    assert answer.status_code == code
    assert answer.json is not None
    assert answer.json["message"].endswith("。")
    assert photo_id(app) is None


def test_a_program_that_names_no_version_changes_nothing(login: Login) -> None:
    assert login("lin").put(API, data=sent(), content_type="image/jpeg").status_code == 428


# --- at a glance --------------------------------------------------------------------------------------


def test_the_pupils_page_says_at_a_glance_who_it_is(login: Login) -> None:
    head = login("lin").get(f"/students/show/{ZIHAN}").text.partition('<header class="head')[2]
    head = head.partition("</header>")[0]
    for text in ("王子涵", "wang zi han", "七年级（1）班", "女", "在校"):
        assert text in head, text
    assert "没有监护人或其电话" not in head


def test_what_a_pupil_lacks_is_a_flag_for_those_who_may_know(login: Login) -> None:
    lacking = cast.pupil("周小雨")
    assert "没有监护人或其电话" in login("lin").get(f"/students/show/{lacking}").text
