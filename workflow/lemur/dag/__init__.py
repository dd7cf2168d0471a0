"""What the rules need to know that is no science: which targets print, what the terminal shows."""
