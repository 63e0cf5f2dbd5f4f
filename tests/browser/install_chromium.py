"""Make sure that a Chromium for the browser tests is there: Debian's, by apt where that may be."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

ADVICE = (
    "The browser tests need Chromium and it is not installed. As root, run:\n"
    "    apt-get update && apt-get install --yes chromium\n"
    "or set TEST_WITHOUT_BROWSER=1 to leave the browser tests out."
)


def main() -> int:
    """Return 0 when Chromium is there, was installed, or is not wanted; else say what to do."""
    if os.environ.get("TEST_WITHOUT_BROWSER") == "1" or shutil.which("chromium"):
        return 0
    if shutil.which("apt-get") and os.geteuid() == 0:
        quiet = {
            "stdout": subprocess.DEVNULL,
            "env": os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        }
        subprocess.run(["apt-get", "update"], check=False, **quiet)  # type: ignore[call-overload]
        subprocess.run(["apt-get", "install", "--yes", "chromium"], check=False, **quiet)  # type: ignore[call-overload]
    if shutil.which("chromium"):
        return 0
    print(ADVICE, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
