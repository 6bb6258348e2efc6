"""better-profanity: JSON lines with `text` in, JSON lines with `scores` out. A word list: yes or no."""

import json
import sys

from better_profanity import profanity

profanity.load_censor_words()
for line in sys.stdin:
    print(json.dumps({"scores": {"toxicity": float(profanity.contains_profanity(json.loads(line)["text"]))}}))
