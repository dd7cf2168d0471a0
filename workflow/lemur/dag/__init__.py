"""What runs, with what and after what: everything that the rules are made of besides their files."""
