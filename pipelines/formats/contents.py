"""What a file is, by its bytes: the name of its container, and what to tell people who sent the wrong one.

Nothing is read here. File endings are what people typed; bytes are what programs wrote.
"""

from __future__ import annotations

import io
import re
import zipfile

from pipelines.errors import UnreadableFileError

# What each kind of content is called, and what can be done about one that no contract can read.
_ASK = "ask for the table as a workbook (xlsx) or as text in columns (csv)"
_EXPORT = "ask the department to export the table as a workbook (xlsx) or as text in columns (csv)"
_UNPACKED = "ask for it packed as zip or gzip, or not packed at all"
CONTENTS: dict[str, tuple[str, str]] = {
    "xlsx": ("an Excel workbook (xlsx)", _ASK),
    "xls": ("an Excel workbook of 1997 to 2003 (xls)", _ASK),
    "ods": ("an OpenDocument workbook (ods)", _ASK),
    "parquet": ("a Parquet table", _ASK),
    "text": ("text in columns", _ASK),
    "html": ("an HTML page", "open it in a spreadsheet program, look whether it is whole, save it as a workbook"),
    "mhtml": ("a web archive (MHTML)", "open it in a spreadsheet program and save it as a workbook"),
    "spreadsheet_xml": ("an XML spreadsheet of Excel 2003", "open it in Excel and save it as a workbook (xlsx)"),
    "xml": ("an XML document", _ASK),
    "json": ("a JSON document", _ASK),
    "rtf": ("a formatted text (RTF)", _ASK),
    "locked": (
        "protected with a password",
        "ask for it without a password; the protection of single sheets does no harm",
    ),
    "xlsb": ("a binary Excel workbook (xlsb)", "open it in Excel and save it as a workbook (xlsx)"),
    "word": ("a Word document", _ASK),
    "powerpoint": ("a PowerPoint presentation", _ASK),
    "open_text": ("an OpenDocument text", _ASK),
    "ole": ("a file of an older Office program that is no workbook", _ASK),
    "access": ("an Access database", _EXPORT),
    "sqlite": ("an SQLite database", _EXPORT),
    "pdf": ("a PDF document", "numbers on a page cannot be read for certain: " + _ASK),
    "picture": ("a picture", "numbers in a picture cannot be read for certain: " + _ASK),
    "zip": ("a zip archive", "name the file in it that counts with `format.member` in the contract"),
    "broken_zip": ("a damaged zip archive or workbook", "ask for it again"),
    "gzip": ("packed with gzip", "ask for it unpacked"),
    "7z": ("packed with 7-Zip", _UNPACKED),
    "rar": ("packed with RAR", _UNPACKED),
    "bzip2": ("packed with bzip2", _UNPACKED),
    "xz": ("packed with xz", _UNPACKED),
    "zstd": ("packed with Zstandard", _UNPACKED),
    "program": ("a program", "do not open it; ask the department what happened"),
    "nulls": ("nothing but null bytes", "the file was damaged on its way: ask for it again"),
    "unknown": ("no file of a kind that is known here", _ASK),
}
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"PAR1", "parquet"),
    (b"%PDF-", "pdf"),
    (b"\x89PNG\r\n\x1a\n", "picture"),
    (b"\xff\xd8\xff", "picture"),
    (b"GIF87a", "picture"),
    (b"GIF89a", "picture"),
    (b"II*\x00", "picture"),
    (b"MM\x00*", "picture"),
    (b"\x1f\x8b", "gzip"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x00\x01\x00\x00Standard ", "access"),
    (b"SQLite format 3\x00", "sqlite"),
    (b"{\\rtf", "rtf"),
    (b"MZ\x90\x00", "program"),
    (b"\x7fELF", "program"),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# Streams of an OLE file, as its directory names them, in the order in which they tell what it is.
_STREAMS = (
    ("EncryptedPackage", "locked"),
    ("Workbook", "xls"),
    ("Book", "xls"),
    ("WordDocument", "word"),
    ("PowerPoint Document", "powerpoint"),
)
_OLD_WORKBOOK = re.compile(rb"\x09[\x00\x02\x04\x08][\x04\x06\x08\x10]\x00")  # its stream without a container
_HTML = re.compile(r"<(?:!doctype\s+html|html|head|body|table|meta|style|script|title)\b")
_HEAD = 4096


def content_of(data: bytes) -> str:
    """What a file's bytes are: a key of `CONTENTS`. What may be text in some encoding is `text`."""
    head = data[:_HEAD]
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    if head.startswith(b"PK\x03\x04") or head.startswith(b"PK\x05\x06"):
        return _in_zip(data)
    if head.startswith(_OLE):
        return _in_ole(data)
    if _OLD_WORKBOOK.match(head):
        return "xls"
    if head and not head.strip(b"\x00"):
        return "nulls" if not data.strip(b"\x00") else "unknown"
    return _in_text(head)


def misnamed(content: str, expected: str, where: str, *, readable: bool) -> UnreadableFileError:
    """The error for a file that is not what its contract says; `readable` when contracts have a kind for what it is."""
    what, do = CONTENTS[content]
    if readable:
        do = f"ask for it as the contract says, or set `format.kind: {content}` where the department always sends it so"
    kind = CONTENTS[expected][0] if expected in CONTENTS else expected
    message = f"the file is {what}" + ("" if content == "locked" else f", and the contract expects {kind}")
    return UnreadableFileError(message, where=where, do=do)


def _in_zip(data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
            kind = archive.open("mimetype").read(200) if "mimetype" in names else b""
    except Exception:  # whatever a damaged archive makes of its reader
        return "broken_zip"
    folders = {name.partition("/")[0].lower() for name in names}
    if kind and "content.xml" in names:
        return "open_text" if b"opendocument" in kind and b"spreadsheet" not in kind else "ods"
    if "[Content_Types].xml" not in names:
        return "zip"
    if any(name.lower() == "xl/workbook.bin" for name in names):
        return "xlsb"
    return "word" if "word" in folders else "powerpoint" if "ppt" in folders else "xlsx"


def _in_ole(data: bytes) -> str:
    for stream, name in _STREAMS:
        if stream.encode("utf-16-le") + b"\x00\x00" in data:
            return name
    return "ole"


def _in_text(head: bytes) -> str:
    """Kinds of text that are no table; anything else may be text in columns."""
    encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin-1"
    text = head.removeprefix(b"\xef\xbb\xbf").decode(encoding, "replace").lstrip().lower()
    if text.startswith("mime-version:") or "content-type: multipart/related" in text:
        return "mhtml"
    if text.startswith("<?xml") or text.startswith("<"):
        if "urn:schemas-microsoft-com:office:spreadsheet" in text:
            return "spreadsheet_xml"
        if "urn:oasis:names:tc:opendocument:xmlns:office:1.0" in text:
            return "ods" if "opendocument.spreadsheet" in text else "open_text"
        if _HTML.search(text):
            return "html"
        return "xml" if text.startswith("<?xml") else "text"
    return "json" if re.match(r"\[?\s*\{\s*[\"}]", text) else "text"
