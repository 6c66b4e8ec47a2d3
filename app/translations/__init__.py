"""The English words of the pages, and what keeps them whole."""
