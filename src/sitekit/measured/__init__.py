"""What is measured once and recorded: faults, models of others, accuracy, costs."""
