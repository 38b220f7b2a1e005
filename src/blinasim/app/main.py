"""The page's entry, which ``blinasim app`` starts with Streamlit: the screens, and what is common to them."""

from __future__ import annotations

import streamlit as st

from blinasim.app.screens import about, explore
from blinasim.app.screens.common import LOOK

st.set_page_config(page_title="blinasim", layout="wide", initial_sidebar_state="collapsed")
st.html(LOOK)
st.navigation(
    [
        st.Page(explore.show, title="Explore a policy", url_path="policy", default=True),
        st.Page(about.show, title="About and cite", url_path="about"),
    ],
    position="top",
).run()
