-- Which changes of the rules were blocks from a comment. A day of those is one row, and none of them pushes a policy change out.
ALTER TABLE rule_versions ADD COLUMN bar INTEGER NOT NULL DEFAULT 0;
