"""How this process and its channels fare, written down for all processes of the deployment."""
