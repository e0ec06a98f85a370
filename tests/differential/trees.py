# SPDX-License-Identifier: LGPL-2.1-or-later
"""Trees of sysctl.d files for the differential test: generated from a seed, or read from trees/*.tree.

A tree is a list of entries below "/" and the set of features that it has. Numbers are given out once in a tree wherever
the kernel's range allows, so that the value that is left tells the line that won.
"""

import random
import re

DIRECTORIES = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d")
CREDENTIAL = "/run/credentials/systemd-sysctl.service/sysctl.extra"
INTERFACE = "tw0.5"

# path below /proc/sys: kind of value, value before the tools run
KEYS = {
    "net/core/somaxconn": ("int", "4096"),
    "net/ipv4/tcp_fin_timeout": ("int", "60"),
    "net/ipv4/tcp_keepalive_time": ("int", "7200"),
    "net/ipv4/tcp_keepalive_intvl": ("int", "75"),
    "net/ipv4/tcp_max_tw_buckets": ("int", "131072"),
    "net/ipv4/tcp_max_syn_backlog": ("int", "512"),
    "net/ipv4/tcp_orphan_retries": ("byte", "0"),
    "net/ipv4/tcp_tw_reuse": ("choice", "2"),
    "net/ipv4/tcp_rmem": ("vector", "4096 131072 6291456"),
    "net/ipv4/ip_local_port_range": ("range", "32768 60999"),
    "net/ipv4/ip_local_reserved_ports": ("ports", ""),
    **{
        f"net/ipv4/conf/{name}/{key}": ("int", before)
        for key, before in (("tag", "1"), ("medium_id", "2"))
        for name in (INTERFACE, "default", "all")
    },
}
PATTERNS = (
    "net.ipv4.conf.*.tag",
    "net.ipv4.conf.*.t?g",
    "net/ipv4/conf/*/medium_id",
    "net.ipv4.conf.[ad]*.tag",
    "net.ipv4.conf.[!a]*.medium_id",
    "net/ipv4/conf/tw0.*/tag",
    "net.ipv4.conf.tw?/5.medium_i[c-e]",
    "net//ipv4/conf/*/tag",
    "/net/ipv4/conf/*/tag",
    "net/./ipv4/conf/*/medium_id",
    "net.ipv4.conf.*",
    "net.ipv4.conf.*.tag.",
    "net.ipv4.conf.\\*.tag",
    "net.ipv4.tcp_fin\\_time*",
    "net.ipv4.tcp_keepalive_[it]*",
    "net.ipv4.tcp_max_*",
    "net.ipv4.tcp_max_tw_bucket[[:alpha:]]",
    "net.*.tcp_fin_timeout",
    "net.core.somax*",
    "net.c?re.somaxconn",
    "net.*.somaxconn",
    "net.core.[somaxconn",
    "*/*/tcp_fin_timeout",
)
BAD = {
    "int": ("abc", "99999999999", "12x", "", "1.5", "--3", "5,6"),
    "byte": ("abc", "256", "99999999999", "", "7x"),
    "choice": ("3", "9", "-1", "on", ""),
    "vector": ("abc", "x 1 2", ""),
    "range": ("abc", "60000 20000", ""),
    "ports": ("70000", "9-5", "abc", "10-"),
}

# of lines and of files; of those in FILE_FEATURES a tree has one file each
LINE_FEATURES = (
    "assignment", "comment", "semicolon", "dash", "dash_blank", "double_dash", "exclusion", "exclusion_repeats_glob",
    "exclusion_glob", "glob", "glob_repeated", "glob_and_explicit", "slashes", "mixed_separators",
    "repeated_separators", "separator_at_end", "separator_at_start", "dot_parts", "duplicate", "same_value", "refused",
    "partial", "trailing_comment", "no_equals", "blanks", "odd_blanks", "nul", "lone_cr", "octal_and_hex", "unknown_key",
)  # fmt: skip
FILE_FEATURES = (
    "same_basename", "mask", "link", "absolute_link", "dangling_link", "link_to_directory", "link_loop", "directory",
    "unreadable", "hidden", "other_suffix", "crlf", "bom", "no_final_newline", "sysctl_conf", "sysctl_conf_linked",
    "credential", "run", "usr_local", "usr_lib", "empty_file", "long_line",
)  # fmt: skip
SHARE = 0.36  # of trees that have a feature


def swap(path):
    return path.translate(str.maketrans("./", "/."))


class Entry:
    def __init__(self, path, kind, data=b""):
        self.path = path
        self.kind = kind  # file, unreadable, link, directory
        self.data = data  # bytes of a file, target of a link


class Tree:
    def __init__(self, name):
        self.name = name
        self.entries = []
        self.features = set()
        self.expected = []  # (tool, key, value), of trees made by hand

    def add(self, path, kind, data=b""):
        if all(entry.path != path for entry in self.entries):
            self.entries.append(Entry(path, kind, data))

    def text(self):
        for entry in self.entries:
            if entry.kind in ("file", "unreadable"):
                shown = [line[:100] for line in entry.data.split(b"\n")[:40]]
                yield f"{entry.kind} {entry.path}"
                yield from (f"    {number:3} {line!r}" for number, line in enumerate(shown, 1))
            else:
                yield f"{entry.kind} {entry.path} {entry.data.decode() if entry.data else ''}"


class Maker:
    """Makes one tree."""

    def __init__(self, seed, number):
        self.random = random.Random(f"{seed}/{number}")
        self.tree = Tree(f"{seed}/{number}")
        self.count = 0

    def key(self, *kinds):
        return self.random.choice([path for path, (kind, _) in KEYS.items() if not kinds or kind in kinds])

    def value(self, path):
        self.count += 1
        kind = KEYS[path][0]
        if kind == "choice":
            return str(self.count % 3)
        if kind == "byte":
            return str(1 + self.count % 250)
        if kind == "vector":
            return f"4096 {self.random.choice((' ', chr(9), ''))}{8192 + self.count} 6291456"
        if kind == "range":
            return f"{20000 + self.count}{self.random.choice((' ', chr(9)))}{40000 + self.count}"
        if kind == "ports":
            return f"{3000 + self.count}-{3500 + self.count},{1000 + self.count}"
        return str(200 + self.count)

    def spell(self, path):
        return self.random.choice((swap(path), swap(path), path))

    def assign(self, path, value=None, key=None, dash=""):
        equals = self.random.choice((" = ", "=", "= ", "\t=\t"))
        return f"{dash}{key or self.spell(path)}{equals}{self.value(path) if value is None else value}"

    def pattern(self):
        self.count += 1
        return f"{self.random.choice(PATTERNS)} = {200 + self.count}"

    # one or several lines for each feature of lines

    def line_assignment(self):
        return [self.assign(self.key())]

    def line_comment(self):
        return [self.random.choice(("#", "  # ", "\t#")) + self.assign(self.key())]

    def line_semicolon(self):
        return [self.random.choice((";", "  ; ")) + self.assign(self.key())]

    def line_dash(self):
        path = self.key()
        return [self.assign(path, dash="-"), self.assign(self.key("int"), value="bad", dash="-")]

    def line_dash_blank(self):
        return [self.assign(self.key(), dash=self.random.choice(("- ", "-\t")))]

    def line_double_dash(self):
        return [self.random.choice(("--", "---", "-- ")) + self.assign(self.key())]

    def line_exclusion(self):
        return ["-" + self.spell(self.key(*self.random.choice(((), ("int",)))))]

    def line_exclusion_repeats_glob(self):
        pattern = self.pattern()
        return [pattern, "-" + pattern.split(" ")[0]]

    def line_exclusion_glob(self):
        return ["-" + self.random.choice(PATTERNS)]

    def line_glob(self):
        return [self.pattern() for _ in range(self.random.randint(1, 3))]

    def line_glob_repeated(self):
        first, second = self.pattern(), self.pattern()
        again = first if self.random.random() < 0.5 else first + "1"
        return [first, second, again]

    def line_glob_and_explicit(self):
        lines = [self.pattern(), self.assign(self.key("int"))]
        self.random.shuffle(lines)
        return lines

    def line_slashes(self):
        path = self.key()
        return [self.assign(path, key=path)]

    def line_mixed_separators(self):
        path = self.key()
        cut = path.index("/", path.index("/") + 1) if path.count("/") > 1 else path.index("/")
        mixed = self.random.choice((swap(path[:cut]) + path[cut:], path[:cut] + swap(path[cut:])))
        return [self.assign(path, key=mixed)]

    def line_repeated_separators(self):
        path = self.key()
        spelled = self.random.choice((path.replace("/", "//", 1), path.replace("/", "///")))
        return [self.assign(path, key=self.random.choice((spelled, swap(spelled))))]

    def line_separator_at_end(self):
        path = self.key() + self.random.choice(("/", "//", "/."))
        return [self.assign(path.rstrip("/."), key=self.random.choice((path, swap(path))))]

    def line_separator_at_start(self):
        path = self.key()
        spelled = self.random.choice(("/", "//", "/./")) + path
        return [self.assign(path, key=self.random.choice((spelled, swap(spelled))))]

    def line_dot_parts(self):
        path = self.key()
        spelled = self.random.choice((path.replace("/", "/./"), path.replace("net/", "net/../net/"), "./" + path))
        return [self.assign(path, key=spelled)]

    def line_duplicate(self):
        path = self.key()
        return [self.assign(path) for _ in range(self.random.randint(2, 3))]

    def line_same_value(self):
        path = self.key()
        value = self.value(path)
        return [self.assign(path, value), self.assign(path), self.assign(path, value)]

    def line_refused(self):
        path = self.key(*BAD)
        return [self.assign(path), self.assign(path, value=self.random.choice(BAD[KEYS[path][0]]))]

    def line_partial(self):
        path = self.key("vector", "range")
        return [self.assign(path, value=self.random.choice(("5000", "5000 x", "5000 9000")))]

    def line_trailing_comment(self):
        path = self.key("int", "vector", "range", "ports")
        return [self.assign(path, value=self.value(path) + self.random.choice((" # why", " ; why", " 9")))]

    def line_no_equals(self):
        return [self.random.choice(("foo", swap(self.key()) + " 5", "[section]", "a", "=", "-", "= 5", "-="))]

    def line_blanks(self):
        return ["", " \t ", "  " + self.assign(self.key()) + " \t "]

    def line_odd_blanks(self):
        line = self.assign(self.key())
        return [self.random.choice(("\v" + line, line + "\f", line.replace("=", "\v=", 1)))]

    def line_nul(self):
        return [self.assign(self.key()) + "\0" + self.assign(self.key()), self.assign(self.key())]

    def line_lone_cr(self):
        return [self.assign(self.key()) + "\r" + self.assign(self.key())]

    def line_octal_and_hex(self):
        path = self.key("int")
        self.count += 1
        return [self.assign(path, value=self.random.choice((hex(200 + self.count), f"0{200 + self.count:o}")))]

    def line_unknown_key(self):
        return ["net.ipv4.no_such_key = 5", "kernel.not_here = 6", "swappiness = 7"]

    # files

    def content(self, lines, crlf=False):
        self.random.shuffle(lines)
        flat = [line for group in lines for line in group]
        end = "\r\n" if crlf else "\n"
        return "".join(line + end for line in flat).encode()

    def lines(self, n=2):
        return self.content([self.line_assignment() for _ in range(n)])

    def name(self):
        return f"{self.random.randint(0, 99):02}-{self.random.choice('abcdXYZ')}.conf"

    def path(self, name=None):
        return f"{self.random.choice(DIRECTORIES)}/{name or self.name()}"

    def file_same_basename(self):
        name = self.name()
        for directory in self.random.sample(DIRECTORIES, 2):
            self.tree.add(f"{directory}/{name}", "file", self.lines())

    def file_mask(self):
        name = self.name()
        high, low = sorted(self.random.sample(range(4), 2))
        self.tree.add(f"{DIRECTORIES[high]}/{name}", "link", b"/dev/null")
        self.tree.add(f"{DIRECTORIES[low]}/{name}", "file", self.lines())

    def shadowing(self, kind, target=b""):
        """Something odd in a higher directory, over a file in a lower one."""
        name = self.name()
        high, low = sorted(self.random.sample(range(4), 2))
        path = f"{DIRECTORIES[high]}/{name}"
        self.tree.add(path, kind, target or path.encode())
        self.tree.add(f"{DIRECTORIES[low]}/{name}", "file", self.lines())

    def file_link(self):
        self.tree.add("/etc/sysctl.d/target", "file", self.lines())
        self.tree.add("/etc/sysctl.d/" + self.name(), "link", self.random.choice((b"target", b"../sysctl.d/target")))

    def file_absolute_link(self):
        self.tree.add("/run/elsewhere", "file", self.lines())
        self.tree.add("/run/again", "link", b"/run/elsewhere")
        self.tree.add(self.path(), "link", self.random.choice((b"/run/elsewhere", b"/run/again")))

    def file_dangling_link(self):
        self.shadowing("link", b"/nowhere/at/all")

    def file_link_to_directory(self):
        self.shadowing("link", b"/run")

    def file_link_loop(self):
        self.shadowing("link")

    def file_directory(self):
        self.shadowing("directory", b"-")

    def file_unreadable(self):
        self.shadowing("unreadable", self.lines())

    def file_hidden(self):
        self.tree.add(self.path("." + self.name()), "file", self.lines())

    def file_other_suffix(self):
        suffix = self.random.choice(("~", ".bak", ".dpkg-new", "x"))
        self.tree.add(self.path(self.name() + suffix), "file", self.lines())

    def file_crlf(self):
        self.tree.add(self.path(), "file", self.content([self.line_assignment(), self.line_glob()], crlf=True))

    def file_bom(self):
        self.tree.add(self.path(), "file", b"\xef\xbb\xbf" + self.lines())

    def file_no_final_newline(self):
        self.tree.add(self.path(), "file", self.lines()[:-1])

    def file_sysctl_conf(self):
        self.tree.add("/etc/sysctl.conf", "file", self.lines(3))

    def file_sysctl_conf_linked(self):
        self.tree.add("/etc/sysctl.conf", "file", self.lines(3))
        self.tree.add("/etc/sysctl.d/99-sysctl.conf", "link", b"../sysctl.conf")

    def file_credential(self):
        self.tree.add(CREDENTIAL, "file", self.lines())

    def file_run(self):
        self.tree.add("/run/sysctl.d/" + self.name(), "file", self.lines())

    def file_usr_local(self):
        self.tree.add("/usr/local/lib/sysctl.d/" + self.name(), "file", self.lines())

    def file_usr_lib(self):
        self.tree.add("/usr/lib/sysctl.d/" + self.name(), "file", self.lines())

    def file_empty_file(self):
        self.shadowing("file", b"\n")

    def file_long_line(self):
        # systemd-sysctl gives a file up at a line of 1 MiB; that is slow, so most are shorter
        n = self.random.choice((3000, 5000, 70000, 300000 if self.random.random() < 0.9 else 1 << 20))
        long = self.random.choice(("# ", "net.ipv4.x = ", "-")) + "y" * n
        self.tree.add(self.path(), "file", self.lines(1) + long.encode() + b"\n" + self.lines(1))

    def make(self):
        wanted = [name for name in LINE_FEATURES + FILE_FEATURES if self.random.random() < SHARE]
        self.tree.features.update(wanted)
        self.random.shuffle(wanted)
        files = {}
        for name in wanted:
            if name in FILE_FEATURES:
                getattr(self, "file_" + name)()
            else:
                files.setdefault(self.random.randint(0, 3), []).append(getattr(self, "line_" + name)())
        for group in files.values():
            path = self.path()
            while any(entry.path == path for entry in self.tree.entries):
                path = self.path()
            self.tree.add(path, "file", self.content(group))
        return self.tree


def generate(seed, number):
    return Maker(seed, number).make()


def read(path):
    """A tree made by hand: `file PATH`, then its lines behind "| " with Python's escapes; `unreadable PATH` likewise;
    `link PATH TARGET`; `directory PATH`; `expect TOOL KEY VALUE`; comments with #."""
    tree = Tree(path.name)
    for number, line in enumerate(path.read_text(encoding="ascii").splitlines(), 1):
        words = line.split(maxsplit=3)
        if line.startswith("| ") or line == "|":
            tree.entries[-1].data += line[2:].encode().decode("unicode_escape").encode("latin-1") + b"\n"
        elif not words or words[0] == "#" or line.startswith("#"):
            continue
        elif words[0] in ("file", "unreadable", "directory") and len(words) == 2:
            tree.add(words[1], words[0])
        elif words[0] == "link" and len(words) == 3:
            tree.add(words[1], "link", words[2].encode())
        elif words[0] == "expect" and len(words) >= 3 and re.fullmatch("systemd|procps", words[1]):
            tree.expected.append((words[1], words[2], words[3] if len(words) > 3 else ""))
        else:
            raise SystemExit(f"{path}:{number}: not understood: {line}")
    return tree
