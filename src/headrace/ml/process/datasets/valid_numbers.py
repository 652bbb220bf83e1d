"""What tells a card number, an IBAN or an IP address from any row of digits."""

from __future__ import annotations

import ipaddress
import re

_CARD_PREFIX = re.compile(r"4|5[1-5]|2[2-7]|3[47]|3[0689]|6011|64[4-9]|65|62|35")
_IBAN_LENGTHS = (15, 34)


def is_card_number(text: str) -> bool:
    """Whether `text` is a payment-card number: 13 to 19 digits, a known prefix, the Luhn check digit (ISO/IEC 7812-1).

    >>> is_card_number("4111 1111 1111 1111"), is_card_number("4111 1111 1111 1112")
    (True, False)
    """
    digits = re.sub(r"[ -]|^\D", "", text)
    if not (digits.isascii() and digits.isdigit() and 13 <= len(digits) <= 19 and _CARD_PREFIX.match(digits)):
        return False
    doubled = [int(digit) * 2 for digit in digits[-2::-2]]
    total = sum(map(int, digits[-1::-2])) + sum(value - 9 if value > 9 else value for value in doubled)
    return total % 10 == 0


def is_iban(text: str) -> bool:
    """Whether `text` is an international bank account number by its ISO 13616 check digits (ISO/IEC 7064 mod 97-10).

    >>> is_iban("GB82 WEST 1234 5698 7654 32"), is_iban("GB82 WEST 1234 5698 7654 33")
    (True, False)
    """
    account = text.replace(" ", "").upper()
    if not (account.isascii() and account.isalnum() and _IBAN_LENGTHS[0] <= len(account) <= _IBAN_LENGTHS[1]):
        return False
    return int("".join(str(int(letter, 36)) for letter in account[4:] + account[:4])) % 97 == 1


def is_ip_address(text: str) -> bool:
    """Whether `text` is an IPv4 or IPv6 address in the notation of RFC 4291.

    >>> is_ip_address("2001:db8::8a2e:370:7334"), is_ip_address("10:15:30")
    (True, False)
    """
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_phone_length(text: str) -> bool:
    """Whether `text` has as many digits as a telephone number: 9 to 15, more with an extension (ITU-T E.164).

    >>> is_phone_length("(555) 123-4567"), is_phone_length("01-02-2020")
    (True, False)
    """
    return 9 <= sum(map(str.isdigit, text)) <= 20
