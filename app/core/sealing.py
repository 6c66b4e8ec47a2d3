"""What is kept unreadable in the database or a cookie: sealed with a key made from SECRET_KEY, one for each purpose.

Whoever changes SECRET_KEY makes all of it unreadable; then a draft is gone and a second factor is set up anew.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app


def seal(purpose: str, text: str) -> str:
    return _box(purpose).encrypt(text.encode()).decode()


def unseal(purpose: str, sealed: str) -> str | None:
    """The text; None where it was sealed with another key, or is damaged."""
    try:
        return _box(purpose).decrypt(sealed.encode()).decode()
    except InvalidToken:
        return None


def fingerprint(purpose: str, text: str) -> str:
    """64 characters by which a text is known again; whoever reads them cannot try texts without the key."""
    return hmac.digest(_key(purpose), text.encode("utf-8", "replace"), hashlib.sha256).hex()


def _box(purpose: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(_key(purpose)))


def _key(purpose: str) -> bytes:
    secret = str(current_app.config["SECRET_KEY"]).encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"xueji {purpose}".encode()).derive(secret)
