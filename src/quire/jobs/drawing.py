"""Draws a picture anew, in several sizes; a program of its own, run with limits by jobs/pictures.py.

It decodes what strangers have sent, so it runs apart: without the package, its settings or the
database. It gets a file, a folder and a name, and says on standard output what it has made there.
"""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms, ImageOps, ImageSequence

try:
    import resource
except ImportError:  # Windows: there the time limit of the parent has to do
    resource = None  # type: ignore[assignment]

FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
WIDTHS = (1920, 1280, 640, 160)
MAX_PIXELS = 40_000_000
MAX_ALL_FRAMES = 200_000_000
MEMORY = 1536 * 1024 * 1024
SECONDS = 40
"""Of processor time."""
NICE = 2
DAMAGED, UNFIT = 3, 4
THREADS = 3
QUALITY: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 85},
    "PNG": {"compress_level": 6},
    "GIF": {},
    "WEBP": {"quality": 80, "method": 1},
}
KEPT = ("transparency", "duration", "loop", "background", "disposal")
"""What a picture knows about itself that is part of how it looks; all else is left behind."""

Image.MAX_IMAGE_PIXELS = None  # the limit is ours


class Unfit(ValueError):
    """A picture that is not drawn; the text says why, to whoever has sent it."""


def main() -> None:
    """`drawing.py SOURCE FOLDER STEM`: status 0 and JSON, DAMAGED, or UNFIT and why in words."""
    limit()
    source, folder, stem = sys.argv[1:]
    try:
        made = draw(Path(source), Path(folder), stem)
    except Unfit as unfit:
        sys.stderr.write(str(unfit))
        sys.exit(UNFIT)
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, EOFError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}")
        sys.exit(DAMAGED)
    json.dump(made, sys.stdout)


def limit() -> None:
    """Let this process have so much memory and time and no more, and be last in the queue."""
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.nice(NICE)
    if sys.platform == "linux":  # the server keeps to one processor: this need not
        with suppress(OSError):
            os.sched_setaffinity(0, set(range(os.cpu_count() or 1)))


def draw(source: Path, folder: Path, stem: str) -> dict[str, Any]:
    """Make the files; says sizes in pixels, and the names of the variants by width."""
    with Image.open(source, formats=FORMATS) as picture:
        format = "JPEG" if picture.format == "MPO" else str(picture.format)
        if picture.width * picture.height > MAX_PIXELS:
            raise Unfit(f"It has more than {MAX_PIXELS:,} pixels.")
        suffix = {"JPEG": "jpg"}.get(format, format.lower())
        is_moving = format in ("GIF", "WEBP") and getattr(picture, "n_frames", 1) > 1
        if is_moving:
            _save_moving(picture, folder / f"{stem}.{suffix}", format)
            picture.seek(0)
        still = upright(picture)
    if not is_moving:
        _save(still, folder / f"{stem}.{suffix}", format)
    variants = _variants(still, folder, stem, format, suffix)
    return {"width": still.width, "height": still.height, "variants": variants}


def upright(picture: Image.Image) -> Image.Image:
    """The picture the right way up, in colours that every screen knows, knowing nothing else."""
    picture.load()
    profile = picture.info.get("icc_profile")
    turned = ImageOps.exif_transpose(picture)
    if profile and turned.mode in ("RGB", "RGBA", "CMYK") and b"sRGB" not in profile:
        turned = _in_srgb(turned, profile)
    return _bare(turned)


def _bare(picture: Image.Image) -> Image.Image:
    picture.info = {name: value for name, value in picture.info.items() if name in KEPT}
    return picture


def _in_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    mode = "RGBA" if picture.mode == "RGBA" else "RGB"
    with suppress(ImageCms.PyCMSError, OSError):
        given, wanted = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
        found = ImageCms.profileToProfile(picture, given, wanted, outputMode=mode)
        return picture if found is None else found
    return picture


def _save(picture: Image.Image, path: Path, format: str) -> None:
    if format == "JPEG" and picture.mode not in ("RGB", "L"):
        picture = picture.convert("RGB")
    picture.save(path, format, **QUALITY[format])


def _save_moving(picture: Image.Image, path: Path, format: str) -> None:
    """All frames; nothing is turned, cut or left out."""
    frames: int = getattr(picture, "n_frames", 1)
    if frames * picture.width * picture.height > MAX_ALL_FRAMES:
        raise Unfit(f"Its frames have more than {MAX_ALL_FRAMES:,} pixels together.")
    kept: dict[str, Any] = {"loop": picture.info.get("loop", 0)} if "loop" in picture.info else {}
    durations = [_duration(frame) for frame in ImageSequence.Iterator(picture)]
    picture.seek(0)
    rest = (_bare(frame.copy()) for frame in ImageSequence.Iterator(picture))
    first = next(rest)
    first.save(
        path, format, save_all=True, append_images=rest, duration=durations, **kept, **QUALITY[format]
    )  # fmt: skip


def _duration(frame: Image.Image) -> int:
    """Milliseconds; WebP knows them when the frame is decoded."""
    frame.load()
    return int(frame.info.get("duration", 100))


def _variants(
    still: Image.Image, folder: Path, stem: str, format: str, suffix: str
) -> dict[str, dict[str, Any]]:
    """Smaller ones, each from the one before, never larger than what there is."""
    smaller, made, saved = _scalable(still), {}, []
    with ThreadPoolExecutor(THREADS) as encoding:  # Pillow encodes without Python's lock
        for width in (one for one in WIDTHS if one <= still.width):
            height = max(1, round(still.height * width / still.width))
            smaller = smaller.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
            names = {"name": f"{stem}-{width}.{suffix}", "webp": f"{stem}-{width}.webp"}
            formats = {names["name"]: format, names["webp"]: "WEBP"}
            for name, kind in formats.items():
                saved.append(encoding.submit(_save, smaller, folder / name, kind))
            made[str(width)] = {**names, "width": width, "height": height}
    for one in saved:
        one.result()  # raises what went wrong
    return made


def _scalable(still: Image.Image) -> Image.Image:
    """In a mode whose pixels can be mixed."""
    if still.mode in ("RGB", "RGBA", "L"):
        return still
    if still.mode.startswith("I"):  # 16 bits of grey
        return _bare(still.point(lambda value: value * (1 / 256)).convert("L"))
    sees_through = still.mode in ("LA", "PA", "La", "RGBa") or "transparency" in still.info
    return _bare(still.convert("RGBA" if sees_through else "RGB"))


if __name__ == "__main__":
    main()
