"""The AAMI EC57 beat classes, the symbols that belong to them, and the DS1/DS2 split.

Sources: ANSI/AAMI EC57:2012; de Chazal et al., IEEE Trans Biomed Eng 51(7):1196-1206 (2004).
"""

from __future__ import annotations

CLASSES = ("N", "S", "V", "F", "Q")
"""AAMI classes in the order of the network's outputs."""

SYMBOLS = {
    "N": ("N", "L", "R", "e", "j"),
    "S": ("A", "a", "J", "S"),
    "V": ("V", "E"),
    "F": ("F",),
    "Q": ("/", "f", "Q"),
}

CLASS_OF = {symbol: name for name, symbols in SYMBOLS.items() for symbol in symbols}
"""AAMI class of each MIT-BIH beat symbol; a symbol that is not here is not a beat."""

PACED = ("102", "104", "107", "217")
DS1 = tuple("101 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 223 230".split())
DS2 = tuple("100 103 105 111 113 117 121 123 200 202 210 212 213 214 219 221 222 228 231 232 233 234".split())
ALL = tuple(sorted(DS1 + DS2 + PACED))
"""The 48 records of the MIT-BIH Arrhythmia Database."""
