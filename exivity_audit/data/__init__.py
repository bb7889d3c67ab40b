"""Data files: the dated lifecycle table and the sample cluster of the demo."""
