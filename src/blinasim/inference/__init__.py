"""What was published, and (later) the calibration to it."""
