import type { Label } from '../api/history';
import { Avatar } from '../parts/Avatar';
import { ago } from '../parts/ago';
import { CopyIcon } from '../parts/icons';
import type { Version } from '../wire/version';
import { shortId, titleOf } from './historyState';
import { LabelChip } from './LabelChip';

export interface VersionItemProps {
  readonly version: Version;
  readonly labels: readonly Label[];
  readonly isChosen: boolean;
  readonly onChoose: () => void;
  readonly onCopy: () => void;
}

/** One version in the list: choosing it compares it with the live text. */
export function VersionItem({ version, labels, isChosen, onChoose, onCopy }: VersionItemProps) {
  const { id, kind, author, created_at } = version;
  return (
    <li className="version" data-testid="version" data-kind={kind}>
      <Avatar name={author.name} color={author.color} />
      <button
        type="button"
        className="version-title"
        aria-pressed={isChosen}
        title={version.message || titleOf(version)}
        onClick={onChoose}
      >
        {titleOf(version)}
      </button>
      <p className="version-about">
        <Authors version={version} />
        <time dateTime={created_at} title={new Date(created_at).toLocaleString()}>
          {ago(created_at)}
        </time>
      </p>
      <div className="version-names">
        <button
          type="button"
          className="version-id"
          title={`Copy ${id}`}
          aria-label={`Copy the id ${shortId(id)}`}
          onClick={onCopy}
        >
          {shortId(id)} <CopyIcon />
        </button>
        <div className="version-labels">
          {labels.map((label) => (
            <LabelChip key={label.name} label={label} />
          ))}
        </div>
      </div>
    </li>
  );
}

function Authors({ version: { author, co_authors } }: { readonly version: Version }) {
  const [first, ...others] = co_authors;
  const everybody = [author, ...co_authors].map(({ name }) => name).join(', ');
  const rest = others.length > 0 ? `${co_authors.length} others` : first?.name;
  return (
    <span className="version-authors" title={everybody}>
      {rest ? `${author.name} and ${rest}` : author.name}
    </span>
  );
}
