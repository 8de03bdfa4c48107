"""The report as PDF: WeasyPrint's work, which needs the system library Pango and a Chinese font.

Where one of them is missing there is no PDF, and `missing` says in one line what mends it. Fonts are embedded always.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess

LIBRARY = "no PDF: the library Pango is missing (Debian, Ubuntu: apt-get install libpangoft2-1.0-0 libharfbuzz-subset0)"
FONT = "no PDF: there is no Chinese font to embed (Debian, Ubuntu: apt-get install fonts-noto-cjk)"


def missing() -> str:
    """Why no PDF can be made, and what mends it; empty when it can."""
    try:
        import weasyprint  # noqa: F401
    except OSError:
        return LIBRARY
    return "" if _has_chinese_font() else FONT


def _has_chinese_font() -> bool:
    """Whether fontconfig knows a font for Chinese; where it cannot be asked, WeasyPrint will find out."""
    program = shutil.which("fc-list")
    if program is None:
        return True
    return bool(subprocess.run([program, ":lang=zh-cn", "family"], capture_output=True, check=False).stdout.strip())


def printed(html: str) -> bytes:
    """A report's HTML as PDF; the same text gives the same bytes."""
    import weasyprint

    identifier = hashlib.sha256(html.encode()).digest()[:16]
    document: bytes = weasyprint.HTML(string=html).write_pdf(pdf_identifier=identifier, pdf_tags=True)
    return document
