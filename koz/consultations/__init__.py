"""Public consultations, arguments, votes, results."""
