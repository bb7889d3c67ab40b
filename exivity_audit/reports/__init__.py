"""Renderers: each turns one Scorecard into text, a page or JSON, and counts nothing itself."""
