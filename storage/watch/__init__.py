"""How the processes of a deployment and their channels fare, as they write it down for each other."""
