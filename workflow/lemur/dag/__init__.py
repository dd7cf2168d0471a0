"""What the rules need to know that is no science: which targets print, what is tried again."""
