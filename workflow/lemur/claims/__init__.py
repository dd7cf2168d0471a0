"""What the paper claims, what the data here say of it, and a verdict that a program gives."""
