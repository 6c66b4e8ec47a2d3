"""Many accounts from one sheet: reading it, trying every row, opening those that are right.

What may be opened and given is decided in `accounts` and `granting`; the sheet itself is read in `core.sheets`.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import TypeVar

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role, User
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.areas.people import accounts, granting
from app.areas.people.accounts import Home
from app.areas.people.opening import open_person
from app.areas.people.teachers import classes_of
from app.areas.schools.models import School
from app.core import logins, sheets
from app.core.errors import Denied, Invalid
from app.core.fields import Day, Unreadable
from app.core.rights import Actor
from app.core.sealing import seal, unseal
from app.core.sheets import Cell, Column
from app.core.wording import N_, about, sentences

MOST_ROWS = 200  # people; each password is hashed, and that is slow on purpose
GOOD_FOR = timedelta(hours=1)  # from the check to the opening
LONGEST_KEPT = 200  # characters of a cell that is shown again
UNTIL = Day(label="截止日期")

LABELS = {
    "name": N_("姓名"),
    "username": N_("账号"),
    "phone": N_("联系电话"),
    "school": N_("学校"),
    "role": N_("角色"),
    "class": N_("班级"),
    "until": N_("截止日期"),
}
REASON = N_("原因")  # the column that a sheet of wrong rows has more
REQUIRED = ("name", "username")
EXAMPLE = {"name": N_("（示例）张老师"), "username": "zhanglaoshi", "phone": "14012345678"}
COLUMN_OF = {"role_id": "role", "class_ids": "class", "school_id": "school"}
"""Input of the form for one account → column."""

Faults = tuple[tuple[str, str], ...]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the sheet: what stands under each column, and why it cannot be opened, as (column or "", sentence)."""

    number: int
    texts: Mapping[str, str]
    faults: Faults = ()
    is_known: bool = False  # the account is there already

    @property
    def is_good(self) -> bool:
        return not self.faults and not self.is_known


def columns_for(by: Actor) -> tuple[str, ...]:
    """A school opens its own accounts; the bureau says for which school."""
    return tuple(key for key in LABELS if by.is_of_bureau or key != "school")


# --- the sheet to fill in -----------------------------------------------------------------------------


def template(session: Session, by: Actor) -> bytes:
    choices = Choices(session, by)
    row = [_(EXAMPLE.get(key, "")) for key in columns_for(by)]
    return sheets.write(_("开通账号"), _columns(by, choices), [row], blank=MOST_ROWS, faded=1)


def _columns(by: Actor, choices: Choices) -> list[Column]:
    notes = {
        "name": _("必填。与身份证件一致，姓名会写入每一条操作记录。"),
        "username": _("必填。以字母开头，2到32个小写字母、数字、点或横线，如linxiaoyun。"),
        "phone": _("手机号，或带区号的固定电话。姓名和电话都相同的视为同一人，一人只开一个账号。"),
        "school": _("学校名称或学校标识码。主管部门自己的人员请留空。"),
        "role": _("从下拉列表中选择；暂不授予的请留空。"),
        "class": _("只管一个班的角色（如班主任）填写，如七年级（3）班；管全校的请留空。"),
        "until": _("授权的最后一天，如20270831；长期有效的请留空。"),
    }
    options = {"role": tuple(choices.roles), "class": choices.class_names, "school": choices.school_names}
    return [Column(_(LABELS[key]), notes[key], 20, options.get(key, ())) for key in columns_for(by)]


def faulty_rows(session: Session, by: Actor, lines: Iterable[Line]) -> bytes:
    """The rows that were not opened, with a reason more: to be repaired and uploaded again."""
    keys = columns_for(by)
    columns = [*_columns(by, Choices(session, by)), Column(_(REASON), "", 60)]
    rows = [
        [*(line.texts.get(key, "") for key in keys), "\n".join(said(line))] for line in lines if line.faults
    ]
    return sheets.write(_("开通账号"), columns, rows)


def said(line: Line) -> Iterator[str]:
    """Each fault as a sentence (wording.md §4.7)."""
    for key, why in line.faults:
        where = {"row": line.number, "column": _(LABELS[key]) if key else ""}
        if key and (value := line.texts.get(key)):
            yield _(
                "第%(row)s行“%(column)s”：填写的是“%(value)s”，%(why)s；其他行不受影响。",
                value=shortened(value),
                why=why.rstrip("。."),
                **where,
            )
        elif key:
            yield _("第%(row)s行“%(column)s”：%(why)s", why=why, **where)
        else:
            yield _("第%(row)s行：%(why)s", row=line.number, why=why)


def shortened(text: str) -> str:
    shown = "".join(ch if ch.isprintable() else "□" for ch in text[:20])
    return shown + ("…" if len(text) > 20 else "")


# --- reading it ---------------------------------------------------------------------------------------


def read(data: bytes, by: Actor) -> list[Line]:
    """The rows of an uploaded sheet, each cell judged by its form alone. Raises Invalid for what is no such sheet."""
    try:
        rows = sheets.read_rows(data)
    except Invalid as refused:
        raise Invalid([("file", refused.sentence)]) from None
    if not rows:
        raise Invalid([("file", _("文件是空的。请下载模板，填写后上传。"))])
    places = _places(rows[0], columns_for(by))
    lines = [_line(number, {key: cells[at] for at, key in places.items()}) for number, cells in rows[1:]]
    examples = (EXAMPLE["name"], _(EXAMPLE["name"]))
    found = [line for line in lines if any(line.texts.values()) and line.texts["name"] not in examples]
    if not found:
        raise Invalid([("file", _("列名下面没有人员。请从第2行起每行填写一人，再上传。"))])
    if len(found) > MOST_ROWS:
        sentence = _("一次最多开通%(n)s人，文件中有%(k)s行。请分成几个文件上传。", n=MOST_ROWS, k=len(found))
        raise Invalid([("file", sentence)])
    return list(_without_twins(found))


def _places(head: sheets.Row, keys: Sequence[str]) -> dict[int, str]:
    """Place in the row → column. Raises Invalid with everything that is wrong with the row of names."""
    number, cells = head
    known = {_tidy(word): key for key in keys for word in (LABELS[key], _(LABELS[key]))}
    found: dict[int, str] = {}
    complaints = []
    for at, cell in enumerate(cells):
        label = _tidy(cell.text)
        if cell.kind == "empty" or label in (_tidy(REASON), _tidy(_(REASON))):
            continue
        if label not in known:
            complaints.append(_("第%(row)s行：没有“%(name)s”这一列。", row=number, name=shortened(cell.text)))
        elif known[label] in found.values():
            complaints.append(_("第%(row)s行：有两个“%(name)s”列。", row=number, name=label))
        else:
            found[at] = known[label]
    missing = [_(LABELS[key]) for key in keys if key in REQUIRED and key not in found.values()]
    complaints += [_("第%(row)s行：缺少“%(name)s”列。", row=number, name=name) for name in missing]
    if complaints:
        way_out = _("请使用下载的模板，不要改动第1行的列名。")
        raise Invalid([("file", sentences((sentence, way_out))) for sentence in complaints])
    return found


def _tidy(text: str) -> str:
    return re.sub(r"[\s*]", "", unicodedata.normalize("NFKC", text))


def _line(number: int, cells: Mapping[str, Cell]) -> Line:
    faults = tuple((key, why) for key, cell in cells.items() if (why := _misfit(key, cell)))
    texts = {key: cells.get(key, sheets.EMPTY).text for key in LABELS}
    return Line(number, texts, faults)


def _misfit(key: str, cell: Cell) -> str | None:
    """Why this kind of cell cannot be taken under the column; a mobile number loses nothing as a number."""
    if cell.kind in ("empty", "text") or (key, cell.kind) in (("phone", "number"), ("until", "day")):
        return None
    if cell.kind == "formula":
        return _("这是公式。请改填计算后的内容（复制后用“选择性粘贴—数值”粘贴）。")
    if cell.kind == "merged":
        return _("这个单元格与其他单元格合并了。请取消合并，在每一行各自填写。")
    if cell.kind == "fault":
        return _("这是Excel的错误值或时间。请改填文字。")
    return _("单元格不是文本格式，开头的0和末尾的数字可能已丢失。请设为文本格式后重新填写。")


def _without_twins(lines: Iterable[Line]) -> Iterator[Line]:
    """An account named twice in one sheet is opened by neither chance nor order: the later row is wrong."""
    firsts: dict[str, int] = {}
    for line in lines:
        name = logins.normal_name(line.texts["username"])
        first = firsts.setdefault(name, line.number)
        if name and first != line.number:
            why = _("与第%(n)s行的账号相同。请改用另一个账号，或删去重复的一行。", n=first)
            yield replace(line, faults=(*line.faults, ("username", why)))
        else:
            yield line


# --- what may be chosen -------------------------------------------------------------------------------


@dataclass
class Choices:
    """Roles, schools and classes by the words that stand for them in the sheet."""

    session: Session
    by: Actor
    _classes: dict[int, dict[str, int]] = field(default_factory=dict)

    @cached_property
    def roles(self) -> dict[str, Role]:
        """Label → role."""
        levels = granting.levels_below(self.by)
        offered = granting.roles_to_give(self.session, self.by)
        return {role.title: role for role in offered if role.level in levels}

    @property
    def school_names(self) -> tuple[str, ...]:
        if not self.by.is_of_bureau:
            return ()
        return tuple(self.session.scalars(sa.select(School.name).order_by(School.id)))

    @property
    def class_names(self) -> tuple[str, ...]:
        """Of the own school: a bureau has too many to choose from."""
        if self.by.school_id is None:
            return ()
        return tuple(one.full_name for one in classes_of(self.session, self.by.school_id))

    def home(self, text: str) -> Home:
        """Raises Unreadable."""
        if not self.by.is_of_bureau:
            return Home(school_id=self.by.school_id)
        if not text:
            return Home(region_code=self.by.region_code)
        query = sa.select(School.id).where(sa.or_(School.name == text, School.school_code == text)).limit(2)
        found = self.session.scalars(query).all()
        if len(found) != 1:
            raise Unreadable(_("没有找到这所学校，或它不在您的管理范围内。请填写学校全称或学校标识码。"))
        return Home(school_id=found[0])

    def role(self, text: str) -> Role | None:
        if text and text not in self.roles:
            raise Unreadable(_("没有这个角色，或您不能转授它。请从下拉列表中选择。"))
        return self.roles.get(text)

    def class_id(self, text: str, home: Home) -> int | None:
        if not text:
            return None
        known = self._classes_of(home.school_id) if home.school_id is not None else {}
        if _as_called(text) not in known:
            raise Unreadable(_("没有找到这个班级。请照“班级管理”中的名称填写，如七年级（3）班。"))
        return known[_as_called(text)]

    def _classes_of(self, school_id: int) -> dict[str, int]:
        if school_id not in self._classes:
            found = classes_of(self.session, school_id)
            self._classes[school_id] = {_as_called(one.full_name): one.id for one in found}
        return self._classes[school_id]


def _as_called(text: str) -> str:
    """A class by its name, however the brackets were typed."""
    return re.sub(r"[\s()]", "", unicodedata.normalize("NFKC", text))


# --- trying and opening -------------------------------------------------------------------------------


def try_out(session: Session, by: Actor, lines: Sequence[Line]) -> list[Line]:
    """Opens every row and takes all of it back: so the check finds what the opening will find. Belongs inside
    `saving.work()`, of which nothing stays but what was found."""
    choices = Choices(session, by)
    trial = session.begin_nested()
    found = [_tried(choices, line) for line in lines]
    trial.rollback()
    return found


def _tried(choices: Choices, line: Line) -> Line:
    if _is_open(choices, line):
        return replace(line, faults=(), is_known=True)
    if line.faults:
        return line
    try:
        _open(choices, line, hashed="tried only")
    except (Denied, Invalid) as refused:
        return replace(line, faults=tuple(_faults_of(refused)))
    return line


def _is_open(choices: Choices, line: Line) -> bool:
    """Whether this account was opened before, for a person of this name."""
    by, username = choices.by, logins.normal_name(line.texts["username"])
    name = accounts.parse(line.texts, ("name",), []).get("name")
    if name is None or not logins.ACCOUNT_NAME.fullmatch(username):
        return False
    mine = accounts.within(by.reach("person:list", "person:show"))
    query = sa.select(User.id).where(User.username == username, User.first_name == name, mine)
    return choices.session.scalar(query) is not None


def _faults_of(refused: Denied | Invalid) -> Iterator[tuple[str, str]]:
    if isinstance(refused, Denied):
        yield "", refused.sentence
        return
    for name, sentence in refused.complaints:
        key = COLUMN_OF.get(name, name)
        yield (key if key in LABELS else ""), sentence.removeprefix(about(_(LABELS.get(key, "")), ""))


@dataclass(frozen=True, slots=True)
class Opened:
    name: str
    username: str
    password: str  # for once


def open_all(
    session: Session, by: Actor, lines: Sequence[Line], passwords: Sequence[str], hashes: Sequence[str]
) -> list[Opened]:
    """Opens them all, or raises Invalid for the first that cannot be. Belongs inside `saving.work()`."""
    choices = Choices(session, by)
    found = []
    for line, password, hashed in zip(lines, passwords, hashes, strict=True):
        user = _open(choices, line, hashed)
        found.append(Opened(user.first_name, user.username, password))
    return found


def _open(choices: Choices, line: Line, hashed: str) -> User:
    session, by, texts = choices.session, choices.by, line.texts
    complaints: list[tuple[str, str]] = []
    home = _chosen("school", lambda: choices.home(texts["school"]), complaints) or Home(
        by.school_id, by.region_code
    )
    role = _chosen("role", lambda: choices.role(texts["role"]), complaints)
    class_id = _chosen("class", lambda: choices.class_id(texts["class"], home), complaints)
    until: date | None = _chosen("until", lambda: UNTIL.parse(texts["until"]), complaints)
    if role is None and not texts["role"]:
        idle = [key for key in ("class", "until") if texts[key]]
        complaints += [(key, _("没有选择角色，这一项不起作用。请选择角色，或把它留空。")) for key in idle]
    given = None if complaints else role
    try:
        with session.begin_nested():
            user = open_person(
                session,
                by,
                home,
                texts,
                given,
                until,
                class_ids=[class_id] if class_id else (),
                hashed=hashed,
            )
            if complaints:
                raise Invalid(())  # taken back: only what is wrong with the account was still to be heard
    except Invalid as refused:
        raise Invalid((*complaints, *refused.complaints)) from None
    return user


def _chosen(key: str, look_up: Callable[[], T], complaints: list[tuple[str, str]]) -> T | None:
    try:
        return look_up()
    except Unreadable as reason:
        complaints.append((key, str(reason)))
        return None


# --- from the check to the opening --------------------------------------------------------------------


def seal_lines(by: Actor, lines: Iterable[Line]) -> str:
    """What was checked, on its way through the browser: unread and unchanged."""
    rows = [
        [one.number, {k: v[:LONGEST_KEPT] for k, v in one.texts.items()}, one.faults, one.is_known]
        for one in lines
    ]
    kept = {"by": by.id, "at": datetime.now(UTC).isoformat(), "lines": rows}
    return seal("roster", json.dumps(kept, ensure_ascii=False))


def unseal_lines(by: Actor, sealed: str) -> list[Line]:
    """Raises Invalid for what is another's, too old, or was not sealed here."""
    text = unseal("roster", sealed)
    kept = json.loads(text) if text is not None else {}
    if kept.get("by") != by.id or datetime.now(UTC) - datetime.fromisoformat(kept["at"]) > GOOD_FOR:
        raise Invalid([("file", _("检查结果已过期，或不是您本人检查的。请重新上传文件。"))])
    return [
        Line(number, texts, tuple((key, why) for key, why in faults), is_known)
        for number, texts, faults, is_known in kept["lines"]
    ]
