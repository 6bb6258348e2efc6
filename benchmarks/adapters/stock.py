"""What everybody builds first: TfidfVectorizer, words 1-2 and characters 2-5, and LogisticRegression per label.

    stock.py TRAINING.jsonl

Trained on the very rows that our words are trained on (JSON lines with `text` and `labels`); then JSON lines with
`text` in, JSON lines with `scores` out. As it comes, but for min_df, without which it does not fit into memory.
"""

import json
import sys
from itertools import islice

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_union

texts, labels = [], []
with open(sys.argv[1], encoding="utf-8") as lines:
    for line in lines:
        row = json.loads(line)
        texts.append(row["text"])
        labels.append(row["labels"])

union = make_union(
    TfidfVectorizer(ngram_range=(1, 2), min_df=3, dtype=np.float32),
    TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=10, dtype=np.float32),
)
x = union.fit_transform(texts).tocsr()
print(f"{x.shape[0]} texts, {x.shape[1]} features", file=sys.stderr, flush=True)
models = {}
for label in sorted({name for row in labels for name in row}):
    known = [number for number, row in enumerate(labels) if label in row]
    y = np.array([labels[number][label] >= 0.5 for number in known])
    if 0 < y.sum() < len(y):
        models[label] = LogisticRegression(max_iter=300).fit(x[known], y)
        print(f"{label}: {len(known)} texts", file=sys.stderr, flush=True)

while asked := list(islice(sys.stdin, 1000)):
    vectors = union.transform([json.loads(line)["text"] for line in asked])
    columns = {label: model.predict_proba(vectors)[:, 1] for label, model in models.items()}
    for number in range(len(asked)):
        print(json.dumps({"scores": {label: round(float(p[number]), 6) for label, p in columns.items()}}))
