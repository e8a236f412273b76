"""read_mail.py FOLDER: every message under the folder, one JSON object a line, as Python's email package reads it.

FOLDER is a Maildir, a folder of .eml files or what smtp-sink dumped. Messages come in the order of their file names;
each with its headers (a list for every lowercase name), its parts and what the parser found wrong with it.
"""

import email
import email.policy
import json
import pathlib
import sys


def parts(message):
    for part in message.walk():
        if part.is_multipart():
            continue
        text = part.get_content() if part.get_content_maintype() == "text" else None
        yield {
            "type": part.get_content_type(),
            "charset": part.get_content_charset(),
            "text": text,
            "filename": part.get_filename(),
            "defects": [type(defect).__name__ for defect in part.defects],
        }


def read(path):
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    headers = {}
    for name, value in message.items():
        headers.setdefault(name.lower(), []).append(str(value))
    addresses = {}
    for name in ("from", "to", "reply-to"):
        if message[name] is not None:
            addresses[name] = [[a.display_name, a.addr_spec] for a in message[name].addresses]
    return {
        "file": str(path),
        "type": message.get_content_type(),
        "headers": headers,
        "addresses": addresses,
        "parts": list(parts(message)),
        "defects": [type(defect).__name__ for defect in message.defects],
        "bytes": path.stat().st_size,
    }


def main():
    folder = pathlib.Path(sys.argv[1])
    # a Maildir's tmp/ holds what is not yet delivered
    files = (p for p in folder.rglob("*") if p.is_file() and p.parent.name != "tmp")
    mails = (p for p in files if p.suffix == ".eml" or p.parent.name in ("new", "cur") or ".mail" in p.name)
    for path in sorted(mails):
        print(json.dumps(read(path), ensure_ascii=False))


main()
