# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tools behind docs/crash-matrix.md: what each does, by which suite it runs, what it cannot see.

A suite leaves BUILD/crash-counts/NAME-FORM.jsonl for each of its tools (tests/lib/counts.sh).
"""

from collections import namedtuple

FORMS = ("short", "long")

# kind: what its faults are counted as in the table of verbs; None: told by the fault's own words
Tool = namedtuple("Tool", "name suite title kind crossed what blind")

TOOLS = (
    Tool("engine-model", "52-model", "The exhaustive search", None, False,
         "Drives the engine's own functions on a simulated machine (`tests/model`): a disk with a volatile and a durable half, "
         "a kernel with two keys, a clock. A history is requests, each possibly killed before any call that changes something, "
         "or its power cut there, or a key written by somebody else before any call; recovery, boot and the guard are killed "
         "and cut off too. A power cut is every combination of a prefix of each file's unflushed writes and of each "
         "directory's unflushed changes, as far as the search's `--cuts` goes. Wherever nothing runs, two live values, the "
         "fragment and the public status have to be what the answers promised.",
         "What a real kernel and file system do otherwise than modelled; a write that reached the disk in part; two programs at "
         "once; anything that needs more requests, crashes or keys than a history has. Where a cut has more outcomes than "
         "`--cuts` they are drawn evenly: 16 with two crashes, 4 with two requests. What somebody else writes between the "
         "engine's look at a key and its own write is the kernel's race and outside every promise."),
    Tool("fault-matrix", "52-model", "An error at every call", "error", True,
         "On the same simulated machine each call that the engine makes to the world fails once, and from there on for ever, "
         "with each error; so does each allocation, of the libraries too; before each call of a request somebody else "
         "writes a key. A flush that failed has lost what it was to flush. Then the fault is gone, "
         "recovery runs, and the power goes off. The answer has to be true, and in the end everything is old or new. "
         "*key:* are errors of the sysctl files alone, *short* is a read or write of half the bytes.",
         "Two different errors in one request; an error and a foreign write in one. The short form takes only each 11th allocation "
         "and one outcome of each power cut, the long one eight."),
    Tool("crash-matrix", "50-crash", "SIGKILL before and after every call", "killed", False,
         "Kills the real engine on the real kernel in a namespace of its own, runs the real `twprofile-helper recover`, and "
         "lets a judge decide that shares no code with the engine (`tests/crash/judge.py`): it reads `/proc/sys/net`, the "
         "fragment, the journal's bytes, the generations, the public view and the audit chain by itself.",
         "Power cuts: the page cache survives a SIGKILL. Its short form does not kill at every call of every scenario twice."),
    Tool("crash-images", "53-images", "Crash images of real file systems", "power cut, file system", False,
         "All durable files lie on a fresh ext4 in a file, which itself lies on an XFS with reflinks. While the engine makes "
         "one change after the other, the file is cloned at random instants, most of them near a write, rename or flush: "
         "that is what the block device held at one moment. Each clone is mounted, its file system replays its journal, the "
         "machine starts from it, `twprofile-helper boot` runs, and the judge looks. Everything acknowledged before has to "
         "be there, of the change in flight all or nothing, and recovery done again finds nothing to do.",
         "A disk that reorders or loses writes between two flushes, or lies about flushes: what ext4 has given to the block "
         "device is there. Other file systems. The instants are drawn by chance, not all of them."),
    Tool("power-cut", "54-power", "A whole machine cut off", "power cut, machine", False,
         "Kills qemu in the middle of changes and boots it again from its disk; then the judge looks.",
         "What the host's own page cache keeps for qemu: the host is never cut off. The moments are drawn by chance."),
    Tool("races", "51-races", "64 callers and a foreign writer", "race", False,
         "Callers mix all verbs at the same time while a foreign program writes the same keys; the history they were told is "
         "checked against the order of the journal and against the model.",
         "Orders that the scheduler never chose."),
    Tool("window", "46-window", "The guard of a confirmation window killed", "killed", False,
         "In a booted container the guard is killed 400 times in one window, and stopped, and its path unit taken away; the "
         "value comes back at the deadline all the same.",
         "Kills at chosen calls of the guard: the exhaustive search and the matrix of kills do that."),
    Tool("faults", "35-faults", "What goes wrong on a host", "error", False,
         "The real programs in a world of their own: full disks, a read-only `/etc`, keys that refuse, two callers at once, a "
         "killed helper. One clear message, the documented exit code, the old state intact.",
         "Each is one moment, chosen by hand."),
)

# What the search and at least one other tool must find: name, what is planted. (A kill alone shows no missing flush.)
SEARCH = "engine-model"
FAULTS = (
    ("commit-unflushed", "the flush of the COMMIT frame does nothing"),
    ("fragment-unflushed", "the flush of the fragment's temporary file does nothing"),
    ("act-unflushed", "recovery acts on a journal that it did not flush"),
    ("blind-write", "a key is written without looking whether somebody else changed it"),
    ("blind-restore", "a value is put back whatever stands there now"),
    ("old-boot-id", "a confirmation does not look whether the machine was started again"),
    ("no-redo", "what was committed is not done again after a boot"),
)

# Verbs and situations in the order of the page; the first pattern that a scenario's name contains decides.
VERBS = (
    ("rollback in a window", r"rollback in a window|take back"),
    ("recovery", r"recover"),
    ("boot", r"\bboot"),
    ("guard: revert at the deadline", r"guard|deadline|unconfirmed"),
    ("confirm", r"confirm(?!-within)"),
    ("enable with a window", r"window|confirm-within|--runtime"),
    ("disable", r"disable"),
    ("rollback", r"rollback|origin"),
    ("enable another", r"another|replace|--only"),
    ("enable", r"enable"),
)
VERB_ORDER = ("enable", "enable another", "disable", "rollback", "enable with a window", "confirm", "rollback in a window",
              "guard: revert at the deadline", "recovery", "boot", "at rest, or several at once")

KINDS = (
    ("killed", r"kill"),
    ("power cut", r"power"),
    ("foreign write", r"foreign"),
    ("none", r"^nothing$"),
)
KIND_ORDER = ("killed", "error", "power cut", "power cut, file system", "power cut, machine", "foreign write", "race")


def by_name(name):
    return next((tool for tool in TOOLS if tool.name == name), None)
