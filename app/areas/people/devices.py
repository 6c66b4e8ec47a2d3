"""A browser's User-Agent → the words by which its owner knows it: "Chrome，Windows". A hint, no proof: it can be forged."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _

from app.core.wording import N_

Signs = Sequence[tuple[str, str]]
PROGRAMS: Signs = (  # most of them also call themselves Chrome and Safari: those come last
    ("MicroMessenger", N_("微信")),
    ("DingTalk", N_("钉钉")),
    ("QQBrowser", N_("QQ浏览器")),
    ("QihooBrowser", N_("360浏览器")),
    ("360SE", N_("360浏览器")),
    ("360EE", N_("360浏览器")),
    ("HuaweiBrowser", N_("华为浏览器")),
    ("UCBrowser", N_("UC浏览器")),
    ("SamsungBrowser", N_("三星浏览器")),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("Trident", "Internet Explorer"),
    ("MSIE", "Internet Explorer"),
)
SYSTEMS: Signs = (  # phones also call themselves Linux or Mac
    ("OpenHarmony", N_("鸿蒙")),
    ("HarmonyOS", N_("鸿蒙")),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def in_words(user_agent: str) -> str:
    known = [_named(user_agent, signs) for signs in (PROGRAMS, SYSTEMS)]
    return _("，").join(_(name) for name in known if name) or _("未知设备")


def _named(user_agent: str, signs: Signs) -> str:
    return next((name for sign, name in signs if sign in user_agent), "")
