"""What every slice stands on: problems, ids, times, what the secret key signs, our own addresses."""
