import type { Label } from '../api/history';
import { LockIcon, TagIcon } from '../parts/icons';

/** A label, with a lock when only some may move it. */
export function LabelChip({ label: { name, is_protected } }: { readonly label: Label }) {
  return (
    <span className="label-chip" data-testid="label" title={is_protected ? `${name} is protected` : name}>
      {is_protected ? <LockIcon /> : <TagIcon />}
      {name}
      {is_protected && <span className="visually-hidden"> (protected)</span>}
    </span>
  );
}
