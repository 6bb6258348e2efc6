"""Privacy: what is held on a person, exported and erased; and what is deleted after a while."""
