"""The ground of every slice: problems, ids, times, signing, logs and the service's own addresses."""
