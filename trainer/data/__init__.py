"""Annotated beats and rows: cut, kept on disk, and dealt out to a fit."""
