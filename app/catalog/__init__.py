"""What there is to practise: exercises, their revisions, and the catalogue page."""
