"""The teaching page (``blinasim app``): what it computes and draws here, what it shows in ``screens``.

Only ``screens`` and ``main`` know Streamlit; everything else is pure functions. Nothing imports this room: the command
starts ``main.py`` by its path.
"""
