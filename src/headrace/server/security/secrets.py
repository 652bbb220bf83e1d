"""The keyring: the server's signing key, and everything sealed with it.

Owner fills in; the interface that others use:

    Keyring.open(folder) -> Keyring                      # folder/signing.key, 0600, made at first start (write, fsync, rename)
    keyring.seal(plain: bytes, *, purpose: str) -> bytes      # AES-256-GCM, key derived per purpose with HKDF
    keyring.unseal(sealed: bytes, *, purpose: str) -> bytes   # raises SealBroken
    keyring.write_position(position, *, of: str) -> str       # opaque URL-safe pagination token
    keyring.read_position(token, *, of: str) -> list[Any]     # raises InvalidInput
"""
