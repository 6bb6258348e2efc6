"""What WordPress does by itself, with a full block list: JSON lines with `text` in, JSON lines with `scores` out.

    rule_list.py WORDS.txt.gz [MAX_LINKS]

A listed word anywhere in the text or the author's fields, in any case, is 1 (`disallowed_keys`); MAX_LINKS links or more
(`comment_max_links`, by default 2) are 0.5, held; else 0. For spam and for toxicity alike: the rules do not tell them
apart.
"""

import gzip
import json
import re
import sys

LINK = re.compile(r"<a\s[^>]*href|https?://|www\.", re.IGNORECASE)

with gzip.open(sys.argv[1], "rt", encoding="utf-8") as lines:
    LISTED = {line.strip().lower() for line in lines if line.strip()}
LENGTHS = sorted({len(word) for word in LISTED})
MAX_LINKS = int(sys.argv[2]) if len(sys.argv) > 2 else 2


def listed(text: str) -> bool:
    """Does any listed word stand anywhere in the text, as a substring?"""
    return any(text[at : at + size] in LISTED for size in LENGTHS for at in range(len(text) - size + 1))


for line in sys.stdin:
    row = json.loads(line)
    fields = [row["text"], *row.get("author", {}).values()]
    if any(listed(field.lower()) for field in fields):
        said = 1.0
    else:
        said = 0.5 if len(LINK.findall(row["text"])) >= MAX_LINKS else 0.0
    print(json.dumps({"scores": {"spam": said, "toxicity": said}}))
