"""A browser that an agent uses by its pages' accessibility trees, in a process of its own."""
