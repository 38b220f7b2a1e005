"""The screens of the page, one module each: widgets and layout, no computation."""
