"""X_SIGNED_BODY: `x-signature: t=SECONDS,v1=HEX`, the HMAC-SHA256 of the request under the account's secret.

What is signed is the time, the method, the path with its query, and the body, with a line feed between
them.
"""

import hmac
import json
from urllib.parse import urlsplit

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports import authorizer
from wit_world.imports import context, types

SECRET = "account/secret"
SHORTEST, LONGEST = 16, 1024


class Authorizer(exports.Authorizer):
    def describe(self) -> authorizer.Descriptor:
        inputs = [{"name": "secret", "label": "Secret", "required": True, "secret": True}]
        return authorizer.Descriptor(
            auth_types=["X_SIGNED_BODY"],
            flows=[],
            needs=[("read", SECRET), ("read", "body"), ("write", "header/x-signature")],
            about=json.dumps(
                {"title": "signed-body", "version": "0.1.0", "inputs": {"account": inputs}}
            ),
        )

    def validate(self, account: types.Account) -> list[types.Refusal]:
        found = dict(account.values).get(SECRET)
        return [] if found is None or fits(found) else [refusal()]

    def authorize(self, account, request, cursor) -> authorizer.Outcome:
        secret = dict(account.values).get(SECRET, "")
        if not fits(secret):
            raise Err(refusal())
        if request is None:
            # Asked again, with the request in view.
            return authorizer.Outcome_Show(["body/bytes"])
        body = request.body.value if isinstance(request.body, authorizer.BodyView_Bytes) else b""
        url = urlsplit(request.url)
        path = f"{url.path}?{url.query}" if url.query else url.path
        time = context.now() // 1000
        signed = f"{time}\n{request.method}\n{path}\n".encode() + body
        signature = hmac.digest(secret.encode(), signed, "sha256").hex()
        edit = authorizer.Edit_SetHeader(("x-signature", f"t={time},v1={signature}"))
        ready = authorizer.Ready(edits=[edit], remember=0, watches=[], memo=None, cursor=b"")
        return authorizer.Outcome_Ready(ready)

    def replied(self, account, reply, cursor) -> authorizer.Reaction:
        return authorizer.Reaction(next=authorizer.Next_Deliver(), memo=None)


def fits(secret: str) -> bool:
    return SHORTEST <= len(secret) <= LONGEST


def refusal() -> types.Refusal:
    reason = types.Reason.INVALID_CONFIG
    return types.Refusal(reason, SECRET, "a secret has 16 to 1024 characters", None)
