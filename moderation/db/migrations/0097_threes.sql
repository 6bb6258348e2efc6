-- The same sets of three letters, read once from the front. By subscripts each letter was looked for from the beginning of the
-- text: 10,000 letters took PostgreSQL 8 to 17 seconds, while nobody else could write.
-- only postgres
CREATE OR REPLACE FUNCTION threes(said text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10000 AS
$$ SELECT array_agg(DISTINCT a || b || c) FROM ROWS FROM (unnest(string_to_array(lower(said), NULL)),
unnest(string_to_array(substr(lower(said), 2), NULL)), unnest(string_to_array(substr(lower(said), 3), NULL))) AS s(a, b, c)
WHERE c IS NOT NULL $$;
