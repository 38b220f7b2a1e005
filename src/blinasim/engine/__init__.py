"""Engines that walk patients through the clinic.

``des`` on SimPy is the reference and the code a teacher shows; ``fast`` on arrays is its double; ``choice`` stands
before both.
"""
