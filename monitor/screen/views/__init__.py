"""The views: bedside, central station, review, and the dialogs over them."""
