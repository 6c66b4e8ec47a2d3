"""Made-up people: names about as frequent as in life, ID numbers on unused area codes, phones nobody can have, addresses.

Everything is drawn from the random source that is passed in, so that the same seed gives the same people.
"""

from __future__ import annotations

import csv
from bisect import bisect
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import TypeVar

from app.areas.students import numbers

HOME = Path(__file__).parent
MALE, FEMALE = "1", "2"
PHONE_PREFIX = (
    "104"  # no mobile network and no service line has it; with eight digits it still reads as a mobile
)
HAN = "01"
T = TypeVar("T")


def read_rows(name: str) -> list[dict[str, str]]:
    with (HOME / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def place_names(kind: str) -> tuple[str, ...]:
    return next(tuple(row["names"].split()) for row in read_rows("place_names.csv") if row["kind"] == kind)


class Urn:
    """Draws values as often as their weights say."""

    __slots__ = ("_steps", "_total", "_values")

    def __init__(self, values: tuple[str, ...], weights: tuple[float, ...]) -> None:
        self._values = values
        self._steps = list(accumulate(weights))
        self._total = self._steps[-1]

    def draw(self, rng: Random) -> str:
        return self._values[bisect(self._steps, rng.random() * self._total)]


def weighted(weights: dict[str, float]) -> Urn:
    return Urn(tuple(weights), tuple(weights.values()))


def by_rank(values: tuple[str, ...]) -> Urn:
    """The first is the most frequent."""
    return Urn(values, tuple(1 / (rank + 6) for rank in range(len(values))))


# --- names --------------------------------------------------------------------------------------------

Parts = tuple[Urn, Urn]


def _parts(firsts: str, seconds: str) -> Parts:
    return by_rank(tuple(firsts.split())), by_rank(tuple(seconds.split()))


TIBETAN: dict[str, Parts] = {
    MALE: _parts(
        "扎西 格桑 丹增 多吉 洛桑 次仁 索朗 土登 仁青 贡布 阿旺 尼玛",
        "顿珠 次仁 尼玛 扎西 平措 旺堆 多吉 群培 罗布 曲扎 江措 旺杰",
    ),
    FEMALE: _parts(
        "格桑 德吉 白玛 次仁 仁青 泽仁 央金 达瓦 尼玛 益西 斯郎 色珍",
        "卓玛 央金 拉姆 卓嘎 措姆 央宗 曲珍 梅朵 志玛 旺姆 拉措 曲措",
    ),
}
YI_CLANS = "阿尔 吉克 沙马 吉木 阿的 马海 勒尔 海来 曲比 俄木 吉力 阿苏 罗洪 尼苦 石一"
YI: dict[str, Parts] = {
    MALE: _parts(YI_CLANS, "木呷 伍各 拉哈 尔体 尔古 木沙 日哈 伍合 子铁 克古 里沙 尔布 石布 伍牛 呷呷"),
    FEMALE: _parts(YI_CLANS, "阿依 阿支 阿果 伍呷 阿呷 阿牛 阿西 有果 石伍 么色 伍支 尔洛 阿加 莫伍 子作"),
}
OF_PEOPLES = {"04": TIBETAN, "07": YI}  # the others here mostly bear names of the Chinese form
ETHNICITIES = weighted(
    {HAN: 920, "07": 22, "04": 16, "33": 15, "15": 10, "03": 7, "06": 5, "11": 2, "12": 1, "02": 1, "08": 1}
)
HUI_SURNAMES = by_rank(("马", "丁", "哈", "穆", "金", "白"))


@cache
def _surnames() -> Urn:
    rows = read_rows("surnames.csv")
    return Urn(tuple(row["surname"] for row in rows), tuple(float(row["weight"]) for row in rows))


@dataclass(frozen=True, slots=True)
class _Given:
    """Given names of one sex in one span of birth years."""

    kinds: Urn
    parts: dict[str, Urn]

    def draw(self, rng: Random) -> str:
        kind = self.kinds.draw(rng)
        if kind != "pair":
            return self.parts[kind].draw(rng)
        first, second = self.parts["first"].draw(rng), self.parts["second"].draw(rng)
        return first if first == second else first + second


@cache
def _given_names() -> dict[tuple[str, int, int], _Given]:
    spans: dict[tuple[str, int, int], dict[str, dict[str, str]]] = defaultdict(dict)
    for row in read_rows("given_names.csv"):
        spans[row["gender"], int(row["born_from"]), int(row["born_to"])][row["part"]] = row
    return {span: _read_given(rows) for span, rows in spans.items()}


def _read_given(rows: dict[str, dict[str, str]]) -> _Given:
    shares = {part: float(row["share"]) for part, row in rows.items() if part != "second"}
    kinds = Urn(tuple("pair" if part == "first" else part for part in shares), tuple(shares.values()))
    return _Given(kinds, {part: by_rank(tuple(row["values"].split())) for part, row in rows.items()})


@cache
def _given_of(gender: str, born: int) -> _Given:
    return next(
        given for (sex, low, high), given in _given_names().items() if sex == gender and low <= born <= high
    )


def surname(rng: Random, ethnicity: str = HAN) -> str:
    if ethnicity == "03" and rng.random() < 0.6:
        return HUI_SURNAMES.draw(rng)
    return _surnames().draw(rng)


def given_name(rng: Random, gender: str, born: int) -> str:
    return _given_of(gender, born).draw(rng)


def full_name(rng: Random, gender: str, born: int, ethnicity: str = HAN, family_name: str = "") -> str:
    """Names of peoples without surnames stand alone; `family_name` is kept where there is one."""
    own = OF_PEOPLES.get(ethnicity)
    if own and not family_name:
        first, second = own[gender]
        return first.draw(rng) + second.draw(rng)
    return (family_name or surname(rng, ethnicity)) + given_name(rng, gender, born)


# --- numbers ------------------------------------------------------------------------------------------


class Registry:
    """Gives out numbers of one area, each once. The area codes are unused, so nobody real has such a number."""

    def __init__(self, area: str) -> None:
        self.area = area
        self._given: dict[tuple[date, str], int] = {}
        self._without_id: dict[date, int] = {}
        self._temporary: set[str] = set()

    def citizen_id(self, born: date, gender: str) -> str:
        """Sequences of a day rise by two: men odd, women even."""
        given = self._given.get((born, gender), (born.day * 7 + born.month) % 23)
        self._given[born, gender] = given + 1
        if given > 498:
            raise ValueError(f"all ID numbers of one day in {self.area} are given out")
        first = f"{self.area}{born:%Y%m%d}{2 * given + (1 if gender == MALE else 2):03}"
        return first + numbers.check_digit(first)

    def temporary(self, born: date, rng: Random) -> str:
        while (made := numbers.make_temporary(self.area, born, rng)) in self._temporary:
            pass
        self._temporary.add(made)
        return made

    def formal_without_id(self, born: date) -> str:
        sequence = self._without_id.get(born, 0)
        self._without_id[born] = sequence + 1
        return numbers.make_formal_without_id(self.area, born, sequence)


def phone(rng: Random) -> str:
    return f"{PHONE_PREFIX}{int(rng.random() * 100_000_000):08}"


def landline(rng: Random) -> str:
    return f"0829-{2_000_000 + int(rng.random() * 6_000_000)}"  # an area code that no place has


def day_between(rng: Random, first: date, last: date) -> date:
    return first + timedelta(int(rng.random() * ((last - first).days + 1)))


# --- places -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Township:
    """`code` has nine digits. In a town people live on streets, in the country in villages."""

    code: str
    name: str
    is_town: bool = False

    def area_code(self, rng: Random) -> str:
        return f"{self.code}{1 + int(rng.random() * 12):03}"


@dataclass(frozen=True, slots=True)
class County:
    """A county, or the part of a city that it governs itself. `seat` is its town."""

    code: str
    name: str
    city: str
    townships: tuple[Township, ...]

    @property
    def full_name(self) -> str:
        return f"四川省{self.city}{self.name}"

    @property
    def seat(self) -> Township:
        return self.townships[0]

    def address(self, rng: Random, township: Township) -> str:
        if township.is_town:
            street = pick(rng, place_names("street"))
            building, door = 1 + int(rng.random() * 12), 1 + int(rng.random() * 4)
            number, floor = 1 + int(rng.random() * 160), 1 + int(rng.random() * 11)
            return f"{self.full_name}{township.name}{street}{number}号{building}栋{floor}0{door}室"
        group, number = 1 + int(rng.random() * 9), 1 + int(rng.random() * 90)
        return f"{self.full_name}{township.name}{pick(rng, place_names('village'))}村{group}组{number}号"


def pick(rng: Random, values: tuple[T, ...]) -> T:
    return values[int(rng.random() * len(values))]
