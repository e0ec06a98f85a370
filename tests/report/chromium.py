# SPDX-License-Identifier: LGPL-2.1-or-later
"""Debian's Chromium on one file, headless, without a network: in a namespace of its own where that is allowed."""

import os
import shutil
import struct
import subprocess
import zlib

PROGRAM = "chromium"
TIMEOUT_S = 180


def missing():
    """Why it cannot run here, or nothing."""
    return "" if shutil.which(PROGRAM) else "no chromium here (Debian's package chromium)"


def run(folder, path, *options):
    """Standard output, and what it complains of."""
    command = [
        PROGRAM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
        "--force-device-scale-factor=1", "--enable-logging=stderr", "--user-data-dir=" + os.path.join(folder, "profile"), *options, "file://" + path,
    ]
    alone = ["unshare", "--net"] if subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode == 0 else []
    environment = {"PATH": "/usr/bin:/bin", "HOME": folder, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    result = subprocess.run(alone + command, capture_output=True, env=environment, stdin=subprocess.DEVNULL, timeout=TIMEOUT_S, check=False)
    errors = result.stderr.decode(errors="replace")
    if result.returncode != 0:
        raise RuntimeError(f"chromium ended with {result.returncode}: {errors[-2000:]}")
    # its own pages (chrome://) talk there as well
    return result.stdout.decode(), [line for line in errors.splitlines() if "CONSOLE" in line and "source: chrome://" not in line]


def picture(folder, path, out, width, height, dark=False):
    options = [f"--window-size={width},{height}", "--screenshot=" + out]
    # 0 is dark, 1 is light (blink/public/mojom/css/preferred_color_scheme.mojom)
    return run(folder, path, *options, f"--blink-settings=preferredColorScheme={0 if dark else 1}")[1]


def png_pixels(path):
    """Width, height, and the inflated lines of a PNG."""
    with open(path, "rb") as file:
        data = file.read()
    assert data[:8] == b"\x89PNG\r\n\x1a\n", "no PNG"
    width, height = struct.unpack(">II", data[16:24])
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        packed += data[at + 8:at + 8 + length] if kind == b"IDAT" else b""
        at += length + 12
    return width, height, zlib.decompress(packed)
