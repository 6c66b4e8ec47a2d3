"""A form as a browser reads it from a page."""

from __future__ import annotations

from html.parser import HTMLParser

from tests.client import Client

JSON = {"Accept": "application/json"}
"""How the scripts of our pages ask."""


class Form(HTMLParser):
    """Names and values of the form that is guarded, as a browser with scripts would post them; `options` of selects."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.options: dict[str, list[str]] = {}
        self.kinds: dict[str, str] = {}
        self.words: dict[str, str | None] = {}
        self._apart = 0  # inside <template> and <noscript>
        self._is_in = False
        self._select = self._area = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        words = dict(attributes)
        if tag in ("template", "noscript"):
            self._apart += 1
        elif tag == "form":
            self._is_in = "data-guard" in words
            self.words = words if self._is_in else self.words
        elif self._is_in and not self._apart:
            self._meet(tag, words, words.get("name") or "")

    def _meet(self, tag: str, words: dict[str, str | None], name: str) -> None:
        if tag == "option" and self._select:
            self.options[self._select].append(words["value"] or "")
            if "selected" in words:
                self.values[self._select] = words["value"] or ""
        if not name or tag == "button":
            return
        if tag == "select":
            self._select, self.options[name], self.values[name] = name, [], ""
        elif tag == "textarea":
            self._area, self.values[name] = name, ""
        elif words.get("type") not in ("checkbox", "radio") or "checked" in words:
            self.values[name] = words.get("value") or ""
        self.kinds[name] = words.get("type") or tag

    def handle_endtag(self, tag: str) -> None:
        if tag in ("template", "noscript"):
            self._apart -= 1
        elif tag == "form":
            self._is_in = False
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.values[self._area] += data.removeprefix("\n")


def opened(person: Client, path: str) -> Form:
    answer = person.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return Form(answer.text)
