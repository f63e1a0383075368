/** Light, dark, or as the system has it: kept in the browser, set as `data-theme` on the page. */
import { useSyncExternalStore } from 'react';
import { Signal } from '../live/signal';

export type ThemeChoice = 'system' | 'light' | 'dark';

const KEY = 'promptroom.theme';
const changed = new Signal();
const systemDark = matchMedia('(prefers-color-scheme: dark)');

/** What the user chose. */
export function useThemeChoice(): ThemeChoice {
  return useSyncExternalStore(subscribe, readChoice);
}

/** Whether the page is dark now. */
export function useIsDark(): boolean {
  return useSyncExternalStore(subscribe, () => {
    const choice = readChoice();
    return choice === 'system' ? systemDark.matches : choice === 'dark';
  });
}

export function chooseTheme(choice: ThemeChoice): void {
  if (choice === 'system') {
    localStorage.removeItem(KEY);
    delete document.documentElement.dataset['theme'];
  } else {
    localStorage.setItem(KEY, choice);
    document.documentElement.dataset['theme'] = choice;
  }
  changed.emit();
}

function readChoice(): ThemeChoice {
  const theme = document.documentElement.dataset['theme'];
  return theme === 'light' || theme === 'dark' ? theme : 'system';
}

function subscribe(listener: () => void): () => void {
  const unsubscribe = changed.subscribe(listener);
  systemDark.addEventListener('change', listener);
  return () => {
    unsubscribe();
    systemDark.removeEventListener('change', listener);
  };
}
