-- The second look in each order of the queue. One comment in 32 is in these, until somebody decides on it.
CREATE INDEX comments_second_look ON comments (site, status, id) WHERE decided = 0 AND substr(id, 26, 1) = '0';
CREATE INDEX comments_second_look_worst ON comments (site, status, worst, id) WHERE decided = 0 AND substr(id, 26, 1) = '0';
CREATE INDEX comments_second_look_doubtful ON comments (site, status, doubt, id) WHERE decided = 0 AND substr(id, 26, 1) = '0';
CREATE INDEX comments_second_look_in_turn ON comments (site, status, turn, id) WHERE decided = 0 AND substr(id, 26, 1) = '0';
