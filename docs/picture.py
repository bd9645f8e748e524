"""Make docs/screen.svg, docs/central.svg and docs/screen.gif: the real programs on real ECG, as anyone sees them.

    python docs/picture.py [--seconds 8]

It starts `python -m monitor --demo` as `make run` does, waits until the strip is full, and takes what is on the screen.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

import matplotlib
from PIL import Image, ImageDraw, ImageFont
from rich.cells import cell_len

from ecg.settings import Config
from monitor.app import place_of
from monitor.link import transport
from monitor.screen.app import MonitorApp

FOLDER = Path(__file__).parent
SIZE = (120, 36)
CELL = (8, 16)
FRAMES_PER_SECOND = 12
START_SECONDS = 62
"""There the excerpt has V beats, trigeminy among them."""
FONT = ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSansMono.ttf"), 13)
BRAILLE_DOTS = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
BLOCKS = " ▁▂▃▄▅▆▇█"


def paint(app: MonitorApp) -> Image.Image:
    """What is on the screen, cell by cell."""
    width, height = CELL
    picture = Image.new("RGB", (SIZE[0] * width, SIZE[1] * height))
    draw = ImageDraw.Draw(picture)
    for row, strip in enumerate(app.screen._compositor.render_strips()):
        column = 0
        for segment in strip:
            style = segment.style
            front = tuple(style.color.get_truecolor()) if style and style.color else (200, 200, 200)
            ground = tuple(style.bgcolor.get_truecolor()) if style and style.bgcolor else (0, 0, 0)
            if style and style.reverse:
                front, ground = ground, front
            for sign in segment.text:
                left, top = column * width, row * height
                cells = cell_len(sign)
                draw.rectangle((left, top, left + cells * width - 1, top + height - 1), fill=ground)
                stroke(draw, sign, left, top, front)
                column += cells
    return picture


def stroke(draw: ImageDraw.ImageDraw, sign: str, left: int, top: int, colour: tuple[int, ...]) -> None:
    """One sign: braille and blocks drawn as a terminal draws them, the others from the font."""
    width, height = CELL
    if 0x2800 <= ord(sign) <= 0x28FF:
        for bit, (across, down) in enumerate(BRAILLE_DOTS):
            if ord(sign) >> bit & 1:
                x, y = left + across * width // 2 + 1, top + down * height // 4 + 1
                draw.rectangle((x, y, x + 1, y + 1), fill=colour)
    elif sign == "▀":
        draw.rectangle((left, top, left + width - 1, top + height // 2 - 1), fill=colour)
    elif sign in BLOCKS[1:]:
        full = height * BLOCKS.index(sign) // 8
        draw.rectangle((left, top + height - full, left + width - 1, top + height - 1), fill=colour)
    elif sign != " ":
        draw.text((left, top), sign, font=FONT, fill=colour)


async def film(seconds: float) -> None:
    """Record, then save."""
    link = transport.start(place_of(Config()), ["--demo", "--beds", "9"])
    app = MonitorApp(link, Config())
    frames = []
    try:
        async with app.run_test(size=SIZE) as pilot:
            await asyncio.sleep(START_SECONDS)
            app.save_screenshot("screen.svg", str(FOLDER))
            for _ in range(int(seconds * FRAMES_PER_SECOND)):
                await asyncio.sleep(1 / FRAMES_PER_SECOND)
                frames.append(paint(app))
            await pilot.press("c")
            await asyncio.sleep(8)
            app.save_screenshot("central.svg", str(FOLDER))
    finally:
        link.close()
    shared = frames[0].quantize(64)
    indexed = [frame.quantize(palette=shared, dither=Image.Dither.NONE) for frame in frames]
    indexed[0].save(
        FOLDER / "screen.gif",
        save_all=True,
        append_images=indexed[1:],
        duration=1000 // FRAMES_PER_SECOND,
        loop=0,
        optimize=True,
    )


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=8.0)
    asyncio.run(film(options.parse_args().seconds))
