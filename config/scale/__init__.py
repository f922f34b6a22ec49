"""Sites of any size for measuring: lived through in small by the engine, stamped out in large."""
