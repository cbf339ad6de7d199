"""The mutation ``sha256``: the SHA-256 of a value in hex, or of two values with a colon between them.

``{"password": {"mutation": "sha256", "options": {"with": "username"}}}`` sends
``hex(SHA-256(username:password))``, for APIs that want the password so.
"""

import hashlib
import json

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import types

WITH = "with"


class Mutator(exports.Mutator):
    def describe(self) -> str:
        option = {"name": WITH, "label": "The value ahead of it, and a colon", "required": False}
        about = {"name": "sha256", "title": "SHA-256 in hex", "version": "0.1.0"}
        # The value that the payload names under the option is wanted beside the target.
        return json.dumps({**about, "reads": ["{with}"], "options": [option]})

    def mutate(self, values, options) -> list[tuple[str, str]]:
        """The target comes first, and alone goes back, under the name that it came with."""
        given, chosen = dict(values), dict(options)
        for name in chosen:
            if name != WITH:
                raise refused(name, "there is no such option")
        if not values:
            raise Err(types.Refusal(types.Reason.INVALID_REQUEST, None, "there is no value", None))
        target, text = values[0]
        if WITH in chosen:
            other = given.get(chosen[WITH], "")
            if not other:
                raise refused(chosen[WITH], "it is missing")
            text = f"{other}:{text}"
        return [(target, hashlib.sha256(text.encode()).hexdigest())]


def refused(field: str, message: str) -> Err:
    return Err(types.Refusal(types.Reason.INVALID_CONFIG, field, message, None))
