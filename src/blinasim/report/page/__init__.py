"""``report.html``: what was asked, the answer in words, figures and tables, and how to repeat it, in one file."""
