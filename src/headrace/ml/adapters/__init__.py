"""What several algorithms share in adapting a library to the contract."""
