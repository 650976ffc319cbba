"""What the web UIs call the upscalers that they bring along, and the files that those are."""

from __future__ import annotations

_FILES = {
    "R-ESRGAN 4x+": "RealESRGAN_x4plus",
    "R-ESRGAN 4x+ Anime6B": "RealESRGAN_x4plus_anime_6B",
    "R-ESRGAN 2x+": "RealESRGAN_x2plus",
    "R-ESRGAN General 4xV3": "realesr-general-x4v3",
    "R-ESRGAN General WDN 4xV3": "realesr-general-wdn-x4v3",
    "R-ESRGAN AnimeVideo": "realesr-animevideov3",
    "DAT x2": "DAT_x2",
    "DAT x3": "DAT_x3",
    "DAT x4": "DAT_x4",
    "ScuNET": "scunet_color_real_gan",
    "ScuNET PSNR": "scunet_color_real_psnr",
}


def file_of(name: str) -> str:
    """The file that an upscaler of the web UIs is, without its suffix; the name where it is another's."""
    return _FILES.get(name, name)


def name_of(file: str) -> str:
    """The way back."""
    return next((name for name, one in _FILES.items() if one == file), file)
