"""Whom we trust: the machine's certificate authorities, and the one that the inventory names."""

import ssl
from pathlib import Path

from atomops.errors import NotThere, PermanentError


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """Certificate and name are verified; `ca_file` is trusted besides the machine's own authorities.

    Reading them takes some 20 ms. Raises NotThere or PermanentError, naming the file, when it cannot be used.
    """
    context = ssl.create_default_context()
    if ca_file is None:
        return context
    try:
        context.load_verify_locations(ca_file)
    except ssl.SSLError as error:
        what = f"the ca_file {ca_file} holds no certificate in PEM form"
        raise PermanentError(what, action=f"openssl x509 -in {ca_file} -noout -subject") from error
    except OSError as error:
        what = f"the ca_file {ca_file} cannot be read ({error.strerror})"
        raise NotThere(what, action="check its path and mode") from error
    return context
