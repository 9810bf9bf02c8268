"""What routing keeps: presence of people, who had which session when, what was decided and why, why somebody waits."""
