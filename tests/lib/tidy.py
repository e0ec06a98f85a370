#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tidy.py BUILD JOBS FILE...: clang-tidy on the files, in parallel, by BUILD/compile_commands.json.

A file that passed is not looked at again until something it is made of changes: its text after the
preprocessor (comments kept, so NOLINT counts), its compile command, .clang-tidy or the tool. A file that no
build target compiles is an error: nothing may slip through because the build does not know it.
"""

import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys

TIDY = "clang-tidy-14"


def command_of(entry):
    """The compile command as a preprocessor command, and its folder."""
    args = entry["arguments"] if "arguments" in entry else shlex.split(entry["command"])
    out, skip = [], False
    for a in args:
        if skip:
            skip = False
        elif a in ("-o", "-MF", "-MQ", "-MT"):
            skip = True
        elif a not in ("-c", "-MD", "-MMD") and not a.startswith("-fsanitize"):
            out.append(a)
    return out[:1] + ["-E", "-CC", "-P", "-w"] + out[1:], entry["directory"]


def key_of(path, entry, salt):
    cmd, cwd = command_of(entry)
    run = subprocess.run(cmd, cwd=cwd, capture_output=True, check=False)
    if run.returncode != 0:
        return None
    h = hashlib.sha256(salt)
    h.update("\0".join([path] + cmd).encode())
    h.update(run.stdout)
    return h.hexdigest()


def check(path, entry, build, cache, salt):
    key = key_of(path, entry, salt)
    stamp = key and os.path.join(cache, key)
    if stamp and os.path.exists(stamp):
        return path, 0, ""
    run = subprocess.run([TIDY, "--quiet", "-p", build, path], capture_output=True, text=True, check=False)
    if run.returncode == 0 and stamp:
        with open(stamp, "w", encoding="utf-8"):
            pass
    noise = ("warnings generated", "Suppressed ", "Use -header-filter", "warnings treated as errors", "warning generated")
    text = "\n".join(x for x in (run.stdout + run.stderr).splitlines() if not any(n in x for n in noise))
    return path, run.returncode, text


def new_findings(text, seen):
    """The findings that were not shown yet: one in a header comes again with every file that includes it."""
    keep, shown = [], True
    for line in text.splitlines():
        if re.search(r":\d+:\d+: (error|warning): ", line):
            place = os.path.basename(line.split(":", 1)[0]) + ":" + line.split(":", 1)[1]
            shown = place not in seen
            seen.add(place)
        if shown:
            keep.append(line)
    return "\n".join(keep)


def main(build, jobs, files):
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as f:
        entries = {os.path.realpath(os.path.join(e["directory"], e["file"])): e for e in json.load(f)}
    salt = b""
    for config in (".clang-tidy", "tests/.clang-tidy"):
        if os.path.exists(config):
            with open(config, "rb") as f:
                salt += f.read()
    salt += subprocess.run([TIDY, "--version"], capture_output=True, check=True).stdout
    cache = os.path.join(build, ".tidy-passed")
    os.makedirs(cache, exist_ok=True)
    failed = 0
    seen = set()
    known = []
    for path in files:
        if os.path.realpath(path) in entries:
            known.append(path)
        else:
            failed += 1
            print(f"{path}: no target of the build compiles it")
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        todo = [pool.submit(check, p, entries[os.path.realpath(p)], build, cache, salt) for p in known]
        for done in concurrent.futures.as_completed(todo):
            path, code, text = done.result()
            if code != 0:
                failed += 1
                text = new_findings(text, seen)
                print(f"== {path}\n{text}" if text else f"== {path}: as above", flush=True)
    print(f"{failed} of {len(files)} files with findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))
