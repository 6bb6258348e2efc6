"""alt-profanity-check: JSON lines with `text` in, JSON lines with `scores` out. It was trained to find profanity."""

import json
import sys
from itertools import islice

from profanity_check import predict_prob

while lines := list(islice(sys.stdin, 1000)):
    for p in predict_prob([json.loads(line)["text"] for line in lines]):
        print(json.dumps({"scores": {"toxicity": round(float(p), 6)}}))
