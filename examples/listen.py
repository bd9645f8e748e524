"""Five real minutes of ECG read beat by beat: `python examples/listen.py` (no broker, no download)."""

from collections import Counter

from ecg.records import library
from monitor.api import AlarmChanged, ArrayWard, BeatRead

record = library.read("excerpt")  # any float array in mV will do: [samples] or [samples, leads]
samples, rate = record.millivolts(0), record.rate

ward = ArrayWard.load("memory-gru")
beats: Counter[str] = Counter()
for event in ward.listen(samples, rate):
    if isinstance(event, BeatRead):
        beats[event.cls] += 1
    elif isinstance(event, AlarmChanged):
        for change in event.changes:
            if change.what == "onset" and not change.hidden:
                print(f"{change.index / rate:7.1f} s  {change.kind.replace('_', ' ')}")
print(", ".join(f"{count} {cls}" for cls, count in beats.most_common()))
