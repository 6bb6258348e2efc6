"""The policy: rules, scores and thresholds that lead to a verdict, and what they got wrong."""
