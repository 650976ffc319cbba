"""Presets on their way out and back in: inside images, as links, from other tools.

- :func:`save_image`, :func:`write_metadata`: an image that carries its preset;
- :func:`read_image`, :func:`read_any`, :func:`read_upload`: the preset in an image (ours or another tool's) or a file;
  :func:`peek`: without decoding the image; :func:`written_in`: its settings as they stand there;
- :func:`encode_link`, :func:`decode_link`: a preset as a short text;
- :func:`parameters_text`: a preset as other tools write it; :func:`unsaid`: what that leaves out;
- :func:`embed_images`, :func:`extract`: control images inside the preset, and out again.
"""

from studio.share.embed import drop_images, embed_images, extract
from studio.share.link import decode_link, encode_link
from studio.share.parameters import parameters_text
from studio.share.read import peek, read_any, read_image, read_upload
from studio.share.unsaid import unsaid
from studio.share.write import save_image, save_or_keep, write_metadata
from studio.share.written import written_in

__all__ = [
    "decode_link",
    "drop_images",
    "embed_images",
    "encode_link",
    "extract",
    "parameters_text",
    "peek",
    "read_any",
    "read_image",
    "read_upload",
    "save_image",
    "save_or_keep",
    "unsaid",
    "write_metadata",
    "written_in",
]
