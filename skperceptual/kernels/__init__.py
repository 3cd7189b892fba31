"""The same mathematics as ``functional``, compiled, where speed matters on a CPU."""
