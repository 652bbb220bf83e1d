"""Global networks in NumPy: what DeepAR and CNN-QR share, and each in a folder of its own."""
