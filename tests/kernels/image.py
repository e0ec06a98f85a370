# SPDX-License-Identifier: LGPL-2.1-or-later
"""Initial file systems for virtual machines: a cpio archive of the "newc" form, written without any tool.

    image = Image()
    image.add_file("/init", path, 0o755)
    image.add_program("/usr/bin/x", path)     with the libraries that it is linked with
    image.add_library("libx.so.1")            the same for one that is loaded at run time
    image.add_modules(root, names)            kernel modules and what they depend on, as /modules/NN-NAME.ko
    image.write(path)

Modules are unpacked (xz), and what one needs is read from its own .modinfo section, so neither kmod nor cpio has to
be installed.
"""

import lzma
import os
import re
import stat
import subprocess


class Image:
    def __init__(self):
        self.entries = {}

    def add_bytes(self, name, content, mode=0o644):
        self._add_parents(name)
        self.entries[name] = (stat.S_IFREG | mode, content)

    def add_file(self, name, path, mode=0o644):
        with open(path, "rb") as file:
            self.add_bytes(name, file.read(), mode)

    def add_folder(self, name, mode=0o755):
        self._add_parents(name)
        self.entries[name] = (stat.S_IFDIR | mode, b"")

    def add_program(self, name, path):
        """A dynamically linked program: the loader looks its libraries up where they were here."""
        self.add_file(name, path, 0o755)
        linked = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
        for library in re.findall(r"(/\S+) \(0x", linked):
            if library not in self.entries:
                self.add_file(library, os.path.realpath(library), 0o755)

    def add_library(self, name):
        """A library that a program loads while it runs, with what it is linked with."""
        known = subprocess.run(["ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
        found = re.search(rf"^\t{re.escape(name)} .* => (/\S+)$", known, re.M)
        if found is None:
            raise FileNotFoundError(f"{name} is not installed")
        self.add_program(found[1], found[1])

    def add_modules(self, root, names):
        available = module_files(root)
        order = []
        for name in names:
            add_with_needs(name, available, order)
        for i, (name, content) in enumerate(order):
            self.add_bytes(f"/modules/{i:02}-{name}.ko", content)
        return [name for name, _ in order]

    def _add_parents(self, name):
        parent = os.path.dirname(name)
        while parent not in ("", "/"):
            self.entries.setdefault(parent, (stat.S_IFDIR | 0o755, b""))
            parent = os.path.dirname(parent)

    def write(self, path):
        with open(path, "wb") as file:
            for inode, name in enumerate(sorted(self.entries), 1):
                mode, content = self.entries[name]
                file.write(record(name.lstrip("/"), mode, content, inode))
            file.write(record("TRAILER!!!", 0, b"", 0))


def record(name, mode, content, inode):
    text = name.encode() + b"\0"
    numbers = (inode, mode, 0, 0, 2 if stat.S_ISDIR(mode) else 1, 0, len(content), 0, 0, 0, 0, len(text), 0)
    head = b"070701" + b"".join(b"%08x" % number for number in numbers)
    return padded(head + text) + padded(content)


def padded(data):
    return data + b"\0" * (-len(data) % 4)


def module_files(root):
    """name of a module -> its file; a module's name never has the dashes of its file."""
    files = {}
    for folder, _, names in os.walk(root):
        for name in names:
            if name.endswith((".ko", ".ko.xz")):
                files[name.split(".")[0].replace("-", "_")] = os.path.join(folder, name)
    return files


def add_with_needs(name, available, order):
    """Appends a module behind all that it needs, once. A module that this kernel does not have is built in, or is not
    there at all: then its keys are not there either, and the catalogue decides whether that is right."""
    if name not in available or name in [known for known, _ in order]:
        return
    with open(available[name], "rb") as file:
        content = file.read()
    if available[name].endswith(".xz"):
        content = lzma.decompress(content)
    needs = re.search(rb"\0depends=([^\0]*)\0", content)
    for need in needs[1].decode().split(",") if needs and needs[1] else ():
        add_with_needs(need.replace("-", "_"), available, order)
    order.append((name, content))
