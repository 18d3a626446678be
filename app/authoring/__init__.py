"""Instructors write exercises; the proof gate says whether one may be published."""
