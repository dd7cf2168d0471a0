"""Continued pretraining and fine-tuning: one loop behind an engine interface."""
