"""Numbers of what the alarms' rules for beats remember of a bed, name and say, as the compiled rules have them.

What each means is said in `monitor.alarms.state` and `kinds`, whose order the kinds have.
"""

from __future__ import annotations

from typing import Final

(
    ASYSTOLE,
    FIBRILLATION,
    VENTRICULAR_TACHYCARDIA,
    EXTREME_TACHYCARDIA,
    EXTREME_BRADYCARDIA,
    NONSUSTAINED_VT,
    VENTRICULAR_RHYTHM,
    VENTRICULAR_RUN,
    PAUSE,
    TACHYCARDIA,
    BRADYCARDIA,
    ATRIAL_FIBRILLATION,
    CANNOT_ANALYSE,
    R_ON_T,
    COUPLET,
    BIGEMINY,
    TRIGEMINY,
    FREQUENT_V,
    LEAD_OFF,
) = range(19)
"""Kinds of alarm."""
KINDS: Final = 19

N, S, V, F, Q = range(5)
"""Classes of beats; -1 before any."""
NEVER: Final = 1 << 62

ONSET, AGAIN, END, CLEAR, HELD = range(5)
"""What a change says."""
CHANGE: Final = 7
"""Numbers of a change: slot, what, kind, index, onset, over, hidden."""
EPISODE: Final = 5
"""Of an episode:"""
BEGAN, RAISED, OVER, ACKNOWLEDGED, TIMES = range(EPISODE)

SIGN: Final = 15
"""Numbers of a sign, as its fields:"""
(
    S_INDEX,
    S_FIBRILLATION,
    S_UNSTEADY,
    S_LEAD_OFF,
    S_ONSET,
    S_TACHYCARDIA,
    S_STILL,
    S_ALIVE,
    S_BRISK,
    S_NOISY,
    S_SECOND,
    S_RUN,
    S_FAULTS,
    S_FAULTS_SECOND,
    S_STEADY,
) = range(SIGN)

(
    NOW,
    DEADLINE,
    QUIET_SINCE,
    STOPPED,
    LAST_CLASS,
    RUN_LENGTH,
    RUN_NAMED,
    OTHERS,
    CYCLES,
    _TRIGEMINY_CYCLES,
    SINCE_AF,
    SILENCED_UNTIL,
    SURE,
    UNLIKE,
    BROAD,
    DENIED,
    DOUBTED,
    DOUBTED_UNTIL,
    HELD_BACK,
    FOUNDED,
    SPELL,
    UNREAD_SINCE,
    READ_SINCE,
    WHY,
    NOISE,
    LIMITS,
    BEATS,
    SECOND,
    RUN,
    RECENT_V,
    RR,
    COMING,
    TOLD,
    EVIDENCE,
    EPISODES,
    NEXT_SIGN,
    NEXT_PEAK,
    SLOT,
    SIGNED,
) = range(39)
"""Columns of a bed's numbers. CYCLES: two. SPELL: a bit for each kind. WHY: a reason, see WHY_OFF. NOISE: are the last
beats noise, -1 where that must be asked. LIMITS: which row of the limits. From BEATS to EPISODES: how long its lists
are. NEXT_SIGN, NEXT_PEAK: the first of those that the clock has not reached, NEVER where there is none. SIGNED: the
sign that is in force, SIGN numbers.
"""
NUMBERS: Final = SIGNED + SIGN

MOST_BEATS: Final = 72
MOST_SECOND: Final = 52
MOST_RUN: Final = 52
MOST_RECENT_V: Final = 202
MOST_EVIDENCE: Final = 52
"""How long lists may be under any settings, and longer."""
AT_SHOWN: Final = NUMBERS
AT_EPISODES: Final = AT_SHOWN + KINDS
AT_BEATS: Final = AT_EPISODES + KINDS * EPISODE
AT_SECOND: Final = AT_BEATS + MOST_BEATS
AT_RUN: Final = AT_SECOND + MOST_SECOND
AT_RECENT_V: Final = AT_RUN + MOST_RUN
AT_RR: Final = AT_RECENT_V + MOST_RECENT_V
"""Where lists begin behind a bed's numbers, oldest first; last, as long as the settings ask, RR intervals and the
R-peaks that end them by turns. Shown are the kinds of the episodes there are, in the order in which they began.
"""
DOUBTED_RR: Final = 0
AT_EVIDENCE: Final = 1
AT_ATRIAL: Final = AT_EVIDENCE + 4 * MOST_EVIDENCE
"""The same of a bed's real numbers: four of evidence for each beat; last, P waves of the beats that end RR
intervals.
"""
WHY_OFF: Final = 1 << 10
"""Why a bed cannot be analysed: this, or the faults of its leads."""
NOTHING: Final = -1

(
    L_ENABLED,
    L_PAUSE,
    L_ASYSTOLE,
    L_UNSTEADY_PAUSE,
    L_UNSTEADY_ASYSTOLE,
    L_UNFOUNDED_PAUSE,
    L_UNFOUNDED_ASYSTOLE,
    L_MINUTE,
    L_MINIMUM,
    L_UNREADABLE,
    L_READABLE,
    L_PULSE_WAIT,
    L_BEATS_KEPT,
    L_VT_BEATS,
    L_RHYTHM_BEATS,
    L_RUN_BEATS,
    L_BIGEMINY,
    L_TRIGEMINY,
    L_FREQUENT,
    L_AF_BEATS,
    L_SLOW_COUNT,
    _SLOW_COUNT,
    L_SLOW_SPAN,
    _SLOW_SPAN,
    L_FAST_COUNT,
    _FAST_COUNT,
    L_FAST_END,
    _FAST_END,
    T_HIGH,
    T_PASSING,
    T_KNOWN,
    T_STRAYS,
    T_FEW,
    T_LAST,
    T_EVERY,
    T_P_BEATS,
    T_LAGS,
    T_FEWEST,
    T_GRAVER,
) = range(39)
"""Columns of whole numbers of limits, samples or counts. Those in pairs: of the rate, then of the extreme one.

From T_HIGH on: constants of the rules, under their names there; high, passing: bits of kinds; graver: for each kind
bits of those that hide it.
"""
WHOLE: Final = T_GRAVER + KINDS
(
    R_RATE,
    R_VT_RR,
    R_RHYTHM_RR,
    R_QT,
    R_IRREGULARITY,
    R_GROWN,
    R_ESCAPE,
    R_LONGEST_RR,
    R_BEFORE,
    R_SLOW_END,
    _SLOW_END,
    R_FAST,
    _FAST,
    T_UNKNOWN,
    T_SURE,
    T_MORE,
    T_FEWER,
    T_FOUNDED,
    T_SURELY_FOUNDED,
    T_SLOWER,
    T_EVEN_SECOND,
    T_EVEN,
    T_EVEN_SHORT,
    T_SURELY,
    T_POSSIBLY,
    T_UNLIKE,
    T_UNLIKE_BESIDE,
    T_USUAL,
    T_RELEASE,
    T_P_WAVES,
    T_SURE_P_WAVES,
    T_SHARE,
    T_DISORDERED,
    T_ORDERED,
) = range(34)
"""Columns of real numbers of limits, and from T_UNKNOWN on of constants."""
REAL: Final = 34
