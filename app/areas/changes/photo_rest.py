"""The pupil's photo for programs, at an address below the pupil's."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

from flask import request
from flask_appbuilder import expose
from flask_appbuilder.api import BaseApi
from flask_babel import gettext as _
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.wrappers import Response

from app.areas.changes import photo_pages, photos
from app.areas.students.lookups import find_pupil
from app.areas.students.models import Student
from app.core import evidence, saving
from app.core.errors import Missing, Stale
from app.extensions import db
from app.surfaces import looks
from app.surfaces.openapi import ID, Operation, describe_by_hand
from app.surfaces.problems import as_json
from app.surfaces.rest import etag, version_named
from app.surfaces.security import current_actor

TYPES = (evidence.JPEG, evidence.PNG)


class PhotoApi(BaseApi):
    """学生照片：读取、更换、撤下。"""

    resource_name = "students"
    allow_browser_login = True
    csrf_exempt = False

    def add_api_spec(self, api_spec: Any) -> None:
        describe_by_hand(api_spec, self.route_base, _("学生"), _operations())

    @expose("/<int:pk>/photo", methods=["GET"])
    def photo(self, pk: int) -> Response:
        by, session = current_actor(), db.session()
        student = find_pupil(session, by, pk)
        answer = photo_pages.answer(session, by, student)
        looks.note(by, student)
        return answer

    @expose("/<int:pk>/photo", methods=["PUT"])
    def put_photo(self, pk: int) -> Response:
        seen = self._seen(pk)
        if request.mimetype not in TYPES:
            raise UnsupportedMediaType()
        if (request.content_length or 0) > photos.MOST_BYTES:
            raise RequestEntityTooLarge()
        photo = photos.make(BytesIO(request.get_data(cache=False)))
        student = self._keep(pk, photo, seen)
        told: dict[str, Any] = {"warnings": list(photo.doubts)} if photo.doubts else {}
        return as_json({"id": student.id} | told, headers={"ETag": etag(student)})

    @expose("/<int:pk>/photo", methods=["DELETE"])
    def delete_photo(self, pk: int) -> Response:
        seen = self._seen(pk)
        if seen is None:
            raise Missing(_("这名学生还没有照片。"))
        self._keep(pk, None, seen)
        return Response(status=204)

    def _seen(self, pk: int) -> int | None:
        """The photo that the caller replaces: the pupil is still at the version that he names. Raises Stale."""
        by, session = current_actor(), db.session()
        student = find_pupil(session, by, pk)
        photos.require_editor(session, by, student)
        if version_named() != student.version:
            raise Stale(_("这条记录刚被其他人修改过。请重新读取，核对后再保存。"))
        return student.photo_id

    def _keep(self, pk: int, photo: photos.Photo | None, seen: int | None) -> Student:
        with saving.work() as work:
            return photos.keep(work.session, current_actor(), pk, photo, seen=seen)


APIS = (PhotoApi,)


def _operations() -> Iterator[Operation]:
    path, both = "/{pk}/photo", ("pk", "IfMatch")
    codes = (404, 412, 413, 415, 422, 428)
    picture = {"schema": {"type": "string", "format": "binary"}}
    body = {"required": True, "content": dict.fromkeys(TYPES, picture)}
    told = {"type": "array", "items": {"type": "string"}}
    saved = {"type": "object", "properties": {"id": ID, "warnings": told}}
    get, put, delete = _("读取照片：JPEG图片"), _("更换照片：提交JPEG或PNG图片，居中裁剪"), _("撤下照片")
    yield Operation(path, "get", "student_photo", get, None, 200, ("pk",), codes=(404,))
    yield Operation(
        path, "put", "student_photo_put", put, saved, 200, both, codes=codes, has_etag=True, body=body
    )
    yield Operation(path, "delete", "student_photo_delete", delete, None, 204, both, codes=codes)
