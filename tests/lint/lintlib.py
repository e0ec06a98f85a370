# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the lint scripts share.

A lint is a script with a function find(tree) that yields Finding(path, line, text), and a table PLANTED of
(name, files, wanted) cases: small trees and the number of findings each must give. main() runs either the
lint on the source tree or, with --self-test, the planted cases: a lint that finds nothing in a planted fault
fails, and so does one that finds something in a clean tree.

Exceptions stand in tests/lint/exceptions, one per line: LINT PATH REASON. A line whose file is gone is itself
a finding, so the table does not rot.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections import namedtuple

Finding = namedtuple("Finding", "path line text")
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Tree:
    """A source tree: its files, their text, the exceptions. Paths are relative, with slashes."""

    def __init__(self, root, files):
        self.root = root
        self.files = sorted(files)
        self._set = set(self.files)

    @classmethod
    def of_git(cls, root):
        """Tracked files, and new ones that are not ignored; every file where there is no git."""
        cmd = ["git", "-C", root, "ls-files", "-co", "-z", "--exclude-standard"]
        try:
            out = subprocess.run(cmd, check=True, capture_output=True).stdout
            names = [os.fsdecode(n) for n in out.split(b"\0") if n]
        except (OSError, subprocess.CalledProcessError):
            names = [os.path.relpath(os.path.join(d, n), root) for d, _, ns in os.walk(root) for n in ns]
            names = [n for n in names if not n.startswith((".git/", "build/"))]
        return cls(root, [n for n in names if os.path.isfile(os.path.join(root, n))])

    def exists(self, path):
        return path in self._set

    def match(self, pattern):
        """Files whose whole path matches the regular expression."""
        rx = re.compile(pattern)
        return [f for f in self.files if rx.fullmatch(f)]

    def text(self, path):
        with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as f:
            return f.read()

    def exceptions(self, lint):
        """{path: reason} of this lint's lines."""
        rows = {}
        if self.exists("tests/lint/exceptions"):
            for line in self.text("tests/lint/exceptions").splitlines():
                part = line.split(None, 2)
                if part and not line.startswith("#") and part[0] == lint:
                    rows[part[1]] = part[2] if len(part) > 2 else ""
        return rows


def c_code(text, keep_strings=False):
    """C source with comments (and strings, unless kept) blanked out; lines and columns stay."""

    def blank(m):
        s = m.group(0)
        if s.startswith(("/*", "//")):
            return re.sub(r"[^\n]", " ", s)
        if keep_strings:
            return s
        return s[0] + re.sub(r"[^\n]", " ", s[1:-1]) + s[-1]

    return re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", blank, text, flags=re.S)


def line_of(text, pos):
    return text.count("\n", 0, pos) + 1


def _report(findings):
    for f in findings:
        print(f"{f.path}:{f.line}: {f.text}")


def _stale_exceptions(tree, lint):
    for path, reason in tree.exceptions(lint).items():
        if not tree.exists(path):
            yield Finding("tests/lint/exceptions", 1, f"'{lint} {path}': there is no such file")
        elif not reason:
            yield Finding("tests/lint/exceptions", 1, f"'{lint} {path}': no reason given")


def _self_test(find, planted):
    mistakes = 0
    for name, files, wanted in planted:
        with tempfile.TemporaryDirectory() as root:
            for path, text in files.items():
                full = os.path.join(root, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "w", encoding="utf-8") as f:
                    f.write(text)
            got = list(find(Tree(root, files)))
        if len(got) != wanted:
            mistakes += 1
            print(f"self test '{name}': {wanted} findings wanted, {len(got)} found")
            _report(got)
    if not any(w == 0 for _, _, w in planted) or not any(w > 0 for _, _, w in planted):
        mistakes += 1
        print("self test: needs a clean tree and a planted fault")
    return mistakes


def main(find, planted):
    lint = os.path.basename(sys.argv[0])
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(1 if _self_test(find, planted) else 0)
    if sys.argv[1:2] == ["--help"] or len(sys.argv) > 2:
        print(f"usage: {lint} [--self-test | TREE]")
        sys.exit(0 if sys.argv[1:2] == ["--help"] else 64)
    tree = Tree.of_git(sys.argv[1] if len(sys.argv) == 2 else TOP)
    findings = list(find(tree)) + list(_stale_exceptions(tree, lint))
    _report(findings)
    sys.exit(1 if findings else 0)
