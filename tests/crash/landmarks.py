# SPDX-License-Identifier: LGPL-2.1-or-later
"""The calls of a request after which recovery has something else to do: numbers from 1.

    at = Landmarks(calls, ("prepared", "commit", "done"))      the journal's frames that the request writes
    at.prepared, at.writes, at.fragment, at.decisive()
"""

READS = ("pread", "fstat", "close", "list", "readlink", "flock", "fsync", "fdatasync")


def changing(calls):
    """Behind the others the world is what it was before them."""
    return [n for n, call in enumerate(calls, 1)
            if call.split(" ")[0] not in READS and not call.startswith("open proc/")]


class Landmarks:
    def __init__(self, calls, frames):
        self.calls = calls
        # before them perhaps what a new journal file starts with
        self.frames = self._numbers("pwrite", "/journal", "/.journal.new")[-len(frames):]
        for name, number in zip(frames, self.frames):
            setattr(self, name, number)
        self.audit = self._numbers("pwrite", ".ndjson")
        # before PREPARED it is the rehearsal
        self.writes = [n for n in self._numbers("pwrite", "") if "/sys/net/" in calls[n - 1] and n > self.frames[0]]
        self.fragments = self._numbers("rename", "60-twprofile.conf") + self._numbers("unlink", "/60-twprofile.conf")
        self.run = self._numbers("rename", "/pending", "twprofile/status.json") + \
            self._numbers("unlink", "/pending")
        self.quarantine = [n for n, c in enumerate(calls, 1)
                           if c.split(" ")[0] in ("rename", "unlink") and "/quarantine/" in c]

    def _numbers(self, operation, *ends):
        return [n for n, c in enumerate(self.calls, 1) if c.startswith(operation + " ") and c.endswith(ends)]

    @property
    def middle_write(self):
        return self.writes[len(self.writes) // 2]

    @property
    def fragment(self):
        return self.fragments[0]

    @property
    def last_write(self):
        return self.writes[-1]

    def decisive(self):
        some = [self.writes[0], self.middle_write, self.last_write] if self.writes else []
        return sorted({*self.frames, *self.audit, *some, *self.fragments, *self.quarantine, *self.run})

    def deciding(self):
        return [n for n in changing(self.calls) if n >= self.frames[0]]
