"""Files of plain arrays (.npz), which may have been damaged since they were written."""

from __future__ import annotations

import lzma
import struct
import tokenize
import zipfile
import zlib
from typing import Final

#: What reading such a file may raise where a bit of it has flipped, or some of it is missing: of the machine, of the
#: archive, and of arrays with another name, type or shape. Anything else is a fault of the code.
DAMAGED: Final = (
    OSError,
    EOFError,
    LookupError,
    TypeError,
    ValueError,
    OverflowError,
    MemoryError,  # a length without sense
    RuntimeError,  # a part said to be encrypted, or packed in an unknown way
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    SyntaxError,  # NumPy reads the header of an array as Python does
    tokenize.TokenError,
)
