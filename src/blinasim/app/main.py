"""The page's entry, which ``blinasim app`` starts with Streamlit: the screens, and what is common to them."""

from __future__ import annotations

import streamlit as st

from blinasim.app.screens import about, design, explore, illusion, story, trial_view
from blinasim.app.screens.common import LOOK

st.set_page_config(page_title="blinasim", layout="wide", initial_sidebar_state="collapsed")
st.html(LOOK)
pages = [
    st.Page(explore.show, title="Explore a policy", default=True),
    st.Page(story.show, title="A patient's story", url_path="story"),
    st.Page(trial_view.show, title="What the trial saw", url_path="trial"),
    st.Page(illusion.show, title="The transplant illusion", url_path="illusion"),
    st.Page(design.show, title="Design a trial", url_path="design"),
    st.Page(about.show, title="About and cite", url_path="about"),
]
# Streamlit's own menu covers half of a phone and stays there; these links wrap.
page = st.navigation(pages, position="hidden")
with st.container(horizontal=True, gap="small"):
    for link in pages:
        st.page_link(link, width="content")
page.run()
