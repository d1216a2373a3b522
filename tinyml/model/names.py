"""Names of models as identifiers: what goes into paths, C and PlatformIO's files holds no surprise.

The one rule: at most 64 of the characters A-Z a-z 0-9 . _ -, of which the first is neither . nor -
and the last no dot. A model is named after its file or folder; what else that has becomes _.
"""

from __future__ import annotations

import re
import unicodedata

MOST_CHARACTERS = 64
IDENTIFIER = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9_-])?")


def identifier(text: str) -> str:
    """Return `text` as a name by the rule above; one that follows it is returned as it is.

    Letters with accents lose them. What has nothing to keep becomes "model".
    """
    if IDENTIFIER.fullmatch(text):
        return text
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    kept = re.sub(r"[^A-Za-z0-9._-]+", "_", plain).lstrip(".-")[:MOST_CHARACTERS].rstrip(".")
    return kept if kept.strip("_") else "model"
