-- What was taken out of a text, and not yet out of the files: the rows of before it, the full-text index, the log of writes.
-- A row goes once that is done (`db/secure_delete.py`). It is in no backup, which holds none of them.
CREATE TABLE scrubs (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (site, id)
);
