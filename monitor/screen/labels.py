"""Every word on the screen, in English and Japanese."""

from __future__ import annotations

from typing import Final, Literal

Language = Literal["en", "ja"]

TABLE: Final[dict[str, tuple[str, str]]] = {
    "title": ("ECG monitor", "心電図モニター"),
    "not_clinical": (
        "research and education only, not for clinical use",
        "研究・教育専用 — 診療には使用できません",
    ),
    "waiting": ("waiting for beds", "ベッドの信号を待っています"),
    "too_small": (
        "The terminal is {w} x {h}; the monitor needs at least 80 x 24. Make it larger, or press q to quit.",
        "端末は {w} x {h} です。80 x 24 以上に広げるか、q で終了してください。",
    ),
    "stale": (
        "the monitor's service has told nothing for {s} s",
        "モニターのサービスから {s} 秒間データがありません",
    ),
    "N": ("normal", "正常"),
    "S": ("supraventricular", "上室性"),
    "V": ("ventricular", "心室性"),
    "F": ("fusion", "融合"),
    "Q": ("unknown", "不明"),
    "heart_rate": ("HEART RATE", "心拍数"),
    "per_minute": ("/min", "/分"),
    "pvc": ("PVC/min", "PVC/分"),
    "rr": ("RR INTERVALS", "RR間隔"),
    "hrv": ("HRV", "心拍変動"),
    "last_beat": ("LAST BEAT", "直近の拍動"),
    "memory": ("MEMORY", "メモリー"),
    "memory_short": ("MEMORY", "記憶"),
    "units": ("{n} hidden units", "隠れユニット {n} 個"),
    "moved": ("moved it most, last 60 s (change)", "60秒間で大きく動かした拍動(変化量)"),
    "moved_short": ("moved it most (L2)", "大きな変化"),
    "ago": ("{s} s ago", "{s} 秒前"),
    "alerts": ("ABNORMAL BEATS", "異常拍動"),
    "no_alerts": ("none so far", "まだありません"),
    "alarms": ("ALARMS", "アラーム"),
    "no_alarms": ("no alarms", "アラームなし"),
    "acknowledged": ("acknowledged", "確認済み"),
    "latched": ("over, not yet acknowledged", "終了・未確認"),
    "since": ("since {at}", "開始 {at}"),
    "over": ("{at} to {until}, over", "{at}〜{until} 終了"),
    "now": ("now {rate}", "現在 {rate}"),
    "beside_limit": ("{name} {rate} (limit {limit})", "{name} {rate}（限界 {limit}）"),
    "silenced": ("silenced {s} s", "消音中 {s} 秒"),
    "held": ("{n} held back for noise", "雑音で保留 {n} 件"),
    "noisy": ("noisy", "雑音"),
    "noisy_why": ("noisy: {why}", "雑音 {why}"),
    "signal_off": ("off", "外れ"),
    "signal_noisy": ("noisy", "雑音"),
    "fault_muscle": ("muscle or mains", "筋電・交流"),
    "fault_wander": ("baseline wander", "基線動揺"),
    "fault_jump": ("electrode jumps", "電極の跳躍"),
    "fault_clipped": ("clipped", "飽和"),
    "limits": ("limits of the bed", "アラーム限界"),
    "limits_of": ("LIMITS of {bed}", "アラーム限界 {bed}"),
    "limits_keys": (
        "↑↓ choose  ←→ change  Enter apply  Del: the settings'  Esc",
        "↑↓ 選択 ←→ 変更 Enter 適用 Del 設定値に戻す Esc",
    ),
    "wrong_order": ("these limits contradict one another", "限界値が互いに矛盾しています"),
    "own": ("of this bed", "個別"),
    "seconds": ("s", "秒"),
    "limit_extreme_tachycardia_rate": ("extreme tachycardia above", "極度の頻脈 上限"),
    "limit_tachycardia_rate": ("tachycardia above", "頻脈 上限"),
    "limit_bradycardia_rate": ("bradycardia below", "徐脈 下限"),
    "limit_extreme_bradycardia_rate": ("extreme bradycardia below", "極度の徐脈 下限"),
    "limit_asystole_seconds": ("asystole: no beat for", "心静止 拍動なし"),
    "limit_pause_seconds": ("pause: no beat for", "ポーズ 拍動なし"),
    "limit_frequent_v_per_minute": ("frequent V: more than", "頻発PVC 上限"),
    "frozen": ("FROZEN", "一時停止"),
    "record": ("record", "レコード"),
    "broker": ("broker", "ブローカー"),
    "device": ("device", "演算"),
    "model": ("model", "モデル"),
    "beds": ("beds", "ベッド"),
    "beats_per_s": ("beats/s", "拍/秒"),
    "latency": ("latency", "遅延"),
    "lookahead": ("lookahead", "先読み"),
    "lost": ("lost", "欠落"),
    "junk": ("unreadable", "判読不能"),
    "no_connection": ("NO CONNECTION", "接続なし"),
    "ok": ("ok", "正常"),
    "silent": ("silent", "無信号"),
    "offline": ("offline", "オフライン"),
    "gapped": ("gapped", "欠測"),
    "lead off": ("lead off", "電極外れ"),
    "off": ("{leads} off", "{leads} 外れ"),
    "not understood": ("not understood", "解読不能"),
    "learning": ("learning", "学習中"),
    "teach": ("TEACHER: a key changes the patient of {bed}", "教員: キーで {bed} の患者を変更"),
    "teach_tab": ("Tab: changes last {lasting}. Escape closes.", "Tab: 変更の持続 {lasting}  Escape で閉じる"),
    "teach_good": ("for good", "そのまま"),
    "teach_seconds": ("for {seconds} s", "{seconds} 秒間"),
    "teach_sent": ("asked the producer of {bed} for: {word}", "{bed} の送信側に依頼: {word}"),
    "teach_no_ectopy": ("no extra beats", "期外収縮なし"),
    "teach_no_artefact": ("no artefacts", "アーチファクトなし"),
    "teach_no_off": ("leads back on", "電極を戻す"),
    "show_teach": ("teacher's panel", "教員パネル"),
    "simulated": ("SIMULATED", "模擬患者"),
    "bedside": ("BEDSIDE", "ベッドサイド"),
    "choose_bed": ("choose a bed", "ベッドを選択"),
    "central": ("CENTRAL STATION", "セントラル"),
    "page": ("page {a}/{b}", "{a}/{b} ページ"),
    "by_urgency": ("by urgency", "緊急度順"),
    "by_name": ("by name", "名前順"),
    "review": ("REVIEW", "レビュー"),
    "behind": ("{s} s before the end", "末尾の {s} 秒前"),
    "rate": ("rate", "心拍"),
    "fitted_on": ("network fitted on {about}", "学習データ: {about}"),
    "saved": ("Saved {path}", "保存しました: {path}"),
    "not_saved": ("Cannot save: {why}", "保存できません: {why}"),
    "strip_gone": ("That strip is no longer kept.", "その波形はもう保持されていません。"),
    "truth": ("TRUTH", "正解"),
    "no_truth": ("this bed sends no annotations", "このベッドには注釈がありません"),
    "model_row": ("model", "モデル"),
    "truth_row": ("cardiologists", "専門医"),
    "detection": ("beats", "検出"),
    "false": ("false", "過検出"),
    "ended": ("The monitor's service has ended: {why}", "モニターのサービスが終了しました: {why}"),
    "reset": ("memory reset: {why}", "メモリー初期化: {why}"),
    "help": ("KEYS", "キー操作"),
    "close": ("any key closes this", "何かキーを押すと閉じます"),
    # what keys do
    "quit": ("quit", "終了"),
    "next_bed": ("next bed", "次のベッド"),
    "freeze": ("freeze", "停止"),
    "gain": ("gain", "振幅"),
    "gain_up": ("larger", "振幅拡大"),
    "gain_down": ("smaller", "振幅縮小"),
    "sweep": ("sweep speed", "掃引速度"),
    "acknowledge": ("acknowledge alarms", "アラーム確認"),
    "silence": ("silence", "消音"),
    "show_help": ("help", "ヘルプ"),
    "show_central": ("central station", "セントラル"),
    "show_truth": ("truth view", "正解表示"),
    "show_review": ("review", "レビュー"),
    "palette": ("commands", "コマンド"),
    "theme": ("other theme", "テーマ切替"),
    "language": ("日本語", "English"),
    "back": ("back", "戻る"),
    "open_bed": ("open the bed", "ベッドを開く"),
    "sort": ("sort", "並べ替え"),
    "next_page": ("next page", "次のページ"),
    "previous_page": ("previous page", "前のページ"),
    "move_cursor": ("move the cursor", "カーソル移動"),
    "other_cursor": ("other cursor", "カーソル切替"),
    "scroll": ("scroll", "スクロール"),
    "jump": ("alert before, after", "前後の異常拍動"),
    "save": ("save the strip", "波形を保存"),
    "choose_alert": ("choose an alert", "異常拍動を選択"),
    "see_alert": ("see its strip", "その波形を見る"),
    "mouse": ("a click opens a bed or an alert, sets a cursor", "クリックで選択"),
    "go_to_bed": ("Show bed {bed}", "ベッド {bed} を表示"),
    # alarms, by kind
    "asystole": ("asystole", "心静止"),
    "fibrillation": ("ventricular fibrillation or flutter", "心室細動・粗動"),
    "ventricular_tachycardia": ("ventricular tachycardia", "心室頻拍"),
    "extreme_tachycardia": ("extreme tachycardia", "極度の頻脈"),
    "extreme_bradycardia": ("extreme bradycardia", "極度の徐脈"),
    "nonsustained_vt": ("non-sustained VT", "非持続性心室頻拍"),
    "ventricular_rhythm": ("ventricular rhythm", "心室調律"),
    "ventricular_run": ("run of V", "心室性連発"),
    "pause": ("pause", "心停止（ポーズ）"),
    "tachycardia": ("tachycardia", "頻脈"),
    "bradycardia": ("bradycardia", "徐脈"),
    "atrial_fibrillation": ("irregular rhythm (AF)", "不整な調律（心房細動）"),
    "r_on_t": ("R on T", "R on T"),
    "couplet": ("couplet", "二連発"),
    "bigeminy": ("bigeminy", "二段脈"),
    "trigeminy": ("trigeminy", "三段脈"),
    "frequent_v": ("frequent V", "頻発性心室期外収縮"),
    "cannot_analyse": ("ECG cannot be analysed", "心電図解析不能"),
    "lead_off": ("lead off", "電極外れ"),
}
"""(English, Japanese) by key; `Labels` fills in each {...}."""

SHORT: Final[dict[str, tuple[str, str]]] = {
    "asystole": ("Asystole", "心静止"),
    "fibrillation": ("VF or flutter", "心室細動"),
    "ventricular_tachycardia": ("VT", "心室頻拍"),
    "extreme_tachycardia": ("Extreme tachy", "極度頻脈"),
    "extreme_bradycardia": ("Extreme brady", "極度徐脈"),
    "nonsustained_vt": ("Short VT", "短い心室頻拍"),
    "ventricular_rhythm": ("V rhythm", "心室調律"),
    "ventricular_run": ("V run", "心室連発"),
    "pause": ("Pause", "ポーズ"),
    "tachycardia": ("Tachy", "頻脈"),
    "bradycardia": ("Brady", "徐脈"),
    "atrial_fibrillation": ("Irregular, AF", "心房細動"),
    "r_on_t": ("R on T", "R on T"),
    "couplet": ("Couplet", "二連発"),
    "bigeminy": ("Bigeminy", "二段脈"),
    "trigeminy": ("Trigeminy", "三段脈"),
    "frequent_v": ("Frequent V", "頻発PVC"),
    "cannot_analyse": ("No analysis", "解析不能"),
    "lead_off": ("Lead off", "電極外れ"),
}
"""Alarms by kind, where room is short: at most 14 cells."""

RHYTHMS: Final[dict[str, tuple[str, str]]] = {
    "AB": ("atrial bigeminy", "心房性二段脈"),
    "AFIB": ("atrial fibrillation", "心房細動"),
    "AFL": ("atrial flutter", "心房粗動"),
    "B": ("bigeminy", "心室性二段脈"),
    "BII": ("2nd-degree block", "II度房室ブロック"),
    "IVR": ("idioventricular", "心室固有調律"),
    "N": ("sinus rhythm", "洞調律"),
    "NOD": ("nodal rhythm", "房室接合部調律"),
    "P": ("paced rhythm", "ペーシング"),
    "PREX": ("pre-excitation", "早期興奮"),
    "SBR": ("sinus bradycardia", "洞徐脈"),
    "SVTA": ("SV tachyarrhythmia", "上室性頻拍"),
    "T": ("trigeminy", "心室性三段脈"),
    "VFL": ("ventricular flutter", "心室粗動"),
    "VT": ("V tachycardia", "心室頻拍"),
    # of other databases
    "ASYS": ("asystole", "心静止"),
    "BI": ("1st-degree block", "I度房室ブロック"),
    "HGEA": ("ventricular ectopy", "高度心室性期外"),
    "J": ("nodal rhythm", "房室接合部調律"),
    "NOISE": ("noise", "雑音"),
    "NSR": ("sinus rhythm", "洞調律"),
    "SAB": ("sinoatrial block", "洞房ブロック"),
    "SVT": ("SV tachycardia", "上室性頻拍"),
    "VER": ("escape rhythm", "心室補充調律"),
    "VF": ("V fibrillation", "心室細動"),
    "VFIB": ("V fibrillation", "心室細動"),
}
"""(English, Japanese) by rhythm label without its parenthesis: all of the MIT-BIH database, and those of its kin."""


class Labels:
    """The texts of one language."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language
        self._column = 1 if language == "ja" else 0

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key, filled in."""
        words = TABLE[key][self._column]
        return words.format(**values) if values else words

    def known(self, key: str, otherwise: str) -> str:
        """The text of a key, or `otherwise` for a key that the table lacks, such as the alarm of a newer service."""
        return TABLE[key][self._column] if key in TABLE else otherwise

    def short(self, kind: str, otherwise: str) -> str:
        """A short name of an alarm's kind, or `otherwise` for a kind that the table lacks."""
        return SHORT[kind][self._column] if kind in SHORT else otherwise

    def rhythm(self, label: str) -> str:
        """A rhythm label such as "(AFIB" in words; a label that the table lacks as it stands, without parenthesis."""
        code = label.strip(" \0").removeprefix("(")
        return RHYTHMS[code][self._column] if code in RHYTHMS else code
