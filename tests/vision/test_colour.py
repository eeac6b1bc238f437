from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageCms

from finegraft.vision.colour import in_srgb
from finegraft.vision.decoding import decode, open_photo
from tests.making import encoded, picture
from tests.vision import profiles

PICTURE = picture(1, (64, 48))


def pixels(image: Image.Image) -> np.ndarray:
    assert image.mode == "RGB"
    assert not image.info
    return np.asarray(image).astype(int)


def display_to_srgb(colours: np.ndarray, primaries: tuple[tuple[float, float, float], ...], gamma: float) -> np.ndarray:
    """The formulas of IEC 61966-2-1 and ICC.1, in double precision; what sRGB cannot show is clipped."""
    xyz = (colours / 255) ** gamma @ np.array(primaries)
    return encode(xyz @ np.linalg.inv(np.array(profiles.SRGB)))


def encode(linear: np.ndarray) -> np.ndarray:
    linear = linear.clip(0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("primaries", [profiles.ADOBE, profiles.SRGB], ids=["adobe", "srgb"])
def test_a_display_s_colours_follow_its_matrix(primaries: tuple[tuple[float, float, float], ...]) -> None:
    cube = np.stack(np.meshgrid(*[np.arange(20, 256, 47)] * 3, indexing="ij"), -1).reshape(1, -1, 3).astype(np.uint8)
    seen = pixels(in_srgb(Image.fromarray(cube), profiles.display(primaries, 2.2)))
    wanted = display_to_srgb(cube, primaries, 563 / 256)  # as the eight bits of a profile hold 2.2
    assert abs(seen - wanted).max() <= 2
    assert (abs(seen - cube).max() > 40) == (primaries is profiles.ADOBE)


def test_a_grey_curve_is_followed() -> None:
    ramp = np.arange(256, dtype=np.uint8)[None]
    seen = pixels(in_srgb(Image.fromarray(ramp), profiles.grey(gamma=1.75)))
    wanted = encode((ramp / 255) ** 1.75)
    assert abs(seen - wanted[..., None]).max() <= 3
    assert abs(wanted - ramp).max() > 20


def test_inks_are_what_their_profile_says() -> None:
    """All four inks of that press are grey; without its profile, cyan alone is taken for a colour."""
    cyan = Image.new("CMYK", (4, 4), (255, 0, 0, 0))
    by_profile, by_formula = pixels(in_srgb(cyan, profiles.press())), pixels(in_srgb(cyan, None))
    lightness = 191 / 255 * 100
    grey = encode(np.array(((lightness + 16) / 116) ** 3))
    assert abs(by_profile - grey).max() <= 3
    assert (by_formula == (0, 255, 255)).all()


def test_lab_needs_no_profile() -> None:
    colours = np.array([(200, 80, 60), (70, 160, 90), (90, 100, 160), (128, 128, 128), (255, 255, 255)])
    stored = np.array([lab(colour) for colour in colours]) * (2.55, 1, 1) + (0, 128, 128)
    image = Image.new("LAB", (len(colours), 1))
    for x, colour in enumerate(stored.round().astype(int)):
        image.putpixel((x, 0), tuple(colour.tolist()))
    assert abs(pixels(in_srgb(image, None))[0] - colours).max() <= 4


def lab(colour: np.ndarray) -> np.ndarray:
    """CIELAB of an sRGB colour for the white D50 (CIE 15, 8.2.1); none so dark that the straight part counts."""
    linear = ((colour / 255 + 0.055) / 1.055) ** 2.4
    x, y, z = np.cbrt(linear @ np.array(profiles.SRGB) / profiles.WHITE)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_srgb_itself_changes_nothing() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert in_srgb(PICTURE, profile) is PICTURE


@pytest.mark.parametrize(
    ("mode", "profile"),
    [
        ("RGB", None),
        ("RGB", b""),
        ("RGB", b"junk" * 100),
        ("RGB", profiles.display()[:200]),
        ("RGB", profiles.display()[:128] + b"\xff" * 400),
        ("RGB", profiles.grey()),
        ("RGB", profiles.press()),
        ("L", profiles.display()),
        ("CMYK", profiles.display()),
        ("CMYK", profiles.press()[:400]),
        ("RGB", profiles.display() + bytes(5 * 2**20)),
    ],
)
def test_a_profile_that_is_broken_or_for_other_colours_is_left_alone(mode: str, profile: bytes | None) -> None:
    image = PICTURE.convert(mode)
    assert (pixels(in_srgb(image, profile)) == np.asarray(image.convert("RGB"))).all()


def test_many_threads_see_the_same_colours() -> None:
    images = [picture(seed, (64, 48)) for seed in range(24)]
    kinds = [profiles.display(), profiles.display(gamma=1.8), profiles.display(profiles.SRGB, 1.0)]
    work = [(image, kinds[i % 3]) for i, image in enumerate(images)]
    alone = [in_srgb(*job).tobytes() for job in work]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda job: in_srgb(*job).tobytes(), work * 4))
    assert together == alone * 4


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_the_profile_of_every_format_is_found(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    plain = decode(open_photo(encoded(PICTURE, kind, **options))).picture
    wanted = pixels(in_srgb(plain, profiles.display()))
    seen = decode(open_photo(encoded(PICTURE, kind, icc_profile=profiles.display(), **options))).picture
    assert (pixels(seen) == wanted).all()


@pytest.mark.parametrize("mode", ["P", "RGBA", "LA", "1", "I;16"])
def test_the_profile_of_every_mode_is_found(mode: str) -> None:
    grey = mode in ("LA", "1", "I;16")
    profile = profiles.grey() if grey else profiles.display()
    image = PICTURE.convert("L").convert(mode) if grey else PICTURE.convert(mode)
    plain = decode(open_photo(encoded(image, "PNG"))).picture
    seen = decode(open_photo(encoded(image, "PNG", icc_profile=profile))).picture
    assert (pixels(seen) == pixels(in_srgb(plain.convert("L") if grey else plain, profile))).all()
