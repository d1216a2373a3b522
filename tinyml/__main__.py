"""`python -m tinyml`, the same as the `tinyml` command."""

from __future__ import annotations

import sys

from tinyml.cli import main

sys.exit(main())
