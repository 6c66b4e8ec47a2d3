"""权限查询 for programs: the same question and answer as on the page, as JSON."""

from __future__ import annotations

from flask import request
from flask_appbuilder import expose
from flask_appbuilder.api import BaseApi
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.areas.people import why, why_page_models
from app.areas.people.why_page_models import WORDS
from app.core.errors import Invalid
from app.extensions import db
from app.surfaces.problems import as_json
from app.surfaces.security import current_actor


class WhyApi(BaseApi):
    """Answers whether a person may do something to a record, and why."""

    resource_name = "why"
    openapi_spec_tag = "Rights"

    @expose("/", methods=["GET"])
    def get(self) -> Response:
        """May a person do this, and why
        ---
        get:
          operationId: why
          summary: May a person do this, and why
          security: [{jwt: []}, {cookie: []}]
          description: >-
            Decides as every page does, and names the grants that allow it, those that fall short, who could give it
            and the smallest grant that would do.
          parameters:
            - {name: person, in: query, schema: {type: integer}, description: number of the account; oneself if left out}
            - {name: entity, in: query, required: true, schema: {type: string}, example: student}
            - {name: record, in: query, schema: {type: integer}, description: number of the row}
            - {name: class_id, in: query, schema: {type: integer}, description: a pupil of this class, in place of record}
            - {name: grade_id, in: query, schema: {type: integer}, description: a pupil of this grade, in place of record}
            - {name: action, in: query, required: true, schema: {type: string}, example: edit}
            - {name: field, in: query, schema: {type: string}, example: phone}
          responses:
            200:
              description: The answer
              content:
                application/json:
                  schema:
                    type: object
                    properties:
                      allowed: {type: boolean}
                      sentence: {type: string}
                      locks: {type: array, items: {type: string}}
                      details: {type: object, additionalProperties: {type: array, items: {type: string}}}
            401:
              $ref: '#/components/responses/401'
            403:
              $ref: '#/components/responses/403'
            429:
              $ref: '#/components/responses/429'
            500:
              $ref: '#/components/responses/500'
            404:
              $ref: '#/components/responses/404'
            422:
              $ref: '#/components/responses/422'
        """
        by, session = current_actor(), db.session()
        if strange := set(request.args) - set(WORDS):
            raise Invalid([(min(strange)[:40], _("没有这个参数。请对照接口说明改正。"))])
        question = why_page_models.read_question(session, by, request.args)
        if question is None:
            raise Invalid(_("还缺action，以及record、class_id、grade_id之一。请对照接口说明补充。"))
        found = why.answer(session, by, question)
        return as_json(
            {
                "allowed": found.allowed,
                "sentence": found.sentence,
                "locks": found.locks,
                "details": dict(why.details(found)),
            }
        )


APIS = (WhyApi,)
