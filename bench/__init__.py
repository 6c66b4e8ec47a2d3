"""Measures pages on large databases. `python -m bench`; the plan test of the suite shares the district."""
