-- PostgreSQL keeps what is new of an inverted index on a list, which every search reads through: of 4 MB, half a second. Of
-- 128 kB, some milliseconds; whoever fills it puts it in its place.
-- only postgres
ALTER INDEX comments_by_text SET (gin_pending_list_limit = 128);
-- only postgres
ALTER INDEX comment_shorts_by_word SET (gin_pending_list_limit = 128);
