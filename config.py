"""Settings, each from an environment variable with a default that serves one machine."""

from __future__ import annotations

import os
import secrets
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent
INSTANCE = Path(os.environ.get("INSTANCE", ROOT / "instance"))


def _kept_secret() -> str:
    """Without SECRET_KEY one is made and kept under instance/, readable by its owner only."""
    path = INSTANCE / "secret_key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48))
    return path.read_text().strip()


def _flag(name: str, default: str = "0") -> bool:
    return os.environ.get(name, default) in ("1", "true", "yes")


class Config:
    APP_NAME = "学籍台"
    SECRET_KEY = os.environ.get("SECRET_KEY") or None  # filled by create_app
    HOST = os.environ.get("HOST", "127.0.0.1")
    PORT = int(os.environ.get("PORT", "8000"))
    TRUSTED_PROXIES = int(
        os.environ.get("TRUSTED_PROXIES", "0")
    )  # in front of the program, each naming whom it serves

    # data
    DATABASE_URL = os.environ.get("DATABASE_URL", f"sqlite:///{INSTANCE / 'xueji.db'}")
    READ_DATABASE_URL = os.environ.get("READ_DATABASE_URL", "")  # "": derived from DATABASE_URL
    EVIDENCE_URL = os.environ.get("EVIDENCE_URL", f"file://{INSTANCE / 'evidence'}")
    EVIDENCE_MAX = 2 * 1024 * 1024  # bytes; the national system takes images up to 2 MB
    REDIS_URL = os.environ.get("REDIS_URL", "")
    MAX_CONTENT_LENGTH = 8 * 1024 * 1024
    MAX_FORM_MEMORY_SIZE = 2 * 1024 * 1024
    MAX_FORM_PARTS = 2_000

    # the field's numbers
    CLASS_CAP = {"1": 55, "2": 55, "3": 55}  # by stage; 56 and more is 大班额
    CLASS_WARN = {"1": 50, "2": 50, "3": 50}
    RECYCLE_KEEP = timedelta(days=30)

    # accounts (domain.md §8)
    LOCK_AFTER = 5  # failed logins
    LOCK_FOR = timedelta(minutes=30)
    IDLE_AFTER = timedelta(minutes=30)
    PASSWORD_LIFE = timedelta(days=90)
    PASSWORD_WARN = timedelta(days=7)
    LOGIN_LIMIT = os.environ.get("LOGIN_LIMIT", "20 per minute")  # for one address
    VERIFY_LIMIT = os.environ.get(
        "VERIFY_LIMIT", "10 per minute; 200 per day"
    )  # codes tried from one address
    TOKEN_LIFE = timedelta(hours=2)
    REVEAL_FOR = timedelta(minutes=10)
    BUREAU_PHONE = os.environ.get("BUREAU_PHONE", "")

    # Flask and Flask-AppBuilder
    BABEL_DEFAULT_LOCALE = "zh_Hans_CN"
    BABEL_DEFAULT_TIMEZONE = "Asia/Shanghai"
    LANGUAGES = {"zh_Hans_CN": {"flag": "cn", "name": "中文"}, "en": {"flag": "gb", "name": "English"}}
    FAB_CREATE_DB = False
    FAB_UPDATE_PERMS = False
    FAB_ADD_SECURITY_VIEWS = True
    FAB_API_SWAGGER_UI = False
    FAB_OPENAPI_SERVERS = [{"url": "/"}]
    FAB_ADD_OPENAPI_VIEWS = True
    FAB_ADD_MENU_API = False
    AUTH_TYPE = 1
    AUTH_RATE_LIMITED = True
    AUTH_RATE_LIMIT = LOGIN_LIMIT
    RATELIMIT_ENABLED = True
    RATELIMIT_STORAGE_URI = REDIS_URL or "memory://"
    WTF_CSRF_TIME_LIMIT = None
    SESSION_COOKIE_SAMESITE = "Lax"
    SESSION_COOKIE_HTTPONLY = True
    SESSION_COOKIE_SECURE = _flag("SESSION_COOKIE_SECURE")
    JWT_ACCESS_TOKEN_EXPIRES = TOKEN_LIFE
    BOOTSTRAP_SERVE_LOCAL = True
    SEND_FILE_MAX_AGE_DEFAULT = 600  # seconds; for addresses without the version of their file
    SQLALCHEMY_TRACK_MODIFICATIONS = False


def prepare(config: dict[str, object]) -> None:
    """Fills what depends on other settings; called by create_app after overrides."""
    INSTANCE.mkdir(mode=0o700, parents=True, exist_ok=True)  # the database is in it
    config["SECRET_KEY"] = config["SECRET_KEY"] or _kept_secret()
    config["SQLALCHEMY_DATABASE_URI"] = config["DATABASE_URL"]
