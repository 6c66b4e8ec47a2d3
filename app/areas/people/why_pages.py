"""权限查询: one page that asks and answers. What was typed to find a record is posted, so that no name or number enters
an address; the answer has an address of its own, made of row numbers."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import redirect, render_template, request
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from app.areas.people import why, why_page_models
from app.areas.people.page_models import refuse_strays
from app.areas.people.why_page_models import PATH, WORDS, WhyPage
from app.core import saving
from app.core.errors import Invalid
from app.extensions import db
from app.surfaces import menu
from app.surfaces.pages import Answer
from app.surfaces.security import current_actor
from app.surfaces.viewmodels import Action

menu.add(menu.Entry("系统管理 › 权限查询", PATH))


class WhyView(BaseView):
    """权限查询：能不能、凭什么、缺什么、找谁。"""

    route_base = PATH.rstrip("/")
    default_view = "ask"

    @expose("/", methods=["GET", "POST"])
    def ask(self) -> Answer:
        if request.method == "GET":
            return self._page(request.args)
        try:
            return self._find(request.form)
        except Invalid as refused:
            page = WhyPage(
                why_page_models.form(db.session(), current_actor(), request.form, refused.complaints)
            )
            return render_template("why.html", page=page), 422

    def _find(self, typed: MultiDict[str, str]) -> Answer:
        """From words to an address: a record that was meant is named by its number from here on."""
        by, session = current_actor(), db.session()
        refuse_strays(typed, why_page_models.form(session, by, typed).sections[0].inputs)
        entity, text = why_page_models.entity_asked(typed), typed.get("record_text", "").strip()
        asked = {word: typed.get(word, "") for word in WORDS if typed.get(word) and word != "record"}
        if not text:
            return redirect(f"{PATH}?{urlencode(asked)}")
        if len(text) > why_page_models.LONGEST or not text.isprintable():
            raise Invalid(
                [("record_text", _("最多填写%(n)s个字，且不能含有特殊字符。", n=why_page_models.LONGEST))]
            )
        with saving.work():
            found = why.find_records(session, by, entity, text)
        if not found:
            raise Invalid([("record_text", _("没有找到这条记录，或它不在您的管理范围内。请核对后再查。"))])
        address = [(f"{PATH}?{urlencode(asked | {'record': id_})}", name) for id_, name in found]
        if len(found) == 1:
            return redirect(address[0][0])
        page = WhyPage(
            why_page_models.form(session, by, typed), choices=[Action(n, url) for url, n in address]
        )
        return render_template("why.html", page=page)

    def _page(self, typed: MultiDict[str, str]) -> Answer:
        by, session = current_actor(), db.session()
        if strange := set(typed) - {*WORDS, "who"}:
            raise Invalid(
                _("地址中有这个页面不认识的条件：%(name)s。请在页面上重新查询。", name=min(strange)[:40])
            )
        page = WhyPage(why_page_models.form(session, by, typed))
        question = why_page_models.read_question(session, by, typed)
        if question is None:
            return render_template("why.html", page=page)
        if typed.get("who") and by.has(why.ASK):
            everyone = why.everyone_who_may(session, question)
            page.everyone = [(person.first_name, unit, line) for person, unit, line in everyone]
            return render_template("why.html", page=page, question=question)
        page.answer = why.answer(session, by, question)
        page.details = list(why.details(page.answer))
        if by.has(why.ASK) and question.obj is not None:
            url = f"{PATH}?{urlencode({**typed, 'who': 1})}"
            page.links.append(Action(_("还有谁能这样做"), url, icon="people"))
        return render_template("why.html", page=page, question=question)


VIEWS = (WhyView,)
