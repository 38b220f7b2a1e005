"""A policy of one's own in a Python file: read once, so that all run the same code, and run only when it is named."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from types import ModuleType

from blinasim.errors import Argument, Place, PolicyError
from blinasim.files import nearest, read_text
from blinasim.model.own_policy import checked_policy

_MOST_BYTES = 1_000_000


@dataclass(frozen=True)
class PolicyFile:
    """A policy class in the text of a Python file; calling it makes a policy.

    It goes to worker processes and to the results folder as text: what the file holds later changes nothing.
    """

    file: str
    name: str
    text: str

    def __call__(self) -> object:
        """Make a policy.

        Raises
        ------
        PolicyError
            If the file or the class cannot be used.
        """
        return self._class()()

    def _class(self) -> Callable[[], object]:
        digest = blake2b(self.text.encode(), digest_size=8).hexdigest()
        module_name = f"blinasim_policy_{digest}"
        module = sys.modules.get(module_name) or self._import(module_name)
        found = getattr(module, self.name, None)
        if not isinstance(found, type):
            classes = [key for key, value in vars(module).items() if isinstance(value, type)]
            raise PolicyError(f"has no class {self.name}{nearest(self.name, classes)}", Place(self.file))
        return found

    def _import(self, module_name: str) -> ModuleType:
        """Run the text as a module; it is known by its name meanwhile, as dataclasses want it."""
        module = ModuleType(module_name)
        module.__file__ = self.file
        sys.modules[module_name] = module
        try:
            exec(compile(self.text, self.file, "exec"), vars(module))
        except BaseException as problem:
            del sys.modules[module_name]
            if isinstance(problem, KeyboardInterrupt):
                raise
            if isinstance(problem, SyntaxError) and problem.filename == self.file:
                raise PolicyError(problem.msg, Place(self.file, problem.lineno or 0, problem.offset or 0)) from None
            raise PolicyError(f"cannot be imported: {type(problem).__name__}: {problem}", Place(self.file)) from problem
        return module


def policy_file(said: str) -> PolicyFile:
    """Read ``file.py:Class``, and try whether a policy can be made of it.

    Raises
    ------
    PolicyError
        One line that says what is wrong.
    """
    file, colon, name = said.rpartition(":")
    if not colon or not file or not name:
        raise PolicyError("a policy is named as file.py:Class", Argument("policy", said=said))
    policy = PolicyFile(file, name, read_text(Path(file), PolicyError, most_bytes=_MOST_BYTES))
    checked_policy(policy)
    return policy
