"""X_ACME: signs each request with the account's secret and the time.

``Authorization: SIGNED id=KEY_ID, time=SECONDS, signature=BASE64``, where the signature is the
HMAC-SHA256 (RFC 2104) of ``KEY_ID.SECONDS`` under the account's secret. An example to change: put in
its place what your API asks for.
"""

import base64
import hmac
import json
import re

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports import authorizer
from wit_world.imports import context, types

KEY_ID = "account/key_id"
SECRET = "account/secret"
# Characters that a secret has at least: a shorter one was cut off when it was copied.
SHORTEST = 16
# Compiled here, once: each call begins with what the import has left.
NO_HEADER_HAS = re.compile(r"[^\x20-\x7e\x80-\xff]")


class Authorizer(exports.Authorizer):
    def describe(self) -> authorizer.Descriptor:
        """What it answers to, what people are asked for, and all that it asks leave for: it is shown no
        value without a need to read it, and may touch nothing without a need to write it."""
        inputs = [
            {"name": "key_id", "label": "Key ID", "required": True},
            {"name": "secret", "label": "Secret", "required": True, "secret": True},
        ]
        return authorizer.Descriptor(
            auth_types=["X_ACME"],
            flows=[],
            needs=[("read", KEY_ID), ("read", SECRET), ("write", "header/authorization")],
            about=json.dumps(
                {"title": "acme-plugin", "version": "0.1.0", "inputs": {"account": inputs}}
            ),
        )

    def validate(self, account: types.Account) -> list[types.Refusal]:
        """Before the values of an account are saved; the host itself looks for missing ones."""
        secret = value(account, SECRET)
        return [short()] if secret is not None and len(secret) < SHORTEST else []

    def authorize(self, account, request, cursor) -> authorizer.Outcome:
        """For each request. A refusal is raised; it names the value at fault and never holds it, and
        nothing is sent then."""
        key_id, secret = required(account, KEY_ID), required(account, SECRET)
        check_header(KEY_ID, key_id)
        if len(secret) < SHORTEST:
            raise Err(short())
        time = context.now() // 1000
        signature = hmac.digest(secret.encode(), f"{key_id}.{time}".encode(), "sha256")
        text = base64.b64encode(signature).decode()
        credential = f"SIGNED id={key_id}, time={time}, signature={text}"
        edit = authorizer.Edit_SetHeader(("authorization", credential))
        # `remember` is for how many seconds the host may use the answer again; with 0 it asks for every
        # request.
        ready = authorizer.Ready(edits=[edit], remember=0, watches=[], memo=None, cursor=b"")
        return authorizer.Outcome_Ready(ready)

    def replied(self, account, reply, cursor) -> authorizer.Reaction:
        """It watches for no reply."""
        return authorizer.Reaction(next=authorizer.Next_Deliver(), memo=None)


def value(account: types.Account, name: str) -> str | None:
    return next((text for found, text in account.values if found == name), None)


def required(account: types.Account, name: str) -> str:
    found = value(account, name)
    if not found:
        raise refused(name, "it is missing")
    return found


def check_header(name: str, text: str) -> None:
    """Refuses a value that no header can hold: control characters (RFC 9110, section 5.5), and what is
    more than one byte in the contract's Latin-1. Without it the host refuses the answer, and names no
    value."""
    if NO_HEADER_HAS.search(text):
        raise refused(name, "this value holds a character that no header can carry")


def refusal(field: str, message: str) -> types.Refusal:
    return types.Refusal(types.Reason.INVALID_CONFIG, field, message, None)


def refused(field: str, message: str) -> Err:
    return Err(refusal(field, message))


def short() -> types.Refusal:
    return refusal(SECRET, "a secret has 16 characters or more")
