"""Inference: the published figures, the calibration to them, its checks, and what rests on the parameters."""
