"""What every answer passes, whichever interface gives it."""
