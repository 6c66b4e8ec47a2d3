"""Several rows at once: previewed, counted, done as each row's own form would do it, and told row by row."""
