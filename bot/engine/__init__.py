"""The engine: one event in, the next state and effects out (`turn.step`). Pure and total.

Nothing is imported here: actions use leaves of the engine, and the engine uses the actions.
"""
