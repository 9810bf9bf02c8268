"""Reports: a month of history, counted twice."""
