"""A4 pages: text, tables whose heads are repeated, pairs of label and value, and the foot of each page. As PDF, with the
typefaces embedded and the text as text.

Lengths are millimetres, sizes of type points. What stands on the pages is text already: labelled, masked, translated.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import segno
from flask_babel import gettext as _
from fpdf import FPDF
from PIL import Image

from app.surfaces import typefaces
from app.surfaces.typefaces import BOLD, REGULAR

SHORT, LONG = 210.0, 297.0
SIDE, TOP, FOOT = 12.0, 12.0, 14.0
ROW = 5.4  # the height of a row of one line
POINT = 25.4 / 72
LEADING = 1.38  # of the size of type
PAD = 1.3  # inside a cell
BODY, SMALL = 9.0, 7.5
SHADE, LINE, FAINT = 238, 150, 110  # of grey, 0 is black
NEVER_FIRST = "，。、；：？！）》”’〉】〕…—·%℃,.;:?!)]}"
NEVER_LAST = "（《“‘〈【〔([{"
SHORT_TEXT = 5 * BODY * POINT  # so much Chinese is not broken over lines where it can be helped
_LATIN = re.compile(r"[!-~]+")
_WORDS = re.compile(r"〔U\+[0-9A-F]+〕|[!-~]+|.")


# --- text into lines ----------------------------------------------------------------------------------


def text_width(text: str, size: float, weight: int = REGULAR) -> float:
    return typefaces.width(typefaces.legible(text), weight) * size * POINT


def wrap(text: str, size: float, room: float, weight: int = REGULAR) -> list[str]:
    """Legible lines no wider than `room`: Chinese breaks anywhere but before a comma, words and numbers stay whole."""
    return [
        line
        for part in typefaces.legible(text).split("\n")
        for line in _wrap_part(part, room / (size * POINT), weight)
    ]


def _wrap_part(text: str, ems: float, weight: int) -> Iterator[str]:
    line, used = "", 0.0
    for word in _pieces(text, ems, weight):
        wide = typefaces.width(word, weight)
        if line and used + wide > ems + 0.01:
            yield line
            line, used = "", 0.0
            if word == " ":
                continue
        line, used = line + word, used + wide
    yield line


def _pieces(text: str, ems: float, weight: int) -> Iterator[str]:
    """What is not broken: a word, a sign with the one it may not be parted from."""
    held = ""
    for word in _WORDS.findall(text):
        if held and not (word in NEVER_FIRST or held[-1] in NEVER_LAST):
            yield from _halves(held, ems, weight)
            held = ""
        held += word
    if held:
        yield from _halves(held, ems, weight)


def _halves(word: str, ems: float, weight: int) -> Iterator[str]:
    if typefaces.width(word, weight) <= ems:
        yield word
    else:
        yield from word


# --- what a page is given -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Box:
    """A cell of a row, with its frame."""

    width: float
    text: str
    is_label: bool = False  # shaded
    is_bold: bool = False
    align: str = "left"  # or "center"
    size: float = BODY


@dataclass(frozen=True, slots=True)
class Picture:
    """A frame at the right of the first rows: an image in it, or words where there is none."""

    image: Image.Image | None
    words: str
    width: float = 26.0
    height: float = 36.0


@dataclass(frozen=True, slots=True)
class _Text:
    x: float
    y: float  # of the baseline
    text: str
    size: float
    weight: int = REGULAR
    grey: int = 0


@dataclass(frozen=True, slots=True)
class _Frame:
    x: float
    y: float
    width: float
    height: float
    grey: int | None = None  # filled with, under the line


@dataclass(frozen=True, slots=True)
class _Rule:
    x: float
    y: float
    width: float


@dataclass(frozen=True, slots=True)
class _Image:
    x: float
    y: float
    width: float
    height: float
    image: Image.Image


@dataclass(frozen=True, slots=True)
class _Code:
    """A QR code."""

    x: float
    y: float
    side: float
    says: str


_Mark = _Text | _Frame | _Rule | _Image | _Code


@dataclass(slots=True)
class _Page:
    part: int
    marks: list[_Mark] = field(default_factory=list)


class Paper:
    """Pages being filled from top to bottom. `foot` stands at the left of every page's foot: who printed and when."""

    def __init__(self, title: str, foot: str, *, is_wide: bool = False) -> None:
        self.title, self.foot = title, foot
        self.width, self.height = (LONG, SHORT) if is_wide else (SHORT, LONG)
        self.is_wide = is_wide
        self._pages: list[_Page] = []
        self._parts: list[str] = []
        self._y = 0.0
        self._lacks = False

    @property
    def room(self) -> float:
        """The width that can be written on."""
        return self.width - 2 * SIDE

    # --- filling ---

    def begin(self, name: str = "", *, on_new_leaf: bool = False) -> None:
        """A part with page numbers of its own, on a new page; with `on_new_leaf` on the front of a leaf."""
        if on_new_leaf and len(self._pages) % 2:
            self._pages.append(_Page(-1))
        self._parts.append(name)
        self._turn()

    def heading(self, text: str, size: float = 16.0) -> None:
        self.words(text, size, weight=BOLD, align="center", after=2.5)

    def words(
        self,
        text: str,
        size: float = BODY,
        *,
        weight: int = REGULAR,
        align: str = "left",
        after: float = 1.0,
        leading: float = LEADING,
        room: float | None = None,
    ) -> None:
        """A paragraph."""
        wide = room or self.room
        for line in wrap(text, size, wide, weight):
            step = size * POINT * leading
            self._need(step)
            self._write(line, SIDE, _baseline(self._y, step, size), wide, size, weight, align)
            self._y += step
        self._y += after

    def space(self, height: float) -> None:
        self._y += height

    def table(
        self,
        heads: Sequence[str],
        rows: Iterable[Sequence[str]],
        widths: Sequence[float],
        centred: Iterable[int] = (),
    ) -> None:
        """Framed rows under a head that comes again on each page. `centred`: the numbers of such columns."""
        middle = set(centred)
        align = ["center" if n in middle else "left" for n in range(len(widths))]
        head = [Box(w, t, True, True, "center") for w, t in zip(widths, heads, strict=True)]
        self.row(head, keep=12.0)
        for texts in rows:
            boxes = [Box(w, t, align=a) for w, t, a in zip(widths, texts, align, strict=True)]
            self.row(boxes, repeats=head)
        self._y += 2.0

    def row(
        self, boxes: Sequence[Box], *, least: float = ROW, repeats: Sequence[Box] = (), keep: float = 0.0
    ) -> None:
        """One framed row, as high as its highest cell; on a new page after `repeats`. `keep`: what must fit below it."""
        lines = [wrap(b.text, b.size, b.width - 2 * PAD, BOLD if b.is_bold else REGULAR) for b in boxes]
        height = max(
            least,
            *(len(own) * b.size * POINT * LEADING + 1.0 for b, own in zip(boxes, lines, strict=True)),
        )
        if self._need(height + keep) and repeats:
            self.row(repeats)
        x = SIDE
        for box, own in zip(boxes, lines, strict=True):
            self._cell(box, own, x, height)
            x += box.width
        self._y += height

    def pairs(
        self,
        items: Sequence[tuple[str, str]],
        columns: int,
        label_width: float,
        beside: Picture | None = None,
    ) -> None:
        """Labels and values side by side, `columns` pairs in a row; beside a picture as many as fit next to it."""
        rest, below = list(items), 0.0
        if beside is not None:
            self._need(beside.height)
            below = self._y + beside.height
            self._picture(beside, SIDE + self.room - beside.width)
        while rest:
            is_beside = beside is not None and self._y < below - 1.0
            room = self.room - (beside.width if is_beside and beside else 0.0)
            now, rest = rest[:columns], rest[columns:]
            now += [("", "")] * (columns - len(now))
            wide = room / columns
            least = max(ROW, min(beside.height / 6, below - self._y)) if is_beside and beside else ROW
            boxes = [box for one in now for box in _pair(*one, wide, label_width)]
            self.row(boxes, least=least)
        self._y = max(self._y, below)

    def code(self, says: str, side: float) -> None:
        """A QR code at the right, beside what was written last."""
        self._mark(_Code(SIDE + self.room - side, self._y, side, says))

    # --- inside ---

    def _turn(self) -> None:
        self._pages.append(_Page(len(self._parts) - 1))
        self._y = TOP

    def _need(self, height: float) -> bool:
        """Turns the page where the height is not left on it; whether it did."""
        if self._y + height <= self.height - FOOT or self._y <= TOP:
            return False
        self._turn()
        return True

    def _mark(self, mark: _Mark) -> None:
        self._pages[-1].marks.append(mark)

    def _write(
        self, line: str, x: float, y: float, room: float, size: float, weight: int, align: str, grey: int = 0
    ) -> None:
        if align != "left":
            slack = room - typefaces.width(line, weight) * size * POINT
            x += slack / 2 if align == "center" else slack
        if line.strip():
            self._lacks = self._lacks or "〔U+" in line
            self._mark(_Text(x, y, line, size, weight, grey))

    def _cell(self, box: Box, lines: Sequence[str], x: float, height: float) -> None:
        self._mark(_Frame(x, self._y, box.width, height, SHADE if box.is_label else None))
        step, weight = box.size * POINT * LEADING, BOLD if box.is_bold else REGULAR
        y = _baseline(self._y + (height - step * len(lines)) / 2, step, box.size)
        for n, line in enumerate(lines):
            self._write(line, x + PAD, y + n * step, box.width - 2 * PAD, box.size, weight, box.align)

    def _picture(self, one: Picture, x: float) -> None:
        self._mark(_Frame(x, self._y, one.width, one.height))
        if one.image is None:
            self._write(one.words, x, self._y + one.height / 2, one.width, SMALL, REGULAR, "center", FAINT)
            return
        scale = min((one.width - 1) / one.image.width, (one.height - 1) / one.image.height)
        wide, high = one.image.width * scale, one.image.height * scale
        left, top = x + (one.width - wide) / 2, self._y + (one.height - high) / 2
        self._mark(_Image(left, top, wide, high, one.image))

    # --- the file ---

    def to_pdf(self) -> bytes:
        self._write_feet()
        pdf = FPDF("landscape" if self.is_wide else "portrait", "mm", "A4")
        pdf.set_auto_page_break(False)
        pdf.set_title(self.title)
        pdf.set_lang("zh-CN")
        pdf.set_draw_color(LINE)
        with tempfile.TemporaryDirectory() as folder:
            self._add_fonts(pdf, Path(folder))
            for page in self._pages:
                pdf.add_page()
                pdf.set_line_width(0.2)
                for mark in page.marks:
                    _draw(pdf, mark)
            return bytes(pdf.output())

    def _write_feet(self) -> None:
        of_part: dict[int, int] = {}
        totals = [sum(page.part == n for page in self._pages) for n in range(len(self._parts))]
        for page in self._pages:
            if page.part < 0:
                continue  # the empty back of a leaf
            of_part[page.part] = number = of_part.get(page.part, 0) + 1
            says = _("第%(n)s页，共%(total)s页", n=number, total=totals[page.part])
            name = self._parts[page.part]
            right = typefaces.legible(f"{name}　{says}" if name else says)
            y = self.height - 7.0
            page.marks.append(_Rule(SIDE, y - 4.0, self.room))
            left = typefaces.legible(self.foot)
            if self._lacks:
                left += "　" + _("〔U+…〕是字库未收的字，请按编码手写补正")
            page.marks.append(_Text(SIDE, y, left, SMALL, grey=FAINT))
            wide = typefaces.width(right) * SMALL * POINT
            page.marks.append(_Text(self.width - SIDE - wide, y, right, SMALL, grey=FAINT))

    def _add_fonts(self, pdf: FPDF, folder: Path) -> None:
        used: dict[tuple[int, int], set[str]] = {}
        for page in self._pages:
            for mark in page.marks:
                if isinstance(mark, _Text):
                    for face, piece in typefaces.runs(mark.text):
                        used.setdefault((face, mark.weight), set()).update(piece)
        for (face, weight), letters in used.items():
            path = folder / f"{face}-{weight}.ttf"
            path.write_bytes(typefaces.file_with(face, weight, frozenset(letters)))
            pdf.add_font(_family(face, weight), fname=path)


def _baseline(top: float, step: float, size: float) -> float:
    """Where the signs of a line stand that is `step` high: Chinese ones reach 0.72 of their size above it."""
    return top + (step + size * POINT * 0.72) / 2


def _pair(label: str, value: str, wide: float, label_width: float) -> tuple[Box, Box]:
    return Box(label_width, label, is_label=True, size=8.0), Box(wide - label_width, value)


def _family(face: int, weight: int) -> str:
    return f"han{face}w{weight}"


def _draw(pdf: FPDF, mark: _Mark) -> None:
    if isinstance(mark, _Text):
        _draw_text(pdf, mark)
    elif isinstance(mark, _Frame):
        if mark.grey is not None:
            pdf.set_fill_color(mark.grey)
        style = "D" if mark.grey is None else "DF"
        pdf.rect(mark.x, mark.y, mark.width, mark.height, style=style)
    elif isinstance(mark, _Rule):
        pdf.line(mark.x, mark.y, mark.x + mark.width, mark.y)
    elif isinstance(mark, _Image):
        pdf.image(mark.image, mark.x, mark.y, mark.width, mark.height)
    else:
        _draw_code(pdf, mark)


def _draw_text(pdf: FPDF, mark: _Text) -> None:
    x = mark.x
    pdf.set_text_color(mark.grey)
    for face, piece in typefaces.runs(mark.text):
        pdf.set_font(_family(face, mark.weight), size=mark.size)
        pdf.text(x, mark.y, piece)
        x += typefaces.width(piece, mark.weight) * mark.size * POINT


def _draw_code(pdf: FPDF, mark: _Code) -> None:
    rows = list(segno.make(mark.says, error="m", micro=False).matrix)
    side = mark.side / len(rows)
    pdf.set_fill_color(0)
    for y, row in enumerate(rows):
        for x, is_dark in enumerate(row):
            if is_dark:
                pdf.rect(mark.x + x * side, mark.y + y * side, side + 0.01, side + 0.01, style="F")


# --- columns ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Want:
    """What the columns of a table would take: on one line, and at least, so that no word or number is broken."""

    natural: tuple[float, ...]
    least: tuple[float, ...]


def want(heads: Sequence[str], rows: Iterable[Sequence[str]], most: float) -> Want:
    """No column wants more than `most`."""
    natural = [text_width(head, BODY, BOLD) for head in heads]
    least = [min(wide, SHORT_TEXT) for wide in natural]
    for texts in rows:
        for n, text in enumerate(texts):
            wide = text_width(text, BODY)
            natural[n] = max(natural[n], wide)
            least[n] = max(least[n], wide if wide <= SHORT_TEXT else _word_width(text))
    margin = 2 * PAD + 0.6
    return Want(tuple(min(most, n + margin) for n in natural), tuple(min(most, n + margin) for n in least))


def _word_width(text: str) -> float:
    return max((text_width(word, BODY) for word in _LATIN.findall(text)), default=0.0)


def fit(wanted: Want, room: float) -> list[float]:
    """The widths of columns that share `room`: what is over is shared out; what lacks is taken from the widest, and from
    what a column needs for its longest word last."""
    total = sum(wanted.natural)
    if total <= room:
        return [one * room / total for one in wanted.natural]
    if (spare := room - sum(wanted.least)) <= 0:
        return _level(wanted.least, room)
    more = _level([n - m for n, m in zip(wanted.natural, wanted.least, strict=True)], spare)
    return [one + rest for one, rest in zip(wanted.least, more, strict=True)]


def _level(parts: Sequence[float], room: float) -> list[float]:
    """Each part as it is, the largest cut down to one measure, so that together they take `room`."""
    left, found = room, dict[int, float]()
    for done, n in enumerate(sorted(range(len(parts)), key=parts.__getitem__)):
        found[n] = min(parts[n], left / (len(parts) - done))
        left -= found[n]
    return [found[n] for n in range(len(parts))]
