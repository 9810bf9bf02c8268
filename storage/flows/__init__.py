"""What the event log says of flows: how often what happened at each step, who was there, and what nobody caught."""
