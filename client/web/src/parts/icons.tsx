/** Icons, drawn on a grid of 20. They decorate: whatever they mean is said in words beside them. */
import type { ReactNode } from 'react';

function Icon({ children }: { readonly children: ReactNode }) {
  return (
    <svg
      aria-hidden="true"
      width="18"
      height="18"
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      {children}
    </svg>
  );
}

export function PlusIcon() {
  return (
    <Icon>
      <path d="M10 4v12M4 10h12" />
    </Icon>
  );
}

export function SearchIcon() {
  return (
    <Icon>
      <circle cx="9" cy="9" r="5" />
      <path d="m13 13 4 4" />
    </Icon>
  );
}

export function PencilIcon() {
  return (
    <Icon>
      <path d="M4 16l.8-3.4L13.2 4.2a1.4 1.4 0 0 1 2 0l.6.6a1.4 1.4 0 0 1 0 2L7.4 15.2 4 16Z" />
    </Icon>
  );
}

export function TrashIcon() {
  return (
    <Icon>
      <path d="M4 6h12M8 6V4h4v2M6 6l.6 10h6.8L14 6" />
    </Icon>
  );
}

export function RestoreIcon() {
  return (
    <Icon>
      <path d="M4 9a6 6 0 1 1 1.8 5M4 4v5h5" />
    </Icon>
  );
}

export function BackIcon() {
  return (
    <Icon>
      <path d="M12 4l-6 6 6 6" />
    </Icon>
  );
}

export function InviteIcon() {
  return (
    <Icon>
      <circle cx="8" cy="7" r="3" />
      <path d="M2.5 16.5c.5-3 2.7-4.5 5.5-4.5 1.5 0 2.8.4 3.8 1.2M15 11v6M12 14h6" />
    </Icon>
  );
}

export function SunIcon() {
  return (
    <Icon>
      <circle cx="10" cy="10" r="3.5" />
      <path d="M10 2v1.5M10 16.5V18M2 10h1.5M16.5 10H18M4.3 4.3l1.1 1.1M14.6 14.6l1.1 1.1M4.3 15.7l1.1-1.1M14.6 5.4l1.1-1.1" />
    </Icon>
  );
}

export function MoonIcon() {
  return (
    <Icon>
      <path d="M16.5 12A7 7 0 0 1 8 3.5a7 7 0 1 0 8.5 8.5Z" />
    </Icon>
  );
}

export function SystemIcon() {
  return (
    <Icon>
      <rect x="3" y="4" width="14" height="10" rx="1.5" />
      <path d="M8 17h4" />
    </Icon>
  );
}

export function CloseIcon() {
  return (
    <Icon>
      <path d="M5 5l10 10M15 5L5 15" />
    </Icon>
  );
}

export function HistoryIcon() {
  return (
    <Icon>
      <path d="M4 9a6 6 0 1 1 1.8 5M4 4v5h5M10 7v3.5l2.5 1.5" />
    </Icon>
  );
}

export function TagIcon() {
  return (
    <Icon>
      <path d="M10.5 3.5H16a.5.5 0 0 1 .5.5v5.5L10 16a1 1 0 0 1-1.4 0L4 11.4a1 1 0 0 1 0-1.4ZM13.2 6.8h.01" />
    </Icon>
  );
}

export function LockIcon() {
  return (
    <Icon>
      <path d="M5.5 9h9v7h-9ZM7.5 9V6.5a2.5 2.5 0 0 1 5 0V9" />
    </Icon>
  );
}

export function CopyIcon() {
  return (
    <Icon>
      <path d="M7.5 7.5h8v8h-8ZM12.5 7.5v-3h-8v8h3" />
    </Icon>
  );
}

export function PlayIcon() {
  return (
    <Icon>
      <path d="M6 4l10 6-10 6Z" />
    </Icon>
  );
}

export function PauseIcon() {
  return (
    <Icon>
      <path d="M7 4.5v11M13 4.5v11" />
    </Icon>
  );
}

export function UpIcon() {
  return (
    <Icon>
      <path d="M5 12l5-5 5 5" />
    </Icon>
  );
}

export function DownIcon() {
  return (
    <Icon>
      <path d="M5 8l5 5 5-5" />
    </Icon>
  );
}
