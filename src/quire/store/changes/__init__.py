"""The parts of one change, called in order by `write.py`: what comes before it, its steps, what it leaves behind."""
