"""Engines that walk patients through the clinic: ``des`` on SimPy, the reference and the code a teacher shows."""
