import { safeColor, textOn } from '../presence/color';
import { initials } from '../presence/people';
import './avatar.css';

/** A person's initials on their color; decoration beside their name. */
export function Avatar({ name, color }: { readonly name: string; readonly color: string }) {
  const ground = safeColor(color);
  return (
    <span className="avatar" aria-hidden="true" style={{ background: ground, color: textOn(ground) }}>
      {initials(name)}
    </span>
  );
}
