"""What is for sale: models, their prices, and the arithmetic of a bill."""
