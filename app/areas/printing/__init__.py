"""What goes on paper: class lists, rosters, record cards, sheets to be checked by parents, certificates of enrolment."""
