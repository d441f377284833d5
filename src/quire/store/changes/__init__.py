"""The parts of one change, called in order by `write.py`: preconditions, steps, side effects."""
