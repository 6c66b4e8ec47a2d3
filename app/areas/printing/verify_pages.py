"""The page on which anybody, without an account, asks whether a certificate of enrolment is valid: yes or no, no more."""

from __future__ import annotations

from flask import current_app, render_template, request
from flask_appbuilder import BaseView, expose
from flask_appbuilder.utils.limit import Limit
from flask_babel import gettext as _

from app.areas.printing import certificates
from app.core.errors import Invalid
from app.extensions import db
from app.surfaces.entrance import address_key
from app.surfaces.forms import ALWAYS_POSTED, unknown
from app.surfaces.pages import Answer
from app.surfaces.security import VERIFY_PATH
from app.surfaces.viewmodels import VerifyPage


class VerifyView(BaseView):
    """在读证明查验。"""

    route_base = VERIFY_PATH.rstrip("/")
    default_view = "verify"
    limits = [Limit(lambda: str(current_app.config["VERIFY_LIMIT"]), address_key, methods=("POST",))]

    @expose("/", methods=["GET", "POST"])
    def verify(self) -> Answer:
        if request.method == "GET":
            return render_template("verify.html", page=_page())
        if strays := [name for name in request.form if name not in ("code", *ALWAYS_POSTED)]:
            raise Invalid(unknown(strays[0]))
        typed = request.form.get("code", "").strip()
        if not typed:
            return render_template("verify.html", page=_page(complaint=_("请输入证明上的验证码。"))), 422
        is_valid = certificates.is_valid(db.session(), typed)
        return render_template("verify.html", page=_page(is_valid=is_valid))


VIEWS = (VerifyView,)


def _page(*, is_valid: bool | None = None, complaint: str = "") -> VerifyPage:
    return VerifyPage(
        title=_("在读证明查验"),
        action_url=VERIFY_PATH,
        label=_("验证码"),
        longest=certificates.LONGEST_TYPED,
        help=_("印在证明左下方，16位字母和数字，如7K3M-9QFT-2XNA-4HBD。"),
        is_valid=is_valid,
        complaint=complaint,
    )
