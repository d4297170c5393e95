#!/usr/bin/env python3
"""Damages the test vectors of the log, one byte at a time, and fails where verify.py does not find it.

usage: damage.py DIR-OF-VECTORS

Of every file the first byte, the last and about 40 between them are damaged in a copy. Exit codes: 0 all damage was
found, 1 some was not, 2 the command line.
"""
import argparse
import pathlib
import shutil
import sys
import tempfile

from verify import audit

PLACES = 40
FLIPS = 0x01, 0x20  # another character, and another case, which is an encoding that is not canonical


def places(size):
    return sorted({size * step // PLACES for step in range(PLACES)} | {0, size - 1})


def proves_nothing(name, data, place):
    """Comments of a policy are ignored (tlog-policy). All else is covered: an outgrown partial tile has to be the
    beginning of the one in its place, and toc.csv and the policy in evidence.tar stand in its signed manifest."""
    line = data[data.rfind(b"\n", 0, place) + 1:place + 1]
    return name == "policy" and line.startswith(b"#") and len(line) > 1 and data[place] != 0x0A


def options(copy, name=None):
    """All checks, or for the sake of time those that read one file and what it depends on."""
    late = name in ("values.json", "older.checkpoint") or str(name).endswith(".promise.json")
    given = {kind: [copy / name] if str(name) == own or str(name).startswith(own + "/") and not late else []
             for kind, own in (("dump", "dump.ndjson"), ("evidence", "evidence.tar"), ("receipt", "receipts"))}
    return argparse.Namespace(dir=copy, policy=None, vectors=name is None or late, **given)


def damaged(copy, name, data):
    """(places that were damaged, messages about those that were not found)."""
    count, missed = 0, []
    for place in places(len(data)):
        if proves_nothing(name, data, place):
            continue
        for flip in FLIPS:
            count += 1
            (copy / name).write_bytes(data[:place] + bytes([data[place] ^ flip]) + data[place + 1:])
            if audit(options(copy, name), lambda said: None) == 0:
                missed.append(f"missed  {name}, byte {place}, flipped by {flip:#04x}")
    (copy / name).write_bytes(data)
    return count, missed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir", type=pathlib.Path, metavar="DIR-OF-VECTORS")
    source = parser.parse_args().dir
    if not source.is_dir():
        parser.error(f"{source} is not a directory")
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "log"
        shutil.copytree(source, copy)
        if audit(options(copy)):
            return 1  # nothing can be said about damage to what is wrong already
        total, missed = 0, []
        for path in sorted(path for path in copy.rglob("*") if path.is_file()):
            count, more = damaged(copy, path.relative_to(copy).as_posix(), path.read_bytes())
            total, missed = total + count, missed + more
    print("\n".join(missed + [f"{total} damages, {len(missed)} not found"]))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
