#!/usr/bin/env python3
"""Asks a running server whatever its API description allows, and a little more, as every role and as nobody.

Starts the demonstration's server on this machine, with its whole history, adds lots in the states that the history has
left behind, and lets schemathesis compare every answer with the description: statuses, bodies, headers, media types.
Everything is bounded and drawn from a fixed seed. Ends with 0 only if nothing was found.

usage: check.py [path of the sealbid program] [role ...]
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
PASSWORD = "demonstration-only"
ROLES = ["nobody", "admin", "centre", "initiator", "bidder1", "inspector"]
SEED = "20261122"
EXAMPLES = os.environ.get("SEALBID_API_EXAMPLES", "4")
# The whole check ends within five minutes, whatever happens.
SECONDS_PER_ROLE = int(os.environ.get("SEALBID_API_SECONDS", "45"))
START_SECONDS = 180
DAY = 24 * 60 * 60 * 1000


class Server:
    """The demonstration, staying."""

    def __init__(self, program):
        self.process = subprocess.Popen(
            [program, "demo", "--stay"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.url = None
        began = time.monotonic()
        for line in self.process.stdout:
            found = re.match(r"curl .* '(http://127\.0\.0\.1:\d+)/v1/inspection", line)
            if found:
                self.url = found.group(1)
                return
            if time.monotonic() - began > START_SECONDS:
                break
        self.stop()
        sys.exit("the demonstration did not come to its end")

    def stop(self):
        self.process.send_signal(2)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def ask(self, method, path, token=None, body=None):
        headers = {"Accept-Language": "en"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if method == "POST":
            headers["Idempotency-Key"] = os.urandom(12).hex()
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            sys.exit(f"{method} {path}: {error.code} {error.read().decode()}")


def at(server, days):
    now = server.ask("GET", "/v1/time")["now"]
    text = now[:-1] + "+00:00"
    from datetime import datetime, timedelta, timezone

    moment = datetime.fromisoformat(text).astimezone(timezone.utc) + timedelta(days=days)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def seed(server, tokens):
    """Lots in the states that the demonstration's have left: a draft, one under review, one registered, two noticed."""
    initiator, centre = tokens["initiator"], tokens["centre"]
    project = server.ask(
        "POST", "/v1/projects", initiator,
        {"code": "API-1", "name": "A project", "description": "Invented.", "approval_number": "API-1"},
    )["id"]
    money = lambda amount: {"amount": amount, "currency": "CNY"}
    terms = {
        "description": "An invented lot.", "currency": "CNY", "approval_number": "API-1", "no_dispute_declared": True,
        "asking": money("500000.00"), "appraisal": money("500000.00"),
    }
    lots = []
    for n, state in enumerate(["draft", "review", "registered", "noticed", "noticed"]):
        lot = server.ask(
            "POST", "/v1/lots", initiator,
            {"project_id": project, "category": "state_asset", "title": f"Lot {n}", "terms": terms},
        )["id"]
        lots.append(lot)
        document(server, initiator, lot)
        if state != "draft":
            server.ask("POST", f"/v1/lots/{lot}/actions/submit", initiator)
        if state in ("registered", "noticed"):
            server.ask("POST", f"/v1/lots/{lot}/actions/accept", centre)
        if state == "noticed":
            server.ask("POST", f"/v1/lots/{lot}/actions/publish", initiator, {"deadline_at": at(server, 40)})
            server.ask("POST", f"/v1/lots/{lot}/questions", tokens["bidder1"], {"kind": "question", "text": "May we visit the site?"})
    return lots


def document(server, token, lot):
    import base64
    import hashlib

    content = b"An invented document\n"
    leaf = hashlib.sha256(b"\0" + content).hexdigest()
    upload = server.ask(
        "POST", f"/v1/lots/{lot}/uploads", token,
        {"purpose": "document", "size_bytes": len(content), "root": leaf},
    )["id"]
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    request = urllib.request.Request(
        f"{server.url}/v1/uploads/{upload}/chunks/0", content,
        {"Authorization": f"Bearer {token}", "Content-Digest": f"sha-256=:{digest}:"}, method="PUT",
    )
    urllib.request.urlopen(request, timeout=30).close()
    server.ask("POST", f"/v1/uploads/{upload}/actions/complete", token)
    server.ask(
        "POST", f"/v1/lots/{lot}/documents", token,
        {"upload_id": upload, "name": "notice.txt", "media_type": "text/plain"},
    )


def known(server, tokens, lots):
    """Real ids, by the names under which paths and bodies have them."""
    found = {"lot": list(lots)}

    def add(name, values):
        found.setdefault(name, []).extend(value for value in values if value)

    items = lambda role, path: server.ask("GET", path, tokens.get(role))["items"]
    add("lot", [lot["id"] for lot in items("initiator", "/v1/lots?limit=10")])
    add("project", [project["id"] for project in items("initiator", "/v1/projects")])
    add("org", [org["id"] for org in items("centre", "/v1/organisations")])
    add("user", [user["id"] for user in items("admin", "/v1/users")])
    add("mail", [mail["id"] for mail in items("admin", "/v1/mails?limit=5")])
    add("entry", [entry["entry_id"] for entry in items("inspector", "/v1/inspection/entries?matter=DEMO-1&limit=20")])
    for role in ("initiator", "bidder1"):
        add("key", [key["id"] for key in items(role, "/v1/signing-keys")])
    for lot in found["lot"]:
        for name in ("documents", "questions"):
            add(name[:-1], [item["id"] for item in items("initiator", f"/v1/lots/{lot}/{name}")])
        request = urllib.request.Request(
            f"{server.url}/v1/lots/{lot}/bids/mine", headers={"Authorization": f"Bearer {tokens['bidder1']}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                add("bid", re.findall(r"bid-[0-9a-f-]{36}", answer.read().decode()))
        except urllib.error.HTTPError:
            pass
    found["part"] = ["price", "documents"]
    found["matter"] = ["DEMO-1"]
    found["code"] = ["not-found", "bid-rev-stale", "deadline-passed"]
    return found


def run(server, role, token, ids):
    with open(os.path.join(HERE, "schemathesis.toml"), encoding="utf-8") as file:
        settings = file.read()
    if token:
        # Not as a header that every request carries: some are to go without.
        settings += f'\n[auth.openapi.bearer]\nbearer = "{token}"\n'
    config = os.path.join(os.path.dirname(ids), "schemathesis.toml")
    with open(config, "w", encoding="utf-8") as file:
        file.write(settings)
    environment = os.environ | {"SEALBID_KNOWN": ids, "SEALBID_ROLE": role, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": HERE}
    command = [
        os.path.join(os.path.dirname(sys.executable), "schemathesis"), "--config-file", config,
        "run", f"{server.url}/openapi.json", "--checks", "all", "--seed", SEED, "--max-examples", EXAMPLES,
        "--phases", "examples,coverage,fuzzing", "--no-shrink", "--continue-on-failure", "--workers", "2",
    ]
    # It keeps notes beside itself: they belong to the scratch directory.
    asking = subprocess.Popen(command, env=environment, cwd=os.path.dirname(ids), stdout=subprocess.PIPE, text=True)
    stop = threading.Timer(SECONDS_PER_ROLE, asking.send_signal, [signal.SIGINT])
    stop.start()
    output, _ = asking.communicate()
    finished = stop.is_alive()
    stop.cancel()
    print(output, flush=True)
    if not finished:
        print(f"{role}: stopped after {SECONDS_PER_ROLE} s, before all was asked", flush=True)
    return "Failures:" in output or "Errors:" in output or (finished and asking.returncode != 0)


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else "target/debug/sealbid"
    roles = sys.argv[2:] or ROLES
    server = Server(program)
    try:
        tokens = {
            role: server.ask("POST", "/v1/sessions", body={"login": role, "password": PASSWORD})["access_token"]
            for role in ROLES if role != "nobody"
        }
        with tempfile.TemporaryDirectory() as directory:
            ids = os.path.join(directory, "known.json")
            with open(ids, "w", encoding="utf-8") as file:
                json.dump(known(server, tokens, seed(server, tokens)), file)
            failed = []
            for role in roles:
                print(f"\n== as {role}", flush=True)
                began = time.monotonic()
                if run(server, role, tokens.get(role), ids):
                    failed.append(role)
                print(f"{role}: {time.monotonic() - began:.0f} s", flush=True)
    finally:
        server.stop()
    if failed:
        sys.exit(f"something was found as {', '.join(failed)}")


if __name__ == "__main__":
    main()
