"""The conformance kit: our side of the channel `api`, played against an integrator's endpoint (`frontline channel-test`)."""
