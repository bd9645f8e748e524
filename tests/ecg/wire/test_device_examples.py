"""The senders of docs/devices.md are run as they stand there, and what they publish goes through a real broker.

Their programs are the page's own: JavaScript runs in Node, the sketch is compiled against stand-ins of Arduino's
headers (tests/support/arduino), in which time goes on by itself.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import aiomqtt
import numpy as np
import pytest

from ecg.wire.broker import Broker
from ecg.wire.messages import Wave, decode_wave, wave_samples

PAGE = (Path(__file__).parents[3] / "docs/devices.md").read_text(encoding="utf-8")
HEADERS = Path(__file__).parents[2] / "support/arduino"
MESSAGES = 3
NODE_RED = """
const kept = new Map(), context = {get: (k) => kept.get(k), set: (k, v) => kept.set(k, v)};
const node = new Function("msg", "context", `BODY`);
for (let k = 0; k < 3; k++) {
    const msg = node({payload: Array.from({length: 50}, (_, i) => (50 * k + i) / 1000)}, context);
    console.log(msg.topic + "\\t" + msg.payload);
}
"""
BROWSER = """
const mqtt = {connect: () => ({publish: (topic, payload) => console.log(topic + "\\t" + payload)})};
const setInterval = (call) => { for (let k = 0; k < 3; k++) call(); };
BODY
"""
SKETCH = '#include "Arduino.h"\nBODY\nint main() { setup(); for (; n < 150; now_us += 100) loop(); }\n'


def block(language: str) -> str:
    """The program of that language on the page."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return found[1]


def lines(command: list[str], program: str) -> list[tuple[str, bytes]]:
    """(topic, payload) of each message that a program prints."""
    ran = subprocess.run(command, input=program, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    topics = [line.partition("\t") for line in ran.stdout.splitlines()]
    return [(topic, payload.encode()) for topic, _, payload in topics]


def needed(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"no {program} here")
    return found


def compiled(sketch: str, folder: Path) -> str:
    """The program of a sketch."""
    source, program = folder / "sketch.cpp", folder / "sketch"
    source.write_text(SKETCH.replace("BODY", sketch), encoding="utf-8")
    command = [needed("g++"), "-std=c++17", "-O0", f"-I{HEADERS}", "-o", str(program), str(source)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return str(program)


async def through(broker: Broker, messages: list[tuple[str, bytes]]) -> list[Wave]:
    """What arrives at a subscriber, decoded."""
    async with aiomqtt.Client(broker.host, broker.port) as client:
        await client.subscribe("ecg/v1/+/wave", 1)
        for topic, payload in messages:
            await client.publish(topic, payload, 1)
        waves = []
        async for message in client.messages:
            waves.append(decode_wave(bytes(message.payload)))
            if len(waves) == len(messages):
                break
    return waves


def checked(waves: list[Wave], leads: list[str]) -> np.ndarray:
    """The samples of one unbroken stream, in ADU."""
    assert len(waves) == MESSAGES and len({wave.stream for wave in waves}) == 1
    assert [wave.index for wave in waves] == [0, 50, 100]
    assert all(wave.rate == 250 and wave.leads == leads and len(wave_samples(wave)) == 50 for wave in waves)
    return np.concatenate([wave_samples(wave) for wave in waves])


async def test_the_node_of_node_red_is_understood(any_broker: Broker) -> None:
    program = NODE_RED.replace("BODY", block("js").replace("`", "\\`").replace("${", "\\${"))
    waves = await through(any_broker, lines([needed("node"), "-"], program))
    samples = checked(waves, ["II"])
    assert np.allclose(samples[:, 0] / waves[0].gain[0], np.arange(150) / 1000, atol=1e-3)
    assert all(wave.sent_ns > 1.6e18 for wave in waves)


async def test_the_page_in_a_browser_is_understood(any_broker: Broker) -> None:
    script = re.search(r"<script>\n(.*?)</script>", block("html"), re.DOTALL)
    assert script
    waves = await through(any_broker, lines([needed("node"), "-"], BROWSER.replace("BODY", script[1])))
    samples = checked(waves, ["II", "V1"])
    beat = samples[:, 0] / waves[0].gain[0]
    assert beat.max() == pytest.approx(1.2, abs=0.01) and int(beat.argmax()) == 75
    assert samples[0, 1] == -32768 and samples[75, 1] == pytest.approx(samples[75, 0] / 2, abs=1)


async def test_the_sketch_is_understood(any_broker: Broker, tmp_path: Path) -> None:
    waves = await through(any_broker, lines([compiled(block("cpp"), tmp_path)], ""))
    samples = checked(waves, ["II"])
    assert (waves[0].gain, waves[0].baseline) == ([1365.0], [2048.0])
    assert ((samples[:, 0] >= 2048) & (samples[:, 0] < 2055)).all() and len(np.unique(samples)) == 7
