# SPDX-License-Identifier: LGPL-2.1-or-later
"""Evaluators with a bug in them: the text of one source file is changed at one place, the result is compiled and linked in
front of the library. The shipped sources know nothing of it; a text that is no longer there, once, is an error."""

import json
import pathlib
import shlex
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[2]

# name, source, what stands there, what is put instead
PLANTS = (
    (
        "systemd-sysctl reads hidden files",
        "src/system/winner.c",
        "!dirs.files[i].is_hidden",
        "true",
    ),
    (
        "the lower directory replaces the higher",
        "src/system/sysctl-dirs.c",
        "(x->rank > y->rank) - (x->rank < y->rank)",
        "(x->rank < y->rank) - (x->rank > y->rank)",
    ),
    (
        "procps: a later pattern beats what is named",
        "src/system/winner.c",
        " && !is_shielded(order, glob, path)",
        "",
    ),
    (
        "systemd-sysctl moves a key that gets the same value again",
        "src/system/winner.c",
        "is_same ? last->position : entry->position",
        "entry->position",
    ),
    (
        "/etc/sysctl.conf does not count",
        "src/system/winner.c",
        "/* by_systemd= */ false, /* by_procps= */ true",
        "false, false",
    ),
    (
        "the credential does not count",
        "src/system/winner.c",
        '"/run/credentials/systemd-sysctl.service/sysctl.extra"',
        '"/run/credentials/none"',
    ),
    (
        "a value that the kernel refuses is left there",
        "src/system/winner.c",
        "return spec->n_values > 1 ? 2 : 0;",
        "return 1;",
    ),
    (
        "procps takes a key behind a dash and a blank",
        "src/model/procps-conf.c",
        "key += dash;",
        "key += dash; key = strip_start(key);",
    ),
    (
        "a slash at the end does not matter to procps",
        "src/model/procps-conf.c",
        '(endswith(literal, "/") && !is_glob)',
        "false",
    ),
    (
        "a pattern's star goes over slashes",
        "src/model/sysctl-glob.c",
        "while (!ends(s)) {",
        "while (*s) {",
    ),
    (
        "links lead nowhere",
        "src/system/sysctl-dirs.c",
        "r >= 0 && i < LINKS_MAX",
        "r >= 0 && i < 0",
    ),
)  # fmt: skip


def compile_commands(builddir):
    commands = json.loads((builddir / "compile_commands.json").read_text(encoding="utf-8"))
    return {str((builddir / entry["file"]).resolve()): entry for entry in commands}


def link_command(builddir):
    """Of `predict`, as ninja would run it."""
    command = ["ninja", "-C", str(builddir), "-t", "commands", "tests/differential/predict"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return shlex.split(text.splitlines()[-1])


def swap_output(command, output, source=None):
    command = list(command)
    command[command.index("-o") + 1] = str(output)
    for option in ("-MF", "-MQ"):
        if option in command:
            command[command.index(option) + 1] = str(output) + ".d"
    if source:
        command[-1] = str(source)
    return command


def build(builddir, directory):
    """Makes all of them below `directory`; a dict of name and program."""
    commands = compile_commands(builddir)
    link = link_command(builddir)
    programs = {}
    for i, (name, source, old, new) in enumerate(PLANTS):
        text = (TOP / source).read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise SystemExit(f"plant '{name}': {source} has {text.count(old)} times: {old}")
        changed = directory / f"plant-{i}-{pathlib.Path(source).name}"
        changed.write_text(text.replace(old, new), encoding="utf-8")
        entry = commands[str(TOP / source)]
        command = entry.get("arguments") or shlex.split(entry["command"])
        run(swap_output(command, f"{changed}.o", changed) + ["-w"], entry["directory"])

        program = directory / f"plant-{i}"
        command = swap_output(link, program)
        run([*command[:1], f"{changed}.o", *command[1:]], builddir)
        programs[name] = str(program)
    return programs


def run(command, directory):
    result = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise SystemExit(f"{shlex.join(command)}\n{result.stderr}")
