# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compares what a kernel answered (tests/kernels/probe) with what the catalogue says of it.

    Kernel(name, release, first)     first: whether the keys were written in the kernel's first network namespace
    differences(row, seen, kernel)   yields Difference(key, kernel, what, wanted, seen), none when all is as the row says

Asked of every key: whether it is there (since, until, vendor, module), its mode, the default, the numbers at and beside
the ends of the kernel's range and the ends of the sane range with what is read back, the scope and what a new
namespace begins with.
"""

from typing import Any, NamedTuple

from plan import TEXTS, limits_of


class Kernel(NamedTuple):
    name: str           # for messages: "6.1"
    release: str        # as uname says it
    first: bool         # False: in a private namespace of the running kernel
    modules: Any        # names of the loaded modules; None: all that the catalogue knows

    @property
    def version(self):
        numbers = [int("".join(c for c in part if c.isdigit()) or 0) for part in self.release.split("-")[0].split(".")]
        return tuple((numbers + [0, 0])[:3])


class Difference(NamedTuple):
    key: str
    kernel: str
    what: str
    wanted: str
    seen: str

    def __str__(self):
        return f"{self.key} on {self.kernel}: {self.what}: wanted {self.wanted}, seen {self.seen}"


def numbers_of(text):
    return [int(word) for word in text.split()]


def is_there(row, kernel):
    """True, False, or None where the catalogue cannot tell: its module may be there or not."""
    version = kernel.version[:2]
    if row["vendor"] is not None:
        return False
    for release in row["backported"]:
        if version == release[:2]:
            return True if kernel.version >= release else None
    if row["since"] is not None and version < row["since"][:2] or row["until"] is not None and version >= row["until"][:2]:
        return False
    if row["module"] is not None and kernel.modules is not None and row["module"] not in kernel.modules:
        return None
    return True


def is_per_namespace(row, kernel):
    return row["scope"] == "netns" and (row["scope_since"] is None or kernel.version[:2] >= row["scope_since"][:2])


def on_kernel(row, field, kernel):
    """What a field says of this kernel: the field itself, or what it was in older ones."""
    for entry in row["older"]:
        if entry["field"] == field and kernel.version[:2] < entry["before"][:2]:
            return entry["was"]
    return row[field]


def same_value(row, wanted, got):
    """Whether `got` is how this kernel shows the numbers `wanted`, the row's rounding allowed."""
    try:
        numbers = numbers_of(got)
    except ValueError:
        return False
    if row["rounding"] == "jiffies-ms":
        return len(numbers) == 1 and wanted[0] <= numbers[0] < wanted[0] + 10
    if row["rounding"] == "pointer-page":
        return len(numbers) == 1 and wanted[0] <= numbers[0] < wanted[0] + 512
    return numbers == wanted


def shown_default(row, kernel):
    """The default in the words of the file, or None where it is no constant."""
    default = on_kernel(row, "default", kernel)
    if default is None:
        return None
    return " ".join(str(n) for n in default) if isinstance(default, list) else str(default)


def check_default(row, seen, kernel):
    # on a running kernel the administrator may have set what the first namespace has, and what is copied from it
    if not kernel.first and (not is_per_namespace(row, kernel) or row["new_namespace"] == "copied"):
        return
    wanted = shown_default(row, kernel)
    if wanted is not None and " ".join(seen["value"].split()) != wanted:
        yield "default", wanted, seen["value"]


def answers_of(seen):
    """number -> the answer to writing it, in every place."""
    return {numbers_of(write["put"])[0]: write for write in seen["writes"]}


def check_numbers(row, seen, kernel):
    low, high = on_kernel(row, "kernel", kernel)
    answers = answers_of(seen)
    for number in limits_of(row):
        write = answers.get(number)
        if write is None:
            yield f"writing {number}", "an answer", "none"
        elif low <= number <= high:
            if write["errno"] != "0":
                yield f"writing {number}", f"taken, the kernel's range is {low} to {high}", write["errno"]
            elif not same_value(row, [number] * row["values"], write["value"]):
                yield f"writing {number}", f"{number} read back", write["value"]
        # up to 5.10 a negative number is ignored where the file holds unsigned ones: not an error, and not taken
        elif write["errno"] != "EINVAL" and not (number < 0 and write["value"] == seen["value"]):
            yield f"writing {number}", f"EINVAL, the kernel's range is {low} to {high}", \
                f"{write['errno']}, {write['value']} read back"


def check_range(row, seen, kernel):
    low, high = on_kernel(row, "kernel", kernel)
    for write in seen["writes"]:
        numbers = numbers_of(write["put"])
        fits = low <= min(numbers) and max(numbers) <= high and (not row["ascending"] or numbers == sorted(numbers))
        if fits and (write["errno"] != "0" or numbers_of(write["value"]) != numbers):
            yield f"writing {write['put']}", "taken and read back", f"{write['errno']}, {write['value']}"
        elif not fits and write["errno"] != "EINVAL":
            yield f"writing {write['put']}", "EINVAL", f"{write['errno']}, {write['value']} read back"


def check_ports(row, seen, kernel):
    low, high = on_kernel(row, "kernel", kernel)
    for write in seen["writes"]:
        text = write["put"]
        fits = text == "" or not text.startswith("-") and all(low <= int(word) <= high for word in text.split("-"))
        if fits and (write["errno"] != "0" or write["value"] != text):
            yield f"writing '{text}'", "taken and read back", f"{write['errno']}, {write['value']}"
        elif not fits and write["errno"] != "EINVAL":
            yield f"writing '{text}'", "EINVAL", f"{write['errno']}, {write['value']} read back"


def check_texts(row, seen, kernel):
    for write in seen["writes"]:
        fits = write["put"] != TEXTS[row["key"]][-1]
        # what there is, and what a namespace may choose from, is the running machine's
        if fits and not kernel.first and write["put"] != TEXTS[row["key"]][0] and write["errno"] in ("ENOENT", "EPERM"):
            continue
        if fits and (write["errno"] != "0" or sorted(write["value"].split()) != sorted(write["put"].split())):
            yield f"writing {write['put']}", "taken and read back", f"{write['errno']}, {write['value']}"
        elif not fits and write["errno"] == "0":
            yield f"writing {write['put']}", "refused", f"taken, {write['value']} read back"


def check_writes(row, seen, kernel):
    if not seen["writes"]:
        return
    if not writable(seen["mode"]):
        for write in seen["writes"]:
            if write["errno"] != "EACCES":
                yield f"writing {write['put']}", "EACCES, the file is read-only", write["errno"]
        return
    by_type = {"range": check_range, "ports": check_ports, "string": check_texts, "strings": check_texts}
    yield from by_type.get(row["type"], check_numbers)(row, seen, kernel)


def writable(mode):
    return int(mode, 8) & 0o200 != 0


def check_scope(row, seen, kernel):
    child = seen["child"]
    if not is_per_namespace(row, kernel):
        wanted = on_kernel(row, "new_namespace", kernel) if row["scope"] == "host" else "absent"
        got = scope_of(seen)
        if got != wanted:
            yield "in a new namespace", wanted, got
    elif child["mode"] is None:
        yield "scope", "a file in a new namespace", "none"
    elif writable(seen["mode"]) and not writable(child["mode"]):
        yield "scope", "a file that a new namespace may write", f"mode {child['mode']}"
    elif seen["changed"] is not None and (child["errno"] != "0" or seen["parent"] != seen["changed"]):
        yield "scope", "a value of its own in a new namespace", \
            f"{child['errno']} there, {seen['changed']} became {seen['parent']} outside"


def scope_of(seen):
    """What a key is in a new namespace: absent, read-only, same (as outside) or own."""
    child = seen["child"]
    if child["mode"] is None:
        return "absent"
    if not writable(child["mode"]) or child.get("errno") in ("EACCES", "EPERM", "EROFS"):
        return "read-only"
    return "own" if seen["changed"] is not None and seen["parent"] == seen["changed"] else "same"


def check_once(row, seen, _kernel):
    """Settable: written by uid 0 without any capability."""
    once = seen.get("once")
    if once is not None and row["not_settable_because"] is None and once["errno"] != "0":
        yield "writing with no capability", "taken, as the row is settable", once["errno"]


def check_inheritance(row, seen, kernel):
    child = seen["child"]
    if not is_per_namespace(row, kernel) or child["mode"] is None or seen["changed"] is None:
        return
    if row["new_namespace"] == "default" and child["value"] != seen["value"]:
        yield "a new namespace begins with", seen["value"], child["value"]
    if row["new_namespace"] == "copied":
        outside = seen["changed"] if kernel.first else seen["first"]
        if child["value"] != outside:
            yield "a new namespace begins with", f"{outside}, copied", child["value"]


def differences(row, seen, kernel):
    def all_of():
        wanted = is_there(row, kernel)
        there = seen["mode"] is not None
        if wanted is not None and wanted != there:
            yield "exists", "yes" if wanted else "no", "yes" if there else "no"
        if not there:
            return
        if wanted and row["not_settable_because"] is None and not writable(seen["mode"]):
            yield "mode", "writable", seen["mode"]
        for check in (check_default, check_writes, check_scope, check_inheritance, check_once):
            yield from check(row, seen, kernel)

    for what, wanted, got in all_of():
        yield Difference(row["key"], kernel.name, what, str(wanted), str(got))
