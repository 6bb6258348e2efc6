-- The cookies of browsers that have signed in before are made from it: a new one ends them all. Empty: no browser is known.
ALTER TABLE moderators ADD COLUMN device_seed TEXT NOT NULL DEFAULT '';
