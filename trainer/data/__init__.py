"""Beats of annotated records, cut, cached and dealt out."""
