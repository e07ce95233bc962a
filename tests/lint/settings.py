#!/usr/bin/python3
"""The start scripts and the service name the same settings with the same
defaults (conf/settings, api/base/config.c)."""

import pathlib
import re
import sys

HOME = pathlib.Path(__file__).resolve().parents[2]
scripts = {}
for line in (HOME / "conf/settings").read_text().splitlines():
    if line and not line.startswith("#"):
        name, default, _ = line.split("|", 2)
        scripts[name] = default
service = dict(re.findall(
    r'(?:SCRIPT_[A-Z]+|WORD)\("(DUDAO_[A-Z_]+)",(?:\s*environment,)?\s*"([^"]*)"',
    (HOME / "api/base/config.c").read_text()))
faults = [f"{name}: conf/settings and api/base/config.c differ"
          for name in scripts if service.get(name) != scripts[name]]
readme = (HOME / "README.md").read_text()
faults += [f"{name}: not in the README's table, or with another default"
           for name, default in service.items()
           if not re.search(rf"^\| `{name}` \| "
                            rf"(?:`{re.escape(default)}`|\(required\)|) \|",
                            readme, re.M)]
print("\n".join(faults))
sys.exit(bool(faults))
