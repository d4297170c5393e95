#!/usr/bin/env python3
"""Verifies a copy of the public audit log, its receipts, disclosures, dumps and evidence.

Written from docs/log-format.md ("the page") and the C2SP texts alone; shares no code with the platform.

usage: verify.py DIR [--policy FILE] [--receipt FILE ...] [--dump FILE] [--evidence FILE] [--vectors]

DIR holds checkpoint, tile/, policy and, where they exist, keys and disclosures/. Without --policy the policy in DIR is
believed, which shows only that DIR agrees with itself. --vectors also checks what only the test vectors have:
older.checkpoint, receipts/ with promises, dump.ndjson, evidence.tar and values.json.

One line for each thing that was checked; the first wrong thing ends the run. Exit codes: 0 all is right, 1 something
is wrong, 2 the command line, 3 nothing is wrong but something is unsupported (another version) or undecided.
"""
import argparse
import base64
import pathlib
import re
import sys
from collections import namedtuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tlog import (
    Key, Place, Policy, Tree, UNITS, Undecided, Wrong, begin, decide, from_base64, from_base64url, from_decimal,
    from_hex, from_instant, from_json, from_precise_instant, from_utf8, leaf_hash, need, need_keys, need_version,
    note_text, number, open_note, placed, root_of_proof, sha256, sized, tile_path, tiles_needed)

# ---- "Checkpoint, keys, policy".

ListedKey = namedtuple("ListedKey", "role key first last")  # a line of keys; last is None of a key in use


def need_title(line, what):
    need(line.startswith(f"sealbid/audit/{what}/v"), f"not sealbid/audit/{what}/v1", 1)
    need_version({"v": from_decimal(line.rpartition("/v")[2])})


def read_keys(data, given, origin):
    """The file keys, where a log key in use that was given signed it."""
    lines, listed = note_text(data)[0][:-1].split("\n"), []  # the keys that sign it stand in its text
    need_title(lines[0], "keys")
    need(lines[1:2] == [origin], "the origin is not the checkpoint's", 2)
    for content in placed(enumerate(lines[2:], 3)):
        match = re.fullmatch(r"(log|promise) (\S+) (\S+)(?: (\S+))?", content)
        need(match, "not a line of keys")
        key, first, last = Key.parse(match[2], 1), from_decimal(match[3]), match[4] and from_decimal(match[4])
        need(last is None or first <= last, "the last size is before the first")
        need(key.name == (origin if match[1] == "log" else origin.split("/")[0] + "/promise"), "a key by another name")
        listed.append(ListedKey(match[1], key, first, last))
    in_use = {line.key for line in listed if line.last is None}
    signed = open_note(data, [line.key for line in listed])[1].keys()
    need(signed == in_use, "not signed by all keys in use and no other")
    need(in_use & set(given), "not signed by a log key of the policy that is in use")
    return listed


def need_size(listed, checkpoint):
    """A log key signs from its first size to its last."""
    need(any(key in checkpoint.log_keys and first <= checkpoint.size and (last is None or checkpoint.size <= last)
             for _, key, first, last in listed), f"signed by a key that is not for size {checkpoint.size}")


# ---- "An entry", "Lines of openings".

class Opened:
    """An opened entry: its commitment, the texts of its opened parts, and after read_p part p."""

    def __init__(self, found, index=None, line=None):
        self.index, self.line, self.parts, self.p, digests = index, line, {}, None, []
        for part in "pci":
            keys = {part, "s_" + part, "h_" + part} & found.keys()
            need(keys in ({part, "s_" + part}, {"h_" + part}), f"part {part} is not either opened or a digest")
            if part in keys:
                salt, self.parts[part] = sized(from_base64url(found["s_" + part]), 32), from_base64url(found[part])
                digests.append(sha256(b"sealbid/audit/part/v1/", part.encode(), b"\n", salt, self.parts[part]))
            else:
                digests.append(from_hex(found["h_" + part]))
        self.commitment = sha256(b"sealbid/audit/leaf/v1\n", *digests)

    def read_p(self):
        """To be called when the commitment was found in the tree: before, another version may be mere damage."""
        self.p = p = from_json(self.parts["p"])
        need_version(p)
        need({"at", "id", "kind", "rev", "stream"} <= p.keys() and None not in p.values(), "part p lacks something")
        texts = [p.get(key, "") for key in ("from", "id", "kind", "lot", "role", "stream", "to")]
        need(all(isinstance(text, str) for text in texts), "part p has something else in the place of a text")
        from_precise_instant(p["at"])
        need(number(p["rev"]) > 0 and (p["rev"] > 1) == ("prev" in p), "rev and prev do not fit")
        for key in {"object", "prev"} & p.keys():
            from_hex(p[key])

    def data(self, part):
        """The object data of a part, empty where the part or data is not there."""
        found = from_json(self.parts.get(part) or b"{}")
        data = found.get("data") if isinstance(found, dict) else None
        return data if isinstance(data, dict) else {}

    def __str__(self):
        return f"{self.p['kind']} {self.p['id']}, index {self.index}"


def read_lines(data, kind, origin, *keys):
    """The first line, and the others as (line number, object)."""
    need(data.endswith(b"\n"), "the last line has no end")
    lines = []
    for content in placed(enumerate(data[:-1].split(b"\n"), 1)):
        need(b"\\" not in content, "a string with an escape")
        lines.append((Place.line, from_json(content)))
    for head in placed(lines[:1]):
        need_version(head)
        need_keys(head, "v", "kind", "origin", *keys)
        need(head["kind"] == kind and head["origin"] == origin, f"not a {kind} of {origin}")
    return lines[0][1], lines[1:]


def read_opened(lines, opened, closed=""):
    """Opened entries, each once, with these parts opened and those not."""
    entries, parts = [], {prefix + part for part in "pci" for prefix in ("", "s_", "h_")}
    for found in placed(lines):
        need(isinstance(found, dict) and found.keys() - parts == {"index"}, "unknown keys, or no index")
        entries.append(Opened(found, number(found["index"]), Place.line))
        need(set(opened) <= entries[-1].parts.keys() <= set("pci") - set(closed), "other parts are opened")
    need(len({entry.index for entry in entries}) == len(entries), "an index twice")
    return entries


def prove(entries, tree):
    """Every line's commitment is the leaf at its index; only when all were found part p is read."""
    for act in (lambda entry: tree.need_leaf(entry.index, entry.commitment)), Opened.read_p:
        for entry in placed((entry.line, entry) for entry in entries):
            act(entry)


def streams_of(entries):
    """The entries of each stream by rev, after checking that it is complete."""
    streams = {}
    for entry in sorted(entries, key=lambda entry: entry.p["rev"]):
        stream, rev = streams.setdefault(entry.p["stream"], []), entry.p["rev"]
        need(rev == len(stream) + 1, f"rev {rev} after rev {len(stream)} of its stream", entry.line)
        need(not stream or entry.p["prev"] == stream[-1].commitment.hex(), "prev is not the entry before", entry.line)
        stream.append(entry)
    return list(streams.values())


# ---- "Promise and receipt": tlog-proof.

EXTRA = re.compile(r'\{"h_c":"(?P<h_c>[^"]*)","h_i":"(?P<h_i>[^"]*)","p":"(?P<p>[^"]*)","s_p":"(?P<s_p>[^"]*)","v":1\}')


def check_receipt(data, log):
    """The file and a policy suffice; keys and tree are compared where they tell anything."""
    head, _, note = data.partition(b"\n\n")
    lines = from_utf8(head).split("\n")
    need(lines[0] == "c2sp.org/tlog-proof@v1" and len(lines) > 2, "not a tlog-proof", 1)
    need(lines[1].startswith("extra ") and lines[2].startswith("index "), "no extra or no index", 2)
    extra, index = from_base64(lines[1][6:]), from_decimal(lines[2][6:])
    if not (match := EXTRA.fullmatch(from_utf8(extra))):
        need_version(from_json(extra))
    need(match, "extra is not in the form of a receipt", 2)
    entry = Opened(match.groupdict(), index)
    proof = [sized(from_base64(content), 32) for content in placed(enumerate(lines[3:], 4))]
    checkpoint = log.read_checkpoint(note, len(lines) + 2)
    root = root_of_proof(leaf_hash(b"\x01" + entry.commitment), index, checkpoint.size, proof)
    need(root == checkpoint.root, "the proof does not lead to the root of its checkpoint")
    if index < log.tree.size:
        log.tree.need_leaf(index, entry.commitment)
    entry.read_p()
    return entry


def check_promise(data, log):
    found = from_json(data)
    need_version(found)
    need_keys(found, "v", "entry_id", "s_p", "p", "h_c", "h_i", "c", "promise")
    entry = Opened({key: found[key] for key in ("s_p", "p", "h_c", "h_i")})
    keys = [line.key for line in log.keys if line.role == "promise"]  # their sizes are no condition
    lines, _ = open_note(str(found["promise"]).encode("utf-8", "replace"), keys)
    need_title(lines[0], "promise")
    need(len(lines) == 5 and lines[1] == log.cp.origin.split("/")[0], "not the five lines of a promise of this host")
    need(from_base64(lines[2]) == from_hex(found["c"]) == entry.commitment, "c is not the commitment of the parts")
    due = re.fullmatch("inclusion: (?:none|by (.+))", lines[4])
    need(due and from_instant(lines[3]), "no line of inclusion")
    by = from_instant(due[1]).timestamp() if due[1] else None
    entry.read_p()
    need(entry.p["id"] == found["entry_id"], "entry_id is not the id of part p")
    if b"\x01" + entry.commitment not in log.tree.entries.values():
        need(by is None or not log.cp.times or min(log.cp.times) <= by, "the promise is broken")
        decide(False, "not in the tree, and no time shows that it had to be")
    return f"{entry.p['id']} is in the tree"


# ---- "Lines of openings": Disclosure, Dump.

BID_ACTS = {"bid.submitted", "bid.replaced", "bid.confirmed", "bid.withdrawn"}  # what a bidder did


def check_fixed(fixed, streams):
    """The set that bids.fixed names: of each bid the last act up to then."""
    acts = [[entry for entry in stream if entry.p["kind"] in BID_ACTS and entry.p["at"] <= fixed.p["at"]]
            for stream in streams if stream[0].p["kind"] == "bid.submitted"]
    bids, data = sorted(act[-1].commitment for act in acts if act), fixed.data("c")
    need(number(data.get("count")) == len(bids), f"{data.get('count')} bids were fixed, not {len(bids)}", fixed.line)
    need(from_hex(data.get("sha256")) == sha256(*bids), "the digest of the bids is another", fixed.line)
    return f"1 set of {len(bids)} bids"


def check_disclosure(data, log, name):
    head, lines = read_lines(data, "disclosure", log.cp.origin, "lot", "entries")
    lot = head["lot"]
    need(name in (lot, f"{lot}-2"), "another lot than that of the file's name", 1)  # the second one after a second round
    need(number(head["entries"]) == len(lines), "another number of entries", 1)
    entries = read_opened(lines, "p")
    need(entries == sorted(entries, key=lambda entry: entry.index), "not in the order of the indexes")
    prove(entries, log.tree)
    for entry in entries:
        need(entry.p.get("lot") == lot, "an entry of another lot", entry.line)
    streams, fixed = streams_of(entries), [entry for entry in entries if entry.p["kind"] == "bids.fixed"]
    sets = [check_fixed(entry, streams) for entry in fixed]
    for entry in entries:
        early = entry.p["kind"] == "key.used" and any(entry.index < other.index for other in fixed)
        need(not early, "a key was used before bids were fixed", entry.line)
    begin(f"disclosures/{name}.tlog-proof")
    decide(Place.file in log.names("disclosures", ".tlog-proof"), "not there")
    disclosed = check_receipt(log.read(Place.file), log)
    need(disclosed.p["kind"] == "lot.disclosed" and disclosed.p.get("lot") == lot, "the receipt of something else")
    need(from_hex(disclosed.data("p").get("sha256")) == sha256(data), "the digest of the disclosure is another")
    return f"{len(entries)} entries, {', '.join(sets) or 'no set of bids'}"


def check_batch(batch, entries, log):
    """Real entries and padding are the leaves of a batch; how many of those stay undecided."""
    leaves = [b"\x01" + entry.commitment for entry in entries]
    need(entries == sorted(entries, key=lambda entry: entry.index), "not in the order of the indexes")
    need(all(batch["from"] <= entry.index < batch["to"] for entry in entries), "an entry of another batch")
    if "unknown" in batch:
        need(batch["unknown"] is True, "unknown is not true")
        return batch["pads"]
    key = from_hex(batch["pad_key"])
    leaves += [b"\x01" + sha256(b"sealbid/audit/pad/v1\n", key, k.to_bytes(4, "big")) for k in range(batch["pads"])]
    there = [log.tree.entries[index] for index in range(batch["from"], batch["to"])]
    decide(all(entry[0] == 1 for entry in there), "the version of an entry is unsupported")
    need(sorted(leaves) == there, "entries and padding are not the leaves in their order")
    need(len(leaves) >= 1 << max(0, len(entries) - 1).bit_length(), "not the size of a batch")  # Q is a mere comment
    return 0


def check_dump(data, log):
    head, lines = read_lines(data, "dump", log.cp.origin, "size")
    decide(number(head["size"]) <= log.cp.size, f"its size {head['size']} is later than the checkpoint")
    end, undecided, everything, log.batches = 0, 0, [], []
    while lines:
        line, batch = lines[0]
        Place.line = line
        unknown = isinstance(batch, dict) and "unknown" in batch
        need_keys(batch, "from", "to", "pads", "unknown" if unknown else "pad_key")
        need(number(batch["from"]) == end < number(batch["to"]) <= head["size"], "the batches do not join")
        start, end = end, batch["to"]
        count = end - start - number(batch["pads"])
        need(0 <= count < len(lines), "not the number of lines")
        entries, lines = read_opened(lines[1:1 + count], "p"), lines[1 + count:]
        prove(entries, log.tree)
        Place.line = line
        undecided += check_batch(batch, entries, log)
        everything, log.batches = everything + entries, log.batches + [batch]
    Place.line = None
    need(end == head["size"], "the batches do not reach the size")
    streams_of(everything)
    told = [(data.get("from"), data.get("to")) for entry in everything if entry.p["kind"] == "log.recovered"
            for data in (entry.data("p"), entry.data("c"))]
    silent = [batch["from"] for batch in log.batches if "unknown" in batch and (batch["from"], batch["to"]) not in told]
    decide(not undecided, f"{undecided} leaves of unknown batches (no log.recovered of those at {silent}), else right")
    return f"{len(everything)} entries in {len(log.batches)} batches explain {end} of {log.cp.size} leaves"


# ---- "Evidence".

def tar_block(path, content):
    """What the page leaves open is as in the vectors: no owner names and no devices. No path has over 100 bytes."""
    head = path.encode().ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + b"%011o\0%011o\0" % (len(content), 0)
    tail = b"0" + bytes(100) + b"ustar\x0000" + bytes(247)
    return head + b"%06o\0 " % sum(head + b" " * 8 + tail) + tail + content + bytes(-len(content) % 512)


def read_archive(data):
    files, start = {}, 0
    while data[start:start + 512].strip(b"\0"):
        path, size = from_utf8(data[start:start + 100].rstrip(b"\0")), data[start + 124:start + 135]
        need(re.fullmatch(b"[0-7]{11}", size) and path not in files, "not a file of the archive, or one twice")
        files[path] = data[start + 512:start + 512 + int(size, 8)]
        block = tar_block(path, files[path])
        need(data[start:start + len(block)] == block, f"{path:.100} is not in the form of a bundle")
        start += len(block)
    need(data[start:] == bytes(1024), "not two blocks of zeros at the end")
    return files


def read_manifest(files, keys, origin):
    lines, _ = open_note(files["manifest.json"], keys)
    need_title(lines[0], "evidence")
    need(len(lines) > 3 and lines[1] == origin, "another origin, or no files", 2)
    head = from_json(lines[2].encode())
    need_keys(head, "as_of", "entries", "look", "matter", "not_yet", "query", "size")
    need(isinstance(head["look"], str) and isinstance(head["matter"], str), "look or matter is not a text", 3)
    from_instant(head["as_of"])
    listed = [f"{sha256(content).hex()} {len(content)} {path}" for path, content in list(files.items())[:-1]]
    need(lines[3:] == listed, "its lines are not the files that are there")
    return [number(head[key]) for key in ("entries", "size", "not_yet")]


def check_evidence(data, log):
    name, files = Place.file, read_archive(data)
    paths = list(files)
    need("manifest.json" in paths, "incomplete without a manifest")
    need(paths[:4] == ["policy", "keys", "checkpoint", "entries.ndjson"], "does not begin with the files of a bundle")
    need(paths[-2:] == ["toc.csv", "manifest.json"], "does not end with the files of a bundle")
    begin(f"{name}: keys")
    keys = read_keys(files["keys"], log.policy.logs, log.cp.origin)
    begin(f"{name}: manifest.json")
    in_use = [line.key for line in keys if line.role == "promise" and line.last is None]
    count, size, _ = read_manifest(files, in_use, log.cp.origin)
    begin(f"{name}: checkpoint")
    cp = log.read_checkpoint(files["checkpoint"])
    need_size(keys, cp)
    begin(f"{name}: entries.ndjson")
    head, lines = read_lines(files["entries.ndjson"], "evidence", cp.origin, "entries")
    need(number(head["entries"]) == len(lines) == count and cp.size == size, "not the numbers of the manifest")
    entries = read_opened(lines, "pc", "i")
    indexes = {entry.index for entry in entries}
    need(max(indexes, default=-1) < cp.size, "an index that is not in the tree")
    need(paths[4:-2] == [tile_path(*tile) for tile in tiles_needed(cp.size, indexes)], "not the tiles that are needed")
    tree = Tree(cp, lambda *tile: files[tile_path(*tile)], indexes, f"{name}: ")
    begin(f"{name}: entries.ndjson")
    prove(entries, tree)
    return f"{len(entries)} entries of the tree of size {cp.size}"


# ---- A copy of the log.

class Log:
    """The copy in a directory, and what was found in it so far."""

    def __init__(self, directory, policy):
        self.directory, self.tree, self.keys, self.batches = pathlib.Path(directory), None, [], []
        begin(policy or "policy")
        self.policy = Policy(self.read(policy or "policy"))
        begin("checkpoint")
        self.cp = self.policy.checkpoint(self.read("checkpoint"))

    def names(self, folder, ending):
        """Files whose names begin with a point are the server's own."""
        found = sorted(path for path in self.directory.joinpath(folder).rglob("*" + ending) if path.is_file())
        return [path.relative_to(self.directory).as_posix() for path in found if path.name[0] != "."]

    def read(self, name):
        """A path is a file that was given, a text is a file of the copy."""
        path = name if isinstance(name, pathlib.Path) else self.directory / name
        need(path.is_file(), "not there")
        return path.read_bytes()

    def read_checkpoint(self, note, first=1):
        cp = self.policy.checkpoint(note, first)
        self.tree.need_prefix(cp)
        if self.keys:
            need_size(self.keys, cp)
        ends = {batch["to"] for batch in self.batches}  # known where a dump was checked
        need(cp.size in ends or cp.size > max(ends, default=-1), "of a size that is not after a batch")
        return cp

    def check_tiles(self):
        """The tiles of the checkpoint, and that every other begins as they do; later ones prove nothing yet."""
        def get(level, n, width):
            name, full = tile_path(level, n, width), tile_path(level, n, 256)  # the partial one may be gone
            there = self.directory.joinpath(name).is_file() or not self.directory.joinpath(full).is_file()
            return self.read(name) if there else self.read(full)[:width * UNITS.get(level, 32)]
        self.tree, names = Tree(self.cp, get, range(0, self.cp.size, 256)), self.names("tile", "")
        for name in names:
            begin(name)
            match = re.fullmatch(r"tile/(entries|[0-9]+)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([0-9]+))?", name)
            need(match, "not the name of a tile")
            level, n = match[1] if match[1] == "entries" else int(match[1]), int(re.sub("[x/]", "", match[2]))
            width, known = int(match[3] or 256), b"".join(self.tree.tiles.get((level, n), []))
            need(width and tile_path(level, n, width) == name, "not the name of a tile")
            data = sized(self.read(name), width * UNITS.get(level, 32))
            need(data.startswith(known) or known.startswith(data), "not the beginning of its tile")
        begin("tile/")
        versions = {entry[0] for entry in self.tree.entries.values()} - {1}
        decide(not versions, f"the hashes are right, the versions {versions} of entries are unsupported")
        return f"{len(names)} files, {self.cp.size} leaves"

    def check_checkpoint(self):
        cosigned = f"{len(self.cp.times)} cosignatures, quorum {self.policy.quorum}"
        return f"{self.cp.origin}, size {self.cp.size}, {cosigned}"

    def check_keys(self):
        self.keys = read_keys(self.read("keys"), self.policy.logs, self.cp.origin)
        need_size(self.keys, self.cp)
        return f"{len(self.keys)} keys"


def check_older(data, log):
    cp = log.read_checkpoint(data)
    need(cp.size <= log.cp.size, "later than the checkpoint")
    return f"the tree of size {cp.size} is the beginning of that of size {log.cp.size}"


def check_values(data, log):
    """The numbers of the vectors ("Test vectors"), made again from what was checked."""
    values, older = from_json(data), log.policy.checkpoint(log.read("older.checkpoint"))
    need_keys(values, "batches", "first_entry", "log_vkey", "older_root", "older_size", "origin", "promise_vkey",
              "root", "size", "witness_vkeys")
    entry = values["first_entry"]
    need_keys(entry, "commitment", "index", "leaf_hash", "parts")
    need_keys(entry["parts"], "p", "c", "i")
    for part in entry["parts"].values():
        need_keys(part, "salt", "text")
    private = [Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32) for seed in (1, 2, 3, 4)]
    keys = [line.key for line in log.keys] + log.policy.witnesses()
    need([key.public for key in keys] == [key.public_key().public_bytes_raw() for key in private],
         "the keys are not those of the seeds")
    parts = {name: base64.urlsafe_b64encode(text).decode().rstrip("=") for x, part in entry["parts"].items()
             for name, text in (("s_" + x, from_hex(part["salt"])), (x, part["text"].encode()))}
    opened = Opened(parts)
    log.tree.need_leaf(entry["index"], opened.commitment)
    entry = entry | {"commitment": opened.commitment.hex(), "leaf_hash": leaf_hash(b"\x01" + opened.commitment).hex()}
    need(values == {
        "batches": log.batches, "log_vkey": str(keys[0]), "promise_vkey": str(keys[1]), "first_entry": entry,
        "witness_vkeys": [str(key) for key in keys[2:]], "origin": log.cp.origin, "size": log.cp.size,
        "root": log.cp.root.hex(), "older_size": older.size, "older_root": older.root.hex()}, "not what the files say")
    return "keys, roots, batches and an entry"


def show(text):
    """What others wrote may be anything but must not steer a terminal."""
    print("".join(mark if mark.isprintable() else ascii(mark)[1:-1] for mark in text))


def audit(options, say=show):
    """Checks everything that is there and says so; the exit code."""
    code = 0

    def step(name, check, *args):
        nonlocal code
        begin(name)
        try:
            say(f"right  {name}: {check(*args)}")
        except Undecided as undecided:
            code = 3
            say(str(undecided))
    try:
        log = Log(options.dir, options.policy)
        say(f"given  {options.policy}" if options.policy else "given  nothing: the policy in DIR is believed")
        step("checkpoint", log.check_checkpoint)
        step("tile/", log.check_tiles)
        if options.vectors or (log.directory / "keys").is_file():
            step("keys", log.check_keys)
        else:
            say("absent keys: for which sizes a log key signs is not checked")
        for name in log.names("disclosures", ".ndjson"):
            step(name, lambda: check_disclosure(log.read(name), log, pathlib.Path(name).stem))
        for check, given, own in ((check_dump, options.dump, ["dump.ndjson"]),
                                  (check_receipt, options.receipt, log.names("receipts", ".tlog-proof")),
                                  (check_promise, [], log.names("receipts", ".promise.json")),
                                  (check_evidence, options.evidence, ["evidence.tar"]),
                                  (check_older, [], ["older.checkpoint"]), (check_values, [], ["values.json"])):
            for name in given + own * options.vectors:
                step(name, lambda: check(log.read(name), log))
    except Wrong as wrong:
        say(str(wrong))
        return 1
    return code


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir", type=pathlib.Path, metavar="DIR")
    parser.add_argument("--policy", type=pathlib.Path, metavar="FILE")
    for name in "receipt", "dump", "evidence":
        parser.add_argument("--" + name, type=pathlib.Path, metavar="FILE", nargs="+", action="extend", default=[])
    parser.add_argument("--vectors", action="store_true")
    options = parser.parse_args()
    for name in [options.dir, options.policy or options.dir, *options.receipt, *options.dump, *options.evidence]:
        if not name.exists():
            parser.error(f"{name} is not there")
    return audit(options)


if __name__ == "__main__":
    sys.exit(main())
