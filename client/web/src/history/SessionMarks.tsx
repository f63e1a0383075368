import { memo } from 'react';
import type { Session } from '../api/past';
import { PALETTES, type ThemeName } from '../dotprompt/palettes';
import { flagColors } from '../presence/color';

export interface SessionMarksProps {
  readonly sessions: readonly Session[];
  readonly head: number;
  readonly theme: ThemeName;
}

/** Under the slider, when somebody worked on the text, in their colors; the slider says the same in words. */
export const SessionMarks = memo(function SessionMarks({ sessions, head, theme }: SessionMarksProps) {
  const { background } = PALETTES[theme];
  // The first edit stands at the left end, and the last at the right one.
  const percent = (edits: number): number => (100 * edits) / Math.max(1, head - 1);
  return (
    <div className="playback-marks" aria-hidden="true">
      {sessions.map(({ from_seq, to_seq, users, started_at }) => {
        const colors = users.map(({ color }) => flagColors(color, background).ground);
        return (
          <span
            key={from_seq}
            data-testid="session"
            title={`${users.map(({ name }) => name).join(', ')}: ${new Date(started_at).toLocaleString()}`}
            style={{
              left: `${percent(from_seq - 1)}%`,
              width: `${percent(to_seq - from_seq)}%`,
              background: stripes(colors),
            }}
          />
        );
      })}
    </div>
  );
});

/** Each color as broad as the others, side by side. */
function stripes(colors: readonly string[]): string {
  const stops = colors.map((color, index) => {
    return `${color} ${(100 * index) / colors.length}% ${(100 * (index + 1)) / colors.length}%`;
  });
  return `linear-gradient(to right, ${stops.join(', ')})`;
}
