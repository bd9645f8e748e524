"""Eight beds at once, a second of each at a time: `python examples/many_beds.py` (no broker, no download)."""

from collections import Counter

from ecg.records import library
from monitor.api import ArrayWard, BeatRead

record = library.read("excerpt")
samples, rate = record.millivolts(0), record.rate
second, part = round(rate), len(samples) // 8
beds = {f"bed{number + 1}": samples[number * part : (number + 1) * part] for number in range(8)}

ward = ArrayWard.load("memory-gru")
events = []
for begin in range(0, part, second):
    events += ward.feed({bed: signal[begin : begin + second] for bed, signal in beds.items()}, rate)
events += ward.finish()

for bed in beds:
    found = Counter(event.cls for event in events if isinstance(event, BeatRead) and event.bed == bed)
    print(bed, dict(found.most_common()))
