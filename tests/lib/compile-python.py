#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compiles the named Python files, in memory: prints every syntax error, exit code 1 then."""

import sys

failed = False
for path in sys.argv[1:]:
    with open(path, "rb") as f:
        try:
            compile(f.read(), path, "exec")
        except SyntaxError as e:
            failed = True
            print(f"{path}:{e.lineno}: {e.msg}")
sys.exit(1 if failed else 0)
