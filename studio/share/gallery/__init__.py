"""Galleries: folders of presets with pictures, on this disk, in a Git repository or on the hub.

Nothing is fetched before somebody asks for it, and nothing leaves before somebody has seen it:

- :func:`source_of`, :func:`opened`: what a person names, and the folder that it is here;
- :func:`items_of`, :func:`taken`: the presets in it, and one of them kept among one's own;
- :func:`drafted`, :func:`published`: what would go out, and that on its way.
"""

from studio.share.gallery.drafts import Draft, drafted
from studio.share.gallery.items import Item, items_of, taken
from studio.share.gallery.known import forget, known, remember
from studio.share.gallery.publish import Published, Target, published, target_of
from studio.share.gallery.sources import Source, opened, source_of

__all__ = [
    "Draft",
    "Item",
    "Published",
    "Source",
    "Target",
    "drafted",
    "forget",
    "items_of",
    "known",
    "opened",
    "published",
    "remember",
    "source_of",
    "taken",
    "target_of",
]
