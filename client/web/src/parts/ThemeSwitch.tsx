import type { ReactNode } from 'react';
import { MoonIcon, SunIcon, SystemIcon } from './icons';
import { chooseTheme, type ThemeChoice, useThemeChoice } from './theme';
import './themeSwitch.css';

const CHOICES: readonly { readonly choice: ThemeChoice; readonly label: string; readonly icon: ReactNode }[] = [
  { choice: 'system', label: 'As the system', icon: <SystemIcon /> },
  { choice: 'light', label: 'Light', icon: <SunIcon /> },
  { choice: 'dark', label: 'Dark', icon: <MoonIcon /> },
];

/** Three choices of theme, as one group of radio buttons. */
export function ThemeSwitch() {
  const current = useThemeChoice();
  return (
    <fieldset className="theme-switch">
      <legend className="visually-hidden">Theme</legend>
      {CHOICES.map(({ choice, label, icon }) => (
        <label key={choice} title={label}>
          <input
            type="radio"
            name="theme"
            className="visually-hidden"
            checked={current === choice}
            onChange={() => chooseTheme(choice)}
            aria-label={label}
          />
          <span>{icon}</span>
        </label>
      ))}
    </fieldset>
  );
}
