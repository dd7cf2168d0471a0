"""The check of training and decoding on a GPU: check.py."""
