"""Training: rows and decisions to models. Never imported while serving."""
