"""Fetches a file: `python download.py URL TO`. Gives up when nothing arrives for ten seconds."""

import shutil
import sys
import urllib.request

with urllib.request.urlopen(sys.argv[1], timeout=10) as source, open(sys.argv[2], "wb") as target:
    shutil.copyfileobj(source, target, 1 << 20)
