"""What every check is: a class whose name is its code and whose docstring is its rule, its message and its documentation."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from risk.domain.answers import CheckAnswer, Verdict
from risk.domain.facts import Facts

_WORD = re.compile(r"(?<!^)(?=[A-Z])")


class Check(ABC):
    """Base of all checks. A subclass answers from ``Facts`` alone: no clock, no database, no memory."""

    code: ClassVar[str] = ""
    rule: ClassVar[str] = ""
    at_boundary: ClassVar[bool] = False
    when_delayed: ClassVar[bool] = False
    _passed: ClassVar[CheckAnswer]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.code = _WORD.sub("_", cls.__name__).upper()
        cls.rule = " ".join((cls.__doc__ or "").split())
        if not cls.rule:
            raise TypeError(f"{cls.__name__} does not say its rule")
        cls._passed = CheckAnswer(code=cls.code, verdict=Verdict.PASS)

    @abstractmethod
    def answer(self, facts: Facts) -> CheckAnswer:
        """Judge one request."""

    def passed(self, **seen: Any) -> CheckAnswer:
        """PASS, with the figures it was judged on."""
        return CheckAnswer(self.code, Verdict.PASS, "", seen) if seen else self._passed

    def ask(self, sentence: str, **seen: Any) -> CheckAnswer:
        """ACKNOWLEDGE."""
        return CheckAnswer(self.code, Verdict.ACKNOWLEDGE, sentence, seen)

    def hold(self, sentence: str, **seen: Any) -> CheckAnswer:
        """AUTHORISE."""
        return CheckAnswer(self.code, Verdict.AUTHORISE, sentence, seen)

    def refuse(self, sentence: str, **seen: Any) -> CheckAnswer:
        """REFUSE."""
        return CheckAnswer(self.code, Verdict.REFUSE, sentence, seen)
