"""Which numbers name a person, as a jurisdiction declares them. Finding them in files is `intake`'s work."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import model_validator

from pipelines.jurisdiction.patterns import checked
from pipelines.jurisdiction.yaml_model import StrictModel

Check = Literal["identity", "mobile", "card", "pattern"]


class PersonalKind(StrictModel):
    """One kind of number that names a person.

    `identity` is the resident identity number of GB 11643 (18 and 15 digits), `mobile` a mobile number of the Chinese
    numbering plan, `card` a bank card by issuer and ISO/IEC 7812 check digit; `pattern` is any other, by a regular
    expression and, where it has one, the check of its digits.
    """

    name: str  # what is shown in its place, in brackets
    check: Check = "pattern"
    pattern: str | None = None
    digits_check: Literal["luhn", "mod_11"] | None = None

    @model_validator(mode="after")
    def _fits(self) -> PersonalKind:
        if (self.check == "pattern") != (self.pattern is not None):
            raise ValueError("`pattern` goes with `check: pattern`, and with no other")
        if self.pattern is not None and re.search(checked(self.pattern, blanks=True), ""):
            raise ValueError("`pattern` fits an empty text: it would fit every cell")
        return self


USUAL_KINDS = [
    PersonalKind(name="identity number", check="identity"),
    PersonalKind(name="phone number", check="mobile"),
    PersonalKind(name="bank card", check="card"),
]
