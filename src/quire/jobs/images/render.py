"""Re-encodes an image in several sizes; a separate program that jobs/images/process.py runs with limits.

It decodes files from strangers, so it runs without the package, its settings and the database. Its arguments are a
file, a folder and a name; on standard output it reports what it has written.
"""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms, ImageMath, ImageOps, ImageSequence
from PIL.PngImagePlugin import PngImageFile

try:
    import resource
except ImportError:  # on Windows, the time limit of the parent process has to suffice
    resource = None  # type: ignore[assignment]

FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
WIDTHS = (1920, 1280, 640, 160)
MAX_PIXELS = 40_000_000
MAX_ALL_FRAMES = 200_000_000
MEMORY = 1536 * 1024 * 1024
SECONDS = 40
"""Seconds of CPU time."""
NICE = 2
DAMAGED, UNFIT = 3, 4
THREADS = 3
ANIMATED = ("GIF", "WEBP", "PNG")
QUALITY: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 85},
    "PNG": {"compress_level": 6},
    "GIF": {},
    "WEBP": {"quality": 80, "method": 1},
}
OUTPUT_INFO = ("transparency", "duration", "loop")
"""The metadata of an image that affects how it looks; everything else is dropped."""

Image.MAX_IMAGE_PIXELS = None  # we have a limit of our own


class UnsuitableImage(ValueError):
    """An image that is refused; the text tells its uploader why."""


def main() -> None:
    """Run `render.py SOURCE FOLDER STEM`; the status is 0 with JSON, DAMAGED, or UNFIT with the reason."""
    limit()
    source, folder, stem = sys.argv[1:]
    try:
        rendered = render(Path(source), Path(folder), stem)
    except UnsuitableImage as unfit:
        sys.stderr.write(str(unfit))
        sys.exit(UNFIT)
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, EOFError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}")
        sys.exit(DAMAGED)
    json.dump(rendered, sys.stdout)


def limit() -> None:
    """Limit the time and memory of this process, and give it the lowest priority."""
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.nice(NICE)
    if sys.platform == "linux":  # the server is pinned to one CPU, which this process need not be
        with suppress(OSError):
            os.sched_setaffinity(0, set(range(os.cpu_count() or 1)))


def render(source: Path, folder: Path, stem: str) -> dict[str, Any]:
    """Write the files; return the sizes in pixels and the names of the variants by width."""
    with _open_first_frame(source) as picture:
        format = "JPEG" if picture.format == "MPO" else str(picture.format)
        if picture.width * picture.height > MAX_PIXELS:
            raise UnsuitableImage(f"It has more than {MAX_PIXELS:,} pixels.")
        is_moving = format in ANIMATED and getattr(picture, "n_frames", 1) > 1
    suffix = {"JPEG": "jpg"}.get(format, format.lower())
    if is_moving:
        _save_animation(source, folder / f"{stem}.{suffix}", format)
    with _open_first_frame(source) as picture:
        still = normalize_image(picture, _bits(picture))
    if not is_moving:
        _save(still, folder / f"{stem}.{suffix}", format)
    variants = _variants(still, folder, stem, format, suffix)
    return {"width": still.width, "height": still.height, "variants": variants}


def _open_first_frame(source: Path) -> Image.Image:
    """Open the image at its first frame; going back from later frames may lose colors."""
    return Image.open(source, formats=FORMATS)


def _bits(picture: Image.Image) -> int:
    """Return the bits per sample of a PNG that has just been opened; Pillow expands fewer than 8."""
    raw = str(picture.tile[0].args) if isinstance(picture, PngImageFile) and picture.tile else ""
    return {"2": 2, "4": 4, "16B": 16}.get(raw.partition(";")[2], 8)


def normalize_image(picture: Image.Image, bits: int = 8) -> Image.Image:
    """Return a copy that is upright, in a common color space and without metadata.

    `bits` is the number of bits per sample in the file.
    """
    picture.load()
    profile = picture.info.get("icc_profile")
    turned = _with_alpha(ImageOps.exif_transpose(picture), bits)
    if profile and b"sRGB" not in profile:
        turned = _to_srgb(turned, profile)
    return _without_metadata(turned)


def _with_alpha(picture: Image.Image, bits: int) -> Image.Image:
    """Turn a color that stands for transparency (PNG, 11.3.1.1) into an alpha channel.

    Otherwise resizing, conversion or reduction to 8 bits would change the color.
    """
    key, mode = picture.info.get("transparency"), picture.mode
    if key is None or mode not in ("1", "L", "RGB", "I;16"):
        return picture
    if mode == "I;16":
        mask = ImageMath.lambda_eval(lambda one: (one["of"] != key) * 255, of=picture.convert("I"))
        return Image.merge("LA", (_to_8_bits(picture), mask.convert("L")))
    if mode == "L":
        picture.info["transparency"] = key * 255 // (2**bits - 1)
    elif mode == "RGB" and bits == 16:
        picture.info["transparency"] = tuple(one >> 8 for one in key)
    return picture.convert("RGBA" if mode == "RGB" else "LA")


def _to_8_bits(grey: Image.Image) -> Image.Image:
    return grey.point(lambda value: value * (1 / 256)).convert("L")


def _without_metadata(picture: Image.Image) -> Image.Image:
    picture.info = {name: value for name, value in picture.info.items() if name in OUTPUT_INFO}
    return picture


def _to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    if picture.mode == "P":
        picture = picture.convert("RGBA" if "transparency" in picture.info else "RGB")
    if picture.mode not in ("RGB", "RGBA", "CMYK"):
        return picture
    mode = "RGBA" if picture.mode == "RGBA" else "RGB"
    with suppress(ImageCms.PyCMSError, OSError):
        source_profile, srgb_profile = (
            ImageCms.ImageCmsProfile(BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
        )
        converted = ImageCms.profileToProfile(
            picture, source_profile, srgb_profile, outputMode=mode
        )
        return picture if converted is None else converted
    return picture


def _save(picture: Image.Image, path: Path, format: str) -> None:
    if format == "JPEG" and picture.mode not in ("RGB", "L"):
        picture = picture.convert("RGB")
    picture.save(path, format, **QUALITY[format])


def _save_animation(source: Path, path: Path, format: str) -> None:
    """Save all frames, each as it appears: Pillow has already combined it with the previous ones."""
    with _open_first_frame(source) as picture:
        options, is_transparent = _animation(picture, format)
    with _open_first_frame(source) as picture:
        bits = _bits(picture)
        frames = (
            _without_palette(normalize_image(frame, bits), is_transparent)
            for frame in ImageSequence.Iterator(picture)
        )
        first = next(frames)
        rest = list(frames) if format == "PNG" else frames  # Pillow reads the frames of PNGs twice
        first.save(path, format, save_all=True, append_images=rest, **options, **QUALITY[format])


def _animation(picture: Image.Image, format: str) -> tuple[dict[str, Any], bool]:
    """Return the timing of the frames for the encoder, and whether any is transparent."""
    count: int = getattr(picture, "n_frames", 1)
    if count * picture.width * picture.height > MAX_ALL_FRAMES:
        raise UnsuitableImage(f"Its frames have more than {MAX_ALL_FRAMES:,} pixels together.")
    durations, is_transparent = [], False
    for frame in ImageSequence.Iterator(picture):
        frame.load()  # WebP knows more after the frame has been decoded
        durations.append(frame.info.get("duration", 100))
        is_transparent = is_transparent or _is_transparent(frame)
    options = {"loop": picture.info["loop"]} if "loop" in picture.info else {}
    if format == "PNG":
        is_apart = bool(picture.info.get("default_image"))  # only visible if nothing moves
        options |= {"default_image": is_apart, "disposal": 0, "blend": 0}
        return options | {"duration": durations[1:] if is_apart else durations}, is_transparent
    if format == "GIF":  # the previous frame would show through a transparent one
        options["disposal"] = 2 if is_transparent else 0
    return options | {"duration": [int(one) for one in durations]}, is_transparent


def _is_transparent(frame: Image.Image) -> bool:
    if not frame.has_transparency_data:
        return False
    return any(frame.convert("RGBA").getchannel("A").histogram()[:255])


def _without_palette(frame: Image.Image, is_transparent: bool) -> Image.Image:
    """Convert an image with a palette that frames share, where other frames would show through."""
    if is_transparent:
        return frame.convert("RGBA")
    return frame.convert("RGB") if frame.mode == "RGBA" else frame


def _variants(
    still: Image.Image, folder: Path, stem: str, format: str, suffix: str
) -> dict[str, dict[str, Any]]:
    """Write smaller versions, each from the previous one, never larger than the image."""
    smaller, variants, saved = _to_scalable_mode(still), {}, []
    with ThreadPoolExecutor(THREADS) as encoding:  # Pillow encodes without holding the GIL
        for width in (one for one in WIDTHS if one <= still.width):
            height = max(1, round(still.height * width / still.width))
            smaller = smaller.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
            names = {"name": f"{stem}-{width}.{suffix}", "webp": f"{stem}-{width}.webp"}
            formats = {names["name"]: format, names["webp"]: "WEBP"}
            for name, kind in formats.items():
                saved.append(encoding.submit(_save, smaller, folder / name, kind))
            variants[str(width)] = {**names, "width": width, "height": height}
    for one in saved:
        one.result()  # raises errors of the threads
    return variants


def _to_scalable_mode(still: Image.Image) -> Image.Image:
    """Convert to a mode whose pixels can be interpolated."""
    if still.mode in ("RGB", "RGBA", "L"):
        return still
    if still.mode.startswith("I"):  # 16-bit grayscale
        return _without_metadata(_to_8_bits(still))
    sees_through = still.mode in ("LA", "PA", "La", "RGBa") or "transparency" in still.info
    return _without_metadata(still.convert("RGBA" if sees_through else "RGB"))


if __name__ == "__main__":
    main()
