"""What every stage reads: records, documents, archives, manifests, drop lists, journals."""
