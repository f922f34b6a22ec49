"""Draws icons out of their package's archive, opened once, for its table of contents is long."""

from functools import cache, lru_cache
from importlib.resources import files
from io import BytesIO
from typing import Final
from xml.etree import ElementTree
from zipfile import ZipFile

from django.utils.safestring import SafeString, mark_safe
from lucide import IconDoesNotExist

SPACE: Final = "{http://www.w3.org/2000/svg}"


@lru_cache(maxsize=1024)
def drawing(name: str, size: int) -> SafeString:
    """The icon of that name as inline SVG, so many pixels wide, for eyes only.

    Raises IconDoesNotExist.
    """
    try:
        source = archive().read(f"{name}.svg")
    except KeyError:
        raise IconDoesNotExist(f"The icon {name!r} does not exist.") from None
    svg = ElementTree.fromstring(source.decode())  # noqa: S314 (a drawing of the package)
    for node in svg.iter():
        node.tag = node.tag.removeprefix(SPACE)
    svg.attrib |= {"width": str(size), "height": str(size), "aria-hidden": "true", "class": "icon"}
    text = ElementTree.tostring(svg, encoding="unicode")
    plain = "".join(line.strip() for line in text.splitlines())
    return mark_safe(plain)  # noqa: S308 (our own names, the package's drawings)


@cache
def archive() -> ZipFile:
    """The package's archive, open for good; the package itself opens it anew for each icon."""
    return ZipFile(BytesIO(files("lucide").joinpath("lucide.zip").read_bytes()))
