"""The pages of roles: the list, a role as a matrix, copying and making, changing with its preview, deleting.

What a role may hold is tested in tests/core/test_grants.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from flask import Flask
from flask_appbuilder.security.sqla.models import Role
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from app.core import grants, powers
from app.extensions import db
from tests import cast
from tests.accounts import audit_of, follow, grant_to, role_id, text_of
from tests.areas.people.test_granting import grants_of
from tests.client import Client
from tests.forms import JSON, Form, opened

Login = Callable[..., Client]
LABEL = "七年级学籍员"


# --- what is asked again and again -----------------------------------------------------------------------


def rights_of(app: Flask, pk: int) -> frozenset[str]:
    with app.app_context():
        found = grants.rights_of_roles(db.session(), [pk])[pk]
        db.session.remove()
        return found


def role_of(app: Flask, pk: int) -> Role | None:
    with app.app_context():
        found = db.session.get(Role, pk)
        db.session.expunge_all()
        db.session.remove()
        return found


def typed(wanted: Iterable[str], **words: Any) -> MultiDict[str, str]:
    """A form of a role as a browser posts it."""
    pairs = [(name, str(value)) for name, value in ({"label": LABEL, "description": ""} | words).items()]
    return MultiDict([*(("right", right) for right in sorted(wanted)), *pairs])


def copy(
    app: Flask, person: Client, template: str = "clerk", without: Iterable[str] = (), **words: Any
) -> int:
    """A role copied through the page, without some of the rights; its id."""
    pk = role_id(app, template)
    answer = person.post(f"/roles/copy/{pk}", data=typed(rights_of(app, pk) - {*without}, **words))
    assert answer.status_code == 302, text_of(answer)
    return int(answer.location.rpartition("/")[2])


def give(app: Flask, person: Client, username: str, pk: int, **words: Any) -> int:
    """The role to somebody through the page; the id of the grant."""
    sent = {"role_id": pk, "purpose": "use"} | words
    answer = person.post(f"/grants/add/{cast.person(username)}", data=sent)
    assert answer.status_code == 302, text_of(answer)
    return grants_of(app, username)[-1].id


BOX = re.compile(r'<label[^>]* title="([^"]*)">\s*(<input class="form-check-input[^>]*>)')


def boxes(answer: TestResponse) -> dict[str, tuple[bool, bool, str]]:
    """Right or limit → (is ticked, is greyed, what is said of it), as the matrix of a form shows them."""
    found = {}
    for said, box in BOX.findall(answer.text):
        right = re.search(r' value="([^"]+)"', box)
        assert right
        found[right[1]] = (" checked" in box, " disabled" in box, said)
    return found


def ticked(answer: TestResponse) -> set[str]:
    return {right for right, (is_on, _greyed, _said) in boxes(answer).items() if is_on}


def rows(answer: TestResponse) -> list[tuple[str, ...]]:
    """The cells of a list, as text."""
    body = answer.text[answer.text.index("<tbody") : answer.text.index("</tbody>")]
    lines = re.findall(r"<tr.*?</tr>", body, re.S)
    cells = (re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", line, re.S) for line in lines)
    return [tuple(re.sub(r"<[^>]+>|\s+", "", cell) for cell in line) for line in cells]


def version_of(app: Flask, pk: int) -> int:
    found = role_of(app, pk)
    assert found is not None
    return int(found.version)


def edit(app: Flask, person: Client, pk: int, wanted: Iterable[str], **words: Any) -> TestResponse:
    sent = typed(wanted, **{"version": version_of(app, pk)} | words)
    return person.post(f"/roles/edit/{pk}", data=sent)


# --- the list --------------------------------------------------------------------------------------------


def test_the_list_has_default_and_own_roles_with_how_many_hold_each(app: Flask, login: Login) -> None:
    li = login("li")
    own = copy(app, li, description="只管七年级")
    give(app, li, "lin", own)
    give(app, li, "zhou", own)
    answer = li.get("/roles/list/")
    shown = {row[0]: row[1:5] for row in rows(answer)}
    assert list(shown)[:4] == ["学校总管理员", "学籍管理员", "主管学籍领导", "班主任"]
    assert shown["学籍管理员"][1:] == ("默认角色", "", "1项")
    assert shown["学校全部可转授权限"][1] == "默认角色，只用于转授"
    assert shown[LABEL] == ("只管七年级", "自建角色", cast.YIZHONG, "2项")
    assert f'href="/grants/list/?role={own}"' in answer.text
    counted = li.get(f"/grants/list/?role={own}")
    assert "共2条" in text_of(counted)
    assert [row[1] for row in rows(counted)] == [LABEL, LABEL]


def test_a_school_sees_no_roles_of_bureaus_or_of_other_schools(app: Flask, login: Login) -> None:
    he, li = login("he"), login("li")
    copy(app, he, "bureau_viewer", label="县里自己的")
    assert "主管部门审核" not in text_of(li.get("/roles/list/"))
    assert "县里自己的" not in text_of(li.get("/roles/list/"))
    assert "县里自己的" in text_of(he.get("/roles/list/"))


def test_the_bureau_finds_the_roles_of_its_schools_and_can_not_copy_them(app: Flask, login: Login) -> None:
    own = copy(app, login("li"))
    he = login("he")
    assert (LABEL, cast.YIZHONG) in [(row[0], row[3]) for row in rows(he.get("/roles/list/"))]
    assert f"/roles/copy/{own}" not in he.get(f"/roles/show/{own}").text
    assert he.get(f"/roles/copy/{own}").status_code == 404


@pytest.mark.parametrize("query", ["q=x", "after=x", "before=-1", "after=0", "role=1"])
def test_a_list_refuses_what_it_does_not_know(login: Login, query: str) -> None:
    assert login("li").get(f"/roles/list/?{query}").status_code == 422


# --- a role to be read ------------------------------------------------------------------------------------


def test_rows_come_as_in_the_menu_with_what_belongs_to_them_below(app: Flask, login: Login) -> None:
    page = login("li").get(f"/roles/show/{role_id(app, 'clerk')}").text
    groups = re.findall(r'<tr class="group">.*?<span>(.*?)</span>', page)
    assert groups == ["学校管理", "学籍管理", "系统管理"]
    found = [re.sub(r"<.*", "", one) for one in re.findall(r'<th scope="row">(.*?)</th>', page)]
    school = ["学校", "学段", "校区", "年级", "班级", "复式班年级"]
    pupil = ["学生", "家庭成员或监护人", "学籍号历史", "佐证材料", "学籍变动", "学籍记录"]
    assert found[: len(school) + len(pupil)] == school + pupil
    assert {"用户管理", "角色管理", "授权管理"} < set(found)


def test_what_a_copy_left_out_is_told_and_marked_in_its_matrix(app: Flask, login: Login) -> None:
    li = login("li")
    own = copy(app, li, without=["student:delete", "change:submit"])
    shown = li.get(f"/roles/show/{own}")
    told = text_of(shown)
    told = told[told.index("与来源角色“学籍管理员”相比，去掉了") : told.index("各列和符号是什么意思")]
    assert "学生：删除" in told
    assert "学籍变动：提交" in told
    assert "班级" not in told
    assert shown.text.count('class="left-out" title="来源角色有，本角色去掉了"') == 1
    assert "named left-out" in shown.text
    whole = copy(app, li, label="一模一样")
    assert "没有去掉任何权限。" in text_of(li.get(f"/roles/show/{whole}"))


def test_limits_on_fields_stand_below_the_row_of_their_entity(app: Flask, login: Login) -> None:
    li = login("li")
    pk = role_id(app, "clerk")
    wanted = rights_of(app, pk) - {"student:add"} | {"student:phone:lock", "student:address:hide"}
    answer = li.post(f"/roles/copy/{pk}", data=typed(wanted))
    shown = text_of(follow(li, answer))
    at = shown.index("“学生”按项目限制")
    below = shown[at : shown.index("家庭成员或监护人", at)]
    assert re.search(r"联系电话 不可修改", below)
    assert re.search(r"现住址 不显示", below)
    told = shown[shown.index("相比，去掉了") :]
    assert "修改“联系电话”" in told


def test_fields_that_do_not_come_along_are_named_in_the_preview(app: Flask, login: Login) -> None:
    li = login("li")
    own = copy(app, li, without=["student:add", "student:edit", "student:health"])
    give(app, li, "lin", own)
    told = text_of(edit(app, li, own, rights_of(app, own) | {"student:edit", "student:phone:lock"}))
    assert "增加 学生：修改、不含修改“联系电话” 担任" in told


def test_a_default_role_is_copied_and_never_changed(app: Flask, login: Login) -> None:
    li, pk = login("li"), role_id(app, "clerk")
    page = li.get(f"/roles/show/{pk}").text
    assert "复制为本单位角色" in page
    assert f"/roles/edit/{pk}" not in page
    for way in ("edit", "delete"):
        assert li.get(f"/roles/{way}/{pk}").status_code == 403
        answer = li.post(f"/roles/{way}/{pk}", data={"version": "1"})
        assert answer.status_code == 403
        assert "系统的默认角色" in text_of(answer)


# --- making -----------------------------------------------------------------------------------------------


def test_a_copy_begins_with_what_its_template_holds_and_greys_the_rest_with_the_reason(
    app: Flask, login: Login
) -> None:
    pk = role_id(app, "clerk")
    answer = login("li").get(f"/roles/copy/{pk}")
    shown = boxes(answer)
    assert ticked(answer) == rights_of(app, pk)
    assert shown["student:list"][:2] == (True, False)
    is_on, is_greyed, why = shown["school:add"]
    assert (is_on, is_greyed) == (False, True)
    assert "来源角色“学籍管理员”没有这一项" in why
    assert "“学籍管理员”相同" in text_of(answer)


def test_what_is_not_ones_own_to_pass_on_is_greyed_with_the_reason(app: Flask, login: Login) -> None:
    shown = boxes(login("li").get("/roles/add"))
    assert not any(is_on for is_on, _greyed, _why in shown.values())
    assert shown["student:list"][1] is False
    _is_on, is_greyed, why = shown["grant:confirm"]
    assert is_greyed
    assert "您没有可转授的这项权限" in why


def test_what_the_template_takes_from_a_field_stays_taken_and_says_so(app: Flask, login: Login) -> None:
    limit, pk = "student:phone:hide", role_id(app, "class_teacher")
    with app.app_context():
        template = db.session.get_one(Role, pk)
        grants.write_role(db.session(), template, rights_of(app, pk) | {limit})
        db.session.commit()
        db.session.remove()
    li = login("li")
    answer = li.get(f"/roles/copy/{pk}")
    is_on, is_greyed, why = boxes(answer)[limit]
    assert (is_on, is_greyed) == (True, True)
    assert "来源角色“班主任”没有这一项" in why
    assert f'<input type="hidden" name="right" value="{limit}">' in answer.text, "it is posted all the same"
    answer = li.post(f"/roles/copy/{pk}", data=typed(rights_of(app, pk) - {limit}))
    assert answer.status_code == 422
    assert f'href="#f-{limit}"' in answer.text


def test_every_right_that_there_is_has_its_cell(login: Login) -> None:
    """A right without one would be lost by the next who saves the role."""
    shown = set(boxes(login("he").get("/roles/add")))
    assert set(powers.plain_rights()) == {right for right in shown if not powers.is_limit(right)}
    assert {limit for limit in powers.all_rights() if powers.is_limit(limit)} <= shown


def test_a_role_is_copied_without_some_rights_and_can_be_given(app: Flask, login: Login) -> None:
    li = login("li")
    own = copy(app, li, without=["student:delete"], description="只管七年级")
    assert rights_of(app, own) == rights_of(app, role_id(app, "clerk")) - {"student:delete"}
    made = role_of(app, own)
    assert made is not None
    assert (made.label, made.description, made.school_id, made.template_id) == (
        LABEL,
        "只管七年级",
        cast.school(cast.YIZHONG),
        role_id(app, "clerk"),
    )
    assert [row.subject for row in audit_of(app, "create") if row.entity == "role"] == [LABEL]
    seventh = [cast.grade(cast.YIZHONG, 7)]
    give(app, li, "zhou", own, grade_ids=seventh)
    assert "七年级学籍员 七年级 使用" in text_of(li.get(f"/people/show/{cast.person('zhou')}"))


def test_a_role_from_nothing_holds_what_is_ticked(app: Flask, login: Login) -> None:
    wanted = {"student:list", "student:show", "school:list", "school:show"}
    answer = login("li").post("/roles/add", data=typed(wanted, label="只看"))
    made = int(answer.location.rpartition("/")[2])
    assert rights_of(app, made) == wanted
    found = role_of(app, made)
    assert found is not None
    assert found.template_id is None


def test_the_bureau_says_for_whom_its_role_is(app: Flask, login: Login) -> None:
    he = login("he")
    words = {"label": "各校都用的", "level": "school"}
    answer = he.post("/roles/add", data=typed({"student:list", "student:show"}, **words))
    made = role_of(app, int(answer.location.rpartition("/")[2]))
    assert made is not None
    assert (made.level, made.region_code, made.school_id) == ("school", cast.QINGLAN, None)
    answer = he.post("/roles/add", data=typed({"student:list"}, label="x", level="platform"))
    assert answer.status_code == 422
    assert "不能用于所选的人员" in text_of(answer)
    answer = login("li").post("/roles/add", data=typed({"student:list"}, level="bureau"))
    assert answer.status_code == 422


def test_what_was_ticked_and_typed_stays_when_it_is_refused(app: Flask, login: Login) -> None:
    li = login("li")
    copy(app, li)
    wanted = {"student:list", "student:show", "student:phone:hide"}
    answer = li.post("/roles/add", data=typed(wanted, description="再来一个"))
    assert answer.status_code == 422
    assert f"已有名为“{LABEL}”的角色" in text_of(answer)
    assert 'href="#f-label"' in answer.text
    assert ticked(answer) == wanted
    values = Form(answer.text).values
    assert (values["label"], values["description"]) == (LABEL, "再来一个")


def test_a_cell_that_may_not_be_ticked_is_named_in_the_summary_and_at_its_row(
    app: Flask, login: Login
) -> None:
    answer = login("li").post("/roles/add", data=typed({"student:list", "grant:confirm"}))
    assert answer.status_code == 422
    assert 'href="#f-grant:confirm"' in answer.text
    assert 'id="f-grant:confirm-err"' in answer.text
    assert "grant:confirm" in ticked(answer), "it can be unticked"
    assert boxes(answer)["grant:confirm"][1] is False


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"label": ""}, "必填项“角色名称”为空"),
        ({"label": "长" * 31}, "角色名称"),
        ({"label": "a\0b"}, "角色名称"),
        ({"description": "长" * 201}, "说明"),
        ({"label": "学籍管理员"}, "已有名为“学籍管理员”的角色"),
        ({"right": "student:fly"}, "没有“student:fly”这项权限"),
        ({"right": "\0"}, "这项权限"),
        ({"right": "x" * 10_000}, "这项权限"),
        ({"heads_unit": "1"}, "没有“heads_unit”这一项"),
        ({"name": "default:super_admin"}, "没有“name”这一项"),
        ({"school_id": "2"}, "没有“school_id”这一项"),
    ],
)
def test_junk_makes_no_role(app: Flask, login: Login, words: dict[str, str], says: str) -> None:
    answer = login("li").post("/roles/add", data=typed({"student:list"}, **words))
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert [row for row in audit_of(app, "create") if row.entity == "role"] == []


def test_thousands_of_ticks_are_refused(login: Login) -> None:
    answer = login("li").post("/roles/add", data=typed(f"student:x{n}" for n in range(2_001)))
    assert answer.status_code in (413, 422)


@pytest.mark.parametrize("pk", ["school_all", "bureau_viewer", "none"])
def test_what_is_no_ones_to_copy_is_not_there(app: Flask, login: Login, pk: str) -> None:
    number = 10**12 if pk == "none" else role_id(app, pk)
    li = login("li")
    assert li.get(f"/roles/copy/{number}").status_code == 404
    assert li.post(f"/roles/copy/{number}", data=typed({"student:list"})).status_code == 404


def test_a_matrix_that_was_begun_comes_back_ticked_as_it_was_left(app: Flask, login: Login) -> None:
    li, path = login("li"), f"/roles/copy/{role_id(app, 'clerk')}"
    form = opened(li, path)
    words = {"draft_path": path, "draft_owner": form.words["data-draft-owner"], "draft_window": "one"}
    words["draft_since"] = form.words["data-draft-since"]
    left = {"student:list", "student:show"}
    kept = li.post("/drafts/keep", data=typed(left, label="写了一半", **words), headers=JSON)
    assert kept.status_code == 200, kept.text
    again = li.get(path)
    assert ticked(again) == left
    assert Form(again.text).values["label"] == "写了一半"
    assert "已恢复" in text_of(again)
    marked = re.findall(r'form-check-input is-changed" type="checkbox" id="f-([^"]+)"', again.text)
    assert set(marked) == rights_of(app, role_id(app, "clerk")) - left
    li.post(path, data=typed(left, label="写了一半"))
    assert "已恢复" not in text_of(li.get(path))
    assert ticked(li.get(path)) == rights_of(app, role_id(app, "clerk"))


# --- changing ---------------------------------------------------------------------------------------------


def test_a_role_that_nobody_holds_is_changed_at_once(app: Flask, login: Login) -> None:
    li = login("li")
    own = copy(app, li)
    wanted = rights_of(app, own) - {"student:delete"}
    answer = edit(app, li, own, wanted, label="改了名", description="说明也改了")
    assert "已保存角色“改了名”" in text_of(follow(li, answer))
    assert rights_of(app, own) == wanted
    assert version_of(app, own) == 2


def test_a_new_name_alone_asks_nobody(app: Flask, login: Login) -> None:
    li = login("li")
    own = copy(app, li)
    give(app, li, "zhou", own)
    assert edit(app, li, own, rights_of(app, own), label="改了名").status_code == 302
    assert "改了名" in text_of(li.get(f"/people/show/{cast.person('zhou')}"))


def sub_admin(app: Flask, li: Client) -> int:
    """小周 passes on from a role of the school's own: its id."""
    own = copy(app, li, label="可转授的")
    give(app, li, "zhou", copy(app, li, "super_admin", label="副管理员"))
    give(app, li, "zhou", own, purpose="pass")
    return own


def test_before_a_role_in_use_changes_one_is_told_whom_it_concerns_and_what_ends(
    app: Flask, login: Login
) -> None:
    li = login("li")
    own = sub_admin(app, li)
    child = give(app, login("zhou"), "zhao", role_id(app, "clerk"), purpose="pass")
    wanted = rights_of(app, own) - {"student:delete"}
    preview = edit(app, li, own, wanted, label="可转授的")
    assert preview.status_code == 200
    told = text_of(preview)
    assert "修改“可转授的”将影响1人" in told
    assert "减少 学生：删除" in told
    assert "增加" not in told
    assert f"担任这个角色的 小周，{cast.YIZHONG}全校" in told
    assert f"随之终止的授权 赵副校长的“学籍管理员”，{cast.YIZHONG}全校" in told
    assert rights_of(app, own) != wanted, "nothing is written yet"

    values = MultiDict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', preview.text))
    values.pop("csrf_token", None)
    saved = follow(li, li.post(f"/roles/edit/{own}", data=values))
    assert "随之终止的授权共1项" in text_of(saved)
    assert rights_of(app, own) == wanted
    assert child not in {given.id for given in grants_of(app, "zhao")}


def test_from_the_preview_one_goes_back_and_finds_what_was_ticked(app: Flask, login: Login) -> None:
    li = login("li")
    own = copy(app, li)
    give(app, li, "zhou", own)
    wanted = rights_of(app, own) - {"student:delete"}
    back = edit(app, li, own, wanted, back="1")
    assert back.status_code == 200
    assert ticked(back) == wanted
    assert Form(back.text).values["version"] == "1"
    assert "student:delete" in rights_of(app, own)
    assert edit(app, li, own, wanted, back="1", stray="1").status_code == 422


def test_who_came_to_hold_it_after_the_preview_is_shown_first(app: Flask, login: Login) -> None:
    li = login("li")
    own = copy(app, li)
    give(app, li, "zhou", own)
    wanted = rights_of(app, own) - {"student:delete"}
    mark = re.search(r'name="mark" value="(\w+)"', edit(app, li, own, wanted).text)
    assert mark
    give(app, li, "lin", own)
    again = edit(app, li, own, wanted, mark=mark[1])
    assert again.status_code == 200
    assert "将影响2人" in text_of(again)
    assert "student:delete" in rights_of(app, own)


def test_who_saves_second_sees_both_and_saves_with_his_own_ticks(app: Flask, login: Login) -> None:
    li, other = login("li"), login("li")
    own = copy(app, li)
    wanted = rights_of(app, own) - {"student:delete"}
    mine, again = (typed(wanted, version=n, label="我的名称") for n in (1, 2))
    theirs = rights_of(app, own) - {"school_class:delete"}
    assert edit(app, other, own, theirs, label="别人的名称").status_code == 302
    answer = li.post(f"/roles/edit/{own}", data=mine)
    assert answer.status_code == 409
    told = text_of(answer)
    assert "已被他人修改" in told
    assert "别人的名称" in told
    assert "我的名称" in told
    assert "删除“学生” 勾选 不勾选" in told
    assert ticked(answer) == wanted
    assert Form(answer.text).values["version"] == "2"
    assert li.post(f"/roles/edit/{own}", data=again).status_code == 302


def test_nobody_changes_the_role_that_he_holds(app: Flask, login: Login) -> None:
    li = login("li")
    give(app, li, "zhou", own := copy(app, li, "super_admin", label="副管理员"))
    zhou = login("zhou")
    shown = text_of(zhou.get(f"/roles/show/{own}"))
    assert "您自己担任“副管理员”，不能修改它" in shown
    assert edit(app, zhou, own, rights_of(app, own)).status_code == 403


def test_a_change_without_the_version_it_was_read_at_is_refused(app: Flask, login: Login) -> None:
    li = login("li")
    own = copy(app, li)
    for version in ("", "x", "-1", "9" * 30):
        answer = li.post(f"/roles/edit/{own}", data=typed({"student:list"}, version=version))
        assert answer.status_code in (409, 422), version
    assert version_of(app, own) == 1


# --- deleting ---------------------------------------------------------------------------------------------


def test_a_role_that_nobody_ever_held_is_deleted(app: Flask, login: Login) -> None:
    li = login("li")
    own = copy(app, li)
    asked = li.get(f"/roles/delete/{own}")
    assert "它从未授予任何人" in text_of(asked)
    answer = follow(li, li.post(f"/roles/delete/{own}", data={"version": "1"}))
    assert f"已删除角色“{LABEL}”" in text_of(answer)
    assert role_of(app, own) is None
    assert li.get(f"/roles/show/{own}").status_code == 404


def test_a_role_that_somebody_held_stays_and_its_button_says_why(app: Flask, login: Login) -> None:
    li = login("li")
    own = copy(app, li)
    li.post(f"/grants/withdraw/{give(app, li, 'zhou', own)}")
    assert "授予过他人的角色不能删除" in text_of(li.get(f"/roles/show/{own}"))
    for answer in (li.get(f"/roles/delete/{own}"), li.post(f"/roles/delete/{own}", data={"version": "1"})):
        assert answer.status_code == 422
        assert "授予过他人，不能删除" in text_of(answer)
    assert role_of(app, own) is not None


def test_a_role_that_changed_meanwhile_is_not_deleted(app: Flask, login: Login) -> None:
    li = login("li")
    own = copy(app, li)
    edit(app, li, own, {"student:list", "student:show"})
    assert li.post(f"/roles/delete/{own}", data={"version": "1"}).status_code == 409
    assert li.post(f"/roles/delete/{own}", data={"version": "2", "x": "1"}).status_code == 422
    assert li.post(f"/roles/delete/{own}", data={}).status_code == 422
    assert role_of(app, own) is not None


# --- the pages of somebody whose rights are narrower ------------------------------------------------------


def test_copying_when_one_can_pass_on_less_than_the_template_holds(app: Flask, login: Login) -> None:
    """What cannot be passed on is not ticked from the start, so that the form saves as it opens."""
    grant_to(app, "zhou", "super_admin")
    li = login("li")
    give(app, li, "zhou", copy(app, li, without=["student:delete"]), purpose="pass")
    zhou, pk = login("zhou"), role_id(app, "clerk")
    answer = zhou.get(f"/roles/copy/{pk}")
    shown = boxes(answer)
    assert shown["student:delete"][:2] == (False, True)
    assert "您没有可转授的这项权限" in shown["student:delete"][2]
    answer = zhou.post(f"/roles/copy/{pk}", data=typed(ticked(answer), label="更小的"))
    assert answer.status_code == 302, text_of(answer)[:900]
