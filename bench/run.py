# SPDX-License-Identifier: Apache-2.0 OR MIT
"""./dev bench [PART] [ARGS]: the figures of each part, beside its rivals in the same run. Without a name: all parts."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PARTS = {
    "sharing": "sharing.py",  # tables between processes
    "segment": "segment.py",  # new and recycled pages, building in place, handles
    "storage": "storage.py",  # counts, views, bitmaps
    "buffer": "buffer/run.py",  # vectors and their layers
    "pool": "pool/run.py",  # slots in shared memory
}


def main():
    names, rest = (sys.argv[1:2], sys.argv[2:]) if sys.argv[1:2] and sys.argv[1] in PARTS else (list(PARTS), sys.argv[1:])
    for name in names:
        subprocess.run([sys.executable, str(HERE / PARTS[name]), *rest], check=True)


if __name__ == "__main__":
    main()
