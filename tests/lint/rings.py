#!/usr/bin/python3
"""A file of api/ includes its own ring and lower ones; rings 0 and 1 know
neither Kore nor libpq, so that unit tests and fuzzers link them alone."""

import pathlib
import re
import sys

RINGS = {"base": 0, "contract": 1, "io": 2, "app": 3}
OURS = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
FOREIGN = re.compile(r"^\s*#\s*include\s+<((?:kore/|libpq|pg_|postgres)[^>]*)>",
                     re.M)

home = pathlib.Path(__file__).resolve().parents[2]
faults = []
for file in sorted((home / "api").glob("*/*.[ch]")):
    own = file.parent.name
    name = file.relative_to(home)
    if own not in RINGS:
        faults.append(f"{name}: {own} is no ring")
        continue
    text = file.read_text(encoding="utf-8")
    for header in OURS.findall(text):
        ring, slash, _ = header.partition("/")
        if not slash or ring not in RINGS:
            faults.append(f'{name}: "{header}": write "<ring>/<file>.h"')
        elif RINGS[ring] > RINGS[own]:
            faults.append(f"{name}: ring {RINGS[own]} includes {header} "
                          f"of ring {RINGS[ring]}")
        elif not (home / "api" / header).exists():
            faults.append(f"{name}: {header} does not exist")
    if RINGS[own] < 2:
        faults += [f"{name}: ring {RINGS[own]} includes <{header}>"
                   for header in FOREIGN.findall(text)]
print("\n".join(faults))
sys.exit(bool(faults))
