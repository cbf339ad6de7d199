"""X_CHALLENGED: a login of two requests, of which the second answers what the first one gave.

``GET nonce_url`` gives ``{"nonce": …}``; ``POST token_url`` with ``client``, ``nonce``, ``time`` and
``proof``, the HMAC-SHA256 of ``NONCE.TIME`` under the account's secret, gives ``{"token": …,
"expires_in": SECONDS}``. Requests then have ``Authorization: Bearer TOKEN``.
"""

import hmac
import json
from urllib.parse import urlencode

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports import authorizer, flow
from wit_world.imports import context, types

CLIENT = "account/client"
SECRET = "account/secret"
NONCE_URL = "pattern/nonce_url"
TOKEN_URL = "pattern/token_url"
TOKEN = "state/token"
LONGEST = 1024
# The answer depends on the state alone; the host forgets it when that changes.
REMEMBER_SECONDS = 3600


class Authorizer(exports.Authorizer):
    def describe(self) -> authorizer.Descriptor:
        account = [
            {"name": "client", "label": "Client", "required": True},
            {"name": "secret", "label": "Secret", "required": True, "secret": True},
        ]
        pattern = [
            {"name": "nonce_url", "label": "Where nonces are given", "required": True},
            {"name": "token_url", "label": "Where tokens are given", "required": True},
        ]
        inputs = {"account": account, "pattern": pattern}
        needs = [("read", name) for name in (CLIENT, SECRET, NONCE_URL, TOKEN_URL, TOKEN)]
        needs += [("write", "header/authorization"), ("write", TOKEN)]
        needs += [("fetch", NONCE_URL), ("fetch", TOKEN_URL)]
        about = json.dumps({"title": "challenged", "version": "0.1.0", "inputs": inputs})
        return authorizer.Descriptor(["X_CHALLENGED"], ["renew"], needs, about)

    def validate(self, account: types.Account) -> list[types.Refusal]:
        return []

    def authorize(self, account, request, cursor) -> authorizer.Outcome:
        token = dict(account.values).get(TOKEN)
        if token is None:
            return authorizer.Outcome_Renew(b"")
        edit = authorizer.Edit_SetHeader(("authorization", f"Bearer {token}"))
        watch = authorizer.Watch(status=401, headers=[], body=0)
        ready = authorizer.Ready([edit], REMEMBER_SECONDS, [watch], memo=None, cursor=b"")
        return authorizer.Outcome_Ready(ready)

    def replied(self, account, reply, cursor) -> authorizer.Reaction:
        """Only a 401 is watched for: the token is no longer good."""
        return authorizer.Reaction(next=authorizer.Next_Renew(b""), memo=None)


class Flow(exports.Flow):
    def begin(self, account: types.Account, purpose: flow.Purpose) -> flow.Step:
        if not isinstance(purpose, flow.Purpose_Renew):
            raise refused(types.Reason.INVALID_REQUEST, "there is no such flow")
        for name in (CLIENT, SECRET):
            required(account, name)
        return fetch("GET", required(account, NONCE_URL), b"", cursor=b"nonce")

    def resume(self, account: types.Account, event: flow.Event, cursor: bytes) -> flow.Step:
        """The cursor is all that is kept of the step before: here, which of the two it was."""
        if not isinstance(event, flow.Event_Response):
            raise refused(types.Reason.UNAVAILABLE, "no answer has come back")
        reply = event.value
        if cursor == b"token" and reply.status in (400, 401, 403):
            # Never what the server wrote: it may repeat the proof.
            raise refused(types.Reason.REAUTHORIZE, "the login was refused", SECRET)
        answer = members(reply) if reply.status == 200 else {}
        if cursor == b"nonce":
            nonce = answer.get("nonce")
            if not isinstance(nonce, str) or not 0 < len(nonce) <= LONGEST:
                raise refused(types.Reason.UNAVAILABLE, "there is no nonce in the answer")
            return prove(account, nonce)
        token, seconds = answer.get("token"), answer.get("expires_in")
        if not isinstance(token, str) or not sendable(token):
            raise refused(types.Reason.UNAVAILABLE, "there is no token in the answer")
        # `True` is a number in Python.
        known = type(seconds) is int and 0 <= seconds < 1 << 32
        return flow.Step_Done(
            flow.State(
                secrets=[("token", token)],
                attributes=[],
                renew_after=None,
                expires_after=seconds if known else None,
            )
        )


def prove(account: types.Account, nonce: str) -> flow.Step:
    time = context.now() // 1000
    secret = required(account, SECRET).encode()
    proof = hmac.digest(secret, f"{nonce}.{time}".encode(), "sha256").hex()
    form = {"client": required(account, CLIENT), "nonce": nonce, "time": time, "proof": proof}
    return fetch("POST", required(account, TOKEN_URL), urlencode(form).encode(), cursor=b"token")


def fetch(method: str, url: str, body: bytes, cursor: bytes) -> flow.Step:
    headers = [("accept", "application/json")]
    if body:
        headers.append(("content-type", "application/x-www-form-urlencoded"))
    request = types.HttpRequest(method, url, headers, body)
    return flow.Step_Fetch(flow.Fetch(request, client_certificate=None, cursor=cursor))


def members(reply: types.HttpResponse) -> dict:
    try:
        # What opens more than a token needs may be nested deeper than the component's stack goes,
        # which ends before `RecursionError` comes.
        if reply.body.count(b"{") + reply.body.count(b"[") > 50:
            return {}
        answer = json.loads(reply.body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def sendable(token: str) -> bool:
    return 0 < len(token) <= LONGEST and all("\x21" <= it <= "\x7e" for it in token)


def required(account: types.Account, name: str) -> str:
    text = dict(account.values).get(name, "")
    if not 0 < len(text) <= LONGEST:
        raise refused(types.Reason.INVALID_CONFIG, "it has 1 to 1024 characters", name)
    return text


def refused(reason: types.Reason, message: str, field: str | None = None) -> Err:
    return Err(types.Refusal(reason, field, message, None))
