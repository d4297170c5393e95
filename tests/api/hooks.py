"""Lets generated requests meet something: real ids, fresh keys of idempotency, digests that fit.

Three values in four become real ones, chosen by the generated value itself, so that equal seeds make equal requests.
What a case breaks on purpose is left as it is.
"""

import base64
import hashlib
import itertools
import json
import os
import re

import schemathesis

with open(os.environ["SEALBID_KNOWN"], encoding="utf-8") as file:
    KNOWN = json.load(file)

VISIBLE = re.compile(r"[!-~]{1,128}\Z")
DIGEST = re.compile(r"sha-256=:[A-Za-z0-9+/]{43}=:\Z")
COUNT = itertools.count()


def choose(name, value):
    """A real value of that name in place of a generated one."""
    known = KNOWN.get(name)
    if not known or not isinstance(value, str):
        return value
    draw = int.from_bytes(hashlib.sha256(repr(value).encode()).digest()[:4], "big")
    return value if draw % 4 == 3 else known[(draw // 4) % len(known)]


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    return {name: choose(name, value) for name, value in (path_parameters or {}).items()}


@schemathesis.hook
def map_query(context, query):
    """A cursor is what an earlier answer gave: made up, it is refused as it should be, and nothing else is met."""
    kept = {name: value for name, value in (query or {}).items() if name != "after" or not isinstance(value, str)}
    return {name: choose(name, value) for name, value in kept.items()}


@schemathesis.hook
def map_body(context, body):
    if not isinstance(body, dict):
        return body
    return {name: choose(name.removesuffix("_id"), value) if name.endswith("_id") else value for name, value in body.items()}


@schemathesis.hook
def before_call(context, case, **kwargs):
    headers = case.headers or {}
    key = headers.get("Idempotency-Key")
    if isinstance(key, str) and VISIBLE.match(key):
        # One key for one act: otherwise all but the first are refused before anybody looks at them.
        headers["Idempotency-Key"] = f"{os.environ['SEALBID_ROLE']}-{next(COUNT)}"
    digest = headers.get("Content-Digest")
    if isinstance(digest, str) and DIGEST.match(digest) and isinstance(case.body, bytes):
        digest = base64.b64encode(hashlib.sha256(case.body).digest()).decode()
        headers["Content-Digest"] = f"sha-256=:{digest}:"
