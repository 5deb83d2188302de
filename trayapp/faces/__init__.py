"""What a person touches. No face imports another."""
